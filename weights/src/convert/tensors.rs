//! Tensors as they are written: read one at a time, in the type that is asked for.

use std::borrow::Cow;
use std::cell::RefCell;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use safetensors::{Dtype, View};

use crate::checkpoint::Checkpoint;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::tensor::TensorView;

/// The type that a tensor is written in when none is asked for.
pub(super) fn written_type(stored: DType) -> DType {
    if stored.is_float() {
        stored
    } else {
        DType::F32
    }
}

/// A tensor that is read and converted when its turn to be written has come.
pub(super) struct Converted<'a> {
    pub checkpoint: &'a Checkpoint,
    pub name: &'a str,
    pub shape: Vec<usize>,
    pub dtype: DType,
    /// Why a tensor could not be read: the serialiser takes bytes alone.
    pub failure: &'a RefCell<Option<Error>>,
    pub cancelled: &'a AtomicBool,
}

impl View for Converted<'_> {
    fn dtype(&self) -> Dtype {
        match self.dtype {
            DType::F16 => Dtype::F16,
            DType::BF16 => Dtype::BF16,
            _ => Dtype::F32,
        }
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let stored = match self.cancelled.load(Ordering::Relaxed) {
            true => Err(Error::Cancelled),
            false => self.checkpoint.tensor(self.name),
        };
        match stored {
            Ok(stored) => {
                let bytes = stored.to_dtype(self.dtype).bytes.into_owned();
                self.checkpoint.release_pages();
                Cow::Owned(bytes)
            }
            Err(error) => {
                self.failure.replace(Some(error));
                Cow::Owned(Vec::new())
            }
        }
    }

    fn data_len(&self) -> usize {
        self.dtype.byte_length(&self.shape).unwrap_or(0)
    }
}

/// Refuses to turn finite values into infinite ones.
pub(super) fn refuse_overflow(
    path: &Path,
    name: &str,
    stored: &TensorView<'_>,
    dtype: DType,
) -> Result<()> {
    let max = half::f16::MAX.to_f32();
    if dtype == DType::F16
        && stored.dtype != DType::F16
        && let Some(value) = stored
            .to_f32()
            .iter()
            .find(|x| x.is_finite() && x.abs() > max)
    {
        let what = format!("holds {value}, which f16 cannot: use bf16 or f32");
        return Err(Error::tensor(path, name, what));
    }
    Ok(())
}
