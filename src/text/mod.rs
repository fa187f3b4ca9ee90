//! Text and numbers as Python treats them, where openai/whisper's results depend on it.

mod round;
mod strip;

pub use round::{python_round, round_digits};
pub use strip::python_strip;
