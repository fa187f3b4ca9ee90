//! The operations on each Burn backend.
//!
//! [`WhisperOps`] is a backend extension: `burn`'s dispatch picks the implementation of the device
//! that holds the tensors. A backend without an implementation of its own runs the plain Burn
//! expressions of [`plain`], which are also what the tests compare with. A CubeCL implementation
//! belongs in a file `cubecl.rs` here, beside `flex.rs`.

#[cfg(feature = "flex")]
mod flex;
pub(crate) mod plain;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, backend_extension};

use crate::AttentionOptions;

/// What a backend does its own way. The documentation of each operation is at the function of the
/// crate that calls it. (The macro takes no optional tensors: hence the two linear layers.)
#[backend_extension(Flex: cfg(feature = "flex"))]
pub(crate) trait WhisperOps: Backend {
    fn exact_gelu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        plain::gelu::<Self>(x)
    }

    fn head_attention(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        options: AttentionOptions,
    ) -> FloatTensor<Self> {
        plain::attention::<Self>(query, key, value, options)
    }

    fn linear_without_bias(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        activation: Activation,
    ) -> FloatTensor<Self> {
        plain::linear::<Self>(x, weight, None, activation)
    }

    fn linear_with_bias(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        activation: Activation,
    ) -> FloatTensor<Self> {
        plain::linear::<Self>(x, weight, Some(bias), activation)
    }
}

/// The function that a linear layer applies to its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activation {
    None,
    Gelu,
}
