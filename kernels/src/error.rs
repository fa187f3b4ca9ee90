//! What the operations refuse.

/// The result of the operations.
pub type Result<T> = std::result::Result<T, Error>;

/// Why an operation could not be set up or run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no filterbank for this number of mel bins.
    #[error("there is no filterbank of {n_mels} mel bins: Whisper's have 80 or 128")]
    MelBins {
        /// The number asked for.
        n_mels: usize,
    },
    /// Frames were asked for whose samples are not in the block of PCM.
    #[error(
        "the frames {first}..{end} need the samples {needed_start}..{needed_end}, \
         but the block holds {block_start}..{block_end}"
    )]
    OutsideBlock {
        /// The first frame.
        first: usize,
        /// The end of the frames.
        end: usize,
        /// The first sample needed.
        needed_start: usize,
        /// The end of the samples needed.
        needed_end: usize,
        /// The first sample that the block holds.
        block_start: usize,
        /// The end of the samples that the block holds.
        block_end: usize,
    },
    /// The device gave up a recording of work, or cannot repeat it.
    #[error("the device cannot repeat recorded work: {reason}")]
    Recording {
        /// What the device says.
        reason: String,
    },
    /// The maxima are not those of the signals.
    #[error("there are {maxima} maxima for {signals} signals: each signal has its own")]
    Maxima {
        /// Number of maxima.
        maxima: usize,
        /// Number of signals.
        signals: usize,
    },
}
