//! A recording on one time axis: waveform, features plain and smoothed, words.

use std::ops::Range;

use burn::tensor::Device;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters_backend::text_anchor::{HPos, Pos, VPos};
use serde::{Deserialize, Serialize};

use super::canvas::Canvas;
use super::fonts::Fonts;
use super::lanes::lanes;
use super::{Spectrogram, Waveform, png, svg};
use crate::audio::Audio;
use crate::compare::Span;
use crate::error::{Error, Result};
use crate::frontend::Smoothing;

/// Pixels beside, above and below what is drawn.
const LEFT: u32 = 56;
const RIGHT: u32 = 16;
/// Pixels above a panel, for its name.
const HEAD: u32 = 24;
/// Pixels below the panels, for the times.
const FOOT: u32 = 28;
/// Pixels of the waveform's panel.
const WAVEFORM: u32 = 150;
/// Pixels that features take, at least.
const FEATURES: usize = 200;
/// Lanes of words, and pixels of each.
const LANES: usize = 3;
const LANE: u32 = 22;
/// Text sizes as plotters counts them; an em is 1.24 times smaller.
const LABEL: i32 = 14;
const WORD: i32 = 16;

const INK: RGBColor = RGBColor(40, 44, 52);
const FAINT: RGBColor = RGBColor(140, 146, 156);
const WAVE: RGBColor = RGBColor(61, 111, 168);
const WORD_EDGE: RGBColor = RGBColor(205, 92, 20);

/// How a [`Figure`] is made.
///
/// More fields may come: begin with the default one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct FigureOptions {
    /// Width of the picture in pixels, 200 to 20,000.
    pub width: u32,
    /// Mel bins of the features: 80, or 128 as the large-v3 models have.
    pub n_mels: usize,
}

impl Default for FigureOptions {
    fn default() -> Self {
        Self {
            width: 1600,
            n_mels: 80,
        }
    }
}

/// What is drawn of a recording, from the top down: the waveform, the log-Mel features as Whisper takes them, the same averaged
/// over 3x3 neighbours, and the words.
#[derive(Debug)]
pub struct Figure {
    title: String,
    time: Range<f64>,
    waveform: Waveform,
    features: [Spectrogram; 2],
    words: Vec<Span>,
    width: u32,
}

/// Where a panel's contents are, in pixels from the left and the top of the picture. The end is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Panel {
    /// First column.
    pub left: u32,
    /// First row.
    pub top: u32,
    /// Column behind the last one.
    pub right: u32,
    /// Row behind the last one.
    pub bottom: u32,
}

impl Panel {
    /// Columns.
    pub fn width(&self) -> u32 {
        self.right - self.left
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.bottom - self.top
    }
}

/// A picture of pixels within a figure.
pub(super) struct Picture {
    pub area: Panel,
    pub pixels: Vec<[u8; 3]>,
    pub columns: usize,
    pub rows: usize,
}

impl Picture {
    /// The rows, each as often as it takes to fill a height.
    fn rows_for(&self, height: u32) -> impl Iterator<Item = &[[u8; 3]]> {
        let height = height as usize;
        let row =
            move |y: usize| &self.pixels[y * self.rows / height * self.columns..][..self.columns];
        (0..height).map(row)
    }
}

impl Figure {
    /// Looks at a recording from `time.start` to `time.end` seconds, with the words that are said then. The features are
    /// computed on `device`, and normalised by the whole recording.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] when there is less than a tenth of a second to show, or for a width or number of mel bins that cannot
    /// be had; the audio or the features could not be read.
    pub fn new(
        title: impl Into<String>,
        audio: &Audio,
        time: Range<f64>,
        words: &[Span],
        options: FigureOptions,
        device: &Device,
    ) -> Result<Self> {
        if !(200..=20_000).contains(&options.width) {
            return Err(Error::Option(format!(
                "a picture {} pixels wide cannot be made; give 200 to 20000",
                options.width
            )));
        }
        let time = time.start.max(0.0)..time.end.min(audio.seconds());
        if time.end - time.start < 0.1 {
            return Err(Error::Option(format!(
                "{:.2} s to {:.2} s of {:.2} s is too short to be drawn: at least 0.1 s is needed",
                time.start,
                time.end,
                audio.seconds()
            )));
        }
        let columns = (options.width - LEFT - RIGHT) as usize;
        let features = |smoothing| {
            Spectrogram::new(
                audio,
                time.clone(),
                columns,
                options.n_mels,
                smoothing,
                device,
            )
        };
        let said = words
            .iter()
            .filter(|word| word.end > time.start && word.start < time.end);
        Ok(Self {
            title: title.into(),
            waveform: Waveform::new(audio, time.clone(), columns)?,
            features: [features(Smoothing::Off)?, features(Smoothing::Average3x3)?],
            words: said.cloned().collect(),
            width: options.width,
            time,
        })
    }

    /// Width and height of the picture in pixels.
    pub fn size(&self) -> (u32, u32) {
        let [.., last] = self.panels();
        (self.width, last.bottom + FOOT)
    }

