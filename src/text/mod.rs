//! Text and numbers as Python treats them, where openai/whisper's results depend on it.

mod compression;
mod round;
mod strip;

pub use compression::compression_ratio;
pub use round::{python_round, round_digits};
#[cfg(feature = "output")]
pub(crate) use strip::is_python_space;
pub use strip::python_strip;
