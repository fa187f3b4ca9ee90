//! How well a text compresses, which tells a looping decoder from speech.

/// Bytes of `text` per byte of zlib's output at its default level, as `len(text) / len(zlib.compress(text))` in Python
/// (openai/whisper utils.py:45-47). An empty text gives 0.
///
/// Zlib is stock zlib: the sizes of other deflate coders differ by some bytes, and with them, near the threshold of
/// 2.4, the decision to decode again at a higher temperature.
pub fn compression_ratio(text: &str) -> f64 {
    text.len() as f64 / zlib_size(text.as_bytes()) as f64
}

/// Size of `bytes` as a zlib stream of level 6, header and checksum included.
fn zlib_size(bytes: &[u8]) -> usize {
    // SAFETY: compressBound only computes with its argument.
    let mut size = unsafe { libz_sys::compressBound(bytes.len() as libz_sys::uLong) };
    let mut stream = vec![0u8; size as usize];
    // SAFETY: `stream` has room for the `size` bytes that compress may write at most, `bytes` is read for its length
    // and not beyond; the two do not overlap, and `size` is only written to.
    let status = unsafe {
        libz_sys::compress(
            stream.as_mut_ptr(),
            &mut size,
            bytes.as_ptr(),
            bytes.len() as libz_sys::uLong,
        )
    };
    match status {
        libz_sys::Z_OK => size as usize,
        // Zlib got no memory. A text that is taken as incompressible is at least never decoded anew for it.
        _ => bytes.len().max(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_ratios() {
        assert_eq!(compression_ratio(""), 0.0);
        assert_eq!(compression_ratio("a"), 1.0 / 9.0);
        let loops = "So I'm going to go. ".repeat(40);
        assert!(
            compression_ratio(&loops) > 20.0,
            "{}",
            compression_ratio(&loops)
        );
    }
}
