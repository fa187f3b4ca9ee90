//! The letters of pictures that are made of pixels.
//!
//! DejaVu Sans is part of the program (`fonts/LICENSE`): Latin, Greek, Cyrillic, Armenian, Georgian, Hebrew, Arabic and many
//! symbols. For other letters the machine's fonts are looked through, and what none has is an empty box. Letters stand one after
//! the other from left to right: scripts whose letters join or change places are not set as they should be, which an SVG
//! leaves to its viewer, who can.

use std::path::Path;
use std::sync::OnceLock;

use ab_glyph::{Font, FontRef, FontVec, GlyphId, PxScale, ScaleFont, point};
use fontdb::Database;

use crate::error::{Error, Result};

static DEJAVU: &[u8] = include_bytes!("fonts/DejaVuSans.ttf");

/// The fonts that letters are taken from, the first one that has a letter.
#[derive(Debug, Default)]
pub struct Fonts {
    /// The user's own.
    own: Vec<FontVec>,
    /// The first fonts of the machine that have what DejaVu lacks of a text.
    found: Vec<FontVec>,
}

/// A letter as it is set.
struct Letter<'a> {
    font: &'a dyn Outlines,
    glyph: GlyphId,
    /// Distance to the next letter, in pixels.
    advance: f32,
}

impl Fonts {
    /// DejaVu Sans alone.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, with a font of the user's before it: a TrueType or OpenType file, or the first font of a collection.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the file cannot be read, [`Error::Option`] when it is no font.
    pub fn with_own(mut self, path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|source| Error::Io {
            path: path.to_owned(),
            source,
        })?;
        let font = FontVec::try_from_vec_and_index(bytes, 0).map_err(|_| {
            Error::Option(format!(
                "{}: is no TrueType or OpenType font",
                path.display()
            ))
        })?;
        self.own.push(font);
        Ok(self)
    }

    /// The same, with the fonts of the machine that are needed for the letters of a text. Returns the letters that no font
    /// has.
    pub fn add_found(&mut self, text: &str) -> Vec<char> {
        let lacks = |fonts: &Self| {
            let mut missing: Vec<_> = text.chars().filter(|&letter| !fonts.has(letter)).collect();
            missing.sort_unstable();
            missing.dedup();
            missing
        };
        let mut missing = lacks(self);
        if missing.is_empty() {
            return missing;
        }
        let mut database = Database::new();
        database.load_system_fonts();
        for face in database.faces() {
            let font = database.with_face_data(face.id, |data, index| {
                let font = FontRef::try_from_slice_and_index(data, index).ok()?;
                let helps = missing.iter().any(|&letter| font.glyph_id(letter).0 != 0);
                let own = helps.then(|| FontVec::try_from_vec_and_index(data.to_vec(), index));
                own?.ok()
            });
            if let Some(font) = font.flatten() {
                self.found.push(font);
                missing = lacks(self);
            }
            if missing.is_empty() {
                break;
            }
        }
        missing
    }

    fn has(&self, letter: char) -> bool {
        letter.is_whitespace() || self.all().any(|font| font.glyph(letter).0 != 0)
    }

    fn all(&self) -> impl Iterator<Item = &dyn Outlines> {
        let own = self.own.iter().map(|font| font as &dyn Outlines);
        let dejavu = dejavu().map(|font| font as &dyn Outlines);
        let found = self.found.iter().map(|font| font as &dyn Outlines);
        own.chain(dejavu).chain(found)
    }

    /// The letters of a text, at so many pixels for an em.
    fn letters(&self, text: &str, em: f32) -> impl Iterator<Item = Letter<'_>> {
        text.chars().filter_map(move |letter| {
            let fonts = || self.all();
            // The first font's box stands for what no font has.
            let font = fonts()
                .find(|font| font.glyph(letter).0 != 0)
                .or_else(|| fonts().next())?;
            let glyph = font.glyph(letter);
            Some(Letter {
                font,
                glyph,
                advance: font.advance(glyph, em),
            })
        })
    }

    /// Width of a text in pixels, at so many pixels for an em.
    pub(super) fn width(&self, text: &str, em: f32) -> f32 {
        self.letters(text, em).map(|letter| letter.advance).sum()
    }

    /// Height of capitals in pixels, at so many pixels for an em.
    pub(super) fn capitals(em: f32) -> f32 {
        0.73 * em
    }

    /// Draws a text whose baseline begins at `(x, y)`: calls `pixel` with column, row and how much of the pixel is covered.
    pub(super) fn draw(
        &self,
        text: &str,
        em: f32,
        (x, y): (f32, f32),
        mut pixel: impl FnMut(i32, i32, f32),
    ) {
        let mut at = x;
        for letter in self.letters(text, em) {
            letter.font.outline(letter.glyph, em, (at, y), &mut pixel);
            at += letter.advance;
        }
    }
}

