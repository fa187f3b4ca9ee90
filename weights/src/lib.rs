//! Whisper checkpoints: formats, catalogue, fetching.
