//! Writes subtitles of two lines, cut between words: `cargo run --release --example subtitles -- FILE SUBTITLES [MODEL]`, as
//! `subtitles talk.mp3 talk.srt`. The format is that of the subtitles' name: srt, vtt, ass, lrc.

use std::error::Error;
use std::path::Path;

use whisper_rs::output::{FormatOptions, write_atomically, writer};
use whisper_rs::{Audio, TranscribeOptions, Whisper};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    run(&arguments)
}

/// Writes the subtitles of a file.
pub fn run(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let [file, subtitles, model @ ..] = arguments else {
        return Err("give a file, and the file of its subtitles".into());
    };
    let subtitles = Path::new(subtitles);
    let mut format = FormatOptions::default();
    format.subtitles.max_line_width = Some(42);
    format.subtitles.max_line_count = Some(2);
    let extension = subtitles.extension().unwrap_or_default();
    let writer = writer(&extension.to_string_lossy(), &format)?;

    let mut options = TranscribeOptions::default();
    // Lines are cut between words, by their times.
    options.word_timestamps = true;
    let whisper = Whisper::builder(model.first().map_or("base", |model| model)).load()?;
    let transcript = whisper.transcribe(&Audio::open(file)?, &options)?;
    write_atomically(subtitles, |out| writer.write(&transcript, out))?;
    Ok(())
}
