//! Which frames are computed, and where their samples lie.

use std::ops::Range;

use super::{HOP_LENGTH, N_FFT};

/// A frame hears this many samples on each side of its centre.
const REACH: usize = N_FFT / 2;

/// A file as the features see it: its samples and the zeros after them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Signal {
    /// Samples of the file.
    pub samples: usize,
    /// Zeros heard after it.
    pub padding: usize,
}

impl Signal {
    /// Samples with the zeros after them.
    pub(crate) fn padded(self) -> usize {
        self.samples + self.padding
    }

    /// Frames: one per hop, and none for the end (openai drops the last, `audio.py:151`).
    pub(crate) fn frames(self) -> usize {
        self.padded() / HOP_LENGTH
    }

    /// Frames that a sample of the file reaches; in those after them there are only zeros.
    pub(crate) fn sounding_frames(self) -> usize {
        match self.samples {
            0 => 0,
            samples => self.frames().min((samples - 1 + REACH) / HOP_LENGTH + 1),
        }
    }

    /// The frames whose samples all lie among `samples` of the file.
    pub(crate) fn frames_within(self, samples: &Range<usize>) -> Range<usize> {
        let first = match samples.start {
            0 => 0,
            start => (start + REACH).div_ceil(HOP_LENGTH),
        };
        let end = if samples.end >= self.samples {
            self.frames()
        } else {
            (samples.end.saturating_sub(REACH) / HOP_LENGTH + 1).min(self.frames())
        };
        first..end.max(first)
    }

    /// The samples of the file that `frames` are computed from.
    pub(crate) fn samples_of(self, frames: &Range<usize>) -> Range<usize> {
        let start = (frames.start * HOP_LENGTH).saturating_sub(REACH);
        let end = frames.end.saturating_sub(1) * HOP_LENGTH + REACH;
        // The mirror image at the beginning and at the end is made of samples nearby.
        let end = if frames.start == 0 {
            end.max(REACH + 1)
        } else {
            end
        };
        start.min(self.samples)..end.min(self.samples)
    }
}

/// The frames that a launch computes from a block of PCM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    /// The file.
    pub signal: Signal,
    /// The file's sample that the block begins with.
    pub block_start: usize,
    /// The first frame of the first window.
    pub first: usize,
    /// Windows, the frames from one to the next, and the frames of each.
    pub windows: usize,
    pub stride: usize,
    pub frames: usize,
    /// From this frame of the file on, literal zeros are written.
    pub end: usize,
}

/// [`Geometry`] in the coordinates of the block, as the kernels count: sample 0 is the block's
/// first and frame 0 the first window's first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Relative {
    /// The first sample of frame 0.
    pub origin: i64,
    /// The file's first sample, at which the signal is mirrored.
    pub mirror_start: i64,
    /// The end of the padded file, at which the signal is mirrored.
    pub mirror_end: i64,
    /// The end of what can be read; zeros follow.
    pub samples: i64,
    /// The frames that exist.
    pub frames_begin: i64,
    pub frames_end: i64,
    /// From here on literal zeros are written.
    pub end: i64,
}

impl Geometry {
    /// In the coordinates of a block of `block_len` samples.
    pub(crate) fn relative(&self, block_len: usize) -> Relative {
        let signed = |value: usize| value as i64;
        let (block, first) = (signed(self.block_start), signed(self.first));
        let samples = self.signal.samples.saturating_sub(self.block_start);
        Relative {
            origin: first * signed(HOP_LENGTH) - signed(REACH) - block,
            mirror_start: -block,
            mirror_end: signed(self.signal.padded()) - block,
            samples: signed(samples.min(block_len)),
            frames_begin: -first,
            frames_end: signed(self.signal.frames()) - first,
            end: signed(self.end) - first,
        }
    }
}

impl Relative {
    /// The sample of the block that is heard at `index`, if it is not a zero.
    pub(crate) fn heard(&self, index: i64) -> Option<usize> {
        let mut index = index;
        if index < self.mirror_start {
            index = 2 * self.mirror_start - index;
        }
        if index >= self.mirror_end {
            index = 2 * (self.mirror_end - 1) - index;
        }
        (0..self.samples).contains(&index).then_some(index as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_that_overlap_by_a_frame_cover_all_frames() {
        let signal = Signal {
            samples: 100_003,
            padding: 480_000,
        };
        let mut next = 0;
        let mut start = 0;
        while start < signal.samples {
            let end = (start + 7001).min(signal.samples);
            let frames = signal.frames_within(&(start..end));
            assert!(frames.start <= next, "frame {next} is in no block");
            for frame in frames.clone() {
                let needed = signal.samples_of(&(frame..frame + 1));
                assert!(start <= needed.start && needed.end <= end);
            }
            next = frames.end;
            start += 7001 - 2 * REACH - HOP_LENGTH;
        }
        assert_eq!(next, signal.frames());
    }

    #[test]
    fn the_signal_is_mirrored_at_both_ends() {
        let geometry = Geometry {
            signal: Signal {
                samples: 1000,
                padding: 0,
            },
            block_start: 0,
            first: 0,
            windows: 1,
            stride: 0,
            frames: 6,
            end: 6,
        };
        let relative = geometry.relative(1000);
        assert_eq!(relative.origin, -200);
        assert_eq!(relative.heard(-3), Some(3));
        assert_eq!(relative.heard(999), Some(999));
        assert_eq!(relative.heard(1000), Some(998));
        let padded = Geometry {
            signal: Signal {
                samples: 1000,
                padding: 480_000,
            },
            ..geometry
        };
        assert_eq!(padded.relative(1000).heard(1000), None);
    }
}
