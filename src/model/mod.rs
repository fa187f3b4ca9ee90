//! The Whisper network in Burn: encoder, decoder, their caches, and how weights get into them.
//!
//! Field names follow openai/whisper's state dictionary, so that the path of a parameter in the module
//! tree is its name in a checkpoint. The expensive operations are those of whisper-kernels: attention,
//! matrix products, GELU; the convolutions stand in [`Encoder::conv_stem`].

pub mod alignment;
pub mod attention;
pub mod block;
mod check;
pub mod decoder;
pub mod encoder;
pub mod kv_cache;
pub mod layer_norm;
pub mod linear;
mod load;
mod repeated_encoder;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, FloatDType, Tensor};
use whisper_weights::{Checkpoint, ModelDims};

pub use alignment::AlignmentHeads;
pub(crate) use check::check_dims;
pub use decoder::{Decoder, DecoderConfig, DecoderState};
pub use encoder::{Encoder, EncoderConfig};
pub use repeated_encoder::RepeatedEncoder;

use crate::Result;

/// Encoder and decoder.
#[derive(Module, Debug)]
pub struct WhisperModel {
    /// Log-Mel features to states.
    pub encoder: Encoder,
    /// Tokens and states to logits.
    pub decoder: Decoder,
}

impl WhisperModel {
    /// A model of the given dimensions with random weights, for tests and benchmarks of sizes whose weights are not at hand.
    pub fn random(dims: &ModelDims, device: &Device) -> Self {
        Self {
            encoder: EncoderConfig::new(
                dims.n_mels,
                dims.n_audio_ctx,
                dims.n_audio_state,
                dims.n_audio_head,
                dims.n_audio_layer,
            )
            .init(device),
            decoder: DecoderConfig::new(
                dims.n_vocab,
                dims.n_text_ctx,
                dims.n_text_state,
                dims.n_text_head,
                dims.n_text_layer,
            )
            .init(device),
        }
    }

    /// The model of a checkpoint, its tensors copied to the device one by one as `dtype`.
    ///
    /// # Errors
    ///
    /// [`Error::Weights`](crate::Error::Weights) when a tensor is missing or cannot be read,
    /// [`Error::Model`](crate::Error::Model) when a dimension is not that of a Whisper model, or a tensor has another
    /// shape than the dimensions demand.
    pub fn from_checkpoint(
        checkpoint: &Checkpoint,
        device: &Device,
        dtype: FloatDType,
    ) -> Result<Self> {
        check_dims(checkpoint.dims())?;
        let model = Self::random(checkpoint.dims(), device);
        load::load(model, checkpoint, device, dtype)
    }

    /// The same model with weights of another element type.
    #[must_use]
    pub fn cast(self, dtype: FloatDType) -> Self {
        self.map(&mut Cast(dtype))
    }

    /// The element type that the model computes with.
    pub fn dtype(&self) -> FloatDType {
        self.decoder.dtype().into()
    }

    /// Encodes windows of 30 s.
    ///
    /// # Shapes
    ///
    /// - mel: `[batch, n_mels, 3000]`
    /// - output: `[batch, 1500, n_state]`
    pub fn encode(&self, mel: Tensor<3>) -> Tensor<3> {
        self.encoder.forward(mel)
    }
}

struct Cast(FloatDType);

impl ModuleMapper for Cast {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|tensor| tensor.cast(self.0))
    }
}
