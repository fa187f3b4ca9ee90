//! The text tokens of a tokenizer.json: byte-level BPE one way, bytes of each token the other.

use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer};
use whisper_weights::ByteAlphabet;

use super::byte_pairs::BytePairs;
use super::file::{Merges, TokenizerFile};
use super::special::SpecialTokens;
use crate::error::{Error, Result};

/// Text tokens: encodes text into ids and gives the bytes of an id.
pub(super) struct Vocabulary {
    tokens: BytePairs,
    pre_tokenizer: ByteLevel,
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
        for (token, id) in file.model.vocab.iter() {
            match text_tokens.get_mut(id as usize) {
                Some(slot) => {
                    if let Some(other) = slot.replace(token) {
                        return Err(Error::Tokenizer(format!(
                            "tokenizer.json gives {other:?} and {token:?} the same id {id}"
                        )));
                    }
                }
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
        let alphabet = ByteAlphabet::new();
        let (bytes, ends) = token_bytes(&text_tokens, special, &alphabet)?;
        let tokens = BytePairs::new(bytes, ends);
        check_texts(&tokens, &alphabet)?;
        check_bytes(&tokens, &alphabet)?;
        check_merges(&file.model.merges, &tokens, &alphabet)?;
        Ok(Vocabulary {
            tokens,
            pre_tokenizer: ByteLevel::new(false, false, true),
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
        for (_, (start, end), _) in pieces.get_splits(OffsetReferential::Original, OffsetType::Byte)
        {
            ids.extend(self.encode_piece(&text[start..end]));
        }
        Ok(ids)
    }

    /// Ids of a text that is not to be split before it is encoded, such as punctuation with a space before it.
    pub fn encode_piece(&self, piece: &str) -> Vec<u32> {
        self.tokens.encode(piece.as_bytes())
    }

    /// Bytes of a text token; none for the ids from end of text on.
    pub fn token_bytes(&self, id: u32) -> Option<&[u8]> {
        self.tokens.get(id)
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
    let of_vocab = || {
        let mut tokens = file.model.vocab.iter();
        tokens.find_map(|(token, id)| (token == NAME).then_some(id))
    };
    match added.or_else(of_vocab) {
        Some(id) if id != special.eot => Err(does_not_fit(special, &format!("its {NAME} is {id}"))),
        _ => Ok(()),
    }
}

/// The bytes of all text tokens and where each ends.
fn token_bytes(
    text_tokens: &[Option<&str>],
    special: &SpecialTokens,
    alphabet: &ByteAlphabet,
) -> Result<(Vec<u8>, Vec<u32>)> {
    let mut bytes = Vec::new();
    let mut ends = Vec::with_capacity(text_tokens.len());
    for (id, token) in text_tokens.iter().enumerate() {
        let token =
            token.ok_or_else(|| does_not_fit(special, &format!("it has no text token {id}")))?;
        for character in token.chars() {
            bytes.push(alphabet.byte(character).ok_or_else(|| {
                Error::Tokenizer(format!(
                    "token {id} ({token:?}) of tokenizer.json is not written in the byte-level alphabet"
                ))
            })?);
        }
        let end = u32::try_from(bytes.len()).map_err(|_| {
            Error::Tokenizer("the tokens of tokenizer.json are more than 4 GiB of text".to_owned())
        })?;
        ends.push(end);
    }
    Ok((bytes, ends))
}

/// A text has one token.
fn check_texts(tokens: &BytePairs, alphabet: &ByteAlphabet) -> Result<()> {
    match tokens.first_alike() {
        None => Ok(()),
        Some((one, other)) => Err(Error::Tokenizer(format!(
            "tokenizer.json gives {:?} two ids, {one} and {other}",
            alphabet.text(tokens.get(one).unwrap_or_default())
        ))),
    }
}

/// Any text can be encoded when each byte is a token.
fn check_bytes(tokens: &BytePairs, alphabet: &ByteAlphabet) -> Result<()> {
    match (0..=u8::MAX).find(|&byte| tokens.id(&[byte]).is_none()) {
        None => Ok(()),
        Some(byte) => Err(Error::Tokenizer(format!(
            "tokenizer.json has no token for the byte written {:?}",
            alphabet.text(&[byte])
        ))),
    }
}

/// Text is encoded by the order of the tokens. The merges of the file must say the same: each gives the next token after those of the single
/// bytes, as in every Whisper model's file. In another order they would be another tokenizer.
fn check_merges(merges: &Merges, tokens: &BytePairs, alphabet: &ByteAlphabet) -> Result<()> {
    const FIRST: u32 = 256;
    for ((left, right), id) in merges.iter().zip(FIRST..) {
        let merged = (left.chars().chain(right.chars())).map(|c| alphabet.byte(c));
        let token = tokens.get(id).unwrap_or_default();
        if !merged.eq(token.iter().map(|&byte| Some(byte))) {
            return Err(Error::Tokenizer(format!(
                "merge {} of tokenizer.json, of {left:?} and {right:?}, does not give token {id}, which is {:?}: \
                 its merges and its vocabulary are not of one tokenizer",
                id - FIRST,
                alphabet.text(token)
            )));
        }
    }
    Ok(())
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
