//! `whisper-rs plot`: the pictures that a user gets.
#![cfg(feature = "cli")]

mod common;

use std::fs;
use std::path::Path;

use common::{data, model, run};
use whisper_rs::audio::SAMPLE_RATE;

/// Where the panels of a picture of the default width are: rows of the features, and of the same smoothed; 80 bins of 3 rows.
const LEFT: usize = 56;
const RIGHT: usize = 1584;
const PLAIN: usize = 198;
const SMOOTHED: usize = 462;
const ROWS_OF_BIN: usize = 3;

fn plot(file: &Path, picture: &Path, flags: &[&str]) -> common::Run {
    let [file, picture] = [file, picture].map(|path| path.to_str().unwrap());
    run(&[&["plot", file, "-o", picture], flags].concat())
}

/// Silence, with a tone of 1000 Hz from 1 s to 1.5 s of 3 s.
fn tone(path: &Path) {
    let sample = |index: usize| {
        let seconds = index as f64 / SAMPLE_RATE as f64;
        let sounds = (1.0..1.5).contains(&seconds);
        let value = (seconds * 1000.0 * std::f64::consts::TAU).sin();
        (if sounds { value * 12_000.0 } else { 0.0 }) as i16
    };
    let samples: Vec<i16> = (0..3 * SAMPLE_RATE).map(sample).collect();
    fs::write(path, common::wav::pcm16(1, SAMPLE_RATE as u32, &samples)).unwrap();
}

struct Pixels {
    width: usize,
    height: usize,
    colours: Vec<[u32; 3]>,
}

impl Pixels {
    fn read(path: &Path) -> Self {
        let picture = lodepng::decode24_file(path).unwrap();
        let colour = |pixel: &lodepng::RGB<u8>| [pixel.r, pixel.g, pixel.b].map(u32::from);
        Self {
            width: picture.width,
            height: picture.height,
            colours: picture.buffer.iter().map(colour).collect(),
        }
    }

    /// The sum of red, green and blue.
    fn at(&self, x: usize, y: usize) -> u32 {
        self.colours[y * self.width + x].iter().sum()
    }

    /// Whether a pixel is grey, as letters are and marks of words are not.
    fn is_ink(&self, x: usize, y: usize) -> bool {
        let [red, _, blue] = self.colours[y * self.width + x];
        self.at(x, y) < 600 && red.abs_diff(blue) < 40
    }

    /// The mel bin that is lightest in a column of the features whose panel begins at a row.
    fn lightest_bin(&self, x: usize, top: usize) -> usize {
        let bins = 0..80;
        let row = |bin: usize| top + (79 - bin) * ROWS_OF_BIN + 1;
        bins.max_by_key(|&bin| self.at(x, row(bin))).unwrap()
    }
}

/// The bin of 80 whose centre is nearest to 1000 Hz: 15 on Slaney's scale, of which 8000 Hz is 15 + 27 ln 8 / ln 6.4.
fn bin_of_1000_hz() -> usize {
    let top = 15.0 + 27.0 * 8_f64.ln() / 6.4_f64.ln();
    (15.0 / top * 81.0 - 1.0).round() as usize
}

#[test]
fn a_tone_lies_where_it_sounds() {
    let folder = tempfile::tempdir().unwrap();
    let (file, picture) = (
        folder.path().join("tone.wav"),
        folder.path().join("tone.png"),
    );
    tone(&file);
    plot(&file, &picture, &[]).succeeded();
    let pixels = Pixels::read(&picture);
    assert_eq!((pixels.width, pixels.height), (1600, 820));
    let column = |seconds: f64| LEFT + (seconds / 3.0 * (RIGHT - LEFT) as f64) as usize;
    for top in [PLAIN, SMOOTHED] {
        let sounding = column(1.25);
        let bin = pixels.lightest_bin(sounding, top);
        assert!(bin.abs_diff(bin_of_1000_hz()) <= 1, "{bin}");
        let row = top + (79 - bin) * ROWS_OF_BIN + 1;
        let loud = pixels.at(sounding, row);
        for silent in [0.5, 0.9, 1.6, 2.9] {
            let there = pixels.at(column(silent), row);
            assert!(
                there * 4 < loud,
                "{there} at {silent} s, {loud} in the tone"
            );
        }
        for sounds in [1.05, 1.45] {
            assert!(pixels.at(column(sounds), row) * 10 > loud * 9);
        }
        // Far from the tone there is less.
        assert!(pixels.at(sounding, top + 10) * 2 < loud);
    }
    // Smoothing takes the sharpness away: the bins beside are nearer to it.
    let beside = |top: usize| {
        let row = top + (79 - bin_of_1000_hz() - 4) * ROWS_OF_BIN + 1;
        pixels.at(column(1.25), row)
    };
    assert_ne!(beside(PLAIN), beside(SMOOTHED));
}