    /// The panels: waveform, features, features smoothed, words.
    pub fn panels(&self) -> [Panel; 4] {
        // Each bin has as many rows as all others.
        let n_mels = self.features[0].n_mels;
        let features = (n_mels * FEATURES.div_ceil(n_mels)) as u32;
        let mut top = 0;
        [WAVEFORM, features, features, LANES as u32 * LANE].map(|height| {
            let panel = Panel {
                left: LEFT,
                top: top + HEAD,
                right: self.width - RIGHT,
                bottom: top + HEAD + height,
            };
            top = panel.bottom;
            panel
        })
    }

    /// All letters that are drawn, for [`Fonts::add_found`].
    pub fn text(&self) -> String {
        let words = self.words.iter().map(|word| printable(&word.text));
        printable(&self.title) + &words.collect::<String>()
    }

    /// Words that have no room for their letters: their place alone is marked.
    pub fn unwritten(&self, fonts: &Fonts) -> usize {
        self.lanes(fonts)
            .iter()
            .filter(|lane| lane.is_none())
            .count()
    }

    /// The figure as a PNG file.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] when it cannot be drawn.
    pub fn png(&self, fonts: &Fonts) -> Result<Vec<u8>> {
        let (width, height) = self.size();
        let mut pixels = vec![[255; 3]; width as usize * height as usize];
        let canvas = Canvas::new(&mut pixels, (width, height), fonts);
        self.draw(&canvas.into_drawing_area(), fonts)?;
        for picture in self.pictures() {
            let area = picture.area;
            for (y, row) in (area.top..area.bottom).zip(picture.rows_for(area.height())) {
                let line = &mut pixels[(y * width + area.left) as usize..][..area.width() as usize];
                for (x, pixel) in line.iter_mut().enumerate() {
                    *pixel = row[x * row.len() / area.width() as usize];
                }
            }
        }
        png::encode(&pixels, width as usize, height as usize)
    }

    /// The figure as SVG. Text stays text, in the fonts of whoever looks at it; `fonts` say how much room it takes.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] when it cannot be drawn.
    pub fn svg(&self, fonts: &Fonts) -> Result<String> {
        let mut drawn = String::new();
        {
            let root = SVGBackend::with_string(&mut drawn, self.size()).into_drawing_area();
            root.fill(&WHITE).map_err(undrawn)?;
            self.draw(&root, fonts)?;
            root.present().map_err(undrawn)?;
        }
        svg::with_pictures(drawn, &self.pictures())
    }

    /// The features as pixels.
    fn pictures(&self) -> Vec<Picture> {
        let [_, plain, smoothed, _] = self.panels();
        let shown = self.features.iter().zip([plain, smoothed]);
        shown
            .filter(|(features, _)| features.columns > 0)
            .map(|(features, area)| Picture {
                area,
                pixels: features.pixels(),
                columns: features.columns,
                rows: features.n_mels,
            })
            .collect()
    }

    /// Everything but the pixels of features.
    fn draw<B: DrawingBackend>(&self, root: &DrawingArea<B, Shift>, fonts: &Fonts) -> Result<()> {
        let [wave, plain, smoothed, words] = self.panels();
        let n_mels = self.features[0].n_mels;
        let names = [
            format!("{}  waveform", self.title),
            format!("log-Mel features, {n_mels} bins"),
            "log-Mel features, averaged over 3x3 neighbours".to_owned(),
            "words".to_owned(),
        ];
        for (panel, name) in [wave, plain, smoothed, words].iter().zip(&names) {
            let place = (panel.left as i32, panel.top as i32 - 6);
            let style = text(LABEL, &INK, HPos::Left, VPos::Bottom);
            root.draw_text(&printable(name), &style, place)
                .map_err(undrawn)?;
            self.frame(root, panel)?;
        }
        self.draw_wave(root, &wave)?;
        for panel in [plain, smoothed] {
            for (y, bin) in [(panel.top + 5, n_mels - 1), (panel.bottom - 5, 0)] {
                let style = text(LABEL, &FAINT, HPos::Right, VPos::Center);
                root.draw_text(&bin.to_string(), &style, (panel.left as i32 - 6, y as i32))
                    .map_err(undrawn)?;
            }
        }
        self.draw_words(root, &words, fonts)?;
        self.draw_times(root, &words)
    }

    fn frame<B: DrawingBackend>(&self, root: &DrawingArea<B, Shift>, panel: &Panel) -> Result<()> {
        let corners = [
            (panel.left as i32 - 1, panel.top as i32 - 1),
            (panel.right as i32, panel.bottom as i32),
        ];
        root.draw(&Rectangle::new(corners, FAINT.stroke_width(1)))
            .map_err(undrawn)
    }

