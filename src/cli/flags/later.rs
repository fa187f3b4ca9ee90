//! Flags of other programs that this version knows but cannot serve yet.
//!
//! Each is taken with the value that describes what is done anyway, so that a pasted command runs where its result
//! would be right, and is refused by name with any other value, so that none is ignored in silence.

use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

const VAD: &str = "voice activity detection";
const BATCHED: &str = "batched decoding";
const LIVE: &str = "live input";
const SPEAKERS: &str = "telling speakers apart";

/// A flag that is not there yet.
struct Flag {
    name: &'static str,
    /// What it is about.
    about: &'static str,
    /// The value, in any case, that asks for what is done anyway; whether it is a boolean that may stand alone follows
    /// from it.
    taken: &'static str,
}

const fn flag(name: &'static str, about: &'static str, taken: &'static str) -> Flag {
    Flag { name, about, taken }
}

/// Flags of whisper-ctranslate2 and whisper-cli.
const FLAGS: &[Flag] = &[
    flag("vad_filter", VAD, "False"),
    flag("vad", VAD, "False"),
    flag("vad_model", VAD, "None"),
    flag("vad_threshold", VAD, "None"),
    flag("vad_min_speech_duration_ms", VAD, "None"),
    flag("vad_max_speech_duration_s", VAD, "None"),
    flag("vad_min_silence_duration_ms", VAD, "None"),
    flag("vad_speech_pad_ms", VAD, "None"),
    flag("vad_samples_overlap", VAD, "None"),
    flag("batched", BATCHED, "False"),
    flag("batch_size", BATCHED, "None"),
    flag("live_transcribe", LIVE, "False"),
    flag("live_volume_threshold", LIVE, "0.2"),
    flag("live_input_device", LIVE, "None"),
    flag("live_input_device_sample_rate", LIVE, "16000"),
    flag("hf_token", SPEAKERS, ""),
    flag("speaker_name", SPEAKERS, "SPEAKER"),
    flag("speaker_num", SPEAKERS, "2"),
    flag("diarize", SPEAKERS, "False"),
];

impl Flag {
    fn arg(&self) -> Arg {
        let arg = Arg::new(self.name)
            .long(self.name)
            .hide(true)
            .allow_hyphen_values(true);
        if self.taken == "False" {
            return arg
                .num_args(0..=1)
                .default_missing_value("True")
                .value_name(super::values::BOOLEAN);
        }
        arg.value_name("VALUE")
    }

    fn refusal(&self, value: &str) -> clap::Error {
        // A secret is not repeated.
        let value = match self.name {
            "hf_token" => "...",
            _ => value,
        };
        let instead = match self.taken {
            "" => String::new(),
            value => format!(", or give {value}"),
        };
        clap::Error::raw(
            ErrorKind::ValueValidation,
            format!(
                "not supported yet: --{} {value}; {} is not there; leave the flag out{instead}\n",
                self.name, self.about
            ),
        )
    }
}

/// Takes part in parsing for the sake of its refusals; holds nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Later;

impl Args for Later {
    fn augment_args(command: Command) -> Command {
        FLAGS
            .iter()
            .fold(command, |command, flag| command.arg(flag.arg()))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Later {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        for flag in FLAGS {
            match matches.get_one::<String>(flag.name) {
                Some(value) if !flag.taken.eq_ignore_ascii_case(value) => {
                    return Err(flag.refusal(value));
                }
                _ => {}
            }
        }
        Ok(Later)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
