//! What is done to numbers before their words are read, and after.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::brackets::pattern;
use super::characters::{SPACE, is_boundary, words};
use super::number_words::NumberWord;

static AND_A_HALF: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!("and{SPACE}+a{SPACE}+half")));
static LETTER_DIGIT: LazyLock<Regex> = LazyLock::new(|| pattern("([a-z])([0-9])"));
static DIGIT_LETTER: LazyLock<Regex> = LazyLock::new(|| pattern("([0-9])([a-z])"));
static ENDING: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!("([0-9]){SPACE}+(st|nd|rd|th|s)")));
static AMOUNT_AND_CENTS: LazyLock<Regex> =
    LazyLock::new(|| pattern("([€£$])([0-9]+) (?:and )?¢([0-9]{1,2})"));
static CENTS_ALONE: LazyLock<Regex> = LazyLock::new(|| pattern("[€£$]0.([0-9]{1,2})"));

/// Makes `and a half` a decimal, and parts letters from digits, but for the endings of ordinals and plurals
/// (openai/whisper normalizers/english.py:388-415).
pub(super) fn before_reading(text: &str) -> String {
    let text = halves(text);
    let text = LETTER_DIGIT.replace_all(&text, "$1 $2");
    let text = DIGIT_LETTER.replace_all(&text, "$1 $2");
    replace_at_boundary(&ENDING, &text, |ending| {
        format!("{}{}", &ending[1], &ending[2])
    })
}

/// Joins amounts with their cents, and writes the number 1 as a word (openai/whisper normalizers/english.py:417-440).
pub(super) fn after_reading(text: &str) -> String {
    let text = replace_at_boundary(&AMOUNT_AND_CENTS, text, |amount| {
        format!("{}{}.{:0>2}", &amount[1], &amount[2], &amount[3])
    });
    let text = replace_at_boundary(&CENTS_ALONE, &text, |cents| {
        let digits = &cents[1];
        let cents = digits.strip_prefix('0').filter(|rest| !rest.is_empty());
        format!("¢{}", cents.unwrap_or(digits))
    });
    let text = super::characters::replace_word(&text, "1", "one");
    super::characters::replace_word(&text, "1s", "ones").into_owned()
}

/// `three and a half` as `three point five`, where a number stands before it.
fn halves(text: &str) -> String {
    let mut parts = Vec::new();
    let mut rest = text;
    let mut from = 0;
    while let Some(half) = AND_A_HALF.find_at(rest, from) {
        if !(is_boundary(rest, half.start()) && is_boundary(rest, half.end())) {
            from = half.start() + 1;
            continue;
        }
        // Without a word before it, it is left out, as openai/whisper does.
        if let Some(last) = words(&rest[..half.start()]).last() {
            parts.push(&rest[..half.start()]);
            let number = NumberWord::of(last)
                .is_some_and(|word| word.is_decimal() || matches!(word, NumberWord::Multiplier(_)));
            parts.push(if number { "point five" } else { "and a half" });
        }
        (rest, from) = (&rest[half.end()..], 0);
    }
    if words(rest).next().is_some() {
        parts.push(rest);
    }
    parts.join(" ")
}

/// Replaces the matches after which a word begins or ends.
fn replace_at_boundary(
    pattern: &Regex,
    text: &str,
    replacement: impl Fn(&Captures<'_>) -> String,
) -> String {
    let mut replaced = String::with_capacity(text.len());
    let (mut copied, mut from) = (0, 0);
    while let Some(captures) = pattern.captures_at(text, from) {
        let whole = captures.get_match();
        if is_boundary(text, whole.end()) {
            replaced.push_str(&text[copied..whole.start()]);
            replaced.push_str(&replacement(&captures));
            (copied, from) = (whole.end(), whole.end());
        } else {
            // Another match may begin inside this one.
            let first = text[whole.start()..].chars().next();
            from = whole.start() + first.map_or(1, char::len_utf8);
        }
    }
    replaced.push_str(&text[copied..]);
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_belong_to_numbers() {
        for (spoken, read) in [
            ("two and a half days", "two  point five  days"),
            ("a day and a half", "a day  and a half"),
            ("and a half", ""),
            ("two hundred and a half", "two hundred  point five"),
            ("two and a half and a half", "two  point five"),
            (
                "sand a half two and a halfer",
                "sand a half two and a halfer",
            ),
        ] {
            assert_eq!(halves(spoken), read, "{spoken}");
        }
    }

    #[test]
    fn letters_and_digits_part_but_for_endings() {
        assert_eq!(
            before_reading("b2b 1960s 21 st 5 stones"),
            "b 2 b 1960s 21st 5 stones"
        );
    }

    #[test]
    fn cents_join_their_amount() {
        for (read, written) in [
            ("$2 and ¢7", "$2.07"),
            ("£10 ¢50", "£10.50"),
            ("$2 ¢123", "$2 ¢123"),
            ("$0.50", "¢50"),
            ("$0.05", "¢5"),
            ("$0.00", "¢0"),
            ("$0$012", "$0¢2"),
            ("1 1s 11 $1", "one ones 11 $one"),
        ] {
            assert_eq!(after_reading(read), written, "{read}");
        }
    }
}
