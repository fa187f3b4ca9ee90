//! The tokenizer gives what openai/whisper's gives, from every variety of tokenizer.json.
//!
//! The references were written by tests/tools/tokenizer_reference.py.

mod vocabulary;

use serde_json::Value;
use vocabulary::{NEWEST, Variety, inflate, tokenizer_json};
use whisper_rs::tokenizer::WordTokens;
use whisper_rs::{Error, Task, Tokenizer};

/// The vocabularies: English, multilingual, large-v3.
const SIZES: [usize; 3] = [51864, 51865, 51866];

fn tokenizer(n_vocab: usize) -> Tokenizer {
    Tokenizer::new(
        tokenizer_json(n_vocab, NEWEST).to_string().as_bytes(),
        n_vocab,
    )
    .unwrap()
}

fn reference(name: &str) -> Value {
    let path = format!("{}/tests/data/tokenizer/{name}", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(&path).unwrap();
    serde_json::from_slice(&if name.ends_with(".zlib") {
        inflate(&bytes)
    } else {
        bytes
    })
    .unwrap()
}

fn ids(value: &Value) -> Vec<u32> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|id| id.as_u64().unwrap() as u32)
        .collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[test]
fn special_tokens_and_suppressed_tokens() {
    let facts = reference("facts.json");
    for n_vocab in SIZES {
        let t = tokenizer(n_vocab);
        let facts = &facts[n_vocab.to_string()];
        for (name, id) in [
            ("eot", t.eot()),
            ("sot", t.sot()),
            ("translate", t.translate()),
            ("transcribe", t.transcribe()),
            ("sot_lm", t.sot_lm()),
            ("sot_prev", t.sot_prev()),
            ("no_speech", t.no_speech()),
            ("no_timestamps", t.no_timestamps()),
            ("timestamp_begin", t.timestamp_begin()),
            ("n_vocab", t.n_vocab() as u32),
        ] {
            assert_eq!(
                u64::from(id),
                facts[name].as_u64().unwrap(),
                "{name} of {n_vocab}"
            );
        }
        assert_eq!(t.is_multilingual(), n_vocab > 51864);
        assert_eq!(
            t.language_tokens().collect::<Vec<_>>(),
            ids(&facts["language_tokens"])
        );
        assert_eq!(t.num_languages(), t.language_tokens().count());
        for (token, code) in t
            .language_tokens()
            .zip(facts["language_codes"].as_array().unwrap())
        {
            assert_eq!(t.language_code(token), Some(text(code)));
            assert_eq!(t.language_token(text(code)).unwrap(), token);
        }
        assert_eq!(t.blank_tokens(), ids(&facts["blank"]));
        assert_eq!(t.non_speech_tokens(), ids(&facts["non_speech"]));
        assert_eq!(
            t.sot_sequence(None, Task::Transcribe).unwrap(),
            ids(&facts["sot_sequence"])
        );
        let special: Vec<u32> = (t.eot()..t.n_vocab() as u32).collect();
        assert_eq!(
            t.decode_with_timestamps(&special),
            text(&facts["special_texts"])
        );
    }
}

#[test]
fn start_sequences_name_language_and_task() {
    let base = tokenizer(51865);
    assert_eq!(
        base.sot_sequence(Some("de"), Task::Translate).unwrap(),
        [50258, 50261, 50358]
    );
    assert_eq!(
        base.sot_sequence(Some("German"), Task::Transcribe).unwrap(),
        [50258, 50261, 50359]
    );
    assert_eq!(
        tokenizer(51864)
            .sot_sequence(Some("de"), Task::Translate)
            .unwrap(),
        [50257]
    );

    let error = base
        .sot_sequence(Some("germn"), Task::Transcribe)
        .unwrap_err();
    assert!(matches!(error, Error::Language(_)));
    assert!(
        error.to_string().contains("did you mean 'german'?"),
        "{error}"
    );
    let error = base.language_token("yue").unwrap_err();
    assert!(
        error
            .to_string()
            .contains("'yue' is not known to this model"),
        "{error}"
    );
    assert_eq!(tokenizer(51866).language_token("cantonese").unwrap(), 50358);
}

#[test]
fn texts_of_all_kinds_encode_to_the_same_tokens_and_back() {
    let reference = reference("encode.json.zlib");
    let texts = reference["texts"].as_array().unwrap();
    assert!(texts.len() > 1900);
    for n_vocab in [51864, 51865] {
        let tokenizer = tokenizer(n_vocab);
        for (given, expected) in texts
            .iter()
            .zip(reference[n_vocab.to_string()].as_array().unwrap())
        {
            let tokens = tokenizer.encode(text(given)).unwrap();
            assert_eq!(tokens, ids(expected), "{given:?}");
            assert_eq!(tokenizer.decode(&tokens), text(given));
        }
    }
}

