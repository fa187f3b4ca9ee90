//! Linear layers, their weights as checkpoints store them.

use burn::config::Config;
use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};

use super::weight::{Weight, WeightFormat};

/// Configuration of a [`Linear`] layer.
#[derive(Config, Debug)]
pub struct LinearConfig {
    /// Width of the input.
    pub d_input: usize,
    /// Width of the output.
    pub d_output: usize,
    /// Whether a bias is added. Whisper's key projections have none.
    #[config(default = true)]
    pub bias: bool,
    /// What the weight is made of.
    #[config(default = "WeightFormat::Float")]
    pub weight: WeightFormat,
}

/// `y = x W^T + b`, the weight stored `[d_output, d_input]` as Whisper checkpoints store it.
#[derive(Module, Debug)]
pub struct Linear {
    /// `[d_output, d_input]`.
    pub weight: Weight,
    /// `[d_output]`.
    pub bias: Option<Param<Tensor<1>>>,
}

impl LinearConfig {
    /// A layer with random weights, made when they are first read.
    pub fn init(&self, device: &Device) -> Linear {
        Linear {
            weight: self.weight.init(self.d_output, self.d_input, device),
            bias: self
                .bias
                .then(|| Initializer::Zeros.init([self.d_output], device)),
        }
    }
}

impl Linear {
    /// Applies the layer.
    ///
    /// # Shapes
    ///
    /// - x: `[.., d_input]`
    /// - output: `[.., d_output]`
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let bias = self.bias.as_ref().map(Param::val);
        self.weight.linear(x, bias)
    }

    /// Applies the layer and then the exact GELU, in one pass over the result.
    ///
    /// # Shapes
    ///
    /// - x: `[.., d_input]`
    /// - output: `[.., d_output]`
    pub fn forward_gelu<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let bias = self.bias.as_ref().map(Param::val);
        self.weight.linear_gelu(x, bias)
    }
}
