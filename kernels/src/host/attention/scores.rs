//! Scores of a block of queries with all keys of a head.

use std::ops::Range;

use crate::host::output::Output;
use crate::host::panels::{Panels, Product, Rows};
use crate::host::quantised::PackedRows;
use crate::host::stored::Stored;

/// The keys of one head, packed.
pub(super) enum Keys {
    Floats(Panels),
    Integers(PackedRows),
}

impl Keys {
    /// The columns of a matrix of keys, `[keys, n_state]`, that are one head's.
    pub(super) fn pack<T: Stored>(
        keys: Rows<'_, T>,
        columns: Range<usize>,
        as_integers: bool,
    ) -> Self {
        let keys = keys.part(0..keys.rows(), columns);
        if as_integers {
            let width = keys.columns();
            let mut floats = vec![0.0; keys.rows() * width];
            for (row, floats) in floats.chunks_exact_mut(width.max(1)).enumerate() {
                T::widen_all(keys.row(row), floats);
            }
            Self::Integers(PackedRows::new(Rows::new(
                &floats,
                width,
                keys.rows(),
                width,
            )))
        } else {
            let mut panels = Panels::empty();
            panels.pack_transposed(keys);
            Self::Floats(panels)
        }
    }

    /// How far apart the rows of [`scores`](Self::scores) are.
    pub(super) fn stride(&self) -> usize {
        match self {
            Self::Floats(keys) => keys.padded_columns(),
            Self::Integers(keys) => keys.len(),
        }
    }

    /// Products of each query with each key, in rows of [`stride`](Self::stride).
    pub(super) fn scores(&self, query: Rows<'_>, scores: &mut Vec<f32>) {
        let stride = self.stride();
        scores.resize(query.rows() * stride, 0.0);
        match self {
            // SAFETY: the scores have a row of `stride` elements for each query, used here only.
            Self::Floats(keys) => unsafe {
                Product {
                    left: query,
                    right: keys,
                    bias: None,
                    output: scores.as_mut_ptr(),
                    output_stride: stride,
                    exact: false,
                }
                .run();
            },
            Self::Integers(keys) => keys.products(query, Output::over(scores)),
        }
    }
}
