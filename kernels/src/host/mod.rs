//! The operations on host memory: plain slices of `f32`, no tensor type.
//!
//! Vector code is written once with `rten-simd` and compiled for AVX-512, AVX2, NEON, WebAssembly
//! and a portable fallback; the choice is made at run time. Work is split over the current rayon
//! pool along boundaries that do not depend on the number of threads, and every output element is
//! summed in one fixed order, so results are the same bits on one thread or many.

// Of the host's operations, backends other than flex use the log-Mel features and the sampling alone.
#![cfg_attr(not(feature = "flex"), allow(dead_code))]

pub(crate) mod attention;
pub(crate) mod convolution;
pub(crate) mod gelu;
pub(crate) mod linear;
pub(crate) mod log_mel;
mod math;
mod output;
mod panels;
pub(crate) mod peaks;
pub(crate) mod quantised;
pub(crate) mod sampling;
pub(crate) mod stored;

pub(crate) use panels::Rows;
pub(crate) use stored::Stored;
