//! Alignments and error rates are jiwer's.
//!
//! The references were written by tests/tools/jiwer_reference.py.
#![cfg(feature = "compare")]

use serde::Deserialize;
use whisper_rs::compare::{Edit, ErrorCounts, align, align_words, character_errors, word_errors};

#[derive(Deserialize)]
struct Reference {
    /// Error rates of all the rows together.
    wer: f64,
    cer: f64,
    /// Reference, hypothesis, edits of words, edits of characters.
    rows: Vec<(String, String, String, String)>,
}

fn reference() -> Reference {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/compare/error_rates.json.zlib"
    );
    let file = std::fs::File::open(path).unwrap();
    let reference: Reference =
        serde_json::from_reader(flate2::read::ZlibDecoder::new(file)).unwrap();
    assert!(reference.rows.len() >= 3000);
    reference
}

fn letters(edits: impl IntoIterator<Item = Edit>) -> String {
    let letter = |edit| match edit {
        Edit::Hit => '=',
        Edit::Substitution => 's',
        Edit::Deletion => 'd',
        Edit::Insertion => 'i',
    };
    edits.into_iter().map(letter).collect()
}

fn count(edits: &str, letter: char) -> usize {
    edits.matches(letter).count()
}

fn assert_counts(counts: ErrorCounts, edits: &str) {
    assert_eq!(counts.hits, count(edits, '='));
    assert_eq!(counts.substitutions, count(edits, 's'));
    assert_eq!(counts.deletions, count(edits, 'd'));
    assert_eq!(counts.insertions, count(edits, 'i'));
}

#[test]
fn every_word_is_aligned_as_jiwer_aligns_it() {
    for (said, heard, edits, _) in &reference().rows {
        let aligned = align_words(said, heard);
        assert_eq!(
            &letters(aligned.iter().map(|word| word.edit)),
            edits,
            "{said:?} {heard:?}"
        );
        assert_counts(word_errors(said, heard), edits);
        let both = |word: fn(&whisper_rs::compare::AlignedWord<'_>) -> Option<String>| {
            aligned
                .iter()
                .filter_map(word)
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(&both(|word| word.reference.map(str::to_owned)), said);
        assert_eq!(&both(|word| word.hypothesis.map(str::to_owned)), heard);
    }
}

#[test]
fn every_character_is_aligned_as_jiwer_aligns_it() {
    for (said, heard, _, edits) in &reference().rows {
        let [a, b] = [said, heard].map(|text| text.chars().collect::<Vec<_>>());
        assert_eq!(&letters(align(&a, &b)), edits, "{said:?} {heard:?}");
        assert_counts(character_errors(said, heard), edits);
    }
}

#[test]
fn the_rates_of_a_corpus_are_jiwers() {
    let reference = reference();
    let sum = |errors: fn(&str, &str) -> ErrorCounts| {
        let rows = reference.rows.iter();
        let sum: ErrorCounts = rows.map(|(said, heard, ..)| errors(said, heard)).sum();
        sum.rate().unwrap()
    };
    assert!((sum(word_errors) - reference.wer).abs() < 1e-12);
    assert!((sum(character_errors) - reference.cer).abs() < 1e-12);
}
