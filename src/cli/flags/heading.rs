//! The groups of flags in the help and the manual page.

pub const CONTEXT: &str = "Context";
pub const DECODING: &str = "Decoding";
pub const FEEDBACK: &str = "Feedback";
pub const INPUT: &str = "Input";
pub const MODEL: &str = "Model and device";
pub const OUTPUT: &str = "Output";
pub const SETTINGS: &str = "Settings";
pub const SPEECH: &str = "Speech";
pub const WORDS: &str = "Words";
