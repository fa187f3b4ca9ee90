//! Multi-head attention: of a sequence to itself, over a cache, and to the encoder's output.

use burn::config::Config;
use burn::module::Module;
use burn::tensor::activation::softmax;
use burn::tensor::{Bool, Device, Tensor};

use super::kv_cache::{CrossKv, KvCache};
use super::linear::{Linear, LinearConfig};

/// Configuration of [`MultiHeadAttention`].
#[derive(Config, Debug)]
pub struct MultiHeadAttentionConfig {
    /// Width of the model.
    pub n_state: usize,
    /// Number of heads; `n_state` is a multiple of it.
    pub n_head: usize,
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
        let projection = LinearConfig::new(self.n_state, self.n_state);
        MultiHeadAttention {
            query: projection.init(device),
            key: projection.clone().with_bias(false).init(device),
            value: projection.init(device),
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
            .forward(attention(query, key, value, self.n_head, kv_len, false))
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
        self.out.forward(attention(
            query,
            cache.key(),
            cache.value(),
            self.n_head,
            cache.len(),
            true,
        ))
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
    /// # Shapes
    ///
    /// - x: `[batch, n, n_state]`
    /// - output: `[batch, n, n_state]`
    pub fn forward_cross(&self, x: Tensor<3>, kv: &CrossKv) -> Tensor<3> {
        let kv_len = kv.key.dims()[1];
        self.out.forward(attention(
            self.query.forward(x),
            kv.key.clone(),
            kv.value.clone(),
            self.n_head,
            kv_len,
            false,
        ))
    }
}

/// Scaled dot-product attention: the one place where queries meet keys.
///
/// Heads are consecutive slices of the width. With `causal`, query `i` stands at position
/// `kv_len - n_query + i` and sees the keys up to its own position.
///
/// # Shapes
///
/// - query: `[batch, n_query, n_state]`
/// - key, value: `[batch, n_ctx, n_state]`, of which the first `kv_len` positions count
/// - output: `[batch, n_query, n_state]`
fn attention(
    query: Tensor<3>,
    key: Tensor<3>,
    value: Tensor<3>,
    n_head: usize,
    kv_len: usize,
    causal: bool,
) -> Tensor<3> {
    let [batch, n_query, n_state] = query.dims();
    let d_head = n_state / n_head;
    let heads = |x: Tensor<3>, n: usize| {
        x.slice([0..batch, 0..n, 0..n_state])
            .reshape([batch, n, n_head, d_head])
            .swap_dims(1, 2)
    };
    let device = query.device();
    let query = heads(query, n_query) * (d_head as f64).powf(-0.5);
    let key = heads(key, kv_len);
    let value = heads(value, kv_len);

    let mut scores = query.matmul(key.swap_dims(2, 3));
    if causal && n_query > 1 {
        let hidden = Tensor::<2, Bool>::tril_mask(
            [n_query, kv_len],
            (kv_len - n_query) as i64,
            &device,
        );
        scores = scores.mask_fill(hidden.unsqueeze(), f32::NEG_INFINITY);
    }
    softmax(scores, 3)
        .matmul(value)
        .swap_dims(1, 2)
        .reshape([batch, n_query, n_state])
}
