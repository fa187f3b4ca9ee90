//! From `--model` to a checkpoint.
use std::path::Path;
use whisper_weights::Checkpoint;
/// mock
pub fn checkpoint(_model: &str, _dir: Option<&Path>) -> Result<Checkpoint, String> {
    Ok(Checkpoint)
}
