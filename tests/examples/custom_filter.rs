//! What `examples/custom_filter.rs` does with real speech.

use std::sync::Arc;

use whisper_rs::{Audio, TranscribeOptions, Whisper, device};

use super::DATA;
use super::custom_filter::{self, Effect, WordFilter};

/// The beginning of a clip with words boosted and banned, greedily, with beams, and sampled.
fn transcribe(words: &[(&str, Effect)], clip: &str) -> [String; 3] {
    let whisper = Whisper::load("tiny.en", &device::open("cpu").unwrap()).unwrap();
    let mut filter = WordFilter::new(whisper.tokenizer());
    for &(word, effect) in words {
        filter.add(whisper.tokenizer(), word, effect).unwrap();
    }
    let filter = Arc::new(filter);
    let audio = Audio::open(format!("{DATA}{clip}")).unwrap();
    [(None, 0.0), (Some(3), 0.0), (None, 0.1)].map(|(beam_size, temperature)| {
        let mut options = TranscribeOptions::default();
        options.temperatures = vec![temperature];
        options.beam_size = beam_size;
        options.clip_timestamps = vec![0.0, 11.0];
        options.logit_filters = vec![filter.clone()];
        whisper.transcribe(&audio, &options).unwrap().text
    })
}

#[test]
fn a_banned_word_vanishes_and_the_rest_stays() {
    for text in transcribe(&[], "jfk.wav") {
        assert!(text.contains(" country"), "{text}");
    }
    for text in transcribe(&[("country", Effect::Ban)], "jfk.wav") {
        assert!(!text.to_lowercase().contains("country"), "{text}");
        assert!(text.contains("fellow Americans"), "{text}");
    }
}

#[test]
fn a_boosted_word_appears_where_it_sounds_like_it() {
    // "But as the riper should by time decease": greedily, tiny.en hears a writer.
    let [greedy, ..] = transcribe(&[], "clips/sonnet1.flac");
    assert!(!greedy.contains(" riper"), "{greedy}");
    for text in transcribe(&[("riper", Effect::Boost)], "clips/sonnet1.flac") {
        assert_eq!(text.matches(" riper").count(), 1, "{text}");
    }
}

#[test]
fn the_example_takes_words_from_its_arguments() {
    let arguments = |words: &[&str]| -> Vec<String> {
        let file = format!("{DATA}jfk.wav");
        ([file.as_str(), "tiny.en"].iter().chain(words))
            .map(|&word| word.to_owned())
            .collect()
    };
    let text = custom_filter::run(&arguments(&["-country"])).unwrap();
    assert!(!text.contains("country"), "{text}");
    assert!(custom_filter::run(&[]).is_err());
}
