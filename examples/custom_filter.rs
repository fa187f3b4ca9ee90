//! Boosts and bans words with a logit filter of its own:
//! `cargo run --release --example custom_filter -- FILE [MODEL] +WORD -WORD ...`, as
//! `custom_filter tests/data/clips/sonnet1.flac tiny.en +rose -thy`.
//!
//! The words are spelt in tokens and put into a trie. Where the tokens so far end on the way to a word, the filter raises
//! the logits of the tokens that go on with it, or forbids the token that would complete it. It sees each row for itself, so
//! it works in beam search as well.

use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::Arc;

use whisper_rs::decoding::filters::{FilterContext, LogitFilter};
use whisper_rs::{Audio, Error, Result, Tokenizer, TranscribeOptions, Whisper, device};

/// What is added to the logit of a token that begins or continues a boosted word: it becomes e^4, 55 times as probable to
/// the others.
const BONUS: f32 = 4.0;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The transcript of a file, with words boosted and banned.
pub fn run(arguments: &[String]) -> Result<String> {
    let (words, others): (Vec<&String>, Vec<&String>) =
        (arguments.iter()).partition(|word| word.starts_with(['+', '-']));
    let [file, model @ ..] = others.as_slice() else {
        return Err(Error::Option(
            "give a file, and words as +WORD or -WORD".to_owned(),
        ));
    };
    let model = model.first().map_or("base", |model| model.as_str());
    let whisper = Whisper::load(model, &device::open("auto")?)?;

    let mut filter = WordFilter::new(whisper.tokenizer());
    for word in words {
        let effect = match word.starts_with('+') {
            true => Effect::Boost,
            false => Effect::Ban,
        };
        filter.add(whisper.tokenizer(), &word[1..], effect)?;
    }
    let mut options = TranscribeOptions::default();
    options.logit_filters = vec![Arc::new(filter)];
    let transcript = whisper.transcribe(&Audio::open(file)?, &options)?;
    Ok(transcript.text)
}

/// What happens to a word.
#[derive(Clone, Copy, Debug)]
pub enum Effect {
    /// It becomes more probable.
    Boost,
    /// It is never said, or not spelt in the usual tokens.
    Ban,
}

/// Boosts and bans words.
#[derive(Debug)]
pub struct WordFilter {
    /// Words with the space before them, which begin a word wherever they stand.
    spaced: TokenTrie,
    /// Words without it, which begin a text: elsewhere their tokens are the rest of some other word.
    initial: TokenTrie,
    /// Tokens from this one on are timestamps and other tokens that are no text.
    eot: u32,
}

impl WordFilter {
    /// A filter without words yet.
    pub fn new(tokenizer: &Tokenizer) -> Self {
        Self {
            spaced: TokenTrie::default(),
            initial: TokenTrie::default(),
            eot: tokenizer.eot(),
        }
    }

    /// Adds a word, as it is and with a capital letter.
    ///
    /// # Errors
    ///
    /// Those of [`Tokenizer::encode`].
    pub fn add(&mut self, tokenizer: &Tokenizer, word: &str, effect: Effect) -> Result<()> {
        for spelling in [word.to_owned(), capitalised(word)] {
            let spaced = tokenizer.encode(&format!(" {spelling}"))?;
            self.spaced.insert(&spaced, effect);
            self.initial.insert(&tokenizer.encode(&spelling)?, effect);
        }
        Ok(())
    }
}

impl LogitFilter for WordFilter {
    fn apply(&self, context: &FilterContext<'_>, logits: &mut [f32]) {
        let tokens: Vec<u32> = context.tokens().collect();
        // A word may have begun at any token, and may begin with the next one.
        for start in 0..=tokens.len() {
            let begun = &tokens[start..];
            let first = start == 0 || tokens[start - 1] >= self.eot;
            let tries = [Some(&self.spaced), first.then_some(&self.initial)];
            for node in tries
                .into_iter()
                .flatten()
                .filter_map(|trie| trie.follow(begun))
            {
                node.apply(logits);
            }
        }
    }
}

/// Words by their tokens: each path from the root spells one.
#[derive(Debug, Default)]
struct TokenTrie {
    children: HashMap<u32, Child>,
}

#[derive(Debug, Default)]
struct Child {
    /// On the way to a boosted word.
    boosted: bool,
    /// Completes a banned word.
    banned: bool,
    rest: TokenTrie,
}

impl TokenTrie {
    fn insert(&mut self, tokens: &[u32], effect: Effect) {
        let Some((&token, rest)) = tokens.split_first() else {
            return;
        };
        let child = self.children.entry(token).or_default();
        match effect {
            Effect::Boost => child.boosted = true,
            Effect::Ban => child.banned |= rest.is_empty(),
        }
        child.rest.insert(rest, effect);
    }

    /// Where the tokens lead.
    fn follow(&self, tokens: &[u32]) -> Option<&TokenTrie> {
        let Some((token, rest)) = tokens.split_first() else {
            return Some(self);
        };
        self.children.get(token)?.rest.follow(rest)
    }

    /// Boosts and bans what may come next.
    fn apply(&self, logits: &mut [f32]) {
        for (&token, child) in &self.children {
            let Some(logit) = logits.get_mut(token as usize) else {
                continue;
            };
            if child.boosted {
                *logit += BONUS;
            }
            if child.banned {
                *logit = f32::NEG_INFINITY;
            }
        }
    }
}

/// The word with its first letter in upper case.
fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}
