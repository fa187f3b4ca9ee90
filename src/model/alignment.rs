//! What word timestamps need of the decoder: heads that follow the audio, and how sure it is of each token.

use burn::tensor::{Int, Tensor, TensorData};
use whisper_weights::Checkpoint;

use super::Decoder;

/// Cross-attention heads whose weights follow the audio in time, by decoder layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlignmentHeads {
    layers: Vec<Vec<usize>>,
}

impl AlignmentHeads {
    /// The heads that the checkpoint names, or that are published for a model of its dimensions; where
    /// there are none, all heads of the last half of the layers (openai/whisper model.py:270-276).
    pub fn of(checkpoint: &Checkpoint) -> Self {
        let dims = checkpoint.dims();
        match checkpoint.alignment_heads() {
            Some(heads) if !heads.is_empty() => Self::new(heads, dims.n_text_layer),
            _ => Self::last_half(dims.n_text_layer, dims.n_text_head),
        }
    }

    /// The given (layer, head) pairs, each once, in a decoder of `n_layer` layers. Pairs of other
    /// layers are left out.
    pub fn new(heads: &[(usize, usize)], n_layer: usize) -> Self {
        let mut layers = vec![Vec::new(); n_layer];
        for &(layer, head) in heads {
            if let Some(of_layer) = layers.get_mut(layer) {
                of_layer.push(head);
            }
        }
        for of_layer in &mut layers {
            of_layer.sort_unstable();
            of_layer.dedup();
        }
        Self { layers }
    }

    /// All heads of the last half of the layers, the middle one of an odd number counted in.
    pub fn last_half(n_layer: usize, n_head: usize) -> Self {
        let of_layer = |layer| {
            let heads = if layer < n_layer / 2 { 0 } else { n_head };
            (0..heads).collect()
        };
        Self {
            layers: (0..n_layer).map(of_layer).collect(),
        }
    }

    /// The heads of a layer, in order; none where it has none.
    pub fn of_layer(&self, layer: usize) -> &[usize] {
        self.layers.get(layer).map_or(&[], Vec::as_slice)
    }

    /// Number of heads in all layers.
    pub fn len(&self) -> usize {
        self.layers.iter().map(Vec::len).sum()
    }

    /// Whether there is no head.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Decoder {
    /// How probable each token was after those before it, among the text tokens alone: the softmax is
    /// over the ids below `eot` (openai/whisper timing.py:198-201).
    ///
    /// # Shapes
    ///
    /// - hidden: `[1, n, n_state]`, the states that the `n` tokens were predicted from
    /// - tokens: ids below `eot`
    /// - output: `[n]`
    pub fn text_probabilities(&self, hidden: Tensor<3>, tokens: &[u32], eot: u32) -> Tensor<1> {
        let n = tokens.len();
        let ids: Vec<i64> = tokens.iter().map(|&token| i64::from(token)).collect();
        let ids = TensorData::new(ids, [1, n, 1]);
        let ids = Tensor::<3, Int>::from_data(ids, &hidden.device());
        let logits = self.logits(hidden).slice([0..1, 0..n, 0..eot as usize]);
        let highest = logits.clone().max_dim(2);
        let chosen = (logits.clone().gather(2, ids) - highest.clone()).exp();
        let all = (logits - highest).exp().sum_dim(2);
        (chosen / all).reshape([n])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_put_in_order_and_counted_once() {
        let heads = AlignmentHeads::new(&[(2, 5), (1, 0), (2, 0), (2, 5), (9, 0)], 4);
        assert_eq!(heads.of_layer(0), &[] as &[usize]);
        assert_eq!(heads.of_layer(1), [0]);
        assert_eq!(heads.of_layer(2), [0, 5]);
        assert_eq!(heads.of_layer(4), &[] as &[usize]);
        assert_eq!(heads.len(), 3);
    }

    #[test]
    fn without_a_list_the_last_half_of_the_layers_is_taken() {
        let heads = AlignmentHeads::last_half(5, 2);
        let layers: Vec<_> = (0..5).map(|layer| heads.of_layer(layer).len()).collect();
        assert_eq!(layers, [0, 0, 2, 2, 2]);
        assert!(AlignmentHeads::last_half(0, 2).is_empty());
    }
}