    /// The outline of the samples; the loudest one fills the height.
    fn draw_wave<B: DrawingBackend>(
        &self,
        root: &DrawingArea<B, Shift>,
        panel: &Panel,
    ) -> Result<()> {
        let extremes = &self.waveform.extremes;
        let all = extremes
            .iter()
            .flat_map(|&(least, greatest)| [-least, greatest]);
        let peak = all.fold(0.001, f32::max);
        let (middle, half) = (
            (panel.top + panel.bottom) as f32 / 2.0,
            panel.height() as f32 / 2.0,
        );
        let y = |sample: f32| (middle - sample / peak * (half - 1.0)).round() as i32;
        let columns = panel.width() as usize;
        for column in 0..columns {
            let (least, greatest) = extremes[column * extremes.len() / columns];
            let x = (panel.left as usize + column) as i32;
            let line = [(x, y(greatest)), (x, y(least))];
            root.draw(&PathElement::new(line, WAVE)).map_err(undrawn)?;
        }
        for (sample, y) in [
            (peak, panel.top + 5),
            (0.0, middle as u32),
            (-peak, panel.bottom - 5),
        ] {
            let style = text(LABEL, &FAINT, HPos::Right, VPos::Center);
            let place = (panel.left as i32 - 6, y as i32);
            root.draw_text(&format!("{sample:.2}"), &style, place)
                .map_err(undrawn)?;
        }
        Ok(())
    }

    /// Each word where it begins, and a bar from there to its end.
    fn draw_words<B: DrawingBackend>(
        &self,
        root: &DrawingArea<B, Shift>,
        panel: &Panel,
        fonts: &Fonts,
    ) -> Result<()> {
        for (word, lane) in self.words.iter().zip(self.lanes(fonts)) {
            let [left, right] = [word.start, word.end].map(|time| self.column(time) as i32);
            let top = (panel.top + lane.unwrap_or(LANES - 1) as u32 * LANE) as i32;
            let mark = [(left, top + LANE as i32 - 3), (left, top + 1)];
            root.draw(&PathElement::new(mark, WORD_EDGE))
                .map_err(undrawn)?;
            let bar = [
                (left, top + LANE as i32 - 3),
                (right.max(left + 1), top + LANE as i32 - 2),
            ];
            root.draw(&Rectangle::new(bar, WORD_EDGE.filled()))
                .map_err(undrawn)?;
            if lane.is_some() {
                let style = text(WORD, &INK, HPos::Left, VPos::Center);
                let place = (left + 3, top + LANE as i32 / 2 - 1);
                root.draw_text(&printable(word.text.trim()), &style, place)
                    .map_err(undrawn)?;
            }
        }
        Ok(())
    }

    /// The lane of each word that has room.
    fn lanes(&self, fonts: &Fonts) -> Vec<Option<usize>> {
        let places = self.words.iter().map(|word| {
            let left = self.column(word.start);
            let letters = fonts.width(word.text.trim(), WORD as f32 / 1.24);
            (left, left + f64::from(letters) + 8.0)
        });
        lanes(&places.collect::<Vec<_>>(), LANES)
    }

    /// Marks at round times below the last panel.
    fn draw_times<B: DrawingBackend>(
        &self,
        root: &DrawingArea<B, Shift>,
        panel: &Panel,
    ) -> Result<()> {
        let step = step(self.time.end - self.time.start, panel.width());
        let first = (self.time.start / step).ceil() as u64;
        let last = (self.time.end / step + 1e-6).floor() as u64;
        for index in first..=last {
            let time = index as f64 * step;
            let x = self.column(time) as i32;
            let y = panel.bottom as i32;
            root.draw(&PathElement::new([(x, y), (x, y + 5)], FAINT))
                .map_err(undrawn)?;
            let digits = if step < 0.1 {
                2
            } else {
                usize::from(step < 1.0)
            };
            let style = text(LABEL, &INK, HPos::Center, VPos::Top);
            root.draw_text(&format!("{time:.digits$} s"), &style, (x, y + 9))
                .map_err(undrawn)?;
        }
        Ok(())
    }

    /// The column of the picture in which a time lies, within the panels.
    fn column(&self, seconds: f64) -> f64 {
        let part = (seconds - self.time.start) / (self.time.end - self.time.start);
        let width = f64::from(self.width - LEFT - RIGHT);
        f64::from(LEFT) + (part.clamp(0.0, 1.0) * width).floor()
    }
}

/// The round distance between marks, about a hundred pixels.
fn step(seconds: f64, pixels: u32) -> f64 {
    const STEPS: [f64; 12] = [
        0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0,
    ];
    let wanted = seconds * 100.0 / f64::from(pixels);
    STEPS
        .into_iter()
        .find(|&step| step >= wanted)
        .unwrap_or(1800.0)
}

fn text(size: i32, colour: &'static RGBColor, h_pos: HPos, v_pos: VPos) -> TextStyle<'static> {
    let style = TextStyle::from(("sans-serif", size).into_font()).color(colour);
    style.pos(Pos::new(h_pos, v_pos))
}

/// What XML and letters cannot show.
fn printable(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}

fn undrawn(error: impl std::fmt::Display) -> Error {
    Error::Option(format!("the picture cannot be drawn: {error}"))
}
