//! The number that has been read so far.

use std::fmt;

use num_bigint::BigUint;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// A number that words still add to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// A whole number, of any size.
    Whole(BigUint),
    /// Digits side by side, perhaps with points: `101`, `007`, `3.`, `192.168.`
    Digits(String),
}

impl Value {
    pub(super) fn whole(value: u32) -> Self {
        Value::Whole(value.into())
    }

    /// 10 to the power of `exponent`.
    pub(super) fn power_of_ten(exponent: u32) -> Self {
        Value::Whole(BigUint::from(10u32).pow(exponent))
    }

    /// An arabic number: whole ones lose their zeros (`007`, `2.0`), others keep their digits as they are.
    pub(super) fn arabic(number: &str) -> Self {
        match Decimal::parse(number).and_then(|decimal| decimal.times_power_of_ten(0)) {
            Some(whole) => Value::Whole(whole),
            None => Value::Digits(number.to_owned()),
        }
    }

    /// The number times 10 to the power of `exponent`, if it is one and that is whole.
    pub(super) fn times_power_of_ten(&self, exponent: u32) -> Option<BigUint> {
        match self {
            Value::Whole(value) => Some(value * BigUint::from(10u32).pow(exponent)),
            Value::Digits(digits) => Decimal::parse(digits)?.times_power_of_ten(exponent),
        }
    }

    /// The number with its last three digits as so many times 10 to the power of `exponent`: 2,005 and `million` give
    /// 5,002,000.
    pub(super) fn scale_last_thousand(value: &BigUint, exponent: u32) -> Value {
        let thousand = BigUint::from(1000u32);
        let residual = value % &thousand;
        let before = value - &residual;
        Value::Whole(before + residual * BigUint::from(10u32).pow(exponent))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Whole(value) => value.fmt(f),
            Value::Digits(digits) => f.write_str(digits),
        }
    }
}

/// A decimal number in the digits of any script.
struct Decimal {
    /// The digits, without the point.
    digits: String,
    /// How many of them stand after the point.
    decimals: usize,
}

impl Decimal {
    /// Takes `5`, `5.25`, `5.` and `.25`.
    fn parse(number: &str) -> Option<Self> {
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits: String = (whole.chars().chain(fraction.chars()))
            .map(ascii_digit)
            .collect::<Option<_>>()?;
        (!digits.is_empty()).then(|| Decimal {
            digits,
            decimals: fraction.chars().count(),
        })
    }

    /// The product if it is whole.
    fn times_power_of_ten(&self, exponent: u32) -> Option<BigUint> {
        let exponent = exponent as usize;
        let mut digits = self.digits.clone();
        if exponent >= self.decimals {
            digits.extend(std::iter::repeat_n('0', exponent - self.decimals));
        } else {
            let rest = digits.split_off(digits.len() - (self.decimals - exponent));
            if rest.bytes().any(|digit| digit != b'0') {
                return None;
            }
            if digits.is_empty() {
                digits.push('0');
            }
        }
        digits.parse().ok()
    }
}

/// Whether the word is digits, perhaps with a point and digits after it: an arabic number without a sign.
pub(super) fn is_arabic(word: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.chars().all(is_digit);
    match word.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(word),
    }
}

/// A decimal digit of any script: `\d` in Python.
pub(super) fn is_digit(c: char) -> bool {
    c.is_ascii_digit() || (!c.is_ascii() && c.general_category() == GeneralCategory::DecimalNumber)
}

/// The digit's value in ASCII. The digits of a script stand side by side, from 0 to 9, and runs of several tens begin
/// at a zero.
fn ascii_digit(c: char) -> Option<char> {
    if c.is_ascii_digit() {
        return Some(c);
    }
    if !is_digit(c) {
        return None;
    }
    let before = (0..u32::from(c)).rev();
    let run = before
        .map_while(char::from_u32)
        .take_while(|&c| is_digit(c));
    char::from_digit((run.count() % 10) as u32, 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_lose_their_zeros() {
        for (number, value) in [
            ("007", "7"),
            ("2.0", "2"),
            ("2.50", "2.50"),
            ("0", "0"),
            ("٣", "3"),
            ("٣.٥", "٣.٥"),
        ] {
            assert_eq!(Value::arabic(number).to_string(), value);
        }
    }

    #[test]
    fn products_are_whole_or_none() {
        let times = |digits: &str, exponent| {
            let product = Value::Digits(digits.to_owned()).times_power_of_ten(exponent)?;
            Some(product.to_string())
        };
        assert_eq!(times("2.35", 6).as_deref(), Some("2350000"));
        assert_eq!(times(".5", 2).as_deref(), Some("50"));
        assert_eq!(times("5.", 3).as_deref(), Some("5000"));
        assert_eq!(times("0.000", 2).as_deref(), Some("0"));
        assert_eq!(times("1.2345", 2), None);
        assert_eq!(times("1.2.3", 2), None);
        assert_eq!(times(".", 2), None);
    }

    #[test]
    fn digits_of_all_scripts_have_their_values() {
        assert_eq!(ascii_digit('९'), Some('9'));
        // Mathematical digits: five alphabets of ten, side by side.
        assert_eq!(ascii_digit('𝟘'), Some('0'));
        assert_eq!(ascii_digit('𝟿'), Some('9'));
        assert_eq!(ascii_digit('²'), None);
    }

    #[test]
    fn arabic_numbers_have_one_point_inside() {
        for word in ["5", "5.25", "٣"] {
            assert!(is_arabic(word), "{word}");
        }
        for word in ["", "5.", ".5", "1.2.3", "-5", "½"] {
            assert!(!is_arabic(word), "{word}");
        }
    }
}
