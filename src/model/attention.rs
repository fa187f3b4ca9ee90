//! Multi-head attention: of a sequence to itself, over a cache, and to the encoder's output.

use burn::config::Config;
use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};
use whisper_kernels::{AttentionOptions, HEAD_WIDTH, Progress, attention, attention_so_far};

use super::kv_cache::{CrossKv, KvCache};
use super::linear::{Linear, LinearConfig};
use super::weight::{Weight, WeightFormat};

/// Configuration of [`MultiHeadAttention`].
#[derive(Config, Debug)]
pub struct MultiHeadAttentionConfig {
    /// Width of the model.
    pub n_state: usize,
    /// Number of heads; `n_state` is a multiple of it.
    pub n_head: usize,
    /// What the weights are made of.
    #[config(default = "WeightFormat::Float")]
    pub weights: WeightFormat,
    /// What the weights of keys and values are made of, where that is something else.
    #[config(default = "None")]
    pub key_value: Option<WeightFormat>,
}

/// openai/whisper's attention (model.py:77-133): four projections, of which the key's has no bias.
#[derive(Module, Debug)]
pub struct MultiHeadAttention {
    query: Linear,
    key: Linear,
    value: Linear,
    out: Linear,
    n_head: usize,
}

impl MultiHeadAttentionConfig {
    /// Attention with random weights.
    pub fn init(&self, device: &Device) -> MultiHeadAttention {
        let projection = LinearConfig::new(self.n_state, self.n_state).with_weight(self.weights);
        let key_value = (projection.clone()).with_weight(self.key_value.unwrap_or(self.weights));
        MultiHeadAttention {
            query: projection.init(device),
            key: key_value.clone().with_bias(false).init(device),
            value: key_value.init(device),
            out: projection.init(device),
            n_head: self.n_head,
        }
    }
}

