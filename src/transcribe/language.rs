//! Which language a recording is in, heard in one or more of its first windows.

use burn::tensor::Tensor;

use super::stages::{Stage, StageClock};
use super::{TranscribeOptions, Whisper};
use crate::decoding::{LanguageDetection, detect_language};
use crate::frontend::{Features, N_FRAMES};
use crate::model::DecoderState;
use crate::{CancelToken, Result};

/// The language of a recording, and what finding it leaves for decoding.
pub(super) struct RecordingLanguage {
    /// Code of the language.
    pub language: &'static str,
    /// Encoder output of the first window, if that is also the first window to decode.
    pub first_window: Option<Tensor<3>>,
    /// A decoder's state for as many rows as the options ask for.
    pub state: DecoderState,
}

impl RecordingLanguage {
    /// Detects the language, in the first 30 s as openai/whisper (transcribe.py:147-160), or in more windows of 30 s as
    /// faster-whisper (1.2.1, transcribe.py:1812-1842): up to the first that is sure, else by their votes.
    ///
    /// It ends before the next window where it is cancelled.
    ///
    /// The silence after the recording is heard as it is, while decoded windows are padded with zeros.
    pub fn detect(
        whisper: &Whisper,
        features: &mut Features<'_>,
        options: &TranscribeOptions,
        cancel: &CancelToken,
        clock: &mut StageClock,
    ) -> Result<Self> {
        let decoder = &whisper.model.decoder;
        let content_frames = features.content_frames();
        let mut encode = |window: usize, clock: &mut StageClock| -> Result<Tensor<3>> {
            cancel.check()?;
            let mel = clock.time(Stage::Frontend, || {
                features.window(window * N_FRAMES, N_FRAMES)
            })?;
            clock.time(Stage::Encoder, || Ok(whisper.model.encode(mel)))
        };
        let first = encode(0, clock)?;
        let start = || Ok(decoder.start(first.clone(), options.max_rows()));
        let mut state = clock.time(Stage::CrossKeysAndValues, start)?;
        let windows =
            (content_frames.div_ceil(N_FRAMES)).clamp(1, options.language_detection_segments);
        let detections = (0..windows).map(|window| {
            if window > 0 {
                decoder.begin_window(encode(window, clock)?, &mut state);
            }
            let (model, tokenizer) = (&whisper.model, &whisper.tokenizer);
            clock.time(Stage::Decoder, || {
                detect_language(model, tokenizer, &mut state, &whisper.device)
            })
        });
        let language = vote(detections, options.language_detection_threshold)?;
        Ok(Self {
            language: language.unwrap_or("en"),
            // A whole first window is the one just encoded; a shorter one is padded otherwise.
            first_window: (content_frames >= N_FRAMES).then_some(first),
            state,
        })
    }
}

/// The language of the first window that is surer than `threshold`, else the one that most windows are in, the one met
/// first of equals; `None` without windows.
fn vote(
    windows: impl Iterator<Item = Result<LanguageDetection>>,
    threshold: Option<f64>,
) -> Result<Option<&'static str>> {
    let mut votes: Vec<(&'static str, usize)> = Vec::new();
    for window in windows {
        let window = window?;
        let language = window.language;
        if threshold.is_some_and(|threshold| window.probability() > threshold) {
            return Ok(Some(language));
        }
        match votes.iter_mut().find(|(voted, _)| *voted == language) {
            Some((_, count)) => *count += 1,
            None => votes.push((language, 1)),
        }
    }
    let most = votes.iter().map(|&(_, count)| count).max();
    let winner = votes.iter().find(|&&(_, count)| Some(count) == most);
    Ok(winner.map(|&(language, _)| language))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is voted for, and how many windows were looked at.
    fn voted(
        windows: &[(&'static str, f64)],
        threshold: Option<f64>,
    ) -> (Option<&'static str>, usize) {
        let mut heard = 0;
        let detections = windows.iter().map(|&(language, probability)| {
            heard += 1;
            Ok(LanguageDetection {
                language,
                probabilities: vec![("xx", 0.01), (language, probability)],
            })
        });
        let language = vote(detections, threshold).unwrap();
        (language, heard)
    }

    #[test]
    fn the_first_sure_window_decides() {
        let windows = [("en", 0.4), ("de", 0.9), ("en", 0.9)];
        assert_eq!(voted(&windows, Some(0.5)), (Some("de"), 2));
        assert_eq!(voted(&windows, Some(0.3)), (Some("en"), 1));
    }

    #[test]
    fn else_most_windows_do_and_the_first_of_equals() {
        let windows = [("en", 0.4), ("de", 0.3), ("fr", 0.2), ("de", 0.5)];
        assert_eq!(voted(&windows, Some(0.5)), (Some("de"), 4));
        assert_eq!(voted(&windows[..3], Some(0.5)), (Some("en"), 3));
        assert_eq!(voted(&[("en", 0.9), ("de", 0.9)], None), (Some("en"), 2));
        assert_eq!(voted(&[], Some(0.5)), (None, 0));
    }
}
