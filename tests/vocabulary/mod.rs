//! Whisper's two vocabularies, and tokenizer.json files made from them in every variety that users have.

use std::io::Read;

use serde_json::{Map, Value, json};

/// How a tokenizer.json writes what can be written in several ways.
#[derive(Debug, Clone, Copy)]
pub struct Variety {
    /// Merges as `["a", "b"]`; otherwise as `"a b"`.
    pub merges_as_pairs: bool,
    /// All special tokens are listed; otherwise those before the timestamps.
    pub timestamps: bool,
    /// The newer name `<|nospeech|>`; otherwise `<|nocaptions|>`.
    pub no_speech: bool,
}

/// As Hugging Face writes it now.
pub const NEWEST: Variety = Variety {
    merges_as_pairs: true,
    timestamps: true,
    no_speech: true,
};

/// The text tokens of a vocabulary: single bytes in their order, and pairs of ids that make up the following tokens.
struct Merges {
    singles: Vec<u8>,
    pairs: Vec<(usize, usize)>,
}

/// Reads what tests/tools/tokenizer_reference.py wrote.
fn merges(multilingual: bool) -> Merges {
    let compressed: &[u8] = if multilingual {
        include_bytes!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/weights/data/multilingual.merges.zlib"
        ))
    } else {
        include_bytes!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/weights/data/gpt2.merges.zlib"
        ))
    };
    let bytes = inflate(compressed);
    let (singles, ids) = bytes.split_at(256);
    let ids: Vec<usize> = ids
        .chunks_exact(2)
        .map(|b| usize::from(u16::from_le_bytes([b[0], b[1]])))
        .collect();
    let (left, right) = ids.split_at(ids.len() / 2);
    Merges {
        singles: singles.to_vec(),
        pairs: left.iter().copied().zip(right.iter().copied()).collect(),
    }
}

/// What a zlib stream holds.
pub fn inflate(compressed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    flate2::read::ZlibDecoder::new(compressed)
        .read_to_end(&mut bytes)
        .expect("test data is whole");
    bytes
}

/// Text tokens in order of id, written in GPT-2's byte alphabet.
fn text_tokens(merges: &Merges) -> Vec<String> {
    // Printable bytes stand for themselves, the others are U+0100 and on in order.
    let mut shifted = 0x100..;
    let alphabet: Vec<char> = (0..=255u8)
        .map(|byte| match byte {
            b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF => char::from(byte),
            _ => char::from_u32(shifted.next().unwrap()).unwrap(),
        })
        .collect();
    let mut tokens: Vec<String> = merges
        .singles
        .iter()
        .map(|byte| alphabet[usize::from(*byte)].to_string())
        .collect();
    for (left, right) in &merges.pairs {
        tokens.push(format!("{}{}", tokens[*left], tokens[*right]));
    }
    tokens
}

/// A tokenizer.json for the vocabulary of `n_vocab` tokens.
pub fn tokenizer_json(n_vocab: usize, variety: Variety) -> Value {
    let multilingual = n_vocab > 51864;
    let merges = merges(multilingual);
    let mut tokens = text_tokens(&merges);
    let merge_rules: Vec<Value> = merges
        .pairs
        .iter()
        .map(|(left, right)| match variety.merges_as_pairs {
            true => json!([tokens[*left], tokens[*right]]),
            false => json!(format!("{} {}", tokens[*left], tokens[*right])),
        })
        .collect();
    // The last entry of the vocabulary proper: the multilingual one has an empty token, the English one end of text.
    tokens.push(if multilingual {
        String::new()
    } else {
        "<|endoftext|>".to_owned()
    });
    let eot = if multilingual { 50257 } else { 50256 };
    let vocab: Map<String, Value> = tokens
        .into_iter()
        .enumerate()
        .map(|(id, token)| (token, id.into()))
        .collect();
    let added: Vec<Value> = special_names(n_vocab, variety)
        .into_iter()
        .enumerate()
        .map(|(i, content)| {
            let special = !content.contains('.');
            json!({"id": eot + i, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
                   "normalized": !special, "special": special})
        })
        .collect();
    json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": added, "normalizer": null,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
        "post_processor": null,
        "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
        "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": "",
                  "end_of_word_suffix": "", "fuse_unk": false, "vocab": vocab, "merges": merge_rules},
    })
}

/// Names of the special tokens in order of id, as the file lists them. Languages are named by number here: nothing
/// may depend on their names.
fn special_names(n_vocab: usize, variety: Variety) -> Vec<String> {
    let languages = if n_vocab == 51866 { 100 } else { 99 };
    let mut names = vec![
        "<|endoftext|>".to_owned(),
        "<|startoftranscript|>".to_owned(),
    ];
    names.extend((0..languages).map(|i| format!("<|language{i}|>")));
    let no_speech = if variety.no_speech {
        "nospeech"
    } else {
        "nocaptions"
    };
    for name in [
        "translate",
        "transcribe",
        "startoflm",
        "startofprev",
        no_speech,
        "notimestamps",
    ] {
        names.push(format!("<|{name}|>"));
    }
    if variety.timestamps {
        names.extend((0..=1500).map(|i| format!("<|{:.2}|>", f64::from(i) * 0.02)));
    }
    names
}
