//! The matrix of a linear layer, in the numbers that it is kept in.

use burn::config::Config;
use burn::module::{Module, Param, ParamId};
use burn::nn::Initializer;
use burn::tensor::{DType, Device, Distribution, Int, Tensor};
use whisper_kernels::{
    QuantisedWeight, linear, linear_gelu, quantised_linear, quantised_linear_gelu,
};

/// What a weight is made of.
#[derive(Config, Debug, Copy, PartialEq, Eq)]
pub enum WeightFormat {
    /// Floating-point numbers, of the type that they are loaded as.
    Float,
    /// 8-bit integers with one scale per output.
    Int8,
    /// 16-bit integers with one scale per output.
    Int16,
}

/// A weight `[d_output, d_input]`, as checkpoints store it or quantised.
#[derive(Module, Debug)]
pub enum Weight {
    /// `[d_output, d_input]`.
    Float(Param<Tensor<2>>),
    /// Integers and their scales.
    Integer(IntegerWeight),
}

/// Integers with one scale per output: the weight is their product.
#[derive(Module, Debug)]
pub struct IntegerWeight {
    /// `[d_output, d_input]`, of the element type of as many bits.
    pub values: Param<Tensor<2, Int>>,
    /// `[d_output]`.
    pub scales: Param<Tensor<1>>,
}

/// Deviation of random weights.
const DEVIATION: f64 = 0.02;

impl WeightFormat {
    /// A random weight, made when it is first read.
    pub fn init(self, d_output: usize, d_input: usize, device: &Device) -> Weight {
        match self {
            Self::Float => {
                let (mean, std) = (0.0, DEVIATION);
                let initializer = Initializer::Normal { mean, std };
                Weight::Float(initializer.init([d_output, d_input], device))
            }
            Self::Int8 => {
                Weight::Integer(IntegerWeight::random(d_output, d_input, DType::I8, device))
            }
            Self::Int16 => {
                Weight::Integer(IntegerWeight::random(d_output, d_input, DType::I16, device))
            }
        }
    }
}

impl IntegerWeight {
    fn random(d_output: usize, d_input: usize, dtype: DType, device: &Device) -> Self {
        let shape = [d_output, d_input];
        let evenly = Distribution::Uniform(-127.0, 127.0);
        let init = move |device: &Device, _| Tensor::random(shape, evenly, (device, dtype));
        // The deviation of the integers is 127 / sqrt 3.
        let value = DEVIATION * 3_f64.sqrt() / 127.0;
        Self {
            values: Param::uninitialized(ParamId::new(), init, device.clone(), false, shape.into()),
            scales: Initializer::Constant { value }.init([d_output], device),
        }
    }

    /// As floating-point numbers, `[d_output, d_input]`.
    pub fn widened(&self, dtype: DType) -> Tensor<2> {
        let scales = self.scales.val().unsqueeze_dim(1).cast(dtype);
        self.values.val().float().cast(dtype) * scales
    }

    fn quantised(&self) -> QuantisedWeight {
        QuantisedWeight {
            values: self.values.val(),
            scales: self.scales.val(),
        }
    }
}

impl Weight {
    /// `[d_output, d_input]`.
    pub fn dims(&self) -> [usize; 2] {
        match self {
            Self::Float(weight) => weight.dims(),
            Self::Integer(weight) => weight.values.dims(),
        }
    }

    /// `x W^T + b`.
    ///
    /// # Shapes
    ///
    /// - x: `[.., d_input]`; bias: `[d_output]`
    /// - output: `[.., d_output]`
    pub fn linear<const D: usize>(&self, x: Tensor<D>, bias: Option<Tensor<1>>) -> Tensor<D> {
        match self {
            Self::Float(weight) => linear(x, weight.val(), bias),
            Self::Integer(weight) => quantised_linear(x, &weight.quantised(), bias),
        }
    }

    /// `GELU(x W^T + b)`, in one pass over the result.
    ///
    /// # Shapes
    ///
    /// As of [`linear`](Self::linear).
    pub fn linear_gelu<const D: usize>(&self, x: Tensor<D>, bias: Option<Tensor<1>>) -> Tensor<D> {
        match self {
            Self::Float(weight) => linear_gelu(x, weight.val(), bias),
            Self::Integer(weight) => quantised_linear_gelu(x, &weight.quantised(), bias),
        }
    }
}
