//! Keys and values that the decoder has seen, written in place. On a GPU they are allocated once at full size, since recorded launches know
//! where they lie; on the CPU they grow with what is written.

use std::ops::Range;

use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use whisper_kernels::{Progress, halved};

use crate::device::is_gpu;

/// Keys and values of one self-attention layer.
///
/// Of the rows allocated only the first are in use: one while the prompt is read, several when
/// hypotheses are followed side by side.
#[derive(Debug)]
pub struct KvCache {
    key: Tensor<3>,
    value: Tensor<3>,
    rows: usize,
    len: usize,
    n_ctx: usize,
}

/// Positions that a cache on the CPU begins with.
const FIRST_POSITIONS: usize = 64;

impl KvCache {
    /// An empty cache for at most `max_rows` sequences of at most `n_ctx` positions, for keys and values
    /// of `dtype`.
    pub fn new(
        max_rows: usize,
        n_ctx: usize,
        n_state: usize,
        device: &Device,
        dtype: DType,
    ) -> Self {
        let (first_rows, positions) = match is_gpu(device) {
            true => (max_rows, n_ctx),
            false => (1, n_ctx.min(FIRST_POSITIONS)),
        };
        let empty = || Tensor::zeros([first_rows, positions, n_state], (device, dtype));
        Self {
            key: empty(),
            value: empty(),
            rows: max_rows,
            len: 0,
            n_ctx,
        }
    }

    /// Makes room for so many rows and positions.
    fn reserve(&mut self, rows: usize, positions: usize) {
        let [had_rows, had_positions, n_state] = self.key.dims();
        if rows <= had_rows && positions <= had_positions {
            return;
        }
        let rows = rows.max(had_rows);
        // At least doubled, so that a position is copied a few times at most.
        let positions = match positions <= had_positions {
            true => had_positions,
            false => positions.max(self.n_ctx.min(2 * had_positions)),
        };
        let written = [0..had_rows, 0..self.len, 0..n_state];
        for cache in [&mut self.key, &mut self.value] {
            let larger =
                Tensor::zeros([rows, positions, n_state], (&cache.device(), cache.dtype()));
            *cache = match self.len {
                0 => larger,
                _ => larger.slice_assign(written.clone(), cache.clone().slice(written.clone())),
            };
        }
    }

    /// An empty cache of the same size in memory of its own.
    pub fn renewed(&self) -> Self {
        let [max_rows, _, n_state] = self.key.dims();
        Self {
            rows: self.rows,
            ..Self::new(
                max_rows,
                self.n_ctx,
                n_state,
                &self.key.device(),
                self.key.dtype(),
            )
        }
    }

    /// Writes the keys and values of the next positions.
    ///
    /// The tensors are taken out of `self` while they are written, so that no second handle forces a copy.
    ///
    /// # Shapes
    ///
    /// - key, value: `[rows, n, n_state]`
    pub fn append(&mut self, key: Tensor<3>, value: Tensor<3>) {
        let n = key.dims()[1];
        let rows = key.dims()[0];
        self.write(0..rows, self.len..self.len + n, key, value);
        self.len += n;
    }

    fn write(
        &mut self,
        rows: Range<usize>,
        positions: Range<usize>,
        key: Tensor<3>,
        value: Tensor<3>,
    ) {
        self.reserve(rows.end, positions.end);
        let range = [rows, positions, 0..key.dims()[2]];
        self.key
            .inplace(|cache| cache.slice_assign(range.clone(), key));
        self.value.inplace(|cache| cache.slice_assign(range, value));
    }

    /// Writes the key and value of the position where `progress` is, which need not be known on the host: the number of
    /// positions written is to be told by [`advance`](Self::advance).
    ///
    /// # Shapes
    ///
    /// - key, value: `[rows, 1, n_state]`
    pub fn append_newest(&mut self, key: Tensor<3>, value: Tensor<3>, progress: &Progress) {
        self.reserve(self.rows, self.n_ctx);
        let (keys, values) = (self.key.clone(), self.value.clone());
        (self.key, self.value) = whisper_kernels::append(keys, values, key, value, progress);
    }

