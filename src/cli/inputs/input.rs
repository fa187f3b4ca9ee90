//! A recording to transcribe.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use whisper_rs::audio::Channel;

/// The name of standard input on the command line.
pub const STANDARD_INPUT: &str = "-";

/// What `--channel` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ChannelChoice {
    /// All channels mixed to one
    Mix,
    /// The first
    Left,
    /// The second
    Right,
    /// The first and the second, each by itself
    Split,
}

/// A recording to transcribe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    pub path: PathBuf,
    /// Where its outputs go below the output folder: where it lies below the folder that was given.
    pub folder: PathBuf,
    pub channel: Channel,
    /// Stands behind the name of its outputs, where a file has several transcripts.
    pub suffix: &'static str,
}

impl Input {
    pub(super) fn file(path: PathBuf) -> Self {
        Input {
            path,
            folder: PathBuf::new(),
            channel: Channel::Mix,
            suffix: "",
        }
    }

    /// Whether this is standard input.
    pub fn is_standard_input(&self) -> bool {
        self.path == Path::new(STANDARD_INPUT)
    }

    /// Whether this and another one are different channels of a file.
    pub fn is_other_channel(&self, other: &Input) -> bool {
        self.path == other.path && self.channel != other.channel
    }

    /// As messages call it.
    pub fn name(&self) -> String {
        self.named(&self.path)
    }

    /// As a progress bar calls it, without its folder.
    pub fn short_name(&self) -> String {
        self.named(self.path.file_name().map_or(&self.path, Path::new))
    }

    fn named(&self, path: &Path) -> String {
        let path = match self.is_standard_input() {
            true => "standard input".to_owned(),
            false => path.display().to_string(),
        };
        match self.suffix {
            "" => path,
            suffix => format!("{path} ({})", suffix.trim_start_matches('-')),
        }
    }
}

/// The recordings that a file stands for.
pub(super) fn channels(input: Input, choice: ChannelChoice) -> Vec<Input> {
    let one = |channel, suffix| Input {
        channel,
        suffix,
        ..input.clone()
    };
    match choice {
        ChannelChoice::Mix => vec![one(Channel::Mix, "")],
        ChannelChoice::Left => vec![one(Channel::Left, "")],
        ChannelChoice::Right => vec![one(Channel::Right, "")],
        ChannelChoice::Split => vec![one(Channel::Left, "-left"), one(Channel::Right, "-right")],
    }
}
