//! PNG files.

use crate::error::{Error, Result};

/// A picture of `width` times `height` pixels, red, green and blue, row by row from the top, as a PNG file.
///
/// # Errors
///
/// [`Error::Option`] when there is no pixel or the picture is too large.
pub fn encode(pixels: &[[u8; 3]], width: usize, height: usize) -> Result<Vec<u8>> {
    lodepng::encode24(pixels.as_flattened(), width, height).map_err(|error| {
        Error::Option(format!(
            "a picture of {width} times {height} pixels cannot be made: {error}"
        ))
    })
}
