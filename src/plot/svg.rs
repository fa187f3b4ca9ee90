//! Figures as SVG.

use std::fmt::Write;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::figure::Picture;
use super::png;
use crate::error::Result;

/// Puts pictures of pixels, as PNG within, into what plotters drew, above the rest.
pub(super) fn with_pictures(mut svg: String, pictures: &[Picture]) -> Result<String> {
    let end = svg.rfind("</svg>").unwrap_or(svg.len());
    let mut images = String::new();
    for picture in pictures {
        let png = png::encode(&picture.pixels, picture.columns, picture.rows)?;
        let area = &picture.area;
        // Writing to a string cannot fail.
        let _ = writeln!(
            images,
            r#"<image x="{}" y="{}" width="{}" height="{}" preserveAspectRatio="none" href="data:image/png;base64,{}"/>"#,
            area.left,
            area.top,
            area.width(),
            area.height(),
            BASE64_STANDARD.encode(png),
        );
    }
    svg.insert_str(end, &images);
    Ok(svg)
}
