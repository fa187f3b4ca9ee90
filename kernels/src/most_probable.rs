//! Greedy choice, where the logits are.

use burn::backend::Dispatch;
use burn::tensor::{Int, Tensor};

use crate::backends::SamplingOps;

/// The most probable token of each row of logits, as [`most_probable`] finds it.
#[derive(Clone, Debug)]
pub struct MostProbable {
    /// The tokens, of `i32`, as a decoder takes them next: `[rows, 1]`.
    pub tokens: Tensor<2, Int>,
    /// What is to be read of them, of `i32`: `[rows, 2]`, of which [`Chosen`] makes numbers.
    pub report: Tensor<2, Int>,
}

/// The most probable token of each row of logits, the first of several that are equal, and its log-probability. Where all
/// logits are negative infinity, the token is -1.
///
/// # Shapes
///
/// - logits: `[rows, n_vocab]`
pub fn most_probable(logits: Tensor<2>) -> MostProbable {
    let (tokens, report) = Dispatch::most_probable_tokens(logits.into_dispatch());
    MostProbable {
        tokens: Tensor::from_dispatch(tokens),
        report: Tensor::from_dispatch(report),
    }
}

/// What [`most_probable`] reports of one row: the token, and the bits of its log-softmax.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chosen {
    /// The token; `None` where none was allowed.
    pub token: Option<u32>,
    /// Its log-softmax, no number where a logit was none.
    pub logprob: f32,
}

impl Chosen {
    /// Of a row of the report.
    pub fn of([token, logprob]: [i32; 2]) -> Self {
        Self {
            token: u32::try_from(token).ok(),
            logprob: f32::from_bits(logprob.cast_unsigned()),
        }
    }

    /// As a row of the report.
    pub(crate) fn to_row(self) -> [i32; 2] {
        let token = self.token.map_or(-1, u32::cast_signed);
        [token, self.logprob.to_bits().cast_signed()]
    }
}
