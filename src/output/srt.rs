//! SubRip subtitles.

use std::io::{self, Write};

use super::subtitles::{SubtitleOptions, cues};
use super::{Writer, format_timestamp};
use crate::transcribe::Transcript;

/// Numbered subtitles with times as `00:00:04,000`, byte for byte as openai/whisper writes them (utils.py:241-253).
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct Srt {
    /// Which words and lines make up a subtitle.
    pub subtitles: SubtitleOptions,
    /// Number that the numbers begin behind: with 0 the first subtitle is 1.
    pub offset_n: usize,
}

impl Writer for Srt {
    fn name(&self) -> &'static str {
        "srt"
    }

    fn write(&self, transcript: &Transcript, out: &mut dyn Write) -> io::Result<()> {
        let time = |seconds| format_timestamp(seconds, true, ",");
        let cues = cues(&transcript.segments, self.subtitles, time);
        for (count, (start, end, text)) in (1..).zip(cues) {
            let number = self.offset_n.saturating_add(count);
            write!(out, "{number}\n{start} --> {end}\n{text}\n\n")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{spoken, written};
    use super::*;

    #[test]
    fn numbers_begin_behind_the_offset() {
        let mut transcript = spoken();
        transcript.segments.extend(transcript.segments.clone());
        let numbers = |offset_n: usize| -> Vec<usize> {
            let srt = Srt {
                offset_n,
                ..Srt::default()
            };
            let written = written(&srt, &transcript);
            let first_lines = written.split_terminator("\n\n");
            first_lines
                .map(|cue| cue.lines().next().unwrap().parse().unwrap())
                .collect()
        };
        let count = transcript.segments.len();
        assert_eq!(numbers(0), Vec::from_iter(1..=count));
        assert_eq!(numbers(41), Vec::from_iter(42..42 + count));
    }
}
