//! One model for several threads: `cargo run --release --example shared_model_threads -- MODEL FILE...`.
//!
//! The weights are in memory once. On a CPU the threads share the cores too: two at once take about as long as one after the
//! other, and what is gained is that a short file does not wait for a long one.

use std::error::Error;
use std::io::{self, Write};
use std::sync::{Arc, mpsc};
use std::thread;

use whisper_rs::{Audio, TranscribeOptions, Transcript, Whisper};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    run(&arguments, &mut io::stdout())
}

/// Writes the transcripts of the files as they come.
pub fn run(arguments: &[String], out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let [model, files @ ..] = arguments else {
        return Err("give a model, and files".into());
    };
    let whisper = Arc::new(Whisper::builder(model).load()?);
    let (done, transcripts) = mpsc::channel();
    for file in files.iter().cloned() {
        let (whisper, done) = (Arc::clone(&whisper), done.clone());
        thread::spawn(move || {
            let transcript = transcribe(&whisper, &file);
            // Nobody waits for it where writing has failed.
            let _ = done.send((file, transcript));
        });
    }
    // The channel ends with the last thread.
    drop(done);
    for (file, transcript) in transcripts {
        match transcript {
            Ok(transcript) => writeln!(out, "{file}:{}", transcript.text)?,
            Err(error) => writeln!(out, "{file}: failed: {error}")?,
        }
    }
    Ok(())
}

fn transcribe(whisper: &Whisper, file: &str) -> whisper_rs::Result<Transcript> {
    whisper.transcribe(&Audio::open(file)?, &TranscribeOptions::default())
}
