//! Spelled-out English numbers as arabic ones.

use num_bigint::BigUint;

use super::characters::words;
use super::number_marks::{after_reading, before_reading};
use super::number_value::{Value, is_arabic};
use super::number_words::NumberWord;

/// Writes numbers with digits, signs and units of money before them, endings and `%` behind them: `twenty one
/// dollars` is `$21` (openai/whisper normalizers/english.py:12-447, `EnglishNumberNormalizer`).
///
/// The text is in lower case, and its other words stay. openai/whisper fails on numbers of more than 4,300 digits;
/// this does not.
pub(super) fn write_numbers(text: &str) -> String {
    let text = before_reading(text);
    let words: Vec<_> = words(&text).collect();
    let mut reader = NumberReader::default();
    let mut taken = false;
    for (index, &word) in words.iter().enumerate() {
        if taken {
            taken = false;
            continue;
        }
        let previous = (index.checked_sub(1)).and_then(|index| NumberWord::of(words[index]));
        taken = reader.read(previous, word, words.get(index + 1).copied());
    }
    reader.end();
    after_reading(&reader.read.join(" "))
}

/// Reads word by word; holds the number that is not finished yet.
#[derive(Default)]
struct NumberReader {
    /// The words of the result.
    read: Vec<String>,
    /// A sign or a unit of money for the next word that is written.
    prefix: Option<char>,
    value: Option<Value>,
}

impl NumberReader {
    /// Reads one word; whether the next one has been read with it.
    fn read(&mut self, previous: Option<NumberWord>, word: &str, next: Option<&str>) -> bool {
        let (sign, number) = match word.chars().next() {
            Some(sign @ ('-' | '+' | '£' | '€' | '$' | '¢')) => {
                (Some(sign), &word[sign.len_utf8()..])
            }
            _ => (None, word),
        };
        if is_arabic(number) {
            self.arabic(word, sign, number);
            return false;
        }
        let Some(meaning) = NumberWord::of(word) else {
            self.end();
            self.write(word);
            return false;
        };
        let next_word = next.and_then(NumberWord::of);
        let next_is_arabic = next.is_some_and(is_arabic);
        let number_follows = next_word.is_some() || next_is_arabic;
        match meaning {
            NumberWord::Zero => self.append_digits("0"),
            NumberWord::Ones(ones) => self.value = Some(self.with_ones(ones, previous)),
            NumberWord::OnesEnding(ones, ending) => {
                let value = self.with_ones(ones, previous);
                self.write(&format!("{value}{ending}"));
            }
            NumberWord::Tens(tens) => self.value = Some(self.with_tens(tens)),
            NumberWord::TensEnding(tens, ending) => {
                let value = self.with_tens(tens);
                self.write(&format!("{value}{ending}"));
            }
            NumberWord::Multiplier(exponent) => self.multiply(exponent),
            NumberWord::MultiplierEnding(exponent, ending) => {
                self.multiply_and_end(exponent, ending)
            }
            NumberWord::Sign(sign) => {
                self.end();
                if number_follows {
                    self.prefix = Some(sign);
                } else {
                    self.write(word);
                }
            }
            NumberWord::Currency(_) | NumberWord::Per | NumberWord::Percent
                if self.value.is_none() =>
            {
                self.write(word);
            }
            NumberWord::Currency(unit) => {
                self.prefix = Some(unit);
                self.end();
            }
            NumberWord::Percent => self.end_with("%"),
            NumberWord::Per if next == Some("cent") => {
                self.end_with("%");
                return true;
            }
            NumberWord::Per => {
                self.end();
                self.write(word);
            }
            NumberWord::And
                if number_follows && matches!(previous, Some(NumberWord::Multiplier(_))) => {}
            NumberWord::Repeat(times) if number_follows => match next_word {
                Some(NumberWord::Zero) => {
                    self.append_digits(&"0".repeat(times));
                    return true;
                }
                Some(NumberWord::Ones(ones)) => {
                    self.append_digits(&ones.to_string().repeat(times));
                    return true;
                }
                _ => {
                    self.end();
                    self.write(word);
                }
            },
            NumberWord::Point if number_follows => {
                if next_is_arabic || next_word.is_some_and(NumberWord::is_decimal) {
                    self.append_digits(".");
                }
            }
            NumberWord::And | NumberWord::Repeat(_) | NumberWord::Point => {
                self.end();
                self.write(word);
            }
        }
        false
    }

