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
                let rows = |tokens| table.quantised().rows(tokens);
                embed_rows(tokens, rows, positions, offset)
            }
            Weight::Refined(table) => {
                let rows = |tokens| table.refined().rows(tokens);
                embed_rows(tokens, rows, positions, offset)
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
        match &self.weight {
            Weight::Float(table) => embed_newest(sampled, progress, table.val(), positions),
            _ => self.embed(progress.newest(sampled), progress.row_of(positions), 0),
        }
    }
}

/// [`embed`] with a table of which `rows` gives some rows.
fn embed_rows(
    tokens: Tensor<2, Int>,
    rows: impl FnOnce(Tensor<1, Int>) -> Tensor<2>,
    positions: Tensor<2>,
    offset: usize,
) -> Tensor<3> {
    let [batch, n] = tokens.dims();
    let vectors = rows(tokens.reshape([batch * n])).cast(positions.dtype());
    vectors.reshape([batch as i64, n as i64, -1]) + positions.narrow(0, offset, n).unsqueeze()
}
