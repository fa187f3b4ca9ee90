//! The flags about what a run tells while it goes on.

use clap::ValueEnum;
use tracing::Level;

use super::heading;
use super::values::{self, Choice};

/// How much is told meanwhile.
#[derive(Debug, clap::Args)]
#[command(rename_all = "snake_case", next_help_heading = heading::FEEDBACK)]
pub struct FeedbackFlags {
    /// Print the transcript as it comes (True), or show a progress bar (False)
    #[arg(long, default_value = "True")]
    pub verbose: bool,

    /// Colour the printed transcript by how probable each token is, from red to green; auto: on a terminal
    #[arg(
        long,
        value_parser = values::choice,
        num_args = 0..=1,
        default_value = "auto",
        default_missing_value = "True",
        value_name = "auto|True|False",
    )]
    pub print_colors: Choice,

    /// Print timestamps and other special tokens as they stand in the text
    #[arg(long, hide_short_help = true)]
    pub print_special: bool,

    /// Tell every ten seconds how far a file is where there is no terminal, with --verbose True as well
    #[arg(long, hide_short_help = true)]
    pub print_progress: bool,

    /// Tell nothing but the transcript and errors
    #[arg(short, long)]
    quiet: bool,

    /// Least important messages to tell, on standard error
    #[arg(long, value_enum, default_value = "info", value_name = "LEVEL")]
    log_level: LogLevel,

    /// Write messages as lines for people or as JSON, a line each
    #[arg(
        long,
        value_enum,
        default_value = "text",
        value_name = "FORMAT",
        hide_short_help = true
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
