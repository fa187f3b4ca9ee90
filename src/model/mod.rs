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
mod parameters;
mod repeated_encoder;
pub mod token_embedding;
pub mod weight;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, FloatDType, Tensor};
use whisper_weights::{Checkpoint, ModelDims};

pub use alignment::AlignmentHeads;
pub(crate) use check::check_dims;
pub use decoder::{Decoder, DecoderConfig, DecoderState};
pub use encoder::{Encoder, EncoderConfig};
pub use repeated_encoder::RepeatedEncoder;
pub use weight::WeightFormat;

use crate::Result;
use crate::compute_type::{Numbers, WeightNumbers};

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
        Self::random_of(dims, device, WeightNumbers::AsStates)
    }

    /// The same in the numbers asked for.
    pub fn random_as(dims: &ModelDims, device: &Device, numbers: impl Into<Numbers>) -> Self {
        let numbers = numbers.into();
        Self::random_of(dims, device, numbers.weights).cast(numbers.states)
    }

    fn random_of(dims: &ModelDims, device: &Device, weights: WeightNumbers) -> Self {
        // What multiplies a whole window is bound by products, what multiplies a token by the reading of weights.
        let (of_windows, of_vocabulary) = match weights {
            WeightNumbers::Int8 => (WeightFormat::Int16, WeightFormat::Refined),
            WeightNumbers::Int16 => (WeightFormat::Int16, WeightFormat::Float),
            _ => (WeightFormat::Float, WeightFormat::Float),
        };
        Self {
            encoder: EncoderConfig::new(
                dims.n_mels,
                dims.n_audio_ctx,
                dims.n_audio_state,
                dims.n_audio_head,
                dims.n_audio_layer,
            )
            .with_weights(of_windows)
            .init(device),
            decoder: DecoderConfig::new(
                dims.n_vocab,
                dims.n_text_ctx,
                dims.n_text_state,
                dims.n_text_head,
                dims.n_text_layer,
            )
            .with_cross_kv(of_windows)
            .with_token_embedding(of_vocabulary)
            .with_half_cross_kv(weights == WeightNumbers::Int8)
            .init(device),
        }
    }

    /// The model of a checkpoint, its tensors brought to the device one by one in the numbers asked for.
    ///
    /// # Errors
    ///
    /// [`Error::Weights`](crate::Error::Weights) when a tensor is missing or cannot be read,
    /// [`Error::Model`](crate::Error::Model) when a dimension is not that of a Whisper model, or a tensor has another
    /// shape than the dimensions demand.
    pub fn from_checkpoint(
        checkpoint: &Checkpoint,
        device: &Device,
        numbers: impl Into<Numbers>,
    ) -> Result<Self> {
        let numbers = numbers.into();
        check_dims(checkpoint.dims())?;
        let model = Self::random_of(checkpoint.dims(), device, numbers.weights);
        load::load(model, checkpoint, device, numbers)
    }

    /// The same model with weights of another element type.
    #[must_use]
    pub fn cast(self, dtype: FloatDType) -> Self {
        self.map(&mut Cast(dtype))
    }

    /// Number of parameters, whatever numbers they are kept in.
    pub fn parameters(&self) -> usize {
        parameters::count(self)
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
