//! The flags about what a run tells while it goes on.

use clap::ValueEnum;
use tracing::Level;

use super::heading;
use super::values::{self, Choice};

/// How much is told meanwhile.
#[derive(Debug, clap::Args)]
#[command(rename_all = "snake_case")]
pub struct FeedbackFlags {
    /// Print the transcript as it comes (True), or show a progress bar (False)
    #[arg(
        long,
        value_parser = values::boolean,
        num_args = 0..=1,
        default_value = "True",
        default_missing_value = "True",
        value_name = values::BOOLEAN,
        help_heading = heading::FEEDBACK,
    )]
    pub verbose: bool,

    /// Colour the printed transcript by how probable each token is, from red to green; auto: on a terminal
    #[arg(
        long,
        value_parser = values::choice,
        num_args = 0..=1,
        default_value = "auto",
        default_missing_value = "True",
        value_name = "auto|True|False",
        help_heading = heading::FEEDBACK,
    )]
    pub print_colors: Choice,

    /// Tell nothing but the transcript and errors
    #[arg(
        short,
        long,
        value_parser = values::boolean,
        num_args = 0..=1,
        default_value = "False",
        default_missing_value = "True",
        value_name = values::BOOLEAN,
        help_heading = heading::FEEDBACK,
    )]
    pub quiet: bool,

    /// Least important messages to tell, on standard error
    #[arg(
        long,
        value_enum,
        default_value = "info",
        value_name = "LEVEL",
        help_heading = heading::FEEDBACK,
    )]
    pub log_level: LogLevel,

    /// Write messages as lines for people or as JSON, a line each
    #[arg(
        long,
        value_enum,
        default_value = "text",
        value_name = "FORMAT",
        help_heading = heading::FEEDBACK,
        hide_short_help = true,
    )]
    pub log_format: LogFormat,
}

/// What `--log_format` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

/// What `--log_level` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// What went wrong
    Error,
    /// And what is not as it may seem
    Warning,
    /// And what is going on
    Info,
    /// And each segment with how it was decoded
    Debug,
}

impl FeedbackFlags {
    /// The least important messages to tell.
    pub fn level(&self) -> Level {
        match self.log_level {
            _ if self.quiet => Level::ERROR,
            LogLevel::Error => Level::ERROR,
            LogLevel::Warning => Level::WARN,
            LogLevel::Info => Level::INFO,
            LogLevel::Debug => Level::DEBUG,
        }
    }
}
