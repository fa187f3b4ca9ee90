//! Cuts the tokens of one window into segments at their timestamps (transcribe.py:339-399).

use super::segments::seconds;
use crate::decoding::SECONDS_PER_TIMESTAMP;

/// Mel frames per timestamp token (transcribe.py:233).
const FRAMES_PER_TIMESTAMP: usize = 2;

/// A piece of a window: its tokens, timestamps among them, and its times in seconds from the window's start.
#[derive(Debug, PartialEq)]
pub(super) struct Slice {
    pub start: f64,
    pub end: f64,
    pub tokens: Vec<u32>,
    /// Where `tokens` begin among those of the window.
    pub begin: usize,
}

/// A window's slices, and by how many frames to go on.
#[derive(Debug, PartialEq)]
pub(super) struct Window {
    pub slices: Vec<Slice>,
    pub advance: usize,
    /// Whether the tokens end with one timestamp alone: nothing is spoken after it.
    pub single_timestamp_ending: bool,
}

/// Cuts `tokens`, sampled from a window of `segment_size` frames.
pub(super) fn slice_window(tokens: &[u32], timestamp_begin: u32, segment_size: usize) -> Window {
    let is_timestamp = |index: usize| tokens[index] >= timestamp_begin;
    let n = tokens.len();
    let single_timestamp_ending = n >= 2 && !is_timestamp(n - 2) && is_timestamp(n - 1);
    // Where the second of two timestamps stands: one segment ends before it, the next begins with it.
    let mut cuts: Vec<usize> = (1..tokens.len())
        .filter(|&index| is_timestamp(index - 1) && is_timestamp(index))
        .collect();
    if cuts.is_empty() {
        let slice = whole_window(tokens, timestamp_begin, segment_size);
        return Window {
            slices: vec![slice],
            advance: segment_size,
            single_timestamp_ending,
        };
    }

    if single_timestamp_ending {
        cuts.push(n);
    }
    let mut slices = Vec::with_capacity(cuts.len());
    let mut begin = 0;
    for &cut in &cuts {
        let tokens = &tokens[begin..cut];
        slices.push(Slice {
            start: time(tokens[0], timestamp_begin),
            end: time(tokens[tokens.len() - 1], timestamp_begin),
            tokens: tokens.to_vec(),
            begin,
        });
        begin = cut;
    }
    let advance = if single_timestamp_ending {
        segment_size
    } else {
        (tokens[begin - 1].saturating_sub(timestamp_begin)) as usize * FRAMES_PER_TIMESTAMP
    };
    Window {
        slices,
        advance,
        single_timestamp_ending,
    }
}

/// The one segment of a window without consecutive timestamps.
fn whole_window(tokens: &[u32], timestamp_begin: u32, segment_size: usize) -> Slice {
    let last = (tokens.iter().rev()).find(|&&token| token >= timestamp_begin);
    let end = match last {
        Some(&token) if token != timestamp_begin => time(token, timestamp_begin),
        _ => seconds(segment_size),
    };
    Slice {
        start: 0.0,
        end,
        tokens: tokens.to_vec(),
        begin: 0,
    }
}

fn time(token: u32, timestamp_begin: u32) -> f64 {
    (f64::from(token) - f64::from(timestamp_begin)) * SECONDS_PER_TIMESTAMP
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Timestamps begin at 100: 100 is 0.00 s, 150 is 1.00 s.
    fn slice(tokens: &[u32]) -> Window {
        slice_window(tokens, 100, 3000)
    }

    fn times(window: &Window) -> Vec<(f64, f64)> {
        window.slices.iter().map(|s| (s.start, s.end)).collect()
    }

    #[test]
    fn consecutive_timestamps_cut_and_what_follows_the_last_pair_is_decoded_again() {
        let window = slice(&[100, 1, 2, 150, 150, 3, 200, 200, 4]);
        assert_eq!(times(&window), [(0.0, 1.0), (1.0, 2.0)]);
        assert_eq!(window.slices[1].tokens, [150, 3, 200]);
        assert_eq!(window.slices[1].begin, 4);
        assert_eq!(window.advance, 200, "2.00 s are 200 frames");
        assert!(!window.single_timestamp_ending);
    }

    #[test]
    fn a_single_timestamp_at_the_end_closes_the_window() {
        let window = slice(&[100, 1, 150, 160, 2, 200]);
        assert_eq!(times(&window), [(0.0, 1.0), (1.2, 2.0)]);
        assert_eq!(window.advance, 3000);
        assert!(window.single_timestamp_ending);
    }

    #[test]
    fn without_a_pair_there_is_one_segment_up_to_the_last_timestamp() {
        let window = slice(&[100, 1, 2, 150]);
        assert_eq!(times(&window), [(0.0, 1.0)]);
        assert_eq!(window.advance, 3000);
        assert!(window.single_timestamp_ending);
    }

    #[test]
    fn without_an_end_the_segment_lasts_as_long_as_the_window() {
        for tokens in [&[100, 1, 2][..], &[1, 2], &[]] {
            let window = slice_window(tokens, 100, 1100);
            assert_eq!(times(&window), [(0.0, 11.0)]);
            assert_eq!(window.slices[0].tokens, tokens);
            assert_eq!(window.advance, 1100);
            assert!(!window.single_timestamp_ending);
        }
    }
}
