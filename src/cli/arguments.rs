//! The flags of `transcribe` together: from the command line to the library's options.
//!
//! Names, values and defaults are those of openai/whisper's command (`transcribe.py`, `cli`),
//! except that files are written only when asked for and that the default model is `base`.

use std::path::PathBuf;

use burn::tensor::Device;
use whisper_rs::output::Unfinished;
use whisper_rs::{Error, TranscribeOptions, device};

use super::flags::engine::EngineFlags;
use super::flags::feedback::FeedbackFlags;
use super::flags::input::InputFlags;
use super::flags::later::Later;
use super::flags::output::OutputFlags;
use super::flags::settings::SettingsFlags;
use super::models::Models;
use super::refused::Refused;

/// What `transcribe` is asked to do.
#[derive(Debug, clap::Args)]
pub struct TranscribeArguments {
    /// Audio files, folders of them or globs; - is standard input
    #[arg(value_name = "FILES")]
    pub files: Vec<PathBuf>,

    // In this order the groups stand in the help.
    #[command(flatten)]
    pub input: InputFlags,
    #[command(flatten)]
    pub output: OutputFlags,
    #[command(flatten)]
    pub engine: EngineFlags,
    #[command(flatten)]
    pub feedback: FeedbackFlags,
    #[command(flatten)]
    pub settings: SettingsFlags,
    #[command(flatten)]
    later: Later,
}

impl TranscribeArguments {
    /// Refuses values that make no sense together. (The defaults are and do, so what is refused was given.)
    pub fn check(&self) -> Result<(), Refused> {
        if self.files.is_empty() && self.input.files_from.0.is_none() {
            return Err(Refused::Usage(
                "no FILES: give the audio files to transcribe, or - for standard input".to_owned(),
            ));
        }
        self.values().map_err(Refused::Usage)
    }

    /// Refuses what a run with these flags would refuse, whatever it is to transcribe.
    pub fn check_flags(&self) -> Result<(), Refused> {
        self.values().map_err(Refused::Usage)?;
        device::check(&self.engine.model.device_name())
            .map_err(|error| Refused::Usage(error.to_string()))?;
        self.models().map(drop)
    }

    /// The models that can be had, after a look whether the one that is asked for may be among them.
    pub fn models(&self) -> Result<Models, Refused> {
        let models = Models::open(&self.engine.model.store).map_err(Error::from)?;
        models
            .check(self.engine.model.name())
            .map_err(Error::from)?;
        Ok(models)
    }

    fn values(&self) -> Result<(), String> {
        self.engine.check()?;
        if self.input.resume && !self.output.writes_files() {
            return Err(
                "--resume skips files whose outputs are there; give --output_dir or --output_format"
                    .into(),
            );
        }
        self.output.check(self.options().word_timestamps)
    }

    /// What flags will not do as they seem to.
    pub fn warnings(&self, device: &Device) -> impl Iterator<Item = &'static str> {
        (self.engine.model.warning(device).into_iter()).chain(self.output.warnings())
    }

    /// What becomes of what an earlier run left: only a run that does the whole of it again has no use for it.
    pub fn unfinished(&self) -> Unfinished {
        match self.input.resume && self.options().clip_timestamps == [0.0] {
            true => Unfinished::Replaced,
            false => Unfinished::Kept,
        }
    }

    /// The library's options for these flags.
    pub fn options(&self) -> TranscribeOptions {
        self.engine.options()
    }
}

#[cfg(test)]
mod tests {
    use whisper_rs::TranscribeOptions;

    use super::super::testing::transcribe;

    #[test]
    fn the_defaults_of_openai_whisper_are_the_defaults() {
        let options = transcribe(&[]).unwrap().options();
        assert_eq!(options.beam_size, Some(5));
        assert_eq!(options.best_of, Some(5));
        assert_eq!(options.temperatures.len(), 6);
        assert_eq!(options.patience, None);
        assert_eq!(options.length_penalty, None);
        assert_eq!(options.suppress_tokens, [-1]);
        assert_eq!(options.clip_timestamps, [0.0]);
        assert_eq!(options.compression_ratio_threshold, Some(2.4));
        assert!(!options.carry_initial_prompt);
    }

    #[test]
    fn decoding_flags_reach_the_options() {
        let options = transcribe(&[
            "--beam_size=3",
            "--patience=2",
            "--length_penalty=0.5",
            "--suppress_tokens=-1,50",
            "--clip_timestamps=1,2.5",
            "--carry_initial_prompt=True",
            "--seed=7",
        ])
        .unwrap()
        .options();
        assert_eq!(options.beam_size, Some(3));
        assert_eq!(options.patience, Some(2.0));
        assert_eq!(options.length_penalty, Some(0.5));
        assert_eq!(options.suppress_tokens, [-1, 50]);
        assert_eq!(options.clip_timestamps, [1.0, 2.5]);
        assert!(options.carry_initial_prompt);
        assert_eq!(options.seed, 7);
        let none = transcribe(&["--suppress_tokens", ""]).unwrap().options();
        assert!(none.suppress_tokens.is_empty());
    }

    #[test]
    fn flags_that_openai_whisper_lacks_change_nothing_unless_given() {
        let options = transcribe(&[]).unwrap().options();
        let mut library = TranscribeOptions::default();
        library.beam_size = Some(5);
        library.best_of = Some(5);
        library.clip_timestamps = vec![0.0];
        library.temperatures.clone_from(&options.temperatures);
        assert_eq!(format!("{options:?}"), format!("{library:?}"));
    }

    #[test]
    fn flags_that_openai_whisper_lacks_reach_the_options() {
        let flags = "--prefix And --suppress_blank False --without_timestamps --max_initial_timestamp None \
                     --repetition_penalty 1.2 --no_repeat_ngram_size 3 --max_new_tokens 50 \
                     --prompt_reset_on_temperature 0.7 --multilingual True --language_detection_threshold 0.8 \
                     --language_detection_segments 4";
        let flags: Vec<_> = flags.split_whitespace().collect();
        let options = transcribe(&flags).unwrap().options();
        assert_eq!(options.prefix.as_deref(), Some("And"));
        assert!(!options.suppress_blank && options.without_timestamps && options.multilingual);
        assert_eq!(options.max_initial_timestamp, None);
        assert_eq!(options.repetition_penalty, 1.2);
        assert_eq!(options.no_repeat_ngram_size, 3);
        assert_eq!(options.max_new_tokens, Some(50));
        assert_eq!(options.prompt_reset_on_temperature, 0.7);
        assert_eq!(options.language_detection_threshold, Some(0.8));
        assert_eq!(options.language_detection_segments, 4);
        let options = transcribe(&["--hotwords", "Burn, flex"]).unwrap().options();
        assert_eq!(options.hotwords.as_deref(), Some("Burn, flex"));
    }

    #[test]
    fn negative_thresholds_and_none_are_values() {
        let options = transcribe(&[
            "--logprob_threshold",
            "-0.5",
            "--compression_ratio_threshold",
            "None",
        ])
        .unwrap()
        .options();
        assert_eq!(options.logprob_threshold, Some(-0.5));
        assert_eq!(options.compression_ratio_threshold, None);
        let options = transcribe(&[]).unwrap().options();
        assert_eq!(options.logprob_threshold, Some(-1.0));
    }
}
