//! Tokens and their positions as vectors.

use burn::backend::Dispatch;
use burn::tensor::{Int, Tensor};

use crate::backends::WhisperOps;

/// The sum of each token's vector and that of its position (openai/whisper, `model.py:234`). A position is `offset` and the
/// place in the sequence.
///
/// # Shapes
///
/// - tokens: `[rows, n]`, ids below `n_vocab`
/// - token_embedding: `[n_vocab, n_state]`
/// - positional_embedding: `[n_ctx, n_state]`
/// - output: `[rows, n, n_state]`
///
/// # Panics
///
/// If the shapes do not fit, or the positions go past `n_ctx`.
pub fn embed(
    tokens: Tensor<2, Int>,
    token_embedding: Tensor<2>,
    positional_embedding: Tensor<2>,
    offset: usize,
) -> Tensor<3> {
    let [_, n] = tokens.dims();
    let ([_, n_state], [n_ctx, width]) = (token_embedding.dims(), positional_embedding.dims());
    assert!(
        n_state == width && offset + n <= n_ctx,
        "embed: {n} positions from {offset} on, vectors of {n_state}, but positions have [{n_ctx}, {width}]"
    );
    Tensor::from_dispatch(Dispatch::embedded(
        tokens.into_dispatch(),
        token_embedding.into_dispatch(),
        positional_embedding.into_dispatch(),
        offset,
    ))
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;

    #[test]
    fn each_token_is_added_to_its_position() {
        let device = Device::flex();
        let table = |rows: usize, scale: f32| {
            let values: Vec<f32> = (0..2 * rows).map(|i| i as f32 * scale).collect();
            Tensor::<2>::from_data(TensorData::new(values, [rows, 2]), &device)
        };
        let tokens = Tensor::from_ints([[3, 0], [1, 3]], &device);
        let embedded = embed(tokens, table(4, 1.0), table(5, 0.125), 2).into_data();
        let embedded: Vec<f32> = embedded.try_into_vec().unwrap();
        assert_eq!(embedded, [6.5, 7.625, 0.75, 1.875, 2.5, 3.625, 6.75, 7.875]);
    }
}
