//! Which language a recording is in, heard in one or more of its first windows.

use std::ops::Range;

use burn::tensor::Tensor;

use super::stages::{Stage, StageClock};
use super::{TranscribeOptions, Whisper};
use crate::decoding::{LanguageDetection, detect_language};
use crate::frontend::{Features, N_FRAMES};
use crate::model::DecoderState;
use crate::{CancelToken, Result};

/// A language of this probability in the first window as it is decoded is the one of openai/whisper's own features as well, which differ in
/// what follows a short recording: [measured](crate::book::accuracy) there with a wide margin.
const SURE: f64 = 0.9;

/// The language of a recording, and what finding it leaves for decoding.
pub(super) struct RecordingLanguage {
    /// Code of the language.
    pub language: &'static str,
    /// A decoder's state for as many rows as the options ask for.
    pub state: Option<DecoderState>,
    /// Whether the state has begun the first window to decode.
    pub first_window_begun: bool,
}

/// Hears one window after the other.
struct Listener<'l, 'a> {
    whisper: &'l Whisper,
    features: &'l mut Features<'a>,
    max_rows: usize,
    cancel: &'l CancelToken,
    clock: &'l mut StageClock,
    state: Option<DecoderState>,
    /// Encoder output of the window heard first.
    first: Option<Tensor<3>>,
}

impl RecordingLanguage {
    /// Detects the language, in the first 30 s as openai/whisper (transcribe.py:147-160), or in more windows of 30 s as
    /// faster-whisper (1.2.1, transcribe.py:1812-1842): up to the first that is sure, else by their votes.
    ///
    /// There the silence after a recording is heard as it is, while decoded windows are padded with zeros. Where `first_window`, which is
    /// decoded first, is the whole of a recording shorter than 30 s, it is heard as it is decoded, which saves encoding it
    /// twice, and heard as openai/whisper hears it only if that leaves doubt.
    ///
    /// It ends before the next window where it is cancelled.
    pub fn detect(
        whisper: &Whisper,
        features: &mut Features<'_>,
        options: &TranscribeOptions,
        first_window: Option<Range<usize>>,
        cancel: &CancelToken,
        clock: &mut StageClock,
    ) -> Result<Self> {
        let content_frames = features.content_frames();
        let mut listener = Listener {
            whisper,
            features,
            max_rows: options.max_rows(),
            cancel,
            clock,
            state: None,
            first: None,
        };
        let is_short = content_frames < N_FRAMES && first_window == Some(0..content_frames);
        if is_short {
            let heard = listener.hear(0, content_frames)?;
            if heard.probability() >= SURE {
                return Ok(Self {
                    language: heard.language,
                    state: listener.state,
                    first_window_begun: true,
                });
            }
        }
        let windows =
            (content_frames.div_ceil(N_FRAMES)).clamp(1, options.language_detection_segments);
        let mut heard = 0;
        let detections = (0..windows).map(|window| {
            heard += 1;
            listener.hear(window * N_FRAMES, N_FRAMES)
        });
        let language = vote(detections, options.language_detection_threshold)?;
        let first_window_heard = is_short || first_window == Some(0..N_FRAMES);
        if is_short || (first_window_heard && heard > 1) {
            listener.begin_first_again()?;
        }
        Ok(Self {
            language: language.unwrap_or("en"),
            state: listener.state,
            first_window_begun: first_window_heard,
        })
    }
}

impl Listener<'_, '_> {
    /// The language of so many frames from `start` on, which the decoder's state has begun and is rewound to afterwards.
    fn hear(&mut self, start: usize, frames: usize) -> Result<LanguageDetection> {
        self.cancel.check()?;
        let whisper = self.whisper;
        let mel = (self.clock).time(Stage::Frontend, || self.features.window(start, frames))?;
        let encoded = (self.clock).time(Stage::Encoder, || Ok(whisper.model.encode(mel)))?;
        self.first.get_or_insert_with(|| encoded.clone());
        let mut state = self.begin(encoded)?;
        let detected = (self.clock).time(Stage::Decoder, || {
            let tokenizer = &whisper.tokenizer;
            detect_language(&whisper.model, tokenizer, &mut state, &whisper.device)
        });
        self.state = Some(state);
        detected
    }

    /// Begins a window in the decoder's state, which is made for the first one.
    fn begin(&mut self, encoded: Tensor<3>) -> Result<DecoderState> {
        let decoder = &self.whisper.model.decoder;
        let (state, max_rows) = (self.state.take(), self.max_rows);
        (self.clock).time(Stage::CrossKeysAndValues, || {
            Ok(match state {
                Some(mut state) => {
                    decoder.begin_window(encoded, &mut state);
                    state
                }
                None => decoder.start(encoded, max_rows),
            })
        })
    }

    /// Begins the window heard first once more, after others.
    fn begin_first_again(&mut self) -> Result<()> {
        if let Some(first) = self.first.take() {
            self.state = Some(self.begin(first)?);
        }
        Ok(())
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
