//! The text decoder: tokens and encoded audio to logits.

use burn::config::Config;
use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{DType, Device, Int, Tensor};

use whisper_kernels::Progress;

use super::alignment::AlignmentHeads;
use super::block::{BlockConfig, DecoderBlock};
use super::kv_cache::{CrossKv, KvCache};
use super::layer_norm::{LayerNorm, LayerNormConfig};
use super::token_embedding::TokenEmbedding;
use super::weight::WeightFormat;

/// Configuration of the [`Decoder`].
#[derive(Config, Debug)]
pub struct DecoderConfig {
    /// Size of the vocabulary.
    pub n_vocab: usize,
    /// Longest sequence of tokens, 448.
    pub n_ctx: usize,
    /// Width of the model.
    pub n_state: usize,
    /// Number of attention heads.
    pub n_head: usize,
    /// Number of layers.
    pub n_layer: usize,
    /// What the weights are made of that read the encoder's output.
    #[config(default = "WeightFormat::Float")]
    pub cross_kv: WeightFormat,
    /// What the token embedding is made of, which is the output projection too.
    #[config(default = "WeightFormat::Float")]
    pub token_embedding: WeightFormat,
    /// Whether the keys and values of the encoder's output are kept in half precision.
    #[config(default = false)]
    pub half_cross_kv: bool,
}

/// openai/whisper's text decoder (model.py:208-249); the output projection is the token embedding.
#[derive(Module, Debug)]
pub struct Decoder {
    token_embedding: TokenEmbedding,
    positional_embedding: Param<Tensor<2>>,
    blocks: Vec<DecoderBlock>,
    ln: LayerNorm,
    half_cross_kv: bool,
}

/// What the decoder carries from step to step: self-attention caches, and the
/// cross-attention keys and values of the current window.
#[derive(Debug)]
pub struct DecoderState {
    self_kv: Vec<KvCache>,
    cross_kv: Vec<CrossKv>,
}

impl DecoderConfig {
    /// A decoder with random weights.
    pub fn init(&self, device: &Device) -> Decoder {
        let block = BlockConfig::new(self.n_state, self.n_head).with_cross_kv(self.cross_kv);
        Decoder {
            token_embedding: TokenEmbedding {
                weight: (self.token_embedding).init(self.n_vocab, self.n_state, device),
            },
            positional_embedding: Initializer::Zeros.init([self.n_ctx, self.n_state], device),
            blocks: (0..self.n_layer)
                .map(|_| block.init_decoder(device))
                .collect(),
            ln: LayerNormConfig::new(self.n_state).init(device),
            half_cross_kv: self.half_cross_kv,
        }
    }
}

impl DecoderState {
    /// Number of positions decoded in the current window.
    pub fn len(&self) -> usize {
        self.self_kv.first().map_or(0, KvCache::len)
    }

    /// Whether nothing has been decoded in the current window.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets the tokens of the current windows, and keeps their audio; one row per window is left.
    pub fn rewind(&mut self) {
        let windows = (self.cross_kv.first()).map_or(1, |kv| kv.key.dims()[0]);
        self.self_kv
            .iter_mut()
            .for_each(|cache| cache.clear(windows));
    }

    /// Forgets the tokens of the current windows, and takes other memory for those that come: for when a device has lost what was
    /// there.
    pub fn renew(&mut self) {
        for cache in &mut self.self_kv {
            *cache = cache.renewed();
        }
    }

    /// Counts positions that [`Decoder::forward_newest`] has written.
    pub fn advance(&mut self, n: usize) {
        self.self_kv.iter_mut().for_each(|cache| cache.advance(n));
    }

    /// Makes row `i` what row `sources[i]` was; there are as many rows afterwards as `sources`.
    pub fn select_rows(&mut self, sources: &[usize]) {
        for cache in &mut self.self_kv {
            cache.select_rows(sources);
        }
    }
}

impl Decoder {
    /// Allocates the state for `max_rows` sequences and begins the first windows.
    ///
    /// # Shapes
    ///
    /// - features: `[windows, n_audio_ctx, n_state]`
    pub fn start(&self, features: Tensor<3>, max_rows: usize) -> DecoderState {
        let [windows, _, n_state] = features.dims();
        let [n_ctx, _] = self.positional_embedding.dims();
        let (device, dtype) = (features.device(), features.dtype());
        let max_rows = max_rows.max(windows);
        let mut state = DecoderState {
            self_kv: (self.blocks.iter())
                .map(|_| KvCache::new(max_rows, n_ctx, n_state, &device, dtype))
                .collect(),
            cross_kv: Vec::new(),
        };
        self.begin_window(features, &mut state);
        state
    }

