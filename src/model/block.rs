//! The residual block that encoder and decoder are stacks of.

use burn::config::Config;
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use whisper_kernels::Progress;

use super::attention::{MultiHeadAttention, MultiHeadAttentionConfig};
use super::kv_cache::{CrossKv, KvCache};
use super::layer_norm::{LayerNorm, LayerNormConfig};
use super::linear::{Linear, LinearConfig};

/// Configuration of the residual blocks.
#[derive(Config, Debug)]
pub struct BlockConfig {
    /// Width of the model.
    pub n_state: usize,
    /// Number of attention heads.
    pub n_head: usize,
}

/// Two linear layers with the exact (erf) GELU between them, four times as wide inside.
#[derive(Module, Debug)]
pub struct Mlp {
    up: Linear,
    down: Linear,
}

impl Mlp {
    fn init(n_state: usize, device: &Device) -> Self {
        Self {
            up: LinearConfig::new(n_state, 4 * n_state).init(device),
            down: LinearConfig::new(4 * n_state, n_state).init(device),
        }
    }

    /// # Shapes
    ///
    /// - x: `[batch, n, n_state]`
    /// - output: `[batch, n, n_state]`
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        self.down.forward(self.up.forward_gelu(x))
    }
}

/// One layer of the encoder (openai/whisper model.py:136-167 without cross-attention).
#[derive(Module, Debug)]
pub struct EncoderBlock {
    attn: MultiHeadAttention,
    attn_ln: LayerNorm,
    mlp: Mlp,
    mlp_ln: LayerNorm,
}

/// One layer of the decoder (openai/whisper model.py:136-167 with cross-attention).
#[derive(Module, Debug)]
pub struct DecoderBlock {
    attn: MultiHeadAttention,
    attn_ln: LayerNorm,
    cross_attn: MultiHeadAttention,
    cross_attn_ln: LayerNorm,
    mlp: Mlp,
    mlp_ln: LayerNorm,
}

impl BlockConfig {
    /// An encoder layer with random weights.
    pub fn init_encoder(&self, device: &Device) -> EncoderBlock {
        EncoderBlock {
            attn: self.attention(device),
            attn_ln: self.norm(device),
            mlp: Mlp::init(self.n_state, device),
            mlp_ln: self.norm(device),
        }
    }

    /// A decoder layer with random weights.
    pub fn init_decoder(&self, device: &Device) -> DecoderBlock {
        DecoderBlock {
            attn: self.attention(device),
            attn_ln: self.norm(device),
            cross_attn: self.attention(device),
            cross_attn_ln: self.norm(device),
            mlp: Mlp::init(self.n_state, device),
            mlp_ln: self.norm(device),
        }
    }

    fn attention(&self, device: &Device) -> MultiHeadAttention {
        MultiHeadAttentionConfig::new(self.n_state, self.n_head).init(device)
    }

    fn norm(&self, device: &Device) -> LayerNorm {
        LayerNormConfig::new(self.n_state).init(device)
    }
}

impl EncoderBlock {
    /// # Shapes
    ///
    /// - x: `[batch, n_audio_ctx, n_state]`
    /// - output: `[batch, n_audio_ctx, n_state]`
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let attended = self.attn.forward(self.attn_ln.forward(x.clone()));
        let x = x + attended;
        let expanded = self.mlp.forward(self.mlp_ln.forward(x.clone()));
        x + expanded
    }
}

impl DecoderBlock {
    /// # Shapes
    ///
    /// - x: `[batch, n, n_state]`, the next `n` positions
    /// - output: `[batch, n, n_state]`
    pub fn forward(&self, x: Tensor<3>, cache: &mut KvCache, cross_kv: &CrossKv) -> Tensor<3> {
        self.residual(
            x,
            |x| self.attn.forward_cached(x, cache),
            |x| (self.cross_attn.forward_cross(x, cross_kv), ()),
        )
        .0
    }

    /// Whether [`forward_newest`](Self::forward_newest) can be called.
    pub fn has_newest(&self) -> bool {
        self.attn.has_newest()
    }

    /// As [`forward`](Self::forward), of one position that need not be known on the host.
    ///
    /// # Shapes
    ///
    /// - x: `[batch, 1, n_state]`
    /// - output: `[batch, 1, n_state]`
    pub fn forward_newest(
        &self,
        x: Tensor<3>,
        cache: &mut KvCache,
        cross_kv: &CrossKv,
        progress: &Progress,
    ) -> Tensor<3> {
        self.residual(
            x,
            |x| self.attn.forward_newest(x, cache, progress),
            |x| (self.cross_attn.forward_cross(x, cross_kv), ()),
        )
        .0
    }

    /// A whole sequence from its first position on, without a cache, and the cross-attention scores of
    /// some heads: see [`MultiHeadAttention::forward_cross_scored`].
    ///
    /// # Shapes
    ///
    /// - x: `[1, n, n_state]`
    /// - output: `[1, n, n_state]`, and scores `[heads, n, n_positions]`
    pub fn forward_scored(
        &self,
        x: Tensor<3>,
        cross_kv: &CrossKv,
        heads: &[usize],
        n_positions: usize,
    ) -> (Tensor<3>, Option<Tensor<3>>) {
        let cross = &self.cross_attn;
        self.residual(
            x,
            |x| self.attn.forward_causal(x),
            |x| cross.forward_cross_scored(x, cross_kv, heads, n_positions),
        )
    }

    /// The layer around its attention: to the sequence itself, and to the audio, which may give something beside it.
    fn residual<T>(
        &self,
        x: Tensor<3>,
        attend: impl FnOnce(Tensor<3>) -> Tensor<3>,
        attend_cross: impl FnOnce(Tensor<3>) -> (Tensor<3>, T),
    ) -> (Tensor<3>, T) {
        let attended = attend(self.attn_ln.forward(x.clone()));
        let x = x + attended;
        let (attended, beside) = attend_cross(self.cross_attn_ln.forward(x.clone()));
        let x = x + attended;
        let expanded = self.mlp.forward(self.mlp_ln.forward(x.clone()));
        (x + expanded, beside)
    }

    /// The keys and values of the encoder's output in this layer.
    ///
    /// # Shapes
    ///
    /// - features: `[batch, n_audio_ctx, n_state]`
    pub fn cross_kv(&self, features: Tensor<3>) -> CrossKv {
        self.cross_attn.cross_kv(features)
    }
}
