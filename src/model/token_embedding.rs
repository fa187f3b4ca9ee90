//! The table of token vectors, which is the output projection too.

use burn::module::Module;
use burn::tensor::{Int, Tensor};
use whisper_kernels::{Progress, embed, embed_newest};

use super::weight::Weight;

/// A vector of each token.
#[derive(Module, Debug)]
pub struct TokenEmbedding {
    /// `[n_vocab, n_state]`.
    pub weight: Weight,
}

impl TokenEmbedding {
    /// Tokens and their positions, from `offset` on, as vectors.
    ///
    /// # Shapes
    ///
    /// - tokens: `[rows, n]`; positions: `[n_ctx, n_state]`
    /// - output: `[rows, n, n_state]`
    pub fn embed(&self, tokens: Tensor<2, Int>, positions: Tensor<2>, offset: usize) -> Tensor<3> {
        match &self.weight {
            Weight::Float(table) => embed(tokens, table.val(), positions, offset),
            Weight::Integer(table) => {
                let [rows, n] = tokens.dims();
                let (dtype, tokens) = (positions.dtype(), tokens.reshape([rows * n]));
                let values = table.values.val().select(0, tokens.clone());
                let scales = table.scales.val().select(0, tokens).unsqueeze_dim(1);
                let vectors = values.float().cast(dtype) * scales.cast(dtype);
                let positions = positions.narrow(0, offset, n).unsqueeze();
                vectors.reshape([rows as i64, n as i64, -1]) + positions
            }
        }
    }

    /// The newest of sampled tokens and its position as a vector, where `progress` is.
    ///
    /// # Shapes
    ///
    /// - sampled: `[rows, capacity]`; positions: `[n_ctx, n_state]`
    /// - output: `[rows, 1, n_state]`
    pub fn embed_newest(
        &self,
        sampled: Tensor<2, Int>,
        progress: &Progress,
        positions: Tensor<2>,
    ) -> Tensor<3> {
        let table = match &self.weight {
            Weight::Float(table) => table.val(),
            Weight::Integer(table) => table.widened(positions.dtype()),
        };
        embed_newest(sampled, progress, table, positions)
    }
}
