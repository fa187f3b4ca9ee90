//! The normalisers give exactly what openai/whisper's give.
//!
//! The references were written by tests/tools/normalizer_reference.py. `NORMALIZER_TEXTS` names a file of more of
//! them, one a line, as the tool's `random` prints them.
#![cfg(feature = "compare")]

use std::io::Read;

use whisper_rs::compare::{BasicTextNormalizer, EnglishTextNormalizer};

/// A text, and what openai/whisper's normalisers make of it.
type Row = (String, Option<String>, String, String, String, String);

fn references() -> Vec<Row> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/compare/normalizers.json.zlib"
    );
    let mut json = String::new();
    flate2::read::ZlibDecoder::new(std::fs::File::open(path).unwrap())
        .read_to_string(&mut json)
        .unwrap();
    let mut rows: Vec<Row> = serde_json::from_str(&json).unwrap();
    assert!(rows.len() > 10_000);
    if let Ok(more) = std::env::var("NORMALIZER_TEXTS") {
        let more = std::fs::read_to_string(more).unwrap();
        rows.extend(more.lines().map(|row| serde_json::from_str(row).unwrap()));
        println!("{} texts", rows.len());
    }
    rows
}

/// Fails with the first few of the differences.
fn all_equal<'a>(compared: impl Iterator<Item = (&'a str, String, &'a str)>) {
    let differences: Vec<_> = compared
        .filter(|(_, ours, openai)| ours != openai)
        .map(|(text, ours, openai)| format!("{text:?}\n  gives  {ours:?}\n  openai {openai:?}"))
        .collect();
    assert!(
        differences.is_empty(),
        "{} differences, among them\n{}",
        differences.len(),
        differences[..differences.len().min(20)].join("\n")
    );
}

#[test]
fn the_english_normaliser_gives_openais_text() {
    all_equal(references().iter().filter_map(|row| {
        let openai = row.1.as_deref()?;
        Some((
            row.0.as_str(),
            EnglishTextNormalizer.normalize(&row.0),
            openai,
        ))
    }));
}

#[test]
fn the_basic_normaliser_gives_openais_text_with_all_its_options() {
    let rows = references();
    for (index, (remove_diacritics, split_letters)) in
        [(false, false), (false, true), (true, false), (true, true)]
            .into_iter()
            .enumerate()
    {
        let basic = BasicTextNormalizer {
            remove_diacritics,
            split_letters,
        };
        all_equal(rows.iter().map(|row| {
            let openai = [&row.2, &row.3, &row.4, &row.5][index];
            (row.0.as_str(), basic.normalize(&row.0), openai.as_str())
        }));
    }
}
