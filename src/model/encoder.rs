//! The audio encoder: log-Mel features to a sequence of states.

use burn::config::Config;
use burn::module::{Module, Param};
use burn::nn::conv::{Conv1d, Conv1dConfig};
use burn::nn::{Initializer, PaddingConfig1d};
use burn::tensor::{Device, Tensor};
use whisper_kernels::convolution_gelu;

use super::block::{BlockConfig, EncoderBlock};
use super::layer_norm::{LayerNorm, LayerNormConfig};

/// Configuration of the [`Encoder`].
#[derive(Config, Debug)]
pub struct EncoderConfig {
    /// Mel bins of the input, 80 or 128.
    pub n_mels: usize,
    /// Positions of the output, 1500.
    pub n_ctx: usize,
    /// Width of the model.
    pub n_state: usize,
    /// Number of attention heads.
    pub n_head: usize,
    /// Number of layers.
    pub n_layer: usize,
}

/// openai/whisper's audio encoder (model.py:170-205).
#[derive(Module, Debug)]
pub struct Encoder {
    conv1: Conv1d,
    conv2: Conv1d,
    positional_embedding: Param<Tensor<2>>,
    blocks: Vec<EncoderBlock>,
    ln_post: LayerNorm,
}

impl EncoderConfig {
    /// An encoder with random weights.
    pub fn init(&self, device: &Device) -> Encoder {
        let block = BlockConfig::new(self.n_state, self.n_head);
        Encoder {
            conv1: Conv1dConfig::new(self.n_mels, self.n_state, 3)
                .with_padding(PaddingConfig1d::Explicit(1, 1))
                .init(device),
            conv2: Conv1dConfig::new(self.n_state, self.n_state, 3)
                .with_stride(2)
                .with_padding(PaddingConfig1d::Explicit(1, 1))
                .init(device),
            positional_embedding: Initializer::Zeros.init([self.n_ctx, self.n_state], device),
            blocks: (0..self.n_layer)
                .map(|_| block.init_encoder(device))
                .collect(),
            ln_post: LayerNormConfig::new(self.n_state).init(device),
        }
    }
}

impl Encoder {
    /// Encodes windows of 30 s.
    ///
    /// # Shapes
    ///
    /// - mel: `[batch, n_mels, 3000]`
    /// - output: `[batch, 1500, n_state]`
    pub fn forward(&self, mel: Tensor<3>) -> Tensor<3> {
        let x = self.conv_stem(mel);
        let x = x + self.positional_embedding.val().unsqueeze();
        let x = self.blocks.iter().fold(x, |x, block| block.forward(x));
        self.ln_post.forward(x)
    }

    /// The two convolutions that halve the frame rate.
    ///
    /// # Shapes
    ///
    /// - mel: `[batch, n_mels, 3000]`
    /// - output: `[batch, 1500, n_state]`
    pub fn conv_stem(&self, mel: Tensor<3>) -> Tensor<3> {
        let x = convolved(&self.conv1, mel.swap_dims(1, 2), 1);
        convolved(&self.conv2, x, 2)
    }
}

/// A convolution that has a bias, as [`EncoderConfig`] makes them, and the GELU behind it, of channels that lie last.
fn convolved(layer: &Conv1d, x: Tensor<3>, stride: usize) -> Tensor<3> {
    let weight = layer.weight.val();
    let bias = (layer.bias.as_ref()).map_or_else(
        || Tensor::zeros([weight.dims()[0]], (&x.device(), x.dtype())),
        |bias| bias.val(),
    );
    convolution_gelu(x, weight, bias, stride)
}
