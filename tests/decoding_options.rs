//! What a user changes with the options of decoding, on real speech; the first run fetches the models.
#![cfg(all(feature = "audio-files", feature = "fetch"))]

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use whisper_rs::transcribe::Stage;
use whisper_rs::{Audio, TranscribeOptions, Transcript, Whisper, device};

/// Both models. One transcription at a time: each uses all cores.
struct Models {
    tiny_en: Whisper,
    base: Whisper,
}

fn models() -> MutexGuard<'static, Models> {
    static MODELS: OnceLock<Mutex<Models>> = OnceLock::new();
    let load = |name| Whisper::load(name, &device::open("cpu").unwrap()).unwrap();
    let models = MODELS.get_or_init(|| {
        Mutex::new(Models {
            tiny_en: load("tiny.en"),
            base: load("base"),
        })
    });
    models.lock().unwrap_or_else(PoisonError::into_inner)
}

fn clip(name: &str) -> Audio {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/");
    Audio::open(format!("{data}{name}")).unwrap()
}

/// Greedy without fallback.
fn greedy(change: impl FnOnce(&mut TranscribeOptions)) -> TranscribeOptions {
    let mut options = TranscribeOptions::default();
    options.temperatures = vec![0.0];
    change(&mut options);
    options
}

fn transcribe(
    whisper: &Whisper,
    audio: &Audio,
    change: impl FnOnce(&mut TranscribeOptions),
) -> Transcript {
    whisper.transcribe(audio, &greedy(change)).unwrap()
}

/// The text tokens of a transcript, window by window.
fn text_tokens(whisper: &Whisper, transcript: &Transcript) -> Vec<Vec<u32>> {
    let mut windows: Vec<(usize, Vec<u32>)> = Vec::new();
    for segment in &transcript.segments {
        if windows.last().is_none_or(|&(seek, _)| seek != segment.seek) {
            windows.push((segment.seek, Vec::new()));
        }
        let text = segment.tokens.iter().copied();
        let text = text.filter(|&token| token < whisper.tokenizer().eot());
        windows.last_mut().unwrap().1.extend(text);
    }
    windows.into_iter().map(|(_, tokens)| tokens).collect()
}

#[test]
fn the_options_at_their_defaults_change_nothing() {
    let models = models();
    let audio = clip("jfk.wav");
    let plain = transcribe(&models.tiny_en, &audio, |_| ());
    let named = transcribe(&models.tiny_en, &audio, |o| {
        o.hotwords = Some("  ".to_owned());
        o.repetition_penalty = 1.0;
        o.no_repeat_ngram_size = 0;
        o.prompt_reset_on_temperature = 0.5;
        o.max_new_tokens = Some(224);
        o.multilingual = true;
    });
    assert_eq!(plain, named, "an English model stays with English");
}

#[test]
fn an_empty_prefix_is_none() {
    let models = models();
    let audio = clip("jfk.wav");
    let plain = transcribe(&models.tiny_en, &audio, |_| ());
    let empty = transcribe(&models.tiny_en, &audio, |o| {
        o.prefix = Some(String::new());
    });
    assert_eq!(plain, empty);
}

#[test]
fn the_same_seed_draws_the_same_text_whatever_the_threads_and_the_files_beside_it() {
    let models = models();
    let whisper = &models.tiny_en;
    let (audio, other) = (clip("jfk.wav"), clip("clips/cheetah_en_norm.flac"));
    let draw = |audio: &Audio, seed: u64| {
        transcribe(whisper, audio, |o| {
            o.temperatures = vec![1.0];
            o.best_of = Some(3);
            o.seed = seed;
        })
    };
    let with_threads = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| draw(&audio, 5))
    };
    let one = with_threads(1);
    assert_eq!(one, with_threads(3));
    assert_ne!(one.text, draw(&audio, 6).text);

    let other_alone = draw(&other, 5);
    let (beside, other_beside) = std::thread::scope(|scope| {
        let other = scope.spawn(|| draw(&other, 5));
        (draw(&audio, 5), other.join().unwrap())
    });
    assert_eq!(one, beside, "with another file at the same time");
    assert_eq!(other_alone, other_beside);
}

