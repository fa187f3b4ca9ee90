//! Output buffers that several threads fill, each its own part.

use std::marker::PhantomData;

/// A buffer of `f32` being written by several threads at once.
///
/// Tiles of a matrix are not contiguous, so the parts cannot be handed out as slices; each writer
/// promises instead to keep to its own elements.
#[derive(Clone, Copy)]
pub(crate) struct Output<'a> {
    start: *mut f32,
    len: usize,
    buffer: PhantomData<&'a mut [f32]>,
}

// SAFETY: the pointer is only written through, and `at` has its callers keep to disjoint elements.
unsafe impl Send for Output<'_> {}
// SAFETY: as above.
unsafe impl Sync for Output<'_> {}

impl<'a> Output<'a> {
    /// A buffer that exists.
    pub(crate) fn over(values: &'a mut [f32]) -> Self {
        Self {
            start: values.as_mut_ptr(),
            len: values.len(),
            buffer: PhantomData,
        }
    }
    /// A new vector of `len` elements, written by `fill`.
    ///
    /// The memory is not cleared first: its pages are touched by the threads that fill it.
    ///
    /// # Safety
    ///
    /// `fill` writes every element.
    pub(crate) unsafe fn collect(len: usize, fill: impl FnOnce(Output<'_>)) -> Vec<f32> {
        let mut values = Vec::with_capacity(len);
        fill(Output {
            start: values.as_mut_ptr(),
            len,
            buffer: PhantomData,
        });
        // SAFETY: the capacity is at least `len`, and the caller has `fill` write every element.
        unsafe { values.set_len(len) };
        values
    }

    /// The buffer without the elements before `start`.
    pub(crate) fn from(&self, start: usize) -> Self {
        assert!(start <= self.len, "the part is inside the buffer");
        Self {
            // SAFETY: `start` is at most the buffer's length.
            start: unsafe { self.start.add(start) },
            len: self.len - start,
            buffer: PhantomData,
        }
    }

    /// The elements from `start` on, of which `len` may be written.
    ///
    /// # Safety
    ///
    /// No other thread touches the elements that the caller goes on to write.
    pub(crate) unsafe fn at(&self, start: usize, len: usize) -> *mut f32 {
        assert!(
            start <= self.len && len <= self.len - start,
            "output range is inside the buffer"
        );
        // SAFETY: `start` is at most the buffer's length.
        unsafe { self.start.add(start) }
    }
}
