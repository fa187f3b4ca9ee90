//! Reading a mapped file front to back, never past its end.

use std::ops::Range;
use std::path::Path;

use crate::error::{Error, Result};

/// The bytes of a file with a place in them. Numbers are little-endian and not aligned.
///
/// Every length is checked against what is left of the file before anything is taken.
pub(super) struct Reader<'a> {
    path: &'a Path,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(path: &'a Path, bytes: &'a [u8]) -> Self {
        Self { path, bytes, at: 0 }
    }

    pub(super) fn path(&self) -> &'a Path {
        self.path
    }

    /// Place of the next byte in the file.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Number of bytes that are left.
    pub(super) fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The next `count` bytes.
    pub(super) fn take(&mut self, count: usize, what: &str) -> Result<&'a [u8]> {
        let range = self.skip(count, what)?;
        Ok(&self.bytes[range])
    }

    /// Passes over the next `count` bytes and says where they lie.
    pub(super) fn skip(&mut self, count: usize, what: &str) -> Result<Range<usize>> {
        let (at, left) = (self.at, self.left());
        if count > left {
            let what =
                format!("{what} at byte {at} asks for {count} bytes, but only {left} are left");
            return Err(self.corrupt(what));
        }
        self.at += count;
        Ok(at..self.at)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N, "a number")?);
        Ok(array)
    }

    pub(super) fn u8(&mut self) -> Result<u8> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    pub(super) fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(super) fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(super) fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// A signed number that counts something, and so is not negative.
    pub(super) fn count(&mut self, what: &str) -> Result<usize> {
        let number = i32::from_le_bytes(self.array()?);
        usize::try_from(number).map_err(|_| {
            let at = self.at - 4;
            self.corrupt(format!("{what} at byte {at} is {number}"))
        })
    }

    pub(super) fn corrupt(&self, what: String) -> Error {
        Error::corrupt(self.path, what)
    }
}
