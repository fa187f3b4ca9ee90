//! Transcribes a file with the library: `cargo run --release --example transcribe -- FILE [MODEL]`.
//!
//! Segments come twice here, to show both ways: from an iterator, as they are made, and through a callback.

use whisper_rs::{Audio, Result, TranscribeOptions, Whisper, device};

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().unwrap_or("tests/data/jfk.wav".to_owned());
    let model = arguments.next().unwrap_or("base".to_owned());

    let whisper = Whisper::load(&model, &device::open("auto")?)?;
    let audio = Audio::open(file)?;
    let options = TranscribeOptions::default();

    for segment in whisper.segments(&audio, &options)? {
        let segment = segment?;
        println!("{:7.2} {:7.2} {}", segment.start, segment.end, segment.text);
    }

    let transcript = whisper.transcribe_with(&audio, &options, |segment| {
        println!("{:7.2} {:7.2} {}", segment.start, segment.end, segment.text);
    })?;
    println!("{}: {}", transcript.language, transcript.text);
    Ok(())
}
