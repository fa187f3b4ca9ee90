//! JSON in the forms that Python's json module gives it.

use std::io::{self, Write};

use serde_json::ser::{Formatter, PrettyFormatter};

/// As by default: separators `", "` and `": "`, ASCII only, floats as Python's `repr`.
pub(super) struct PythonJson;

/// As with `indent=4, ensure_ascii=False`: floats as Python's `repr`, letters beyond ASCII as they are.
pub(super) struct IndentedPythonJson(PrettyFormatter<'static>);

impl IndentedPythonJson {
    pub(super) fn new() -> Self {
        IndentedPythonJson(PrettyFormatter::with_indent(b"    "))
    }
}

impl Formatter for PythonJson {
    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn write_f64<W: ?Sized + Write>(&mut self, out: &mut W, value: f64) -> io::Result<()> {
        out.write_all(python_repr(value).as_bytes())
    }

    /// `fragment` is free of quotes, backslashes and the control characters below space, which serde_json escapes as
    /// Python does.
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut units = [0u16; 2];
        for character in fragment.chars() {
            match character {
                ' '..='~' => out.write_all(&[character as u8])?,
                _ => {
                    for unit in character.encode_utf16(&mut units) {
                        write!(out, "\\u{unit:04x}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl Formatter for IndentedPythonJson {
    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }

    fn write_f64<W: ?Sized + Write>(&mut self, out: &mut W, value: f64) -> io::Result<()> {
        PythonJson.write_f64(out, value)
    }
}

/// The shortest decimal number that reads back as `value`, written as Python's `repr` writes it: `0.1`, `1.0`, `1e-05`,
/// `1e+16`.
fn python_repr(value: f64) -> String {
    // Rust's Debug takes as many digits and goes over to exponents at the same sizes, but writes 1e-5 and 1e16.
    let debug = format!("{value:?}");
    // Where two numbers of so many digits are equally near, Debug takes the larger one and Python the even one, as
    // rounding to so many digits does.
    let decimals = debug
        .split('e')
        .next()
        .and_then(|number| number.split_once('.'))
        .map_or(0, |(_, decimals)| decimals.len());
    let even = if debug.contains('e') {
        format!("{value:.decimals$e}")
    } else {
        format!("{value:.decimals$}")
    };
    let repr = if even.parse() == Ok(value) {
        even
    } else {
        debug
    };
    match repr.split_once('e') {
        None => repr,
        Some((digits, exponent)) => match exponent.strip_prefix('-') {
            Some(exponent) => format!("{digits}e-{exponent:0>2}"),
            None => format!("{digits}e+{exponent:0>2}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_as_python_writes_them() {
        for (value, repr) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e-4, "0.0001"),
            (9.999e-5, "9.999e-05"),
            (-1.5e-7, "-1.5e-07"),
            (1e15, "1000000000000000.0"),
            (9007199254740993.0, "9007199254740992.0"),
            (1e16, "1e+16"),
            (1.7976931348623157e308, "1.7976931348623157e+308"),
            (5e-324, "5e-324"),
            (-848_974_627_630_174.0 - 0.25, "-848974627630174.2"),
        ] {
            assert_eq!(python_repr(value), repr);
        }
    }

    /// Against `json.dumps({"a": [1e-7, 1e16, "ä\n\x7f"], "b": [], "c": {}}, indent=4, ensure_ascii=False)`.
    #[test]
    fn indented_as_python_writes_it() {
        let value = serde_json::json!({"a": [1e-7, 1e16, "ä\n\u{7f}"], "b": [], "c": {}});
        let mut text = Vec::new();
        let mut out = serde_json::Serializer::with_formatter(&mut text, IndentedPythonJson::new());
        serde::Serialize::serialize(&value, &mut out).unwrap();
        let expected = "{\n    \"a\": [\n        1e-07,\n        1e+16,\n        \"ä\\n\u{7f}\"\n    ],\n    \"b\": [],\n    \"c\": {}\n}";
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }
}
