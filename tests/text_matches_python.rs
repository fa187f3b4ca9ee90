//! Compression ratio and rounding give exactly what Python gives.
//!
//! The references were written by tests/tools/text_reference.py.

use std::io::Read;
use std::ops::Range;

use whisper_rs::text::{compression_ratio, python_round, round_digits};

fn data(name: &str) -> Vec<u8> {
    let bytes = std::fs::read(format!(
        "{}/tests/data/text/{name}",
        env!("CARGO_MANIFEST_DIR")
    ))
    .unwrap();
    if !name.ends_with(".zlib") {
        return bytes;
    }
    let mut inflated = Vec::new();
    flate2::read::ZlibDecoder::new(bytes.as_slice())
        .read_to_end(&mut inflated)
        .unwrap();
    inflated
}

/// The generator of tests/tools/text_reference.py.
struct Generator(u64);

impl Generator {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % n
    }
}

const SCRIPTS: [Range<usize>; 9] = [
    0x61..0x7A,
    0x400..0x44F,
    0x4E00..0x4E80,
    0x3040..0x309F,
    0x600..0x6FF,
    0x900..0x97F,
    0xAC00..0xB000,
    0xE01..0xE5B,
    0x1F300..0x1F5FF,
];

fn character(code: usize) -> char {
    char::from_u32(code as u32).unwrap()
}

fn cut(rng: &mut Generator, text: &str, longest: usize) -> String {
    let characters = text.chars().count();
    let start = rng.below(characters);
    text.chars()
        .skip(start)
        .take(1 + rng.below(longest))
        .collect()
}

fn joined<'a>(rng: &mut Generator, times: usize, parts: &[impl AsRef<str> + 'a]) -> String {
    (0..times)
        .map(|_| parts[rng.below(parts.len())].as_ref())
        .collect::<Vec<_>>()
        .join(" ")
}

fn make_text(rng: &mut Generator, sentences: &[&str]) -> String {
    let kind = rng.below(8);
    let sentence = sentences[rng.below(sentences.len())];
    let mut text = match kind {
        0 => {
            let times = 1 + rng.below(4);
            joined(rng, times, sentences)
        }
        1 => {
            let phrase = cut(rng, sentence, 60);
            phrase.repeat(1 + rng.below(80))
        }
        2 => {
            let words: Vec<&str> = sentence.split(' ').collect();
            let times = 1 + rng.below(200);
            joined(rng, times, &words)
        }
        3 => {
            let script = SCRIPTS[rng.below(SCRIPTS.len())].clone();
            let length = rng.below(1500);
            let letter = |rng: &mut Generator| match rng.below(6) {
                0 => ' ',
                _ => character(script.start + rng.below(script.len())),
            };
            (0..length).map(|_| letter(rng)).collect()
        }
        4 => {
            let length = rng.below(1200);
            let any = |rng: &mut Generator| match rng.below(2) {
                1 => character(1 + rng.below(0xD7FF)),
                _ => character(0x10000 + rng.below(0x100000)),
            };
            (0..length).map(|_| any(rng)).collect()
        }
        5 => {
            let letters = 1 + rng.below(5);
            let length = rng.below(4000);
            (0..length)
                .map(|_| character(0x61 + rng.below(letters)))
                .collect()
        }
        6 => {
            let count = 1 + rng.below(4);
            let mut phrases = Vec::new();
            for _ in 0..count {
                let sentence = sentences[rng.below(sentences.len())];
                phrases.push(cut(rng, sentence, 80));
            }
            let times = 1 + rng.below(50);
            joined(rng, times, &phrases)
        }
        _ => {
            let phrase = cut(rng, sentence, 30) + " ";
            format!("{sentence} {}", phrase.repeat(rng.below(40)))
        }
    };
    while text.len() > 5000 {
        text = text.chars().take(text.chars().count() / 2).collect();
    }
    text
}

/// The checksum of zlib over bytes that follow others.
fn adler32(checksum: u32, bytes: &[u8]) -> u32 {
    let (mut a, mut b) = (checksum & 0xFFFF, checksum >> 16);
    for byte in bytes {
        a = (a + u32::from(*byte)) % 65521;
        b = (b + a) % 65521;
    }
    b << 16 | a
}

#[test]
fn compression_ratios_of_24000_texts_are_those_of_pythons_zlib() {
    let sentences = String::from_utf8(data("sentences.txt")).unwrap();
    let sentences: Vec<&str> = sentences.lines().collect();
    let reference = data("zlib_sizes.zlib");
    let (expected_checksum, sizes) = reference.split_at(4);
    let mut rng = Generator(20250625);
    let mut checksum = 0;
    let mut longest = 0;
    for (n, size) in sizes.chunks_exact(2).enumerate() {
        let text = make_text(&mut rng, &sentences);
        checksum = adler32(checksum, text.as_bytes());
        longest = longest.max(text.len());
        let size = u16::from_le_bytes([size[0], size[1]]);
        assert_eq!(
            compression_ratio(&text),
            text.len() as f64 / f64::from(size),
            "text {n}: {text:?}"
        );
    }
    assert_eq!(
        checksum.to_le_bytes(),
        expected_checksum,
        "the texts are not those that the reference was made of"
    );
    assert_eq!(sizes.len(), 48_000);
    assert!(longest > 4_500);
}

#[test]
fn numbers_round_as_in_python() {
    let reference = data("round.zlib");
    assert!(reference.len() / 40 > 1500);
    for row in reference.chunks_exact(40) {
        let number = |i: usize| <[u8; 8]>::try_from(&row[8 * i..8 * i + 8]).unwrap();
        let x = f64::from_le_bytes(number(0));
        assert_eq!(python_round(x), i64::from_le_bytes(number(1)), "round({x})");
        for digits in 1..=3 {
            let expected = f64::from_le_bytes(number(digits + 1));
            assert_eq!(
                round_digits(x, digits).to_bits(),
                expected.to_bits(),
                "round({x}, {digits})"
            );
        }
    }
}

#[test]
fn numbers_that_python_cannot_round_do_not_panic() {
    assert_eq!(python_round(f64::NAN), 0);
    assert_eq!(python_round(f64::INFINITY), i64::MAX);
    assert_eq!(round_digits(f64::NEG_INFINITY, 2), f64::NEG_INFINITY);
    assert!(round_digits(f64::NAN, 2).is_nan());
}