impl MultiHeadAttention {
    /// Every position attends to every position, as in the encoder.
    ///
    /// # Shapes
    ///
    /// - x: `[batch, n, n_state]`
    /// - output: `[batch, n, n_state]`
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let query = self.query.forward(x.clone());
        let key = self.key.forward(x.clone());
        let value = self.value.forward(x);
        let kv_len = key.dims()[1];
        self.out
            .forward(self.attend(query, key, value, kv_len, false))
    }

    /// Appends the positions of `x` to the cache; each attends to itself and to all before it.
    ///
    /// # Shapes
    ///
    /// - x: `[batch, n, n_state]`, the next `n` positions
    /// - output: `[batch, n, n_state]`
    pub fn forward_cached(&self, x: Tensor<3>, cache: &mut KvCache) -> Tensor<3> {
        let query = self.query.forward(x.clone());
        cache.append(self.key.forward(x.clone()), self.value.forward(x));
        let kv_len = cache.len();
        self.out
            .forward(self.attend(query, cache.key(), cache.value(), kv_len, true))
    }

    /// Whether [`forward_newest`](Self::forward_newest) can be called: it takes heads of Whisper's width.
    pub fn has_newest(&self) -> bool {
        self.query.weight.dims()[0] == self.n_head * HEAD_WIDTH
    }

    /// As [`forward_cached`](Self::forward_cached), of one position that need not be known on the host.
    ///
    /// # Shapes
    ///
    /// - x: `[rows, 1, n_state]`
    /// - output: `[rows, 1, n_state]`
    pub fn forward_newest(
        &self,
        x: Tensor<3>,
        cache: &mut KvCache,
        progress: &Progress,
    ) -> Tensor<3> {
        let query = self.query.forward(x.clone());
        let (key, value) = (self.key.forward(x.clone()), self.value.forward(x));
        cache.append_newest(key, value, progress);
        self.out.forward(attention_so_far(
            query,
            cache.key(),
            cache.value(),
            self.n_head,
            progress,
        ))
    }

    /// A whole sequence at once: each position attends to itself and to all before it, without a cache.
    ///
    /// # Shapes
    ///
    /// - x: `[batch, n, n_state]`, from the first position on
    /// - output: `[batch, n, n_state]`
    pub fn forward_causal(&self, x: Tensor<3>) -> Tensor<3> {
        let query = self.query.forward(x.clone());
        let key = self.key.forward(x.clone());
        let value = self.value.forward(x);
        let kv_len = key.dims()[1];
        self.out
            .forward(self.attend(query, key, value, kv_len, true))
    }

    /// The keys and values of the encoder's output, for all decoder steps of a window.
    ///
    /// # Shapes
    ///
    /// - features: `[batch, n_audio_ctx, n_state]`
    pub fn cross_kv(&self, features: Tensor<3>) -> CrossKv {
        CrossKv {
            key: self.key.forward(features.clone()),
            value: self.value.forward(features),
        }
    }

    /// Every position of `x` attends to the whole of the encoder's output.
    ///
    /// Rows that follow the same window become further queries of that window: there is no order among
    /// them, and the window's keys and values are shared.
    ///
    /// # Shapes
    ///
    /// - x: `[windows * rows per window, n, n_state]`
    /// - output: as `x`
    pub fn forward_cross(&self, x: Tensor<3>, kv: &CrossKv) -> Tensor<3> {
        self.attend_cross(self.query.forward(x), kv)
    }

    /// As [`forward_cross`](Self::forward_cross), with the scores of some heads beside it: `q k^T / sqrt(d)`,
    /// before the softmax, of every position over the first `n_positions` of the encoder's output.
    ///
    /// Attention itself takes its usual way, on which no scores are kept: those asked for are computed
    /// once more. There are none when `heads` or the positions are none.
    ///
    /// # Shapes
    ///
    /// - x: `[1, n, n_state]`
    /// - output: `[1, n, n_state]`, and scores `[heads, n, n_positions]`
    pub fn forward_cross_scored(
        &self,
        x: Tensor<3>,
        kv: &CrossKv,
        heads: &[usize],
        n_positions: usize,
    ) -> (Tensor<3>, Option<Tensor<3>>) {
        let query = self.query.forward(x);
        let scores = (!heads.is_empty() && n_positions > 0).then(|| {
            let key = kv.key.clone().slice([0..1, 0..n_positions]);
            scores(query.clone(), key.cast(query.dtype()), self.n_head, heads)
        });
        (self.attend_cross(query, kv), scores)
    }

    fn attend_cross(&self, query: Tensor<3>, kv: &CrossKv) -> Tensor<3> {
        let [batch, n, n_state] = query.dims();
        let [windows, kv_len, _] = kv.key.dims();
        let query = query.reshape([windows, batch / windows * n, n_state]);
        let (key, value) = (kv.key.clone(), kv.value.clone());
        let attended = self.attend(query, key, value, kv_len, false);
        self.out.forward(attended.reshape([batch, n, n_state]))
    }

    /// The one place where queries meet keys.
    fn attend(
        &self,
        query: Tensor<3>,
        key: Tensor<3>,
        value: Tensor<3>,
        kv_len: usize,
        causal: bool,
    ) -> Tensor<3> {
        let options = AttentionOptions {
            n_head: self.n_head,
            kv_len,
            causal,
            // What comes of integers loses nothing by them.
            integer_scores: matches!(self.query.weight, Weight::Integer(_)),
        };
        attention(query, key, value, options)
    }
}

/// `q k^T / sqrt(d)` of some heads, `d` being the width of a head.
///
/// # Shapes
///
/// - query: `[1, n, n_state]`; key: `[1, m, n_state]`
/// - output: `[heads, n, m]`
fn scores(query: Tensor<3>, key: Tensor<3>, n_head: usize, heads: &[usize]) -> Tensor<3> {
    let indices: Vec<i64> = heads.iter().map(|&head| head as i64).collect();
    let indices = TensorData::new(indices, [heads.len()]);
    let indices = Tensor::<1, Int>::from_data(indices, &query.device());
    // [1, n, n_state] to [heads, n, d].
    let split = |x: Tensor<3>| {
        let [_, n, n_state] = x.dims();
        x.reshape([n, n_head, n_state / n_head])
            .select(1, indices.clone())
            .swap_dims(0, 1)
    };
    let query = split(query);
    let d = query.dims()[2] as f64;
    (query * d.sqrt().recip()).matmul(split(key).swap_dims(1, 2))
}
