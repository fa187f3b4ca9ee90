//! What a transcription tells of itself, in words.

use std::path::Path;

use whisper_rs::{Audio, Error, Segment};

use super::log::TARGET;
use super::messages;
use super::progress::clock;

/// The frames that the library counts in.
pub const SECONDS_PER_FRAME: f64 = 0.01;

/// What the first Ctrl-C is answered by.
pub const ENDING: &str = "ending; Ctrl-C again ends at once";

/// Tells how a segment was decoded, to those who asked for that much.
pub fn tell(segment: &Segment) {
    tracing::debug!(
        target: TARGET,
        id = segment.id as u64,
        start = segment.start,
        end = segment.end,
        text = segment.text.as_str(),
        temperature = segment.temperature,
        avg_logprob = segment.avg_logprob,
        compression_ratio = segment.compression_ratio,
        no_speech_prob = segment.no_speech_prob,
        "segment"
    );
}

/// How to do what an interrupted run has not done, where it writes files and where it does not.
fn go_on(files: bool) -> &'static str {
    match files {
        true => "the same command with --resume does what is not done",
        false => "the same command begins anew; with --output_dir it could be taken up by --resume",
    }
}

/// What is said where the signal came before there was anything of a recording, or again.
pub fn at_once(files: bool) -> String {
    format!("interrupted: {}", go_on(files))
}

/// What is there of a recording that was interrupted at so many seconds, and how to go on.
pub fn interrupted(end: f64, audio: &Audio, left: Option<String>) -> String {
    let (at, of) = (clock(end), clock(audio.seconds()));
    let from_there = format!("--clip_timestamps {end:.2} goes on from there");
    match left {
        Some(left) => format!(
            "interrupted at {at} of {of}: what there is is in {left}; {}, {from_there}",
            go_on(true)
        ),
        None => format!("interrupted at {at} of {of}: {from_there}"),
    }
}

/// What is said where the signal came after a file was done and before the next one was begun.
pub fn between_files(done: usize, all: usize, files: bool) -> String {
    format!("interrupted after {done} of {all}: {}", go_on(files))
}

/// Tells of a window that fallback sampled: its text is no longer what openai/whisper's would be.
pub fn strict_warning(file: &Path, last: Option<&Segment>, segment: &Segment) {
    let told = last.is_some_and(|last| last.seek == segment.seek);
    if segment.temperature > 0.0 && !told {
        messages::warning(format!(
            "{}: --strict: the window at {:.2} s was sampled at temperature {:.1}, and no two programs sample alike",
            file.display(),
            segment.seek as f64 * SECONDS_PER_FRAME,
            segment.temperature,
        ));
    }
}

/// The error's line, which names the file even where the error itself does not.
pub fn about(file: &Path, error: &Error) -> String {
    match error {
        Error::Io { .. } | Error::Audio { .. } => error.to_string(),
        _ => format!("{}: {error}", file.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_its_file_once() {
        let file = Path::new("a.wav");
        let own = Error::Audio {
            name: "a.wav".to_owned(),
            reason: "is empty".to_owned(),
        };
        assert_eq!(about(file, &own), "a.wav: is empty");
        assert_eq!(about(file, &Error::Option("bad".to_owned())), "a.wav: bad");
    }
}