#[test]
fn the_name_of_a_special_token_in_a_text_is_text() {
    for n_vocab in SIZES {
        for timestamps in [true, false] {
            let json = tokenizer_json(
                n_vocab,
                Variety {
                    timestamps,
                    ..NEWEST
                },
            )
            .to_string();
            let tokenizer = Tokenizer::new(json.as_bytes(), n_vocab).unwrap();
            let tokens = tokenizer
                .encode("<|endoftext|><|0.00|> <|startoftranscript|>")
                .unwrap();
            assert!(
                tokens.iter().all(|token| *token < tokenizer.eot()),
                "{tokens:?}"
            );
            assert!(tokens.len() > 10);
        }
    }
}

#[test]
fn any_tokens_decode_to_the_same_text_whole_and_one_by_one() {
    let reference = reference("decode.json.zlib");
    for n_vocab in SIZES {
        let tokenizer = tokenizer(n_vocab);
        let cases = reference[n_vocab.to_string()].as_array().unwrap();
        assert!(cases.len() >= 600);
        let mut replaced = 0;
        for case in cases {
            let tokens = ids(&case[0]);
            let expected = text(&case[1]);
            replaced += usize::from(expected.contains('\u{fffd}'));
            assert_eq!(tokenizer.decode(&tokens), expected, "{tokens:?}");
            assert_eq!(
                tokenizer.decode_with_timestamps(&tokens),
                text(&case[2]),
                "{tokens:?}"
            );
            assert_eq!(
                String::from_utf8_lossy(&tokenizer.decode_bytes(&tokens)),
                expected
            );

            let mut stream = tokenizer.stream();
            let mut streamed: String = tokens
                .iter()
                .filter_map(|token| stream.push(*token))
                .collect();
            streamed.extend(stream.finish());
            assert_eq!(streamed, expected, "{tokens:?}");
        }
        assert!(
            replaced > 300,
            "the reference tests little if all of it is valid UTF-8"
        );
    }
}

#[test]
fn words_are_split_where_openai_splits_them() {
    let mut languages = std::collections::BTreeSet::new();
    let sets = reference("words.json.zlib");
    for set in sets.as_array().unwrap() {
        let tokenizer = tokenizer(set["n_vocab"].as_u64().unwrap() as usize);
        let cases = set["cases"].as_array().unwrap();
        assert!(cases.len() > 100);
        for case in cases {
            let words = case["words"].as_array().unwrap().iter().map(text);
            let tokens = case["word_tokens"].as_array().unwrap().iter().map(ids);
            let expected: Vec<WordTokens> = words
                .zip(tokens)
                .map(|(word, tokens)| WordTokens {
                    word: word.to_owned(),
                    tokens,
                })
                .collect();
            let language = text(&case["language"]);
            languages.insert(language);
            let split = tokenizer.split_to_word_tokens(&ids(&case["tokens"]), language);
            assert_eq!(
                split,
                expected,
                "{n_vocab} {language}",
                n_vocab = tokenizer.n_vocab()
            );
        }
    }
    assert!(
        languages.len() > 30 && languages.contains("yue"),
        "{languages:?}"
    );
}

#[test]
fn no_word_is_lost_where_openai_fails() {
    // Two halves of a character that together are one U+FFFD: openai looks beyond the end of the text.
    let tokenizer = tokenizer(51865);
    let halves = tokenizer.encode("噚").unwrap();
    let words = tokenizer.split_to_word_tokens(&halves[..halves.len() - 1], "zh");
    assert_eq!(
        words
            .iter()
            .flat_map(|word| word.tokens.clone())
            .collect::<Vec<_>>(),
        halves[..halves.len() - 1]
    );
    assert_eq!(tokenizer.split_to_word_tokens(&[], "en"), []);
}

#[test]
fn every_variety_of_tokenizer_json_is_the_same_tokenizer() {
    let sample = "噚日 it's <|0.00|> 50% off!\n\n  👍🏽 ♪";
    for n_vocab in SIZES {
        let newest = tokenizer(n_vocab);
        for variety in [
            Variety {
                merges_as_pairs: false,
                timestamps: false,
                no_speech: false,
            },
            Variety {
                merges_as_pairs: false,
                timestamps: true,
                no_speech: true,
            },
            Variety {
                merges_as_pairs: true,
                timestamps: false,
                no_speech: true,
            },
        ] {
            let json = tokenizer_json(n_vocab, variety).to_string();
            let tokenizer = Tokenizer::new(json.as_bytes(), n_vocab).unwrap();
            assert_eq!(
                tokenizer.encode(sample).unwrap(),
                newest.encode(sample).unwrap(),
                "{variety:?}"
            );
            let all: Vec<u32> = (0..n_vocab as u32).collect();
            assert_eq!(
                tokenizer.decode_with_timestamps(&all),
                newest.decode_with_timestamps(&all),
                "{variety:?}"
            );
        }
    }
}

