//! What the clips of a manifest say of a model, clip by clip, by language and together.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Agreement, Clip, Record, Score};
use crate::transcribe::Transcript;

/// A clip that was transcribed, beside what was said in it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct EvaluatedClip {
    /// The clip's name in its manifest.
    pub file: String,
    /// Its language as the manifest has it: a code, another text, `no speech`, `not given`.
    pub language: String,
    /// Code of the language that it was transcribed as.
    pub transcribed_as: String,
    /// What was said, where that is known.
    pub reference: Option<String>,
    /// What was transcribed.
    pub text: String,
    /// What it took.
    #[serde(flatten)]
    pub cost: Cost,
    /// The errors; none where it is not known what was said.
    pub errors: Option<Errors>,
    /// How far it is its reference transcript; none where there is no such.
    pub agreement: Option<Agreement>,
}

/// Clips together.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Group {
    /// Clips.
    pub clips: usize,
    /// Those of which it is known what was said.
    pub with_reference: usize,
    /// What they took.
    #[serde(flatten)]
    pub cost: Cost,
    /// Their errors as one text; none where of no clip it is known what was said.
    pub errors: Option<Errors>,
    /// How far they are their reference transcripts; none where there are no such.
    pub agreement: Option<Agreement>,
}

/// What transcribing took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Cost {
    /// Length of the audio, in seconds.
    pub audio_seconds: f64,
    /// Time from the file to the transcript, in seconds.
    pub seconds: f64,
    /// Length over time: 10 transcribes a minute in six seconds. None where nothing was heard.
    pub times_real_time: Option<f64>,
    /// Most memory of the process meanwhile.
    pub peak_host_bytes: Option<u64>,
}

/// Errors with their rates.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Errors {
    /// Their numbers.
    #[serde(flatten)]
    pub score: Score,
    /// Errors per word that was said; none where nothing was said.
    pub word_error_rate: Option<f64>,
    /// Errors per character that was said; none where nothing was said.
    pub character_error_rate: Option<f64>,
}

/// All clips, and what they say together.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Evaluation {
    /// The clips, in the manifest's order.
    pub clips: Vec<EvaluatedClip>,
    /// Those of one language together, by its name in the manifest.
    pub languages: BTreeMap<String, Group>,
    /// All of them; the errors are those of clips in which somebody speaks.
    pub all: Group,
}

impl EvaluatedClip {
    /// Holds a record against what the manifest says of its clip and against a reference transcript.
    pub fn new(clip: &Clip, record: &Record, reference: Option<&Transcript>) -> Self {
        let transcript = &record.transcript;
        let language = clip.language_of(transcript);
        let said = clip.said();
        let score = said.map(|said| Score::of(said, &transcript.text, language));
        Self {
            file: clip.name.clone(),
            language: clip.speech.to_string(),
            transcribed_as: transcript.language.clone(),
            reference: said.map(str::to_owned),
            text: transcript.text.clone(),
            cost: Cost::new(record.audio_seconds, record.seconds, record.peak_host_bytes),
            errors: score.map(Errors::from),
            agreement: reference.map(|reference| Agreement::of(transcript, reference)),
        }
    }

    fn nobody_speaks(&self) -> bool {
        self.reference.as_deref() == Some("")
    }
}

impl Group {
    fn of<'a>(clips: impl Iterator<Item = &'a EvaluatedClip> + Clone) -> Self {
        let sum = |value: fn(&Cost) -> f64| clips.clone().map(|clip| value(&clip.cost)).sum();
        let peaks = clips.clone().filter_map(|clip| clip.cost.peak_host_bytes);
        let errors = || clips.clone().filter_map(|clip| clip.errors);
        let agreements = || clips.clone().filter_map(|clip| clip.agreement);
        let score = errors().map(|errors| errors.score);
        Self {
            clips: clips.clone().count(),
            with_reference: errors().count(),
            cost: Cost::new(
                sum(|cost| cost.audio_seconds),
                sum(|cost| cost.seconds),
                peaks.max(),
            ),
            errors: errors().next().map(|_| Errors::from(score.sum::<Score>())),
            agreement: agreements().next().map(|_| agreements().sum()),
        }
    }
}

impl Cost {
    fn new(audio_seconds: f64, seconds: f64, peak_host_bytes: Option<u64>) -> Self {
        let ratio = audio_seconds / seconds;
        Self {
            audio_seconds,
            seconds,
            times_real_time: ratio.is_finite().then_some(ratio),
            peak_host_bytes,
        }
    }
}

impl From<Score> for Errors {
    fn from(score: Score) -> Self {
        Self {
            score,
            word_error_rate: score.words.rate(),
            character_error_rate: score.characters.rate(),
        }
    }
}

impl Evaluation {
    /// Puts clips together.
    pub fn new(clips: Vec<EvaluatedClip>) -> Self {
        let mut by_language: BTreeMap<String, Vec<&EvaluatedClip>> = BTreeMap::new();
        for clip in &clips {
            by_language
                .entry(clip.language.clone())
                .or_default()
                .push(clip);
        }
        let languages = by_language
            .into_iter()
            .map(|(language, clips)| (language, Group::of(clips.into_iter())));
        let spoken = Group::of(clips.iter().filter(|clip| !clip.nobody_speaks()));
        let all = Group {
            with_reference: spoken.with_reference,
            errors: spoken.errors,
            ..Group::of(clips.iter())
        };
        Self {
            languages: languages.collect(),
            all,
            clips,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Speech;
    use super::*;

    fn evaluated(speech: Speech, said: Option<&str>, text: &str, seconds: f64) -> EvaluatedClip {
        let clip = Clip {
            name: format!("{speech} {text}"),
            path: "x.wav".into(),
            transcript: said.map(str::to_owned),
            speech,
        };
        let record = Record {
            file: clip.name.clone(),
            audio_seconds: 10.0,
            seconds,
            peak_host_bytes: Some(seconds as u64),
            transcript: Transcript::new(text.to_owned(), Vec::new(), "en".to_owned()),
        };
        let reference = Transcript::new(" so".to_owned(), Vec::new(), "en".to_owned());
        EvaluatedClip::new(&clip, &record, Some(&reference))
    }

    #[test]
    fn long_texts_weigh_more_and_silence_has_no_rate() {
        let evaluation = Evaluation::new(vec![
            evaluated(
                Speech::Known("en"),
                Some("the cat sat down"),
                " the cat sat dawn",
                2.0,
            ),
            evaluated(Speech::Known("en"), Some("so"), " so", 3.0),
            evaluated(Speech::Known("de"), None, " ja", 4.0),
            evaluated(Speech::Nothing, None, " Thank you.", 1.0),
        ]);
        let english = &evaluation.languages["en"];
        assert_eq!(english.errors.unwrap().word_error_rate, Some(0.2));
        assert_eq!(english.cost.times_real_time, Some(4.0));
        assert_eq!((english.clips, english.with_reference), (2, 2));
        let german = &evaluation.languages["de"];
        assert_eq!((german.with_reference, german.errors), (0, None));
        let silence = evaluation.languages["no speech"].errors.unwrap();
        assert_eq!(
            (silence.score.words.insertions, silence.word_error_rate),
            (2, None)
        );
        let all = &evaluation.all;
        assert_eq!(all.errors.unwrap().word_error_rate, Some(0.2));
        assert_eq!((all.clips, all.with_reference), (4, 2));
        assert_eq!(all.cost.peak_host_bytes, Some(4));
        assert_eq!(all.agreement.unwrap().text_equal, 1);
    }
}
