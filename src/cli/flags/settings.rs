//! The flags about where defaults of one's own are.

use std::path::PathBuf;

use super::heading;

/// Where defaults come from.
#[derive(Debug, clap::Args)]
#[command(rename_all = "snake_case", next_help_heading = heading::SETTINGS)]
pub struct SettingsFlags {
    /// File with defaults for these flags [default: whisper-rs/config.toml in the user's folder of settings]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Print the flags in force and where each comes from, as a config file, and do nothing else
    #[arg(long)]
    pub print_config: bool,
}