#[test]
fn hotwords_are_spelt_as_they_were_given() {
    let models = models();
    let audio = clip("jfk.wav");
    let plain = transcribe(&models.tiny_en, &audio, |_| ());
    assert!(
        plain.text.contains("fellow Americans ask"),
        "{}",
        plain.text
    );
    let helped = transcribe(&models.tiny_en, &audio, |o| {
        o.hotwords = Some("AND SO MY FELLOW AMERICANS ASK NOT WHAT".to_owned());
    });
    assert!(helped.text.contains("FELLOW AMERICANS"), "{}", helped.text);
    assert!(
        !helped
            .text
            .starts_with(" AND SO MY FELLOW AMERICANS ASK NOT WHAT AND"),
        "hotwords are context and no text: {}",
        helped.text
    );
}

#[test]
fn no_sequence_of_tokens_comes_twice() {
    let models = models();
    let audio = clip("jfk.wav");
    // "what your country can do for you, ask what you can do for your country": "can do for" comes twice.
    let repeats = |transcript: &Transcript| {
        let windows = text_tokens(&models.tiny_en, transcript);
        let tokens = &windows[0];
        (0..tokens.len().saturating_sub(2)).any(|i| {
            tokens[i + 1..]
                .windows(3)
                .any(|later| later == &tokens[i..i + 3])
        })
    };
    assert!(repeats(&transcribe(&models.tiny_en, &audio, |_| ())));
    for beam_size in [None, Some(3)] {
        let once = transcribe(&models.tiny_en, &audio, |o| {
            o.no_repeat_ngram_size = 3;
            o.beam_size = beam_size;
        });
        assert!(!repeats(&once), "{}", once.text);
    }
}

#[test]
fn a_penalty_on_repetition_makes_words_rarer() {
    let models = models();
    let audio = clip("jfk.wav");
    let distinct = |penalty: f64| {
        let transcript = transcribe(&models.tiny_en, &audio, |o| o.repetition_penalty = penalty);
        let mut tokens = text_tokens(&models.tiny_en, &transcript).remove(0);
        let all = tokens.len();
        tokens.sort_unstable();
        tokens.dedup();
        tokens.len() as f64 / all as f64
    };
    let (plain, penalised) = (distinct(1.0), distinct(2.0));
    assert!(penalised > plain, "{penalised} for {plain}");
}

#[test]
fn a_window_has_no_more_tokens_than_asked_for() {
    let models = models();
    let audio = clip("jfk.wav");
    for beam_size in [None, Some(2)] {
        let short = transcribe(&models.tiny_en, &audio, |o| {
            o.max_new_tokens = Some(6);
            o.beam_size = beam_size;
        });
        let tokens: usize = (short.segments.iter()).map(|s| s.tokens.len()).sum();
        assert_eq!(tokens, 6, "{}", short.text);
        assert!(short.text.starts_with(" And so"), "{}", short.text);
    }
}

#[test]
fn a_window_sampled_above_a_temperature_is_no_context() {
    let models = models();
    let audio = clip("clips/sonnet1.flac");
    // All windows are sampled at 0.3: below the limit they are context for the next, above it they are not.
    let at = |limit: f64, condition: bool| {
        transcribe(&models.tiny_en, &audio, |o| {
            o.temperatures = vec![0.3];
            o.prompt_reset_on_temperature = limit;
            o.condition_on_previous_text = condition;
        })
    };
    let (kept, reset, none) = (at(0.5, true), at(0.2, true), at(0.5, false));
    assert!(
        kept.segments.iter().any(|s| s.seek > 0),
        "there is a second window"
    );
    assert_eq!(
        reset, none,
        "a reset after each window is as good as no context"
    );
    assert_ne!(kept, reset);
}

/// English, then German.
fn two_languages() -> Audio {
    let read = |name: &str, from: usize, samples: usize| {
        let audio = clip(name);
        let mut out = vec![0.0; samples];
        audio.read(from, &mut out).unwrap();
        out
    };
    // The German sentence lies in the second window.
    let mut samples = read("clips/sonnet1.flac", 0, 28 * 16_000);
    samples.extend(vec![0.0; 2 * 16_000]);
    let german = clip("clips/leopard_test_de.flac").len();
    samples.extend(read("clips/leopard_test_de.flac", 0, german));
    Audio::from_samples(samples).unwrap()
}