/// DejaVu Sans. It is part of the program and a font, so there always is one.
fn dejavu() -> Option<&'static FontRef<'static>> {
    static FONT: OnceLock<Option<FontRef<'static>>> = OnceLock::new();
    let font = FONT.get_or_init(|| FontRef::try_from_slice(DEJAVU).ok());
    font.as_ref()
}

/// What is needed of a font, whoever owns its bytes.
trait Outlines {
    fn glyph(&self, letter: char) -> GlyphId;
    fn advance(&self, glyph: GlyphId, em: f32) -> f32;
    fn outline(
        &self,
        glyph: GlyphId,
        em: f32,
        at: (f32, f32),
        pixel: &mut dyn FnMut(i32, i32, f32),
    );
}

impl<F: Font> Outlines for F {
    fn glyph(&self, letter: char) -> GlyphId {
        self.glyph_id(letter)
    }

    fn advance(&self, glyph: GlyphId, em: f32) -> f32 {
        self.as_scaled(scale(self, em)).h_advance(glyph)
    }

    fn outline(
        &self,
        glyph: GlyphId,
        em: f32,
        (x, y): (f32, f32),
        pixel: &mut dyn FnMut(i32, i32, f32),
    ) {
        let placed = glyph.with_scale_and_position(scale(self, em), point(x, y));
        if let Some(outlined) = self.outline_glyph(placed) {
            let bounds = outlined.px_bounds();
            let (left, top) = (bounds.min.x as i32, bounds.min.y as i32);
            outlined.draw(|column, row, covered| {
                pixel(left + column as i32, top + row as i32, covered);
            });
        }
    }
}

/// ab_glyph's scale is the height from the descent to the ascent.
fn scale(font: &impl Font, em: f32) -> PxScale {
    let units = font.units_per_em().unwrap_or(1000.0);
    PxScale::from(em * font.height_unscaled() / units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_many_scripts_are_there() {
        let fonts = Fonts::new();
        for letter in "aé Ωж ա ა א ب ∑ →".chars() {
            assert!(fonts.has(letter), "{letter}");
        }
        assert!(!fonts.has('\u{10ffff}'));
    }

    #[test]
    fn what_no_font_has_is_a_box() {
        let mut fonts = Fonts::new();
        assert_eq!(fonts.add_found("a\u{10ffff}"), ['\u{10ffff}']);
        let mut covered = 0.0;
        fonts.draw("\u{10ffff}", 20.0, (0.0, 20.0), |_, _, part| {
            covered += part
        });
        assert!(covered > 20.0 && fonts.width("\u{10ffff}", 20.0) > 8.0);
    }

    #[test]
    fn a_text_is_as_wide_as_its_letters() {
        let fonts = Fonts::new();
        let one = fonts.width("m", 20.0);
        assert!((fonts.width("mmmm", 20.0) - 4.0 * one).abs() < 1e-3);
        assert!((fonts.width("m", 40.0) - 2.0 * one).abs() < 1e-3);
        // Capitals stand on the baseline and reach as high as is said.
        let (mut top, mut bottom) = (i32::MAX, i32::MIN);
        fonts.draw("H", 100.0, (0.0, 200.0), |_, row, part| {
            if part > 0.5 {
                (top, bottom) = (top.min(row), bottom.max(row));
            }
        });
        assert!((bottom - 199).abs() <= 1, "{bottom}");
        assert!(
            ((200 - top) as f32 - Fonts::capitals(100.0)).abs() <= 1.0,
            "{top}"
        );
    }

    #[test]
    fn what_is_no_font_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ttf");
        std::fs::write(&path, "no font").unwrap();
        let message = Fonts::new().with_own(&path).unwrap_err().to_string();
        assert!(message.contains("a.ttf: is no TrueType"), "{message}");
        std::fs::write(&path, DEJAVU).unwrap();
        assert!(Fonts::new().with_own(&path).unwrap().has('ж'));
    }
}
