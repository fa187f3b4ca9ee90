//! SubRip subtitles.

use std::io::{self, Write};

use super::subtitles::{SubtitleOptions, cues};
use super::{Writer, format_timestamp};
use crate::transcribe::Transcript;

/// Numbered subtitles with times as `00:00:04,000`, byte for byte as openai/whisper writes them (utils.py:241-253).
#[derive(Debug, Clone, Copy, Default)]
pub struct Srt(pub SubtitleOptions);

impl Writer for Srt {
    fn name(&self) -> &'static str {
        "srt"
    }

    fn write(&self, transcript: &Transcript, out: &mut dyn Write) -> io::Result<()> {
        let time = |seconds| format_timestamp(seconds, true, ",");
        let cues = cues(&transcript.segments, self.0, time);
        for (number, (start, end, text)) in (1..).zip(cues) {
            write!(out, "{number}\n{start} --> {end}\n{text}\n\n")?;
        }
        Ok(())
    }
}
