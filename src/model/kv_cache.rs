//! Keys and values that the decoder has seen: allocated once at full length, written in place.

use burn::tensor::{Device, Tensor};

/// Keys and values of one self-attention layer.
#[derive(Debug)]
pub struct KvCache {
    key: Tensor<3>,
    value: Tensor<3>,
    len: usize,
}

impl KvCache {
    /// An empty cache for `batch` sequences of at most `n_ctx` positions.
    pub fn new(batch: usize, n_ctx: usize, n_state: usize, device: &Device) -> Self {
        Self {
            key: Tensor::zeros([batch, n_ctx, n_state], device),
            value: Tensor::zeros([batch, n_ctx, n_state], device),
            len: 0,
        }
    }

    /// Writes the keys and values of the next positions.
    ///
    /// The tensors are taken out of `self` while they are written, so that no second handle forces a copy.
    ///
    /// # Shapes
    ///
    /// - key, value: `[batch, n, n_state]`
    pub fn append(&mut self, key: Tensor<3>, value: Tensor<3>) {
        let [batch, n, n_state] = key.dims();
        let range = [0..batch, self.len..self.len + n, 0..n_state];
        self.key
            .inplace(|cache| cache.slice_assign(range.clone(), key));
        self.value.inplace(|cache| cache.slice_assign(range, value));
        self.len += n;
    }

    /// Number of positions written.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no position is written.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Forgets all positions; the memory stays.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// The full-length key cache, `[batch, n_ctx, n_state]`; positions from [`len`](Self::len) on are stale.
    pub fn key(&self) -> Tensor<3> {
        self.key.clone()
    }

    /// The full-length value cache, `[batch, n_ctx, n_state]`; positions from [`len`](Self::len) on are stale.
    pub fn value(&self) -> Tensor<3> {
        self.value.clone()
    }
}

/// Keys and values of one cross-attention layer: computed once per window from the encoder's output.
#[derive(Debug)]
pub struct CrossKv {
    /// `[batch, n_audio_ctx, n_state]`.
    pub key: Tensor<3>,
    /// `[batch, n_audio_ctx, n_state]`.
    pub value: Tensor<3>,
}
