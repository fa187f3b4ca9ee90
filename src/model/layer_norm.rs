//! Layer normalisation with learned factors and shifts.

use burn::config::Config;
use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};

/// Added to the variance (openai model.py:40, torch's default).
const EPSILON: f64 = 1e-5;

/// Configuration of [`LayerNorm`].
#[derive(Config, Debug)]
pub struct LayerNormConfig {
    /// Width of the model.
    pub n_state: usize,
}

/// openai/whisper's layer normalisation (model.py:40-42).
#[derive(Module, Debug)]
pub struct LayerNorm {
    gamma: Param<Tensor<1>>,
    beta: Param<Tensor<1>>,
}

impl LayerNormConfig {
    /// A normalisation that changes nothing but mean and variance.
    pub fn init(&self, device: &Device) -> LayerNorm {
        LayerNorm {
            gamma: Initializer::Ones.init([self.n_state], device),
            beta: Initializer::Zeros.init([self.n_state], device),
        }
    }
}

impl LayerNorm {
    /// # Shapes
    ///
    /// - x: `[batch, n, n_state]`
    /// - output: `[batch, n, n_state]`
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        whisper_kernels::layer_norm(x, self.gamma.val(), self.beta.val(), EPSILON)
    }
}
