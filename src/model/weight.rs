//! The matrix of a linear layer, in the numbers that it is kept in.

use burn::config::Config;
use burn::module::{Module, Param, ParamId};
use burn::nn::Initializer;
use burn::tensor::{DType, Device, Distribution, Int, Tensor};
use whisper_kernels::{
    QuantisedWeight, RefinedWeight, gelu, linear, linear_gelu, quantised_linear,
    quantised_linear_gelu, refined_linear,
};

/// What a weight is made of.
#[derive(Config, Debug, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WeightFormat {
    /// Floating-point numbers, of the type that they are loaded as.
    Float,
    /// 16-bit integers with one scale per output.
    Int16,
    /// Two 8-bit integers with one scale per output, for the projection on the vocabulary.
    Refined,
}

/// A weight `[d_output, d_input]`, as checkpoints store it or quantised.
#[derive(Module, Debug)]
#[non_exhaustive]
pub enum Weight {
    /// `[d_output, d_input]`.
    Float(Param<Tensor<2>>),
    /// Integers and their scales.
    Integer(IntegerWeight),
    /// Two integers for each weight, and their scales.
    Refined(TwoIntegerWeight),
}

/// Integers with one scale per output: the weight is their product.
#[derive(Module, Debug)]
pub struct IntegerWeight {
    /// `[d_output, d_input]`, of 16 bits.
    pub values: Param<Tensor<2, Int>>,
    /// `[d_output]`.
    pub scales: Param<Tensor<1>>,
}

/// Integers, what they leave of the weight in a part of their step, and one scale per output: a [`RefinedWeight`].
#[derive(Module, Debug)]
pub struct TwoIntegerWeight {
    /// `[2, d_output, d_input]`, of 8 bits.
    pub values: Param<Tensor<3, Int>>,
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
            Self::Int16 => Weight::Integer(IntegerWeight {
                values: random_integers([d_output, d_input], DType::I16, device),
                scales: scales_of_random(d_output, device),
            }),
            Self::Refined => Weight::Refined(TwoIntegerWeight {
                values: random_integers([2, d_output, d_input], DType::I8, device),
                scales: scales_of_random(d_output, device),
            }),
        }
    }
}

/// The largest of random integers.
const LARGEST: f64 = 127.0;

fn random_integers<const D: usize>(
    shape: [usize; D],
    dtype: DType,
    device: &Device,
) -> Param<Tensor<D, Int>> {
    let evenly = Distribution::Uniform(-LARGEST, LARGEST);
    let init = move |device: &Device, _| Tensor::random(shape, evenly, (device, dtype));
    Param::uninitialized(ParamId::new(), init, device.clone(), false, shape.into())
}

fn scales_of_random(d_output: usize, device: &Device) -> Param<Tensor<1>> {
    // The deviation of the integers is LARGEST / sqrt 3.
    let value = DEVIATION * 3_f64.sqrt() / LARGEST;
    Initializer::Constant { value }.init([d_output], device)
}

impl IntegerWeight {
    /// The weight as the kernels take it.
    pub fn quantised(&self) -> QuantisedWeight {
        QuantisedWeight {
            values: self.values.val(),
            scales: self.scales.val(),
        }
    }
}

impl TwoIntegerWeight {
    /// The weight as the kernels take it.
    pub fn refined(&self) -> RefinedWeight {
        RefinedWeight {
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
            Self::Refined(weight) => {
                let [_, d_output, d_input] = weight.values.dims();
                [d_output, d_input]
            }
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
            Self::Refined(weight) => add(refined_linear(x, &weight.refined()), bias),
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
            Self::Refined(_) => gelu(self.linear(x, bias)),
        }
    }
}

fn add<const D: usize>(y: Tensor<D>, bias: Option<Tensor<1>>) -> Tensor<D> {
    match bias {
        Some(bias) => y + bias.unsqueeze(),
        None => y,
    }
}
