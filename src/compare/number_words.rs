//! The English words that numbers are made of.

use std::collections::HashMap;
use std::sync::LazyLock;

/// What a word is in a number (openai/whisper normalizers/english.py:23-160).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumberWord {
    /// `zero`, `oh`, `o`.
    Zero,
    /// One to nineteen.
    Ones(u32),
    /// The same as an ordinal or a plural: `third`, `sixes`.
    OnesEnding(u32, &'static str),
    /// Twenty to ninety.
    Tens(u32),
    /// The same as an ordinal or a plural: `fortieth`, `nineties`.
    TensEnding(u32, &'static str),
    /// A power of ten, by its exponent: `hundred`, `million`.
    Multiplier(u32),
    /// The same as an ordinal or a plural: `hundredth`, `millions`.
    MultiplierEnding(u32, &'static str),
    /// `minus`, `plus`.
    Sign(char),
    /// A unit of money, written before its number.
    Currency(char),
    /// `per`, of `per cent`.
    Per,
    /// `percent`.
    Percent,
    /// `and`.
    And,
    /// `double` and `triple`: how often the digit after it stands.
    Repeat(usize),
    /// `point`.
    Point,
}

const ONES: [&str; 19] = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];

const TENS: [&str; 8] = [
    "twent", "thirt", "fort", "fift", "sixt", "sevent", "eight", "ninet",
];

const MULTIPLIERS: [(&str, u32); 12] = [
    ("hundred", 2),
    ("thousand", 3),
    ("million", 6),
    ("billion", 9),
    ("trillion", 12),
    ("quadrillion", 15),
    ("quintillion", 18),
    ("sextillion", 21),
    ("septillion", 24),
    ("octillion", 27),
    ("nonillion", 30),
    ("decillion", 33),
];

const OTHERS: [(&str, NumberWord); 24] = [
    ("o", NumberWord::Zero),
    ("oh", NumberWord::Zero),
    ("zero", NumberWord::Zero),
    ("zeroth", NumberWord::OnesEnding(0, "th")),
    ("minus", NumberWord::Sign('-')),
    ("negative", NumberWord::Sign('-')),
    ("plus", NumberWord::Sign('+')),
    ("positive", NumberWord::Sign('+')),
    ("pound", NumberWord::Currency('£')),
    ("pounds", NumberWord::Currency('£')),
    ("euro", NumberWord::Currency('€')),
    ("euros", NumberWord::Currency('€')),
    ("dollar", NumberWord::Currency('$')),
    ("dollars", NumberWord::Currency('$')),
    ("cent", NumberWord::Currency('¢')),
    ("cents", NumberWord::Currency('¢')),
    ("per", NumberWord::Per),
    ("percent", NumberWord::Percent),
    ("and", NumberWord::And),
    ("double", NumberWord::Repeat(2)),
    ("triple", NumberWord::Repeat(3)),
    ("point", NumberWord::Point),
    // The table of openai/whisper has "nineth", and so has no "ninth".
    ("nineth", NumberWord::OnesEnding(9, "th")),
    ("sixes", NumberWord::OnesEnding(6, "s")),
];

static LEXICON: LazyLock<HashMap<String, NumberWord>> = LazyLock::new(|| {
    let mut lexicon = HashMap::new();
    for (value, name) in (1..).zip(ONES) {
        lexicon.insert(name.to_owned(), NumberWord::Ones(value));
        if value != 6 {
            lexicon.insert(format!("{name}s"), NumberWord::OnesEnding(value, "s"));
        }
        let (ordinal, ending) = match value {
            1 => ("first".to_owned(), "st"),
            2 => ("second".to_owned(), "nd"),
            3 => ("third".to_owned(), "rd"),
            5 => ("fifth".to_owned(), "th"),
            9 => continue,
            12 => ("twelfth".to_owned(), "th"),
            _ if name.ends_with('t') => (format!("{name}h"), "th"),
            _ => (format!("{name}th"), "th"),
        };
        lexicon.insert(ordinal, NumberWord::OnesEnding(value, ending));
    }
    for (value, stem) in (2..).map(|tens| tens * 10).zip(TENS) {
        lexicon.insert(format!("{stem}y"), NumberWord::Tens(value));
        lexicon.insert(format!("{stem}ies"), NumberWord::TensEnding(value, "s"));
        lexicon.insert(format!("{stem}ieth"), NumberWord::TensEnding(value, "th"));
    }
    for (name, exponent) in MULTIPLIERS {
        lexicon.insert(name.to_owned(), NumberWord::Multiplier(exponent));
        for ending in ["s", "th"] {
            let word = NumberWord::MultiplierEnding(exponent, ending);
            lexicon.insert(format!("{name}{ending}"), word);
        }
    }
    lexicon.extend(OTHERS.map(|(word, meaning)| (word.to_owned(), meaning)));
    lexicon
});

impl NumberWord {
    /// What `word`, in lower case, is in a number.
    pub(super) fn of(word: &str) -> Option<NumberWord> {
        LEXICON.get(word).copied()
    }

    /// Whether the word can be a decimal: zero to nineteen, or a ten.
    pub(super) fn is_decimal(self) -> bool {
        matches!(
            self,
            NumberWord::Zero | NumberWord::Ones(_) | NumberWord::Tens(_)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_their_places() {
        for (word, meaning) in [
            ("eighth", NumberWord::OnesEnding(8, "th")),
            ("sixes", NumberWord::OnesEnding(6, "s")),
            ("nineteenth", NumberWord::OnesEnding(19, "th")),
            ("eighty", NumberWord::Tens(80)),
            ("fortieth", NumberWord::TensEnding(40, "th")),
            ("decillions", NumberWord::MultiplierEnding(33, "s")),
        ] {
            assert_eq!(NumberWord::of(word), Some(meaning), "{word}");
        }
        assert_eq!(NumberWord::of("ninth"), None);
        assert_eq!(NumberWord::of("sixs"), None);
    }
}
