//! tokenizer.json as it is parsed: some hundred thousand short strings, which are kept in few pieces of memory.

use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// The parts of tokenizer.json that text tokens depend on.
///
/// Its pre-tokenizer, post-processor and decoder are the same for every Whisper model, and its added tokens are
/// computed ([`SpecialTokens`](super::special::SpecialTokens)), so files that leave them out or write them in another version's way are as
/// good.
#[derive(Deserialize)]
pub(super) struct TokenizerFile {
    pub model: ModelPart,
    #[serde(default)]
    pub added_tokens: Vec<AddedToken>,
}

#[derive(Deserialize)]
pub(super) struct ModelPart {
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    pub vocab: Vocab,
    pub merges: Merges,
}

#[derive(Deserialize)]
pub(super) struct AddedToken {
    pub id: u32,
    pub content: String,
}

/// Tokens and their ids, in the file's order.
#[derive(Default)]
pub(super) struct Vocab {
    tokens: Strings,
    ids: Vec<u32>,
}

impl Vocab {
    pub fn iter(&self) -> impl Iterator<Item = (&str, u32)> {
        self.tokens.iter().zip(self.ids.iter().copied())
    }
}

/// The pairs of merge rules, in the file's order.
#[derive(Default)]
pub(super) struct Merges {
    /// Left and right in turns.
    sides: Strings,
}

impl Merges {
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let (left, right) = (self.sides.iter(), self.sides.iter().skip(1));
        left.zip(right).step_by(2)
    }
}

/// Strings, one behind the other.
#[derive(Default)]
struct Strings {
    text: String,
    ends: Vec<usize>,
}

impl Strings {
    fn push(&mut self, string: &str) {
        self.text.push_str(string);
        self.ends.push(self.text.len());
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(&0).chain(&self.ends);
        starts
            .zip(&self.ends)
            .map(|(&start, &end)| &self.text[start..end])
    }
}

impl<'de> Deserialize<'de> for Vocab {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(VocabVisitor)
    }
}

struct VocabVisitor;

impl<'de> Visitor<'de> for VocabVisitor {
    type Value = Vocab;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tokens with their ids")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vocab, A::Error> {
        let mut vocab = Vocab::default();
        while map.next_key_seed(One(&mut vocab.tokens))?.is_some() {
            vocab.ids.push(map.next_value()?);
        }
        Ok(vocab)
    }
}

impl<'de> Deserialize<'de> for Merges {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(MergesVisitor)
    }
}

struct MergesVisitor;

impl<'de> Visitor<'de> for MergesVisitor {
    type Value = Merges;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("merge rules")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rules: A) -> Result<Merges, A::Error> {
        let mut merges = Merges::default();
        while rules.next_element_seed(Pair(&mut merges.sides))?.is_some() {}
        Ok(merges)
    }
}

/// A string to be kept.
struct One<'a>(&'a mut Strings);

impl<'de> DeserializeSeed<'de> for One<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for One<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a token")
    }

    fn visit_str<E: Error>(self, string: &str) -> Result<(), E> {
        self.0.push(string);
        Ok(())
    }
}

/// The two sides of a merge rule: newer files write a pair, older ones a string with a space between. The line `#version: 0.2`, which
/// some took over from merges.txt with the rules, is none.
struct Pair<'a>(&'a mut Strings);

impl<'de> DeserializeSeed<'de> for Pair<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Pair<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a merge of two tokens")
    }

    fn visit_str<E: Error>(self, rule: &str) -> Result<(), E> {
        if rule.starts_with("#version") {
            return Ok(());
        }
        let pair = rule.split_once(' ');
        let (left, right) =
            pair.ok_or_else(|| E::custom(format_args!("the merge {rule:?} is no pair")))?;
        self.0.push(left);
        self.0.push(right);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sides: A) -> Result<(), A::Error> {
        let mut count = 0;
        while sides.next_element_seed(One(self.0))?.is_some() {
            count += 1;
        }
        match count {
            2 => Ok(()),
            _ => Err(A::Error::invalid_length(count, &self)),
        }
    }
}