#[test]
fn a_part_is_shown_wider() {
    let folder = tempfile::tempdir().unwrap();
    let (file, picture) = (
        folder.path().join("tone.wav"),
        folder.path().join("part.png"),
    );
    tone(&file);
    plot(
        &file,
        &picture,
        &[
            "--start", "1", "--end", "1.5", "--width", "800", "--n_mels", "128",
        ],
    )
    .succeeded();
    let pixels = Pixels::read(&picture);
    // Two rows for each of 128 bins.
    assert_eq!((pixels.width, pixels.height), (800, 852));
    let row = 198 + (127 - 42) * 2;
    let light: Vec<u32> = (56 + 40..784 - 40).map(|x| pixels.at(x, row)).collect();
    let least = light.iter().min().unwrap();
    assert!(*least > 300, "the tone fills the picture: {least}");
}

#[test]
fn an_svg_has_the_words_as_text() {
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("jfk.svg");
    let words = data("reference/base/jfk-words.json");
    let flags = ["--transcript", words.to_str().unwrap()];
    plot(&data("jfk.wav"), &picture, &flags).succeeded();
    let svg = fs::read_to_string(&picture).unwrap();
    assert!(svg.starts_with("<svg width=\"1600\"") && svg.trim_end().ends_with("</svg>"));
    assert_eq!(svg.matches("data:image/png;base64,").count(), 2);
    let mut from = 0;
    for word in common::reference("base", "jfk")["text"]
        .as_str()
        .unwrap()
        .split_whitespace()
    {
        let at = svg[from..]
            .find(&format!(">\n{word}\n<"))
            .unwrap_or_else(|| panic!("{word}"));
        from += at;
    }
}

#[test]
fn letters_of_any_script_are_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let transcript = folder.path().join("a.json");
    fs::write(
        &transcript,
        r#"{"text": "", "segments": [{"start": 0, "end": 3, "text": "", "words": [
            {"word": "да <&> \u001b", "start": 0.2, "end": 0.5}, {"word": "広州", "start": 1, "end": 2},
            {"word": "\udbff\udfff", "start": 2, "end": 3}]}]}"#,
    )
    .unwrap();
    let flags = ["--transcript", transcript.to_str().unwrap()];
    let clip = data("jfk.wav");
    let png = folder.path().join("a.png");
    let drawn = plot(&clip, &png, &flags);
    // No font has the last letter; which have the others is the machine's business.
    assert!(
        drawn.succeeded().stderr.contains("drawn as boxes"),
        "{drawn:?}"
    );
    let pixels = Pixels::read(&png);
    let ink = |from: f64, to: f64| {
        let column = |seconds: f64| LEFT + 2 + (seconds / 11.0 * (RIGHT - LEFT) as f64) as usize;
        let inside = (column(from)..column(to)).flat_map(|x| (728..740).map(move |y| (x, y)));
        inside.filter(|&(x, y)| pixels.is_ink(x, y)).count()
    };
    assert_eq!(ink(0.0, 0.19), 0);
    assert!(ink(0.2, 0.5) > 20 && ink(1.0, 1.3) > 20 && ink(2.0, 2.2) > 10);
    let svg = folder.path().join("a.svg");
    assert_eq!(
        plot(&clip, &svg, &flags).succeeded().stderr.lines().count(),
        1
    );
    let svg = fs::read_to_string(&svg).unwrap();
    assert!(svg.contains("да &lt;&amp;&gt; \u{fffd}") && svg.contains("広州"));
}

#[test]
fn the_words_of_a_model() {
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("jfk.svg");
    plot(
        &data("jfk.wav"),
        &picture,
        &["--model", model("tiny.en"), "--end", "5"],
    )
    .succeeded();
    let svg = fs::read_to_string(&picture).unwrap();
    assert!(svg.contains("\nAmericans") && !svg.contains("\ncountry"));
}

#[test]
fn wrong_inputs_are_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let clip = data("jfk.wav");
    let at = |name: &str| folder.path().join(name);
    for (file, picture, flags, code, says) in [
        (
            Path::new("no_such.wav"),
            at("a.png"),
            &[][..],
            1,
            "no_such.wav",
        ),
        (&clip, at("a.gif"), &[], 1, "png or svg"),
        (&clip, at("no/a.png"), &[], 1, "a.png"),
        (
            &clip,
            at("a.png"),
            &["--start", "11"],
            1,
            "too short to be drawn",
        ),
        (
            &clip,
            at("a.png"),
            &["--start", "2", "--end", "1"],
            1,
            "too short to be drawn",
        ),
        (&clip, at("a.png"), &["--start", "soon"], 2, "--start"),
        (&clip, at("a.png"), &["--n_mels", "64"], 1, "80 or 128"),
        (&clip, at("a.png"), &["--width", "10"], 1, "200 to 20000"),
        (
            &clip,
            at("a.png"),
            &["--font", "no_such.ttf"],
            1,
            "no_such.ttf",
        ),
        (
            &clip,
            at("a.png"),
            &["--transcript", "no_such.json"],
            1,
            "no_such.json",
        ),
        (&clip, at("a.png"), &["--language", "de"], 2, "--model"),
        (&clip, at("a.png"), &["--device", "abacus"], 2, "abacus"),
    ] {
        let run = plot(file, &picture, flags);
        let line = run.one_error(code);
        assert!(line.contains(says), "{line}");
        assert!(!picture.exists());
    }
}
