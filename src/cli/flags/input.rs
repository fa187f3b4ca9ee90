//! The flags about what is read.

use std::path::PathBuf;

use whisper_rs::audio::{AudioOptions, RawFormat};

use super::heading;
use super::values::{self, Optional};
use crate::cli::inputs::ChannelChoice;

/// What is read.
#[derive(Debug, clap::Args)]
#[command(rename_all = "snake_case", next_help_heading = heading::INPUT)]
pub struct InputFlags {
    /// Read further names of files from this file, a line each; - is standard input
    #[arg(
        long,
        default_value = "None",
        value_name = "LIST",
        hide_short_help = true
    )]
    pub files_from: Optional<PathBuf>,

    /// Look for audio in the folders within folders as well
    #[arg(short = 'r', long)]
    pub recursive: bool,

    /// Skip files whose outputs are all there and no older than they are, such as those that a run finished before it was stopped
    #[arg(long)]
    pub resume: bool,

    /// Channel to hear; split transcribes left and right each by itself
    #[arg(long, value_enum, default_value = "mix")]
    pub channel: ChannelChoice,

    /// Files are samples without a header: type, rate and channels, as s16le,16000,1
    #[arg(
        long,
        value_parser = values::raw_format,
        default_value = "None",
        value_name = "FORMAT",
        hide_short_help = true,
    )]
    raw: Optional<RawFormat>,
}

impl InputFlags {
    /// How the files are opened, but for the channel.
    pub fn audio_options(&self) -> AudioOptions {
        let mut options = decoded_by_ffmpeg_too();
        options.raw = self.raw.0;
        options
    }
}

/// Files are opened with the help of an installed ffmpeg where they are not supported.
pub fn decoded_by_ffmpeg_too() -> AudioOptions {
    let mut options = AudioOptions::default();
    options.ffmpeg = true;
    options
}
