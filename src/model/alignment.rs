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
    use burn::tensor::{Distribution, Tolerance};

    use super::*;
    use crate::model::DecoderConfig;

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

    const VOCABULARY: usize = 40;

    /// A random decoder of three layers with two heads, and five tokens.
    fn decoder() -> (Decoder, Tensor<2, Int>, Tensor<3>) {
        let device = crate::device::open("cpu").unwrap();
        let decoder = DecoderConfig::new(VOCABULARY, 16, 32, 2, 3).init(&device);
        let tokens = Tensor::from_ints([[3, 1, 4, 1, 5]], &device);
        let features = Tensor::random([1, 12, 32], Distribution::Normal(0.0, 3.0), &device);
        (decoder, tokens, features)
    }

    #[test]
    fn states_are_those_of_a_cached_pass_and_the_caches_stay_as_they_are() {
        let (decoder, tokens, features) = decoder();
        let mut state = decoder.start(features, 3);
        let cached = decoder.forward(tokens.clone(), &mut state);
        let heads = AlignmentHeads::last_half(3, 2);
        let (hidden, scores) = decoder.forward_scored(tokens, &state, &heads, 12);
        assert_eq!(state.len(), 5);
        assert_eq!(scores.unwrap().dims(), [4, 5, 12]);
        let (hidden, cached) = (hidden.into_data(), cached.into_data());
        hidden.assert_approx_eq::<f32>(&cached, Tolerance::absolute(1e-4));
    }

    #[test]
    fn scores_come_head_by_head_and_stop_at_the_positions_asked_for() {
        let (decoder, tokens, features) = decoder();
        let state = decoder.start(features, 1);
        let scores = |heads: &[(usize, usize)], n_positions| {
            let heads = AlignmentHeads::new(heads, 3);
            let (_, scores) = decoder.forward_scored(tokens.clone(), &state, &heads, n_positions);
            scores
        };
        let all = scores(&[(0, 1), (2, 0), (2, 1)], 12).unwrap();
        for (i, head) in [(0, 1), (2, 0), (2, 1)].into_iter().enumerate() {
            let alone = scores(&[head], 7).unwrap();
            assert_eq!(alone.dims(), [1, 5, 7]);
            let same = all.clone().slice([i..i + 1, 0..5, 0..7]).into_data();
            (alone.into_data()).assert_approx_eq::<f32>(&same, Tolerance::absolute(1e-5));
        }
        assert!(scores(&[(0, 1)], 0).is_none());
        assert!(scores(&[], 12).is_none());
    }

    #[test]
    fn probabilities_are_shared_among_text_tokens_alone() {
        let (decoder, tokens, features) = decoder();
        let mut state = decoder.start(features, 1);
        let hidden = decoder.forward(tokens, &mut state);
        let logits = decoder.logits(hidden.clone()).into_data();
        let logits: Vec<f32> = logits.try_into_vec().unwrap();
        let (chosen, eot) = ([7, 0, 29, 12, 5], 30);
        let ours = decoder.text_probabilities(hidden, &chosen, eot as u32);
        let ours: Vec<f32> = ours.into_data().try_into_vec().unwrap();
        assert_eq!(ours.len(), 5);
        for ((row, token), ours) in logits.chunks(VOCABULARY).zip(chosen).zip(ours) {
            let sum: f32 = row[..eot].iter().map(|logit| logit.exp()).sum();
            assert!((row[token as usize].exp() / sum - ours).abs() < 1e-5);
        }
    }
}
