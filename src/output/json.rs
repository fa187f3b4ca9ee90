//! JSON with every field of a transcript.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;

use super::Writer;
use super::python_json::{IndentedPythonJson, PythonJson};
use crate::transcribe::Transcript;

/// One object on one line with the fields of openai/whisper's result, byte for byte as Python's `json.dump` writes it
/// (openai/whisper utils.py:278-284): text beyond ASCII is escaped, and there is no line break at the end.
///
/// A number that is not finite is `null`, where Python's `NaN` would be no JSON.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct Json {
    /// Break lines and indent, and write letters beyond ASCII as they are, as whisper-ctranslate2's `--pretty_json`.
    pub pretty: bool,
}

impl Writer for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn write(&self, transcript: &Transcript, out: &mut dyn Write) -> io::Result<()> {
        write_json(transcript, self.pretty, out)
    }
}

/// Writes a value as Python's json module does, on one line or indented by four.
pub(super) fn write_json(
    value: &impl Serialize,
    pretty: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    if pretty {
        let indented = IndentedPythonJson::new();
        value.serialize(&mut Serializer::with_formatter(out, indented))?;
    } else {
        value.serialize(&mut Serializer::with_formatter(out, PythonJson))?;
    }
    Ok(())
}
