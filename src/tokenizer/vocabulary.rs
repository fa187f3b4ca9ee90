//! The text tokens of a tokenizer.json: byte-level BPE one way, bytes of each token the other.

use std::collections::HashMap;

use serde::Deserialize;
use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{Model, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer};
use whisper_weights::ByteAlphabet;

use super::special::SpecialTokens;
use crate::error::{Error, Result};

/// The parts of tokenizer.json that text tokens depend on.
///
/// Its pre-tokenizer, post-processor and decoder are the same for every Whisper model, and its added tokens are
/// computed ([`SpecialTokens`]), so files that leave them out or write them in another version's way are as good.
#[derive(Deserialize)]
struct TokenizerFile {
    model: ModelPart,
    #[serde(default)]
    added_tokens: Vec<AddedToken>,
}

#[derive(Deserialize)]
struct ModelPart {
    #[serde(default, rename = "type")]
    kind: Option<String>,
    vocab: HashMap<String, u32>,
    merges: Vec<Merge>,
}

/// A merge rule: newer files write a pair, older ones a string with a space between.
#[derive(Deserialize)]
#[serde(untagged)]
enum Merge {
    Pair(String, String),
    Spaced(String),
}

#[derive(Deserialize)]
struct AddedToken {
    id: u32,
    content: String,
}

/// Text tokens: encodes text into ids and gives the bytes of an id.
pub(super) struct Vocabulary {
    bpe: BPE,
    pre_tokenizer: ByteLevel,
    /// Bytes of all text tokens, one after the other.
    bytes: Vec<u8>,
    /// Where token `i` ends in `bytes`; it starts where token `i - 1` ends.
    ends: Vec<u32>,
}

impl Vocabulary {
    /// Reads tokenizer.json and checks that its text tokens are the `special.eot` ones that the model has.
    pub fn new(tokenizer_json: &[u8], special: &SpecialTokens) -> Result<Vocabulary> {
        let file: TokenizerFile = serde_json::from_slice(tokenizer_json).map_err(|e| {
            Error::Tokenizer(format!("this is no byte-level BPE tokenizer.json: {e}"))
        })?;
        if let Some(kind) = file.model.kind.as_deref().filter(|kind| *kind != "BPE") {
            return Err(Error::Tokenizer(format!(
                "the model in tokenizer.json is {kind}, but Whisper's is BPE"
            )));
        }
        check_end_of_text(&file, special)?;

        let mut text_tokens: Vec<Option<&str>> = vec![None; special.eot as usize];
        for (token, id) in &file.model.vocab {
            match text_tokens.get_mut(*id as usize) {
                Some(slot) => *slot = Some(token),
                // The vocabulary proper of some files runs on into the special tokens.
                None if token.starts_with("<|") && token.ends_with("|>") => {}
                None => {
                    return Err(does_not_fit(
                        special,
                        &format!("it has the text token {token:?} at {id}"),
                    ));
                }
            }
        }
        let (bytes, ends) = token_bytes(&text_tokens, special)?;
        Ok(Vocabulary {
            bpe: build_bpe(file.model, special)?,
            pre_tokenizer: ByteLevel::new(false, false, true),
            bytes,
            ends,
        })
    }

    /// Ids of `text`; what looks like a special token in it is text like any other.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let failed =
            |e: tokenizers::Error| Error::Tokenizer(format!("text cannot be encoded: {e}"));
        let mut pieces = PreTokenizedString::from(text);
        self.pre_tokenizer
            .pre_tokenize(&mut pieces)
            .map_err(failed)?;
        let mut ids = Vec::new();
        for (piece, _, _) in pieces.get_splits(OffsetReferential::Normalized, OffsetType::Byte) {
            ids.extend(
                self.bpe
                    .tokenize(piece)
                    .map_err(failed)?
                    .iter()
                    .map(|token| token.id),
            );
        }
        Ok(ids)
    }

    /// Bytes of a text token; none for the ids from end of text on.
    pub fn token_bytes(&self, id: u32) -> Option<&[u8]> {
        let index = id as usize;
        let end = *self.ends.get(index)? as usize;
        let start = if index == 0 {
            0
        } else {
            self.ends[index - 1] as usize
        };
        Some(&self.bytes[start..end])
    }
}

