//! Which parts of a recording are transcribed (transcribe.py:168-177, 253-262).

use std::ops::Range;

use crate::frontend::N_FRAMES;
use crate::text::python_round;

/// Frames per second.
const FRAMES_PER_SECOND: f64 = 100.0;

/// Parts of a recording in frames, and how far their transcription has come.
#[derive(Clone, Debug, Default)]
pub(super) struct Clips {
    clips: Vec<(usize, usize)>,
    current: usize,
    content_frames: usize,
}

impl Clips {
    /// Clips from starts and ends in seconds, in turn. A last start without an end lasts to the end of
    /// the recording, and nothing lasts longer: openai/whisper does not clamp, and can stall there.
    pub fn new(timestamps: &[f64], content_frames: usize) -> Self {
        let frame = |&seconds: &f64| {
            let frame = python_round(seconds * FRAMES_PER_SECOND).max(0);
            usize::try_from(frame).unwrap_or(0).min(content_frames)
        };
        let mut frames: Vec<usize> = timestamps.iter().map(frame).collect();
        if frames.is_empty() {
            frames.push(0);
        }
        if frames.len() % 2 == 1 {
            frames.push(content_frames);
        }
        Self {
            clips: frames.chunks_exact(2).map(|c| (c[0], c[1])).collect(),
            current: 0,
            content_frames,
        }
    }

    /// Frame that the first clip begins at.
    pub fn start(&self) -> usize {
        self.clips.first().map_or(0, |&(start, _)| start)
    }

    /// Frames of the first window to decode; `None` where there is none.
    pub fn first_window(&self) -> Option<Range<usize>> {
        let mut seek = self.start();
        let frames = self.clone().next_window(&mut seek)?;
        Some(seek..seek + frames)
    }

    /// Frames of the window to decode at `seek`, which is moved on to the next clip where one has ended;
    /// `None` when all are done.
    pub fn next_window(&mut self, seek: &mut usize) -> Option<usize> {
        while let Some(&(start, end)) = self.clips.get(self.current) {
            *seek = (*seek).max(start);
            if *seek < end {
                return Some(N_FRAMES.min(self.content_frames - *seek).min(end - *seek));
            }
            self.current += 1;
            if let Some(&(start, _)) = self.clips.get(self.current) {
                *seek = start;
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Windows as (start, length) when each is decoded whole.
    fn windows(timestamps: &[f64], content_frames: usize) -> Vec<(usize, usize)> {
        let mut clips = Clips::new(timestamps, content_frames);
        let mut seek = clips.start();
        let mut windows = Vec::new();
        let first = clips.first_window();
        while let Some(length) = clips.next_window(&mut seek) {
            windows.push((seek, length));
            seek += length;
        }
        let begun = windows
            .first()
            .map(|&(start, length)| start..start + length);
        assert_eq!(first, begun);
        windows
    }

    #[test]
    fn without_timestamps_the_whole_recording_is_cut_into_windows() {
        assert_eq!(windows(&[], 0), []);
        assert_eq!(windows(&[], 3000), [(0, 3000)]);
        assert_eq!(
            windows(&[0.0], 7001),
            [(0, 3000), (3000, 3000), (6000, 1001)]
        );
    }

    #[test]
    fn clips_are_windows_of_their_own() {
        assert_eq!(
            windows(&[1.0, 2.0, 5.0, 45.0], 6000),
            [(100, 100), (500, 3000), (3500, 1000)]
        );
    }

    #[test]
    fn a_last_start_lasts_to_the_end_and_no_end_lies_beyond_it() {
        assert_eq!(windows(&[10.0], 1500), [(1000, 500)]);
        assert_eq!(windows(&[10.0, 99.0], 1500), [(1000, 500)]);
        assert_eq!(windows(&[99.0, 100.0], 1500), []);
    }

    #[test]
    fn an_end_before_its_start_and_a_step_back_are_taken_as_they_are() {
        assert_eq!(windows(&[5.0, 4.0], 1500), []);
        assert_eq!(
            windows(&[5.0, 6.0, 1.0, 2.0], 1500),
            [(500, 100), (100, 100)]
        );
    }
}
