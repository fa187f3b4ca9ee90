//! What symphonia lacks, decoded by an installed ffmpeg.

use std::ffi::OsString;
use std::io::{self, Cursor, Read};
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};
use std::thread;

use super::decode;
use super::failure::Failure;
use super::options::Channel;
use super::pcm_writer::{PcmWriter, SAMPLES_IN_MEMORY};
use super::source::{self, Source};
use crate::audio::{Audio, SAMPLE_RATE};
use crate::error::{Error, Result};

/// Why there are no samples.
pub(super) enum Refusal {
    /// There is no ffmpeg on the search path.
    Absent,
    /// It does not know the file either; what it says.
    Unknown(String),
    /// The samples could not be stored.
    Error(Error),
}

/// Decodes the first audio stream of a file, by the command that openai/whisper uses (`audio.py:44-59`), or one channel
/// of it. `name` is for messages.
pub(super) fn decode(path: &Path, name: &str, channel: Channel) -> Result<Audio, Refusal> {
    let mut child = match command(path, channel).spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Refusal::Absent),
        Err(error) => return Err(Refusal::Unknown(error.to_string())),
    };
    let errors = child.stderr.take().map(|mut stderr| {
        thread::spawn(move || {
            let mut text = Vec::new();
            let _ = stderr.read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        })
    });
    let decoded = match (child.stdout.take(), channel) {
        (Some(stdout), Channel::Mix) => mixed(stdout),
        (Some(stdout), _) => one_channel(stdout, name, channel),
        (None, _) => Err(Refusal::Unknown("it cannot be heard".into())),
    };
    if decoded.is_err() {
        // Nobody reads on: it would wait for ever.
        let _ = child.kill();
    }
    let succeeded = child.wait().is_ok_and(|status| status.success());
    let errors = errors
        .and_then(|errors| errors.join().ok())
        .unwrap_or_default();
    let said = errors.lines().rfind(|line| !line.trim().is_empty());
    let said = said.unwrap_or("it gave no reason").trim().to_owned();
    match decoded {
        Ok(audio) if succeeded => Ok(audio),
        Ok(mut audio) if !audio.is_empty() => {
            (audio.warnings).push(format!("decoded by ffmpeg, which ended with: {said}"));
            Ok(audio)
        }
        Ok(_) | Err(Refusal::Unknown(_)) => Err(Refusal::Unknown(said)),
        Err(refusal) => Err(refusal),
    }
}

/// What an installed ffmpeg says it is, `ffmpeg version 7.1`; `None` where there is none.
pub fn ffmpeg_version() -> Option<String> {
    let output = Command::new("ffmpeg").arg("-version").output().ok()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let first: Vec<_> = said.lines().next()?.split_whitespace().take(3).collect();
    (output.status.success() && !first.is_empty()).then(|| first.join(" "))
}

fn command(path: &Path, channel: Channel) -> Command {
    let mut command = Command::new("ffmpeg");
    // Nothing but files: a playlist is not to open connections.
    command.args(["-nostdin", "-v", "error", "-protocol_whitelist", "file"]);
    // A name that begins with a hyphen is no option, and one with a colon no protocol.
    let mut input = OsString::from("file:");
    input.push(path);
    command.arg("-i").arg(input).args(["-vn", "-sn", "-dn"]);
    command.args(match channel {
        Channel::Mix => ["-f", "s16le", "-ac", "1"].as_slice(),
        // How many channels there are is in the header, and a mono file has no second one for a filter to take.
        Channel::Left | Channel::Right => &["-f", "wav"],
    });
    command.args(["-acodec", "pcm_s16le", "-ar"]);
    command.arg(SAMPLE_RATE.to_string()).arg("-");
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Reads a WAV file, which is written to a pipe, and hears one of its channels.
fn one_channel(mut wav: ChildStdout, name: &str, channel: Channel) -> Result<Audio, Refusal> {
    let head = source::head(&mut wav).map_err(|error| Refusal::Unknown(error.to_string()))?;
    if head.is_empty() {
        return Err(Refusal::Unknown("it gave no samples".into()));
    }
    let whole = Cursor::new(head.clone()).chain(wav);
    let source = Source::reader(whole, head, name).map_err(Refusal::Error)?;
    match decode::decode(source, name, channel, false) {
        Ok(audio) => Ok(audio),
        Err(Failure::Unsupported(reason)) => Err(Refusal::Unknown(reason)),
        Err(Failure::Error(error)) => Err(Refusal::Error(error)),
    }
}

/// Reads samples of 16 bits.
fn mixed(mut samples: ChildStdout) -> Result<Audio, Refusal> {
    let mut writer = PcmWriter::new(SAMPLES_IN_MEMORY);
    let mut bytes = vec![0u8; 1 << 16];
    let mut whole = Vec::new();
    // A byte that is the first half of a sample.
    let mut held = 0;
    loop {
        let count = match samples.read(&mut bytes[held..]) {
            Ok(0) => break,
            Ok(count) => held + count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Refusal::Unknown(error.to_string())),
        };
        whole.clear();
        let pairs = bytes[..count].chunks_exact(2);
        whole.extend(pairs.map(|pair| i16::from_le_bytes([pair[0], pair[1]])));
        writer.push(&whole).map_err(Refusal::Error)?;
        held = count % 2;
        if held == 1 {
            bytes[0] = bytes[count - 1];
        }
    }
    Audio::from_writer(writer, Vec::new(), None).map_err(Refusal::Error)
}
