//! Transcribes the files of a folder with one model: `cargo run --release --example batch_folder -- FOLDER TRANSCRIPTS [MODEL]`.
//!
//! Each file gets a `.json` in the folder of transcripts. A file that fails is told, and the others go through.

use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use whisper_rs::output::{Json, Writer, write_atomically};
use whisper_rs::{Audio, Result, TranscribeOptions, Whisper};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    run(&arguments, &mut io::stdout())
}

/// Writes the transcripts, and a line about each file.
pub fn run(arguments: &[String], out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let [folder, transcripts, model @ ..] = arguments else {
        return Err("give a folder of audio files, and one for their transcripts".into());
    };
    let whisper = Whisper::builder(model.first().map_or("base", |model| model)).load()?;
    fs::create_dir_all(transcripts)?;
    for file in files(Path::new(folder))? {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        // The whole name, since two files may differ in their ending alone.
        let transcript = Path::new(transcripts).join(format!("{name}.json"));
        match transcribe(&whisper, &file, &transcript) {
            Ok(language) => writeln!(out, "{name}: {language}")?,
            Err(error) => writeln!(out, "{name}: failed: {error}")?,
        }
    }
    Ok(())
}

/// The files of a folder by their names.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    let paths = entries.into_iter().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = paths.filter(|path| path.is_file()).collect();
    files.sort();
    Ok(files)
}

/// Writes the transcript of a file, and gives its language.
fn transcribe(whisper: &Whisper, file: &Path, transcript: &Path) -> Result<String> {
    let spoken = whisper.transcribe(&Audio::open(file)?, &TranscribeOptions::default())?;
    let mut json = Json::default();
    json.pretty = true;
    write_atomically(transcript, |out| json.write(&spoken, out))?;
    Ok(spoken.language)
}
