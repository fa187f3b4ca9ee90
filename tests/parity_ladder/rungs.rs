//! Measures of difference, and the rungs of a transcript in the order in which one follows from the other.

use std::fmt;

use crate::reference::{Reference, Segment, Transcript, Word};

/// Times are sums of whole frames and multiples of 0.02 s in f64 on both sides.
const TIMES: f64 = 1e-6;
/// One position of the encoder: where two are equally good, floating point decides.
const WORD_TIMES: f64 = 0.0201;
const WORD_PROBABILITY: f64 = 0.01;
const AVG_LOGPROB: f64 = 1e-3;
const COMPRESSION_RATIO: f64 = 1e-6;
const NO_SPEECH_PROB: f64 = 1e-3;

/// The first rung that does not hold.
#[derive(Debug)]
pub struct Rung {
    name: String,
    what: String,
}

impl Rung {
    fn failed(name: &str, what: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            what: what.into(),
        }
    }

    /// Holds when the error is at most the tolerance; NaN is no error that is small enough.
    pub fn within(name: &str, error: f64, tolerance: f64) -> Result<(), Self> {
        if error <= tolerance {
            return Ok(());
        }
        Err(Self::failed(
            name,
            format!("error {error:.2e}, tolerance {tolerance:.0e}"),
        ))
    }
}

impl fmt::Display for Rung {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "first rung to fail is '{}': {}",
            self.name, self.what
        )
    }
}

/// Largest absolute difference; NaN where a value is NaN.
pub fn largest_difference(ours: &[f32], reference: &[f32]) -> f64 {
    assert_eq!(ours.len(), reference.len(), "number of values");
    differences(ours, reference)
        .map(f64::abs)
        .fold(
            0.0,
            |worst, x| if x.is_nan() || x > worst { x } else { worst },
        )
}

/// Norm of the difference over the norm of the reference.
pub fn relative_error(ours: &[f32], reference: &[f32]) -> f64 {
    assert_eq!(ours.len(), reference.len(), "number of values");
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>().sqrt();
    norm(&mut differences(ours, reference)) / norm(&mut reference.iter().map(|&x| f64::from(x)))
}

fn differences(ours: &[f32], reference: &[f32]) -> impl Iterator<Item = f64> {
    ours.iter()
        .zip(reference)
        .map(|(&a, &b)| f64::from(a) - f64::from(b))
}

/// language, tokens, seek, times, words, text, then the segment's statistics.
pub fn compare(ours: &Transcript, reference: &Reference) -> Result<(), Rung> {
    // Words give their times to the segments.
    let times = match reference.has_words() {
        false => TIMES,
        true => WORD_TIMES,
    };
    let reference = &reference.transcript;
    same("language", &ours.language, &reference.language)?;
    compare_tokens(&ours.segments, &reference.segments)?;
    same(
        "number of segments",
        &ours.segments.len(),
        &reference.segments.len(),
    )?;
    let pairs = || ours.segments.iter().zip(&reference.segments);
    for (ours, reference) in pairs() {
        same("seek", &ours.seek, &reference.seek)?;
        same("tokens of each segment", &ours.tokens, &reference.tokens)?;
    }
    for (ours, reference) in pairs() {
        close("start times", ours.start, reference.start, times)?;
        close("end times", ours.end, reference.end, times)?;
    }
    for (ours, reference) in pairs() {
        compare_words(ours.words.as_deref(), reference.words.as_deref())?;
    }
    for (ours, reference) in pairs() {
        same("text of each segment", &ours.text, &reference.text)?;
    }
    same("text", &ours.text, &reference.text)?;
    for (ours, reference) in pairs() {
        close(
            "avg_logprob",
            ours.avg_logprob,
            reference.avg_logprob,
            AVG_LOGPROB,
        )?;
        close(
            "compression_ratio",
            ours.compression_ratio,
            reference.compression_ratio,
            COMPRESSION_RATIO,
        )?;
        close(
            "no_speech_prob",
            ours.no_speech_prob,
            reference.no_speech_prob,
            NO_SPEECH_PROB,
        )?;
    }
    Ok(())
}

/// The token list of the whole file: the first difference is where decoding went another way.
fn compare_tokens(ours: &[Segment], reference: &[Segment]) -> Result<(), Rung> {
    let flat = |segments: &[Segment]| -> Vec<(usize, u32)> {
        segments
            .iter()
            .flat_map(|segment| segment.tokens.iter().map(|&token| (segment.seek, token)))
            .collect()
    };
    let (ours, reference) = (flat(ours), flat(reference));
    let at = ours.iter().zip(&reference).position(|(a, b)| a.1 != b.1);
    let Some(at) = at.or((ours.len() != reference.len()).then(|| ours.len().min(reference.len())))
    else {
        return Ok(());
    };
    let show = |tokens: &[(usize, u32)]| match tokens.get(at) {
        Some((seek, token)) => format!("{token} (seek {seek})"),
        None => "nothing".to_owned(),
    };
    Err(Rung::failed(
        "tokens",
        format!(
            "token {at} is {} where openai has {}",
            show(&ours),
            show(&reference)
        ),
    ))
}

/// The words of a segment, their times and probabilities.
fn compare_words(ours: Option<&[Word]>, reference: Option<&[Word]>) -> Result<(), Rung> {
    let text = |words: Option<&[Word]>| -> Option<Vec<String>> {
        words.map(|words| words.iter().map(|word| word.word.clone()).collect())
    };
    same("words of each segment", &text(ours), &text(reference))?;
    let (ours, reference) = (ours.unwrap_or_default(), reference.unwrap_or_default());
    for (ours, reference) in ours.iter().zip(reference) {
        close("word times", ours.start, reference.start, WORD_TIMES)?;
        close("word times", ours.end, reference.end, WORD_TIMES)?;
        close(
            "word probability",
            ours.probability,
            reference.probability,
            WORD_PROBABILITY,
        )?;
    }
    Ok(())
}

fn same<T: PartialEq + fmt::Debug>(name: &str, ours: &T, reference: &T) -> Result<(), Rung> {
    if ours == reference {
        return Ok(());
    }
    Err(Rung::failed(
        name,
        format!("{ours:?} where openai has {reference:?}"),
    ))
}

fn close(name: &str, ours: f64, reference: f64, tolerance: f64) -> Result<(), Rung> {
    if (ours - reference).abs() <= tolerance {
        return Ok(());
    }
    Err(Rung::failed(
        name,
        format!("{ours} where openai has {reference}, tolerance {tolerance:.0e}"),
    ))
}
