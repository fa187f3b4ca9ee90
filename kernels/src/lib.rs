//! Custom Burn operations for Whisper.
