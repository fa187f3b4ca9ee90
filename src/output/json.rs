//! JSON with every field of a transcript.

use std::io::{self, Write};

use serde::Serialize;

use super::Writer;
use super::python_json::PythonJson;
use crate::transcribe::Transcript;

/// One object on one line with the fields of openai/whisper's result, byte for byte as Python's `json.dump` writes it
/// (openai/whisper utils.py:269-275): text beyond ASCII is escaped, and there is no line break at the end.
///
/// A number that is not finite is `null`, where Python's `NaN` would be no JSON.
#[derive(Debug, Clone, Copy, Default)]
pub struct Json;

impl Writer for Json {
    fn extension(&self) -> &'static str {
        "json"
    }

    fn write(&self, transcript: &Transcript, out: &mut dyn Write) -> io::Result<()> {
        transcript
            .serialize(&mut serde_json::Serializer::with_formatter(out, PythonJson))
            .map_err(io::Error::from)
    }
}