/// Where the file says where its end of text is, that must be where the model has it: this tells the English
/// vocabulary from the multilingual one, and other models' tokenizers from Whisper's.
fn check_end_of_text(file: &TokenizerFile, special: &SpecialTokens) -> Result<()> {
    const NAME: &str = "<|endoftext|>";
    let added = file
        .added_tokens
        .iter()
        .find(|token| token.content == NAME)
        .map(|token| token.id);
    match added.or_else(|| file.model.vocab.get(NAME).copied()) {
        Some(id) if id != special.eot => Err(does_not_fit(special, &format!("its {NAME} is {id}"))),
        _ => Ok(()),
    }
}

/// The bytes of all text tokens and where each ends.
fn token_bytes(
    text_tokens: &[Option<&str>],
    special: &SpecialTokens,
) -> Result<(Vec<u8>, Vec<u32>)> {
    let alphabet = ByteAlphabet::new();
    let mut bytes = Vec::new();
    let mut ends = Vec::with_capacity(text_tokens.len());
    for (id, token) in text_tokens.iter().enumerate() {
        let token =
            token.ok_or_else(|| does_not_fit(special, &format!("it has no text token {id}")))?;
        let token = alphabet.bytes(token).ok_or_else(|| {
            Error::Tokenizer(format!(
                "token {id} ({token:?}) of tokenizer.json is not written in the byte-level alphabet"
            ))
        })?;
        bytes.extend_from_slice(&token);
        ends.push(bytes.len() as u32);
    }
    Ok((bytes, ends))
}

/// The BPE model over the text tokens.
fn build_bpe(model: ModelPart, special: &SpecialTokens) -> Result<BPE> {
    let vocab: Vocab = model
        .vocab
        .into_iter()
        .filter(|(_, id)| *id < special.eot)
        .collect();
    if let Some(symbol) = ByteLevel::alphabet()
        .into_iter()
        .find(|symbol| !vocab.contains_key(symbol.encode_utf8(&mut [0; 4]) as &str))
    {
        return Err(Error::Tokenizer(format!(
            "tokenizer.json has no token for the byte written {symbol:?}"
        )));
    }
    let merges = model
        .merges
        .into_iter()
        .map(|merge| {
            let (left, right) = match merge {
                Merge::Pair(left, right) => (left, right),
                Merge::Spaced(rule) => match rule.split_once(' ') {
                    Some((left, right)) => (left.to_owned(), right.to_owned()),
                    None => {
                        return Err(Error::Tokenizer(format!(
                            "the merge {rule:?} of tokenizer.json is no pair"
                        )));
                    }
                },
            };
            // The crate's builder slices by the longest token: it must not see a merge into something longer.
            if vocab.contains_key(&format!("{left}{right}")) {
                Ok((left, right))
            } else {
                Err(Error::Tokenizer(format!(
                    "the merge of {left:?} and {right:?} in tokenizer.json gives no token"
                )))
            }
        })
        .collect::<Result<Vec<_>>>()?;
    BPE::builder()
        .vocab_and_merges(vocab, merges)
        .build()
        .map_err(|e| Error::Tokenizer(format!("tokenizer.json cannot be used: {e}")))
}

/// The file is a tokenizer, but another model's.
fn does_not_fit(special: &SpecialTokens, finding: &str) -> Error {
    Error::Tokenizer(format!(
        "tokenizer.json does not belong to this model: {finding}, but a vocabulary of {} tokens ends its text tokens at {}; \
         use the tokenizer.json that comes with the weights",
        special.n_vocab(),
        special.eot
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_byte_alphabet_is_that_of_the_tokenizers_crate() {
        let alphabet = ByteAlphabet::new();
        let mut bytes: Vec<u8> = ByteLevel::alphabet()
            .into_iter()
            .map(|character| alphabet.byte(character).unwrap())
            .collect();
        bytes.sort_unstable();
        assert_eq!(bytes, (0..=u8::MAX).collect::<Vec<_>>());
    }
}
