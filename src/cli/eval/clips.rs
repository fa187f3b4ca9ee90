//! One clip after the other: those that a run before had done are taken from its records.

use std::time::Instant;

use whisper_rs::evaluate::{Clip, Manifest, Record, RecordFile};
use whisper_rs::measure::{host_memory, reset_host_peak};
use whisper_rs::{Audio, Error};

use crate::cli::engine::Engine;
use crate::cli::feedback::interrupt::Interrupt;
use crate::cli::feedback::messages;
use crate::cli::feedback::reports::{ENDING, about};
use crate::cli::flags::input::decoded_by_ffmpeg_too;

/// How a run over the clips ended.
pub enum Outcome {
    /// All were tried, and so many could not be transcribed.
    Done { failed: usize },
    /// The user asked for an end when so many were done.
    Stopped { done: usize },
}

pub struct Run<'a> {
    engine: &'a Engine,
    interrupt: &'a Interrupt,
    known_languages: bool,
    records: RecordFile,
}

impl<'a> Run<'a> {
    pub fn new(
        engine: &'a Engine,
        interrupt: &'a Interrupt,
        known_languages: bool,
        records: RecordFile,
    ) -> Self {
        Self {
            engine,
            interrupt,
            known_languages,
            records,
        }
    }

    /// Gives each clip's record to `done`, in the manifest's order. A clip that cannot be transcribed is told of and left out.
    pub fn all_clips(
        &mut self,
        manifest: &Manifest,
        mut done: impl FnMut(&Clip, &Record) -> Result<(), Error>,
    ) -> Result<Outcome, Error> {
        let working = self.interrupt.while_working(|| messages::note(ENDING));
        let (mut failed, mut kept) = (0, 0);
        for (index, clip) in manifest.clips.iter().enumerate() {
            if let Some(record) = self.records.find(clip) {
                kept += 1;
                done(clip, record)?;
                continue;
            }
            if self.interrupt.asked() {
                return Ok(Outcome::Stopped { done: index });
            }
            match self.transcribe(clip) {
                Ok(Some(record)) => {
                    self.records.add(clip, &record)?;
                    done(clip, &record)?;
                }
                Ok(None) => return Ok(Outcome::Stopped { done: index }),
                Err(error) => {
                    messages::error(about(&clip.path, &error));
                    failed += 1;
                }
            }
        }
        drop(working);
        if kept > 0 {
            let of = manifest.clips.len();
            messages::note(format!(
                "--resume: {kept} of {of} clips were done already, with their times"
            ));
        }
        Ok(Outcome::Done { failed })
    }

    /// Nothing of a whole run is left for another one.
    pub fn finish(self, failed: usize) -> Result<(), Error> {
        match failed {
            0 => self.records.remove(),
            _ => Ok(()),
        }
    }

    /// Transcribes a clip from its file on; none where the user asked for an end meanwhile.
    fn transcribe(&self, clip: &Clip) -> Result<Option<Record>, Error> {
        reset_host_peak();
        let begin = Instant::now();
        let audio = Audio::open_with(&clip.path, &decoded_by_ffmpeg_too())?;
        let mut options = self.engine.options.clone();
        let known = clip.speech.code().filter(|_| self.known_languages);
        if let Some(code) = known.filter(|_| self.engine.whisper.is_multilingual()) {
            options.language = Some(code.to_owned());
        }
        let transcription = self.engine.whisper.transcription(&audio, &options);
        let transcript = match transcription.until(self.interrupt.token()).run() {
            Err(Error::Cancelled) => return Ok(None),
            transcript => transcript?,
        };
        if transcript.cancelled {
            return Ok(None);
        }
        let seconds = begin.elapsed().as_secs_f64();
        let mut record = Record::new(&clip.name, audio.seconds(), seconds, transcript);
        record.peak_host_bytes = host_memory().map(|memory| memory.peak);
        Ok(Some(record))
    }
}
