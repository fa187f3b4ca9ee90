//! Words of the command line as values of TOML, and back.

use std::ffi::OsString;

use toml::Value;

/// A word as TOML writes it: numbers and truth values as such where they are read as the same word again, else a string.
pub fn as_toml(word: &str) -> String {
    match word {
        "True" => return "true".to_owned(),
        "False" => return "false".to_owned(),
        _ => {}
    }
    let number = word.parse::<Value>().ok();
    let same = number.is_some_and(|number| as_word(&number).is_some_and(|again| again == word));
    match same {
        true => word.to_owned(),
        false => quoted(word),
    }
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control.is_control() => {
                quoted += &format!("\\u{:04X}", u32::from(control));
            }
            other => quoted.push(other),
        }
    }
    quoted + "\""
}

/// A value as a word of the command line; none of what is no single value.
pub fn as_word(value: &Value) -> Option<OsString> {
    Some(match value {
        Value::String(text) => text.into(),
        Value::Integer(number) => number.to_string().into(),
        Value::Float(number) => format!("{number:?}").into(),
        Value::Boolean(true) => "True".into(),
        Value::Boolean(false) => "False".into(),
        Value::Array(_) | Value::Datetime(_) | Value::Table(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use toml::Table;

    use super::*;

    #[test]
    fn printed_values_are_toml() {
        for (word, printed) in [
            ("5", "5"),
            ("-1.0", "-1.0"),
            ("True", "true"),
            ("None", "\"None\""),
            ("\"'“¿([{-", "\"\\\"'“¿([{-\""),
            ("a\\b\n", "\"a\\\\b\\u000A\""),
            ("0,1.5", "\"0,1.5\""),
            // Numbers that TOML would write in another way.
            ("0x10", "\"0x10\""),
            ("1_000", "\"1_000\""),
            ("-1.00", "\"-1.00\""),
            ("+5", "\"+5\""),
            ("true", "\"true\""),
        ] {
            assert_eq!(as_toml(word), printed);
            let table: Table = format!("key = {printed}").parse().unwrap();
            let read = as_word(&table["key"]).unwrap();
            assert_eq!(read.to_str().unwrap(), word);
        }
    }
}
