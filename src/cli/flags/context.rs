//! The flags about what a window is told of what was said before it.

use whisper_rs::TranscribeOptions;

use super::heading;
use super::values::{self, Optional};

/// The text around a window.
#[derive(Debug, clap::Args)]
#[command(rename_all = "snake_case", next_help_heading = heading::CONTEXT)]
pub struct ContextFlags {
    /// Text to put before the first window, as if it had been said before
    #[arg(long, default_value = "None", value_name = "TEXT")]
    initial_prompt: Optional<String>,

    /// Put the initial prompt before every window, not only the first
    #[arg(long, hide_short_help = true)]
    carry_initial_prompt: bool,

    /// Give the text of each window to the next one as a prompt
    #[arg(long, default_value = "True", hide_short_help = true)]
    condition_on_previous_text: bool,

    /// A window decoded at a higher temperature is no prompt for the next
    #[arg(
        long,
        value_parser = values::number,
        default_value = "0.5",
        value_name = "TEMPERATURE",
        hide_short_help = true,
    )]
    prompt_reset_on_temperature: f64,

    /// Text that every window begins with
    #[arg(
        long,
        default_value = "None",
        value_name = "TEXT",
        hide_short_help = true
    )]
    prefix: Optional<String>,

    /// Words that may be spoken, as names: put before every window, as if they had been said before
    #[arg(long, default_value = "None", value_name = "TEXT")]
    hotwords: Optional<String>,
}

impl ContextFlags {
    /// Refuses what makes no sense together.
    pub fn check(&self) -> Result<(), String> {
        match (&self.prefix.0, &self.hotwords.0) {
            (Some(_), Some(_)) => Err("give --prefix or --hotwords, not both".to_owned()),
            _ => Ok(()),
        }
    }

    /// Puts the flags into the library's options.
    pub fn apply(&self, options: &mut TranscribeOptions) {
        options.initial_prompt = self.initial_prompt.0.clone();
        options.carry_initial_prompt = self.carry_initial_prompt;
        options.condition_on_previous_text = self.condition_on_previous_text;
        options.prompt_reset_on_temperature = self.prompt_reset_on_temperature;
        options.prefix = self.prefix.0.clone();
        options.hotwords = self.hotwords.0.clone();
    }
}
