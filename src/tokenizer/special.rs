//! The special tokens, whose ids follow from the vocabulary's size alone.

use std::ops::Range;

use super::languages::LANGUAGES;
use crate::error::{Error, Result};

/// Timestamp tokens: 0.00 to 30.00 seconds in steps of 0.02.
pub(super) const TIMESTAMPS: u32 = 1501;

/// Ids of the special tokens.
///
/// They follow the text tokens in one fixed order (openai/whisper tokenizer.py:340-350): end of text, start of
/// transcript, the languages, translate, transcribe, start of LM, start of previous text, no speech, no timestamps,
/// 1501 timestamps. Names in tokenizer.json are not trusted: older files call no speech `<|nocaptions|>`, many leave
/// the timestamps out, and some large-v3 conversions carry the names of large-v2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SpecialTokens {
    pub eot: u32,
    pub num_languages: u32,
    pub multilingual: bool,
}

impl SpecialTokens {
    /// Works the ids out from the model's vocabulary size (openai/whisper model.py:296-302).
    pub fn new(n_vocab: usize) -> Result<SpecialTokens> {
        let (eot, num_languages) = match n_vocab {
            51864 => (50256, 99),
            51865 => (50257, 99),
            51866 => (50257, 100),
            _ => {
                return Err(Error::Tokenizer(format!(
                    "a vocabulary of {n_vocab} tokens is none of Whisper's (51864 English, 51865 multilingual, 51866 large-v3)"
                )));
            }
        };
        Ok(SpecialTokens {
            eot,
            num_languages,
            multilingual: n_vocab >= 51865,
        })
    }

    pub fn sot(&self) -> u32 {
        self.eot + 1
    }

    pub fn languages(&self) -> Range<u32> {
        self.sot() + 1..self.sot() + 1 + self.num_languages
    }

    pub fn translate(&self) -> u32 {
        self.languages().end
    }

    pub fn transcribe(&self) -> u32 {
        self.translate() + 1
    }

    pub fn sot_lm(&self) -> u32 {
        self.translate() + 2
    }

    pub fn sot_prev(&self) -> u32 {
        self.translate() + 3
    }

    pub fn no_speech(&self) -> u32 {
        self.translate() + 4
    }

    pub fn no_timestamps(&self) -> u32 {
        self.translate() + 5
    }

    pub fn timestamp_begin(&self) -> u32 {
        self.translate() + 6
    }

    pub fn n_vocab(&self) -> u32 {
        self.timestamp_begin() + TIMESTAMPS
    }

    /// The code of a language token.
    pub fn language_code(&self, token: u32) -> Option<&'static str> {
        let languages = self.languages();
        languages
            .contains(&token)
            .then(|| LANGUAGES[(token - languages.start) as usize].0)
    }

    /// How the special token is written in text, `<|endoftext|>`; none for ids of text and beyond the vocabulary.
    pub fn text(&self, token: u32) -> Option<String> {
        if token < self.eot || token >= self.n_vocab() {
            return None;
        }
        if token >= self.timestamp_begin() {
            let seconds = f64::from(token - self.timestamp_begin()) * 0.02;
            return Some(format!("<|{seconds:.2}|>"));
        }
        let name = match token {
            _ if token == self.eot => "endoftext",
            _ if token == self.sot() => "startoftranscript",
            _ if token == self.translate() => "translate",
            _ if token == self.transcribe() => "transcribe",
            _ if token == self.sot_lm() => "startoflm",
            _ if token == self.sot_prev() => "startofprev",
            _ if token == self.no_speech() => "nospeech",
            _ if token == self.no_timestamps() => "notimestamps",
            _ => self.language_code(token)?,
        };
        Some(format!("<|{name}|>"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_the_three_vocabularies() {
        let ids = |n_vocab| {
            let s = SpecialTokens::new(n_vocab).unwrap();
            assert_eq!(s.n_vocab() as usize, n_vocab);
            [
                s.eot,
                s.sot(),
                s.translate(),
                s.transcribe(),
                s.sot_lm(),
                s.sot_prev(),
                s.no_speech(),
                s.no_timestamps(),
                s.timestamp_begin(),
            ]
        };
        assert_eq!(
            ids(51864),
            [
                50256, 50257, 50357, 50358, 50359, 50360, 50361, 50362, 50363
            ]
        );
        assert_eq!(
            ids(51865),
            [
                50257, 50258, 50358, 50359, 50360, 50361, 50362, 50363, 50364
            ]
        );
        assert_eq!(
            ids(51866),
            [
                50257, 50258, 50359, 50360, 50361, 50362, 50363, 50364, 50365
            ]
        );
    }

    #[test]
    fn other_sizes_are_refused() {
        for n_vocab in [0, 50257, 51863, 51867, usize::MAX] {
            assert!(SpecialTokens::new(n_vocab).is_err(), "{n_vocab}");
        }
    }

    #[test]
    fn cantonese_is_the_last_language_of_large_v3_alone() {
        let v2 = SpecialTokens::new(51865).unwrap();
        let v3 = SpecialTokens::new(51866).unwrap();
        assert_eq!(v2.language_code(v2.languages().end - 1), Some("su"));
        assert_eq!(v3.language_code(v3.languages().end - 1), Some("yue"));
        assert_eq!(v2.language_code(v2.translate()), None);
    }
}