#[test]
fn every_window_is_decoded_in_its_own_language() {
    let models = models();
    let audio = two_languages();
    let languages = |transcript: &Transcript| -> Vec<Option<String>> {
        let mut languages: Vec<_> = (transcript.segments.iter())
            .map(|segment| segment.language.clone())
            .collect();
        languages.dedup();
        languages
    };
    let one = transcribe(&models.base, &audio, |_| ());
    assert_eq!(languages(&one), [None]);
    let each = transcribe(&models.base, &audio, |o| {
        o.multilingual = true;
        o.condition_on_previous_text = false;
    });
    assert_eq!(
        each.language, "en",
        "the recording's language is its beginning's"
    );
    assert_eq!(
        languages(&each),
        [Some("en".to_owned()), Some("de".to_owned())]
    );
    let german = |transcript: &Transcript| transcript.text.contains("diesem Portal");
    assert!(
        german(&each) && !german(&one),
        "{} / {}",
        each.text,
        one.text
    );
}

#[test]
fn the_language_is_that_of_most_windows_where_none_is_sure() {
    let models = models();
    // A window of English, then two of German.
    let german = clip("clips/leopard_test_de.flac");
    let mut window = vec![0.0; 480_000];
    german.read(0, &mut window).unwrap();
    let mut samples = vec![0.0; 480_000];
    clip("clips/sonnet1.flac").read(0, &mut samples).unwrap();
    samples.extend([window.clone(), window].concat());
    let audio = Audio::from_samples(samples).unwrap();
    let detected = |segments: usize, threshold: Option<f64>| {
        let options = greedy(|o| {
            o.language_detection_segments = segments;
            o.language_detection_threshold = threshold;
        });
        models.base.segments(&audio, &options).unwrap().language()
    };
    assert_eq!(detected(1, None), "en");
    assert_eq!(detected(3, None), "de", "two of three");
    assert_eq!(detected(3, Some(0.5)), "en", "the first is sure");
    assert_eq!(detected(2, None), "en", "the first of equals");
}

#[test]
fn a_recording_is_encoded_once_where_its_language_is_told_from_the_window_that_is_decoded() {
    let models = models();
    let encoded = |audio: &Audio, change: &dyn Fn(&mut TranscribeOptions)| {
        let options = greedy(|o| {
            o.max_new_tokens = Some(1);
            change(o);
        });
        let work = models.base.transcribe_noting_work(audio, &options);
        let operations = &work.unwrap().1[&Stage::Encoder].operations;
        operations.values().map(|work| work.calls).sum::<usize>()
    };
    let jfk = clip("jfk.wav");
    let once = encoded(&jfk, &|o| o.language = Some("en".to_owned()));
    assert!(once > 0);
    assert_eq!(encoded(&jfk, &|_| ()), once);
    // What is decoded is another window than the one in which the language is heard.
    assert_eq!(encoded(&jfk, &|o| o.clip_timestamps = vec![1.0]), 2 * once);
    // In silence no language is sure: it is heard as openai/whisper hears it as well.
    let silence = Audio::from_pcm16(vec![0; 16_000]);
    assert_eq!(encoded(&silence, &|_| ()), 2 * once);
}

#[test]
fn a_strict_transcription_is_the_same_or_refused() {
    let models = models();
    let audio = clip("jfk.wav");
    let plain = transcribe(&models.tiny_en, &audio, |_| ());
    assert_eq!(
        plain,
        transcribe(&models.tiny_en, &audio, |o| o.strict = true)
    );
    let options = greedy(|o| {
        o.strict = true;
        o.repetition_penalty = 1.1;
    });
    let message = models.tiny_en.transcribe(&audio, &options).unwrap_err();
    let message = message.to_string();
    assert!(
        message.contains("strict") && message.contains("repetition_penalty"),
        "{message}"
    );
}
