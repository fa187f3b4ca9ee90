//! Custom Burn operations for Whisper.
//!
//! Each operation is a function on [`Tensor`](burn::tensor::Tensor), or a module of such, and runs on
//! whatever device holds its inputs: any Burn program can call it. On Burn's flex backend (the CPU)
//! they are vectorised and use the current rayon pool; results do not depend on the number of
//! threads.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use whisper_kernels::LogMelConfig;
//!
//! // A second of silence, 16 kHz: 100 frames of 80 mel bins.
//! let device = Device::flex();
//! let features = LogMelConfig::new(80).init(&device)?.forward(Tensor::zeros([16_000], &device));
//! assert_eq!(features.dims(), [80, 100]);
//! # Ok::<(), whisper_kernels::Error>(())
//! ```
//!
//! - [`LogMel`]: PCM to Whisper's features, fused: a CubeCL kernel for CUDA, Vulkan, Metal and
//!   WebGPU, and host code for flex and ndarray.
//! - [`Loudness`]: peak and RMS normalisation of PCM, and [`cut_windows`]: PCM to windows with a
//!   stride; both of Burn's operations, where the PCM is.
//! - [`timestamp_rules`], [`most_probable`]: Whisper's rules for timestamps and the greedy choice of the next token, so that
//!   logits need not leave a GPU: CubeCL kernels, and host code for flex and ndarray.
//! - [`Repeated`], [`Progress`] and the operations that take it: a step of greedy decoding whose position is on the device, so that CUDA
//!   repeats it by one launch.
//! - [`quantised_linear`]: linear layers whose weights are 8-bit or 16-bit integers, multiplied as such by host code for flex;
//!   [`refined_linear`]: the projection on a vocabulary by 8 bits, and by 16 where the largest results are.
//! - [`linear`], [`attention`]: host code for flex in `f32`, CubeCL kernels for GPUs in `f32`, `f16`
//!   and `bf16`; [`layer_norm`], [`embed`], [`convolution_gelu`]: CubeCL kernels for GPUs; [`gelu`]: host code for flex. Elsewhere the
//!   plain Burn expressions.

mod attention;
mod backends;
#[cfg(feature = "cubecl")]
mod capacity;
#[cfg(feature = "kept")]
mod compiled;
mod convolution;
#[cfg(feature = "cubecl")]
mod copies;
#[cfg(feature = "cubecl")]
mod cube;
#[cfg(feature = "cubecl")]
mod driver;
mod embedding;
mod error;
mod gelu;
mod half_precision;
mod host;
mod host_work;
#[cfg(feature = "cubecl")]
mod launches;
mod layer_norm;
mod linear;
mod log_mel;
mod loudness;
mod most_probable;
mod quantised;
mod recordings;
mod refined;
mod repeated;
pub mod softmax;
mod step;
mod timestamps;
mod windows;

pub use attention::{AttentionOptions, HEAD_WIDTH, attention};
#[cfg(feature = "cubecl")]
pub use capacity::device_capacity;
#[cfg(feature = "kept")]
pub use compiled::keep_compiled_kernels;
pub use convolution::convolution_gelu;
#[cfg(feature = "cubecl")]
pub use copies::{Copies, Direction, count_copies};
#[cfg(feature = "cubecl")]
pub use driver::device_driver;
pub use embedding::embed;
pub use error::{Error, Result};
pub use gelu::gelu;
pub use half_precision::{half_holds, halved};
pub use host::peaks::HostPeaks;
pub use host_work::{Bound, HostOperation, HostWork, HostWorks, note_host_work};
#[cfg(feature = "cubecl")]
pub use launches::{Launches, count_launches};
pub use layer_norm::layer_norm;
pub use linear::{linear, linear_gelu};
pub use log_mel::{
    ComposedLogMel, HOP_LENGTH, LogMel, LogMelConfig, Maximum, N_FFT, Pcm, Smoothing, Windows,
    mel_filterbank,
};
pub use loudness::{Loudness, Normalisation};
pub use most_probable::{Chosen, most_probable};
pub use quantised::{IntegerBits, QuantisedWeight, quantised_linear, quantised_linear_gelu};
pub use recordings::allow_recordings;
pub use refined::{RefinedWeight, refined_linear};
pub use repeated::Repeated;
pub use step::{
    Progress, append, attention_so_far, embed_newest, overwrite, record, timestamp_rules_so_far,
};
pub use timestamps::{AllowedTokens, TimestampTokens, timestamp_rules};
pub use windows::cut_windows;

#[cfg(test)]
mod test_support;
