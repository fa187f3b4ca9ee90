//! Transcribes a file with the library: `cargo run --release --example transcribe -- FILE [MODEL]`.
//!
//! Segments come twice here, to show both ways: from an iterator, as they are made, and through a callback.

use std::error::Error;
use std::io::{self, Write};

use whisper_rs::{Audio, TranscribeOptions, Whisper};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    run(&arguments, &mut io::stdout())
}

/// Writes the segments of a file.
pub fn run(arguments: &[String], out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let file = arguments.first().map_or("tests/data/jfk.wav", |file| file);
    let model = arguments.get(1).map_or("base", |model| model);

    let whisper = Whisper::builder(model).load()?;
    let audio = Audio::open(file)?;
    let options = TranscribeOptions::default();

    for segment in whisper.segments(&audio, &options)? {
        let segment = segment?;
        writeln!(
            out,
            "{:7.2} {:7.2} {}",
            segment.start, segment.end, segment.text
        )?;
    }

    let transcript = whisper.transcribe_with(&audio, &options, |segment| {
        eprintln!("{:7.2} s are done", segment.end);
    })?;
    writeln!(out, "{}: {}", transcript.language, transcript.text)?;
    Ok(())
}
