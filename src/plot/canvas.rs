//! Pixels that plotters draws on.

use std::convert::Infallible;

use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendTextStyle, DrawingBackend, DrawingErrorKind,
};

use super::fonts::Fonts;

/// What plotters makes of a font's size (`plotters_svg`, draw_text).
const SIZE_OF_EM: f64 = 1.24;

/// A picture of pixels, red, green and blue. Lines and surfaces are drawn pixel by pixel by plotters' own rasteriser, text in
/// the letters of `fonts`.
pub(super) struct Canvas<'a> {
    pixels: &'a mut [[u8; 3]],
    width: u32,
    height: u32,
    fonts: &'a Fonts,
}

impl<'a> Canvas<'a> {
    /// Draws on pixels that lie row by row from the top.
    pub fn new(pixels: &'a mut [[u8; 3]], (width, height): (u32, u32), fonts: &'a Fonts) -> Self {
        Self {
            pixels,
            width,
            height,
            fonts,
        }
    }

    /// Lays a colour over a pixel; outside the picture is nothing.
    fn blend(&mut self, (x, y): BackendCoord, (red, green, blue): (u8, u8, u8), alpha: f64) {
        let inside = |at: i32, size: u32| u32::try_from(at).ok().filter(|&at| at < size);
        let (Some(x), Some(y)) = (inside(x, self.width), inside(y, self.height)) else {
            return;
        };
        let pixel = &mut self.pixels[y as usize * self.width as usize + x as usize];
        for (below, above) in pixel.iter_mut().zip([red, green, blue]) {
            let mixed = f64::from(*below) * (1.0 - alpha) + f64::from(above) * alpha;
            *below = mixed.round() as u8;
        }
    }
}

impl DrawingBackend for Canvas<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    fn ensure_prepared(&mut self) -> Result<(), DrawingErrorKind<Infallible>> {
        Ok(())
    }

    fn present(&mut self) -> Result<(), DrawingErrorKind<Infallible>> {
        Ok(())
    }

    fn draw_pixel(
        &mut self,
        at: BackendCoord,
        color: BackendColor,
    ) -> Result<(), DrawingErrorKind<Infallible>> {
        self.blend(at, color.rgb, color.alpha);
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(
        &mut self,
        text: &str,
        style: &S,
        (x, y): BackendCoord,
    ) -> Result<(), DrawingErrorKind<Infallible>> {
        let em = em(style);
        let width = self.fonts.width(text, em);
        let capitals = Fonts::capitals(em);
        let left = match style.anchor().h_pos {
            HPos::Left => 0.0,
            HPos::Center => width / 2.0,
            HPos::Right => width,
        };
        let baseline = match style.anchor().v_pos {
            VPos::Top => capitals,
            VPos::Center => capitals / 2.0,
            VPos::Bottom => 0.0,
        };
        let color = style.color();
        let fonts = self.fonts;
        let begin = ((x as f32 - left).round(), (y as f32 + baseline).round());
        fonts.draw(text, em, begin, |column, row, covered| {
            self.blend((column, row), color.rgb, color.alpha * f64::from(covered));
        });
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        text: &str,
        style: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        let em = em(style);
        Ok((self.fonts.width(text, em).ceil() as u32, em.ceil() as u32))
    }
}

fn em(style: &impl BackendTextStyle) -> f32 {
    (style.size() / SIZE_OF_EM) as f32
}
