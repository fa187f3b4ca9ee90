//! Whisper checkpoints: formats, catalogue, fetching.

mod checkpoint;
mod dims;
mod error;
mod formats;
mod layout;
mod metadata;
mod published;
mod tensor;
mod tokenizer;

pub use checkpoint::Checkpoint;
pub use dims::{HEAD_WIDTH, ModelDims};
pub use error::{Error, Result};
pub use layout::for_each_tensor;
pub use tensor::{DType, TensorView};
