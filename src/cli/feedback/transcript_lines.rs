//! The transcript on standard output, a line a segment, as the segments come.

use std::io;

use whisper_rs::{Segment, output};

use super::colours;
use crate::cli::flags::values::Choice;
use crate::cli::standard_output::StandardOutput;

/// Colours of a terminal with 256, from improbable (red) to sure (green), as whisper-ctranslate2 has them.
const COLOURS: [u8; 10] = [196, 202, 208, 214, 220, 226, 190, 154, 118, 82];
const PLAIN: &str = "\x1b[0m";

/// How segments are shown.
#[derive(Debug)]
pub struct TranscriptLines {
    coloured: bool,
    /// Whether timestamps and other special tokens are shown.
    special: bool,
    /// Whether each line begins with its times.
    times: bool,
}

impl TranscriptLines {
    /// In colours or not, see [`colours::wanted`]. With special tokens or not, and with times or not.
    pub fn new(colours: Choice, special: bool, times: bool) -> Self {
        TranscriptLines {
            special,
            times,
            coloured: colours::wanted(colours),
        }
    }

    /// Prints `[00:00.000 --> 00:07.600]  text` at once. A segment without text, as a music-only window may give, is
    /// no line.
    pub fn print(&self, segment: &Segment, stdout: &mut StandardOutput) -> io::Result<()> {
        if segment.text.trim().is_empty() {
            return Ok(());
        }
        let line = match (self.coloured || self.special, self.times) {
            (true, _) => self.line_of_tokens(segment),
            (false, true) => output::segment_line(segment),
            (false, false) => segment.text.trim_start().to_owned(),
        };
        stdout.write(|out| writeln!(out, "{line}"))
    }

    /// The line token by token.
    fn line_of_tokens(&self, segment: &Segment) -> String {
        let mut line = String::new();
        if self.times {
            let mut empty = segment.clone();
            empty.text.clear();
            line = output::segment_line(&empty);
        }
        let mut last = None;
        let mut bare = !self.times;
        for token in &segment.token_details {
            let special = token.text.starts_with("<|") && token.text.ends_with("|>");
            if token.text.is_empty() || (special && !self.special) {
                continue;
            }
            let colour = colour(token.probability);
            if self.coloured && last != Some(colour) {
                line += &format!("\x1b[38;5;{colour}m");
                last = Some(colour);
            }
            // The space that words begin with stands behind the times.
            line += match bare {
                true => token.text.trim_start(),
                false => &token.text,
            };
            bare = false;
        }
        if self.coloured {
            line += PLAIN;
        }
        line
    }
}

/// Most tokens are nearly sure: the third power spreads them over the colours.
fn colour(probability: f64) -> u8 {
    let steps = COLOURS.len();
    // The cast saturates.
    let step = (probability.powi(3) * steps as f64) as usize;
    COLOURS[step.min(steps - 1)]
}

#[cfg(test)]
mod tests {
    use whisper_rs::Token;

    use super::*;

    fn token(text: &str, probability: f64) -> Token {
        let mut token = Token::default();
        token.text = text.to_owned();
        token.probability = probability;
        token
    }

    #[test]
    fn tokens_are_coloured_by_probability() {
        let mut segment = Segment::default();
        segment.text = " And so".to_owned();
        segment.end = 1.0;
        segment.token_details = vec![
            token("<|0.00|>", 0.5),
            token(" And", 0.99),
            token("", 0.3),
            token(" so", 0.1),
        ];
        let line = |coloured, special, times| {
            let lines = TranscriptLines {
                coloured,
                special,
                times,
            };
            lines.line_of_tokens(&segment)
        };
        assert_eq!(
            line(true, false, true),
            "[00:00.000 --> 00:01.000] \x1b[38;5;82m And\x1b[38;5;196m so\x1b[0m"
        );
        assert_eq!(
            line(false, true, true),
            "[00:00.000 --> 00:01.000] <|0.00|> And so"
        );
        assert_eq!(
            line(true, false, false),
            "\x1b[38;5;82mAnd\x1b[38;5;196m so\x1b[0m"
        );
    }

    #[test]
    fn every_probability_has_a_colour() {
        assert_eq!(colour(0.0), 196);
        assert_eq!(colour(1.0), 82);
        assert_eq!(colour(f64::NAN), 196);
    }
}
