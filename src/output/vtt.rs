//! WebVTT subtitles.

use std::io::{self, Write};

use super::subtitles::{SubtitleOptions, cues};
use super::{Writer, format_timestamp};
use crate::transcribe::Transcript;

/// Subtitles with times as `00:04.000`, byte for byte as openai/whisper writes them (utils.py:229-238).
#[derive(Debug, Clone, Copy, Default)]
pub struct Vtt(pub SubtitleOptions);

impl Writer for Vtt {
    fn name(&self) -> &'static str {
        "vtt"
    }

    fn write(&self, transcript: &Transcript, out: &mut dyn Write) -> io::Result<()> {
        let time = |seconds| format_timestamp(seconds, false, ".");
        out.write_all(b"WEBVTT\n\n")?;
        for (start, end, text) in cues(&transcript.segments, self.0, time) {
            write!(out, "{start} --> {end}\n{text}\n\n")?;
        }
        Ok(())
    }
}