    /// Counts positions that [`append_newest`](Self::append_newest) has written.
    pub fn advance(&mut self, n: usize) {
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

    /// Forgets all positions and uses the first `rows` rows from now on; the memory stays.
    pub fn clear(&mut self, rows: usize) {
        self.rows = rows;
        self.len = 0;
    }

    /// Makes row `i` what row `sources[i]` was; there are as many rows afterwards as `sources`.
    ///
    /// Only positions that are written are copied, and only rows that do not stay in place.
    pub fn select_rows(&mut self, sources: &[usize]) {
        let moved: Vec<usize> = (sources.iter().enumerate())
            .filter(|(row, source)| row != *source)
            .map(|(row, _)| row)
            .collect();
        if !moved.is_empty() && self.len > 0 {
            // All are read before any is written.
            let read: Vec<_> = moved.iter().map(|&row| self.row(sources[row])).collect();
            self.reserve(sources.len(), self.len);
            for (row, (key, value)) in moved.into_iter().zip(read) {
                self.write(row..row + 1, 0..self.len, key, value);
            }
        }
        self.rows = sources.len();
    }

    /// A copy of the positions of a row that are written, `[1, len, n_state]`.
    fn row(&self, row: usize) -> (Tensor<3>, Tensor<3>) {
        let only = TensorData::new(vec![0i64], [1]);
        let only = Tensor::<1, Int>::from_data(only, &self.key.device());
        // A slice alone may share the cache's memory, and writing to shared memory copies all of it.
        let copy = |cache: &Tensor<3>| {
            let slice = cache.clone().slice([row..row + 1, 0..self.len]);
            slice.select(0, only.clone())
        };
        (copy(&self.key), copy(&self.value))
    }

    /// The keys of the rows in use, `[rows, positions, n_state]`; positions from [`len`](Self::len) on are stale.
    pub fn key(&self) -> Tensor<3> {
        in_use(&self.key, self.rows)
    }

    /// The values of the rows in use, `[rows, positions, n_state]`; positions from [`len`](Self::len) on are stale.
    pub fn value(&self) -> Tensor<3> {
        in_use(&self.value, self.rows)
    }
}

/// The first rows of a cache: all of it where all are in use, without an operation.
fn in_use(cache: &Tensor<3>, rows: usize) -> Tensor<3> {
    if cache.dims()[0] == rows {
        cache.clone()
    } else {
        cache.clone().narrow(0, 0, rows)
    }
}

/// Keys and values of one cross-attention layer: computed once per window from the encoder's output.
#[derive(Debug)]
pub struct CrossKv {
    /// `[windows, n_audio_ctx, n_state]`.
    pub key: Tensor<3>,
    /// `[windows, n_audio_ctx, n_state]`.
    pub value: Tensor<3>,
}

impl CrossKv {
    /// The same in half precision, which a step of the decoder reads in less time, on the CPU alone beside states of single precision.
    #[must_use]
    pub fn halved(self) -> Self {
        Self {
            key: halved(self.key),
            value: halved(self.value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows 0, 1, 2 hold 1, 2, 3 at their only position.
    fn cache(device: &Device) -> KvCache {
        let mut cache = KvCache::new(3, 4, 1, device, DType::F32);
        let rows = Tensor::<3>::from_data([[[1.0]], [[2.0]], [[3.0]]], device);
        cache.append(rows.clone(), rows * 10.0);
        cache
    }

    fn first_position(tensor: Tensor<3>) -> Vec<f32> {
        let [rows, ..] = tensor.dims();
        let data = tensor.slice([0..rows, 0..1]).into_data();
        data.iter::<f32>().collect()
    }

    #[test]
    fn rows_are_copied_from_their_sources() {
        let device = Device::flex();
        for sources in [&[0, 0, 0][..], &[2, 0, 1], &[1, 2, 2], &[1], &[0, 1]] {
            let mut cache = cache(&device);
            cache.select_rows(sources);
            let expected: Vec<f32> = sources.iter().map(|&s| s as f32 + 1.0).collect();
            assert_eq!(first_position(cache.key()), expected, "{sources:?}");
            let expected: Vec<f32> = expected.iter().map(|x| x * 10.0).collect();
            assert_eq!(first_position(cache.value()), expected, "{sources:?}");
        }
    }

    #[test]
    fn the_cache_grows_with_what_is_written() {
        let device = Device::flex();
        let n_ctx = 3 * FIRST_POSITIONS;
        let mut cache = KvCache::new(2, n_ctx, 1, &device, DType::F32);
        cache.clear(1);
        let mut written = Vec::new();
        for position in 0..n_ctx {
            if position == n_ctx / 2 {
                cache.select_rows(&[0, 0]);
            }
            let rows = cache.key().dims()[0].min(1 + 2 * position / n_ctx);
            let row = Tensor::<3>::full([rows, 1, 1], position as f32, &device);
            cache.append(row.clone(), -row);
            written.push(position as f32);
            let [_, positions, _] = cache.key().dims();
            assert!(positions <= n_ctx && positions < (2 * cache.len()).max(FIRST_POSITIONS + 1));
        }
        for row in 0..2 {
            let of = |cache: Tensor<3>| -> Vec<f32> {
                let row = cache.slice([row..row + 1, 0..n_ctx]);
                row.into_data().iter::<f32>().collect()
            };
            assert_eq!(of(cache.key()), written);
            assert_eq!(of(-cache.value()), written);
        }
    }

    #[test]
    fn one_row_grows_to_several() {
        let device = Device::flex();
        let mut cache = KvCache::new(3, 4, 1, &device, DType::F32);
        cache.clear(1);
        let row = Tensor::<3>::from_data([[[7.0]]], &device);
        cache.append(row.clone(), row);
        cache.select_rows(&[0, 0, 0]);
        assert_eq!(first_position(cache.key()), [7.0, 7.0, 7.0]);
        assert_eq!(cache.len(), 1);
    }
}
