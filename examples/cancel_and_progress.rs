//! Tells how far a transcription is, and ends it when Enter is pressed:
//! `cargo run --release --example cancel_and_progress -- FILE [MODEL]`.

use std::error::Error;
use std::io::{self, Read, Write};
use std::thread;

use whisper_rs::{Audio, CancelToken, Event, TranscribeOptions, Whisper};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    run(&arguments, io::stdin(), &mut io::stdout())
}

/// Writes progress and the transcript of a file, which ends where `stop` gives anything.
pub fn run(
    arguments: &[String],
    mut stop: impl Read + Send + 'static,
    out: &mut dyn Write,
) -> Result<(), Box<dyn Error>> {
    let file = arguments.first().ok_or("give a file")?;
    let model = arguments.get(1).map_or("base", |model| model);
    let whisper =
        Whisper::builder(model).load_with(&|event: whisper_rs::weights::FetchEvent<'_>| {
            if let whisper_rs::weights::FetchEvent::Started { what, .. } = event {
                eprintln!("fetching {what}");
            }
        })?;
    let audio = Audio::open(file)?;

    let cancel = CancelToken::new();
    let token = cancel.clone();
    thread::spawn(move || {
        // The end of the input is no wish to stop.
        if matches!(stop.read(&mut [0]), Ok(1)) {
            token.cancel();
        }
    });
    let options = TranscribeOptions::default();
    let transcript = whisper
        .transcription(&audio, &options)
        .until(&cancel)
        .on_event(|event| {
            let told = match event {
                Event::WindowDone {
                    position, seconds, ..
                } => writeln!(out, "{position:.1} of {seconds:.1} s"),
                Event::LanguageFound { language, .. } => writeln!(out, "language: {language}"),
                Event::Fallback { temperature, .. } => {
                    writeln!(out, "once more, at temperature {temperature}")
                }
                _ => Ok(()),
            };
            if told.is_err() {
                // Nobody reads it.
                cancel.cancel();
            }
        })
        .run()?;
    let end = if transcript.cancelled { " [ended]" } else { "" };
    writeln!(out, "{}{end}", transcript.text)?;
    Ok(())
}