#[test]
fn a_line_of_version_among_the_merges_is_none() {
    let mut json = tokenizer_json(51865, NEWEST);
    let merges = json["model"]["merges"].as_array_mut().unwrap();
    merges.insert(0, "#version: 0.2".into());
    Tokenizer::new(json.to_string().as_bytes(), 51865).unwrap();
}

#[test]
fn a_file_of_large_v2_serves_large_v3() {
    // Some conversions of large-v3 carry it; their text tokens are the same.
    let json = tokenizer_json(51865, NEWEST).to_string();
    let tokenizer = Tokenizer::new(json.as_bytes(), 51866).unwrap();
    assert_eq!(tokenizer.transcribe(), 50360);
}

#[test]
fn a_tokenizer_of_another_model_is_refused() {
    let refusal = |json: &Value, n_vocab| match Tokenizer::new(json.to_string().as_bytes(), n_vocab)
    {
        Err(Error::Tokenizer(message)) => message,
        other => panic!("{other:?}"),
    };
    let english = tokenizer_json(51864, NEWEST);
    let multilingual = tokenizer_json(51865, NEWEST);
    assert!(
        refusal(&english, 51865).contains("does not belong to this model"),
        "{}",
        refusal(&english, 51865)
    );
    assert!(refusal(&multilingual, 51864).contains("its <|endoftext|> is 50257"));
    assert!(refusal(&multilingual, 51900).contains("51900"));

    // Without special tokens the text tokens tell.
    let strip = |mut json: Value| {
        json["added_tokens"] = Value::Array(vec![]);
        json["model"]["vocab"]
            .as_object_mut()
            .unwrap()
            .remove("<|endoftext|>");
        json
    };
    assert!(Tokenizer::new(strip(english.clone()).to_string().as_bytes(), 51864).is_ok());
    assert!(refusal(&strip(english), 51865).contains("no text token 50256"));
    assert!(refusal(&strip(multilingual), 51864).contains("text token \"\" at 50256"));
}

#[test]
fn a_damaged_tokenizer_is_one_clear_line() {
    let good = tokenizer_json(51865, NEWEST);
    let damage = |change: &dyn Fn(&mut Value)| {
        let mut json = good.clone();
        change(&mut json);
        let message = Tokenizer::new(json.to_string().as_bytes(), 51865)
            .unwrap_err()
            .to_string();
        assert!(!message.contains('\n'), "{message}");
        message
    };
    let message = damage(&|json| json["model"]["type"] = "WordPiece".into());
    assert!(message.contains("WordPiece"), "{message}");
    let message = damage(&|json| json["model"]["merges"][7] = "ab".into());
    assert!(message.contains("\"ab\""), "{message}");
    let message = damage(&|json| {
        json["model"]["merges"][7] = serde_json::json!(["Ġthe", "Ġthequickbrownfox"])
    });
    assert!(message.contains("merge 7 of"), "{message}");
    // Both are tokens, but in another order they are other merges.
    let message = damage(&|json| json["model"]["merges"].as_array_mut().unwrap().swap(7, 8));
    assert!(message.contains("merge 7 of"), "{message}");
    assert!(message.contains("does not give token 263"), "{message}");
    let message = damage(&|json| {
        json["model"]["merges"].as_array_mut().unwrap().remove(7);
    });
    assert!(message.contains("does not give token 263"), "{message}");
    let message = damage(&|json| json["model"]["vocab"]["Ġdog"] = 300.into());
    assert!(message.contains("the same id 300"), "{message}");
    // A name that a JSON object has twice.
    let twice = good.to_string().replacen("\"Ġdog\":", "\"Ġcat\":", 1);
    let error = Tokenizer::new(twice.as_bytes(), 51865).unwrap_err();
    assert!(error.to_string().contains("\"Ġcat\" two ids"), "{error}");
    let message = damage(&|json| json["model"]["merges"][7] = serde_json::json!(["th", "e", "x"]));
    assert!(message.contains("no byte-level BPE"), "{message}");
    let message = damage(&|json| {
        let vocab = json["model"]["vocab"].as_object_mut().unwrap();
        let id = vocab.remove("Ġdog").unwrap();
        vocab.insert("a dog".to_owned(), id);
    });
    assert!(message.contains("byte-level alphabet"), "{message}");

    for bytes in [
        &b""[..],
        b"{}",
        b"[]",
        b"\xff\xfe",
        b"{\"model\": {\"vocab\": {}, \"merges\": []}}",
    ] {
        let error = Tokenizer::new(bytes, 51865).unwrap_err();
        assert!(matches!(error, Error::Tokenizer(_)), "{error}");
    }
    let whole = good.to_string();
    assert!(Tokenizer::new(&whole.as_bytes()[..whole.len() / 2], 51865).is_err());
}