    /// Begins new windows in a state that [`start`](Self::start) allocated for as many rows.
    ///
    /// # Shapes
    ///
    /// - features: `[windows, n_audio_ctx, n_state]`
    pub fn begin_window(&self, features: Tensor<3>, state: &mut DecoderState) {
        // Free the last window's keys and values before the next ones are made.
        state.cross_kv.clear();
        let cross_kv = |block: &DecoderBlock| {
            let kv = block.cross_kv(features.clone());
            match self.half_cross_kv {
                true => kv.halved(),
                false => kv,
            }
        };
        state.cross_kv.extend(self.blocks.iter().map(cross_kv));
        state.rewind();
    }

    /// Runs the next tokens through the decoder.
    ///
    /// # Shapes
    ///
    /// - tokens: `[rows, n]`, the next `n` positions of each sequence
    /// - output: `[rows, n, n_state]`, to be given to [`logits`](Self::logits)
    pub fn forward(&self, tokens: Tensor<2, Int>, state: &mut DecoderState) -> Tensor<3> {
        let mut x = self.embed(tokens, state.len());
        for ((block, cache), cross_kv) in (self.blocks.iter())
            .zip(&mut state.self_kv)
            .zip(&state.cross_kv)
        {
            x = block.forward(x, cache, cross_kv);
        }
        self.ln.forward(x)
    }

    /// Whether [`forward_newest`](Self::forward_newest) can be called, which takes heads of Whisper's width.
    pub fn has_newest(&self) -> bool {
        self.blocks.iter().all(DecoderBlock::has_newest)
    }

    /// Runs the newest of `sampled` tokens through the decoder, where `progress` is. Neither need be known on the host; how
    /// many positions have been written is to be told by [`DecoderState::advance`].
    ///
    /// # Shapes
    ///
    /// - sampled: `[rows, capacity]`
    /// - output: `[rows, 1, n_state]`, to be given to [`logits`](Self::logits)
    pub fn forward_newest(
        &self,
        sampled: Tensor<2, Int>,
        progress: &Progress,
        state: &mut DecoderState,
    ) -> Tensor<3> {
        let positions = self.positional_embedding.val();
        let embedding = &self.token_embedding;
        let mut x = embedding.embed_newest(sampled, progress, positions);
        for ((block, cache), cross_kv) in (self.blocks.iter())
            .zip(&mut state.self_kv)
            .zip(&state.cross_kv)
        {
            x = block.forward_newest(x, cache, cross_kv, progress);
        }
        self.ln.forward(x)
    }

    /// Runs a whole sequence through the decoder, and says beside it where its tokens look in the audio:
    /// the raw cross-attention scores of the alignment heads over the first `n_positions` of the
    /// encoder's output. `None` when the positions are none.
    ///
    /// The caches of `state` are neither read nor written; of it only the window's audio is used.
    ///
    /// # Shapes
    ///
    /// - tokens: `[1, n]`, from the first position on
    /// - state: begun on one window, `[1, n_audio_ctx, n_state]`
    /// - output: `[1, n, n_state]`, to be given to [`logits`](Self::logits), and scores
    ///   `[heads, n, n_positions]` in the order of the heads
    pub fn forward_scored(
        &self,
        tokens: Tensor<2, Int>,
        state: &DecoderState,
        heads: &AlignmentHeads,
        n_positions: usize,
    ) -> (Tensor<3>, Option<Tensor<3>>) {
        let mut x = self.embed(tokens, 0);
        let mut scores = Vec::new();
        for (layer, (block, cross_kv)) in self.blocks.iter().zip(&state.cross_kv).enumerate() {
            let (next, of_layer) =
                block.forward_scored(x, cross_kv, heads.of_layer(layer), n_positions);
            x = next;
            scores.extend(of_layer);
        }
        let scores = (!scores.is_empty()).then(|| Tensor::cat(scores, 0));
        (self.ln.forward(x), scores)
    }

    /// Tokens and their positions, from `offset` on, as vectors.
    fn embed(&self, tokens: Tensor<2, Int>, offset: usize) -> Tensor<3> {
        let positions = self.positional_embedding.val();
        self.token_embedding.embed(tokens, positions, offset)
    }

    /// Projects decoder states on the vocabulary.
    ///
    /// # Shapes
    ///
    /// - x: `[batch, n, n_state]`
    /// - output: `[batch, n, n_vocab]`
    pub fn logits(&self, x: Tensor<3>) -> Tensor<3> {
        self.token_embedding.weight.linear(x, None)
    }

    /// The element type of the states.
    pub fn dtype(&self) -> DType {
        self.positional_embedding.val().dtype()
    }

    /// Longest sequence of tokens that the positional table covers.
    pub fn n_ctx(&self) -> usize {
        self.positional_embedding.dims()[0]
    }
}
