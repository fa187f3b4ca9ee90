//! Greedy choice, where the logits are.

use burn::backend::Dispatch;
use burn::tensor::{Int, Tensor};

use crate::backends::SamplingOps;

/// The most probable token of each row of logits, the first of several that are equal, and its log-probability.
///
/// # Shapes
///
/// - logits: `[rows, n_vocab]`
/// - output: `[rows, 2]` of `i32`: the token, or -1 where all logits are negative infinity; and the bits of its
///   log-softmax as `f32`, of which [`Chosen`] makes a number
pub fn most_probable(logits: Tensor<2>) -> Tensor<2, Int> {
    Tensor::from_dispatch(Dispatch::most_probable_tokens(logits.into_dispatch()))
}

/// What [`most_probable`] found in one row, once it has been read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chosen {
    /// The token; `None` where none was allowed.
    pub token: Option<u32>,
    /// Its log-softmax, no number where a logit was none.
    pub logprob: f32,
}

impl Chosen {
    /// Of a row of the tensor.
    pub fn of([token, logprob]: [i32; 2]) -> Self {
        Self {
            token: u32::try_from(token).ok(),
            logprob: f32::from_bits(logprob.cast_unsigned()),
        }
    }

    /// As a row of the tensor.
    pub(crate) fn to_row(self) -> [i32; 2] {
        let token = self.token.map_or(-1, u32::cast_signed);
        [token, self.logprob.to_bits().cast_signed()]
    }
}
