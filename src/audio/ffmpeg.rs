//! What symphonia lacks, decoded by an installed ffmpeg.

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use super::options::Channel;
use super::pcm::{PcmWriter, SAMPLES_IN_MEMORY};
use super::{Audio, SAMPLE_RATE};
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

/// Decodes the first audio stream of a file, by the command that openai/whisper uses (`audio.py:44-59`).
pub(super) fn decode(path: &Path, channel: Channel) -> Result<Audio, Refusal> {
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
    let samples = read_samples(&mut child);
    if samples.is_err() {
        // Nobody reads on: it would wait for ever.
        let _ = child.kill();
    }
    let ended = child.wait();
    let errors = errors
        .and_then(|errors| errors.join().ok())
        .unwrap_or_default();
    let said = errors.lines().rfind(|line| !line.trim().is_empty());
    let said = said.unwrap_or("it gave no reason").trim().to_owned();
    let writer = samples?;
    let failed = !ended.is_ok_and(|status| status.success());
    if writer.is_empty() && failed {
        return Err(Refusal::Unknown(said));
    }
    let warnings = match failed {
        true => vec![format!("decoded by ffmpeg, which ended with: {said}")],
        false => Vec::new(),
    };
    Audio::from_writer(writer, warnings, None).map_err(Refusal::Error)
}

fn command(path: &Path, channel: Channel) -> Command {
    let mut command = Command::new("ffmpeg");
    // Nothing but files: a playlist is not to open connections.
    command.args(["-nostdin", "-v", "error", "-protocol_whitelist", "file"]);
    // A name that begins with a hyphen is no option, and one with a colon no protocol.
    let mut input = OsString::from("file:");
    input.push(path);
    command.arg("-i").arg(input).args(["-vn", "-sn", "-dn"]);
    match channel {
        Channel::Mix => {}
        Channel::Left => drop(command.args(["-af", "pan=mono|c0=c0"])),
        Channel::Right => drop(command.args(["-af", "pan=mono|c0=c1"])),
    }
    command.args(["-f", "s16le", "-ac", "1", "-acodec", "pcm_s16le", "-ar"]);
    command.arg(SAMPLE_RATE.to_string()).arg("-");
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn read_samples(child: &mut Child) -> Result<PcmWriter, Refusal> {
    let mut writer = PcmWriter::new(SAMPLES_IN_MEMORY);
    let Some(mut stdout) = child.stdout.take() else {
        return Ok(writer);
    };
    let mut bytes = vec![0u8; 1 << 16];
    let mut samples = Vec::new();
    // A byte that is the first half of a sample.
    let mut held = 0;
    loop {
        let count = match stdout.read(&mut bytes[held..]) {
            Ok(0) => break,
            Ok(count) => held + count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Refusal::Unknown(error.to_string())),
        };
        samples.clear();
        let pairs = bytes[..count].chunks_exact(2);
        samples.extend(pairs.map(|pair| i16::from_le_bytes([pair[0], pair[1]])));
        writer.push(&samples).map_err(Refusal::Error)?;
        held = count % 2;
        if held == 1 {
            bytes[0] = bytes[count - 1];
        }
    }
    Ok(writer)
}
