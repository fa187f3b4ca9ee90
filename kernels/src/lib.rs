//! Custom Burn operations for Whisper.
//!
//! Each operation is a function on [`Tensor`](burn::tensor::Tensor) and runs on whatever device
//! holds its inputs. On Burn's flex backend (the CPU) they are vectorised and use the current rayon
//! pool; elsewhere, and for other element types than `f32`, they are the plain Burn expressions.
//! Results do not depend on the number of threads.

mod attention;
mod backends;
mod gelu;
#[cfg(feature = "flex")]
mod host;
mod linear;

pub use attention::{AttentionOptions, attention};
pub use gelu::gelu;
pub use linear::{linear, linear_gelu};

#[cfg(test)]
mod test_support;