    /// An arabic number begins a new value, unless the one before ends with a point.
    fn arabic(&mut self, word: &str, sign: Option<char>, number: &str) {
        if let Some(Value::Digits(digits)) = &mut self.value
            && digits.ends_with('.')
        {
            digits.push_str(word);
            return;
        }
        self.end();
        self.prefix = sign.or(self.prefix);
        self.value = Some(Value::arabic(number));
    }

    /// The value with one to nineteen after it: added where there is room, else digits side by side.
    fn with_ones(&self, ones: u32, previous: Option<NumberWord>) -> Value {
        match &self.value {
            None => Value::whole(ones),
            Some(Value::Digits(digits))
                if ones < 10 && matches!(previous, Some(NumberWord::Tens(_))) =>
            {
                // The ten has left a zero at the end.
                let tens = digits.strip_suffix('0').unwrap_or(digits);
                Value::Digits(format!("{tens}{ones}"))
            }
            Some(Value::Whole(value)) if !matches!(previous, Some(NumberWord::Ones(_))) => {
                add_or_append(value, ones, if ones < 10 { 10 } else { 100 })
            }
            Some(value) => Value::Digits(format!("{value}{ones}")),
        }
    }

    /// The value with a ten after it.
    fn with_tens(&self, tens: u32) -> Value {
        match &self.value {
            None => Value::whole(tens),
            Some(Value::Whole(value)) => add_or_append(value, tens, 100),
            Some(Value::Digits(digits)) => Value::Digits(format!("{digits}{tens}")),
        }
    }

    fn multiply(&mut self, exponent: u32) {
        self.value = Some(match self.value.take() {
            None => Value::power_of_ten(exponent),
            Some(Value::Whole(value)) => Value::scale_last_thousand(&value, exponent),
            Some(digits) => match digits.times_power_of_ten(exponent) {
                Some(product) => Value::Whole(product),
                None => {
                    self.write(&digits.to_string());
                    Value::power_of_ten(exponent)
                }
            },
        });
    }

    fn multiply_and_end(&mut self, exponent: u32, ending: &str) {
        self.multiply(exponent);
        self.end_with(ending);
    }

    /// Digits, or a point, after the value; a zero alone gives way to them.
    fn append_digits(&mut self, digits: &str) {
        let before = match self.value.take() {
            None => String::new(),
            Some(Value::Whole(zero)) if zero == BigUint::ZERO => String::new(),
            Some(value) => value.to_string(),
        };
        self.value = Some(Value::Digits(before + digits));
    }

    /// Writes a word, with the prefix that waits for one. There is no value any more.
    fn write(&mut self, word: &str) {
        let mut written = self.prefix.take().map_or_else(String::new, String::from);
        written.push_str(word);
        self.read.push(written);
        self.value = None;
    }

    /// Writes the value, if there is one.
    fn end(&mut self) {
        self.end_with("");
    }

    fn end_with(&mut self, ending: &str) {
        if let Some(value) = self.value.take() {
            self.write(&format!("{value}{ending}"));
        }
    }
}

/// `value + part` where `value` ends with zeros for it, `value` and `part` side by side where not.
fn add_or_append(value: &BigUint, part: u32, room: u32) -> Value {
    if value % room == BigUint::ZERO {
        Value::Whole(value + part)
    } else {
        Value::Digits(format!("{value}{part}"))
    }
}

#[cfg(test)]
mod tests {
    use super::write_numbers;

    #[test]
    fn numbers_are_written_with_digits() {
        for (spoken, written) in [
            (
                "two hundred and five point three million dollars",
                "$205300000",
            ),
            ("twenty one point five million euros", "€21500000"),
            ("double o seven", "007"),
            ("one oh one", "101"),
            ("nineteen eighty four", "1984"),
            ("the twenty first of may", "the 21st of may"),
            ("minus forty two per cent", "-42%"),
            ("fifty cents", "¢50"),
            ("$ 5 and 20 cents", "$ 5 and ¢20"),
            ("two and a half", "2.5"),
            ("one day and ones", "one day and ones"),
            ("nineteen sixties", "1960s"),
            ("two decillion", "2000000000000000000000000000000000"),
        ] {
            assert_eq!(write_numbers(spoken), written, "{spoken}");
        }
    }
}
