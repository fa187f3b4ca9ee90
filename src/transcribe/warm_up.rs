//! Running the engine once before there is anything to do.

use std::time::{Duration, Instant};

use super::{TranscribeOptions, Whisper};
use crate::Result;
use crate::audio::{Audio, SAMPLE_RATE};

/// The step after the prompt, and one that follows a token of its own.
const STEPS: usize = 2;

impl Whisper {
    /// Transcribes a second of silence as these options would have it: one window through the encoder, the detection of a
    /// language where none is given, the prompt, and two steps of decoding at the first temperature with as many beams. What a
    /// device compiles on its first use is compiled then, and its memory is taken, so that the first recording does not wait
    /// for that. Logit filters of one's own are left out. Gives how long it took.
    ///
    /// # Errors
    ///
    /// As [`transcribe`](Self::transcribe).
    pub fn warm_up(&self, options: &TranscribeOptions) -> Result<Duration> {
        let begin = Instant::now();
        let mut options = options.clone();
        options.temperatures.truncate(1);
        options.max_new_tokens = Some(STEPS);
        options.clip_timestamps.clear();
        options.logit_filters.clear();
        // A limit on tokens is none of openai/whisper's, and nothing is made of these.
        options.strict = false;
        let silence = Audio::from_pcm16(vec![0; SAMPLE_RATE]);
        self.segments(&silence, &options)?.next().transpose()?;
        Ok(begin.elapsed())
    }
}
