//! What an evaluation was made with: named in its JSON, and in the records that another run may go on with.

use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::Serialize;
use sha1_smol::Sha1;
use whisper_rs::evaluate::Evaluation;
use whisper_rs::{Error, measure};
use whisper_weights::Checkpoint;

use super::EvalArguments;
use crate::cli::engine::Engine;
use crate::cli::models::Models;

/// All that a transcript depends on but its clip.
#[derive(Debug, Serialize)]
pub struct Identity {
    program: String,
    manifest: PathBuf,
    model: String,
    /// Number format and size of the weights' file.
    weights: (String, u64),
    device: String,
    compute_type: String,
    known_languages: bool,
    /// What is done to samples and features.
    preparation: String,
    options: String,
    #[serde(skip)]
    text: String,
}

impl Identity {
    pub fn of(
        arguments: &EvalArguments,
        engine: &Engine,
        models: &Models,
        device: String,
    ) -> Result<Self, Error> {
        let flags = &arguments.engine;
        let checkpoint = Checkpoint::open(models.fetch(flags.model.name())?)?;
        let mut identity = Self {
            program: program(),
            manifest: std::path::absolute(&arguments.manifest)
                .unwrap_or_else(|_| arguments.manifest.clone()),
            model: flags.model.name().to_owned(),
            weights: (checkpoint.format().to_owned(), checkpoint.file_size()),
            device,
            compute_type: engine.whisper.numbers().to_string(),
            known_languages: arguments.known_languages,
            preparation: format!("{:?}, {:?}", flags.speech.smoothing, flags.speech.normalise),
            options: format!("{:?}", engine.options),
            text: String::new(),
        };
        identity.text = format!("{identity:?}");
        Ok(identity)
    }

    /// The same, as one line.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The file of a folder for records made with this.
    pub fn file_in(&self, folder: &Path) -> PathBuf {
        let name = Sha1::from(&self.text).digest().to_string();
        folder.join(format!("{}.jsonl", &name[..16]))
    }

    /// The same by name, for people.
    pub fn facts(&self) -> Vec<(String, String)> {
        let facts = [
            ("program", &self.program),
            ("model", &self.model),
            ("device", &self.device),
            ("numbers", &self.compute_type),
        ];
        facts
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .into()
    }

    /// What is written as JSON.
    pub fn report<'a>(
        &'a self,
        engine: &Engine,
        evaluation: &'a Evaluation,
        failed: usize,
    ) -> impl Serialize + 'a {
        #[derive(Serialize)]
        struct Report<'a> {
            #[serde(flatten)]
            identity: &'a Identity,
            /// Clips that could not be transcribed.
            failed: usize,
            peak_device_bytes: Option<u64>,
            #[serde(flatten)]
            evaluation: &'a Evaluation,
        }
        let device = measure::device_memory(engine.whisper.device());
        Report {
            identity: self,
            failed,
            peak_device_bytes: device.map(|memory| memory.peak_reserved),
            evaluation,
        }
    }
}

/// Version, and when the program was built, in UTC, as far as its file tells.
fn program() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let metadata = std::env::current_exe().and_then(std::fs::metadata);
    let built = metadata.and_then(|metadata| metadata.modified()).ok();
    match built.filter(|built| *built > UNIX_EPOCH) {
        Some(built) => format!(
            "whisper-rs {version}, built {}",
            humantime::format_rfc3339_seconds(built)
        ),
        None => format!("whisper-rs {version}"),
    }
}
