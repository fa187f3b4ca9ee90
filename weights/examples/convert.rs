//! Writes a checkpoint as a Hugging Face folder:
//! `cargo run -p whisper-weights --example convert -- MODEL FOLDER [f32|f16|bf16]`.
//!
//! MODEL is a name of the catalogue or a path. Without a type every tensor keeps its own.

use std::process::ExitCode;

use whisper_weights::{Checkpoint, DType, Event, fetch};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (model, folder, dtype) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..]
    {
        [model, folder] => (model, folder, None),
        [model, folder, "f32"] => (model, folder, Some(DType::F32)),
        [model, folder, "f16"] => (model, folder, Some(DType::F16)),
        [model, folder, "bf16"] => (model, folder, Some(DType::BF16)),
        _ => {
            eprintln!("usage: convert MODEL FOLDER [f32|f16|bf16]");
            return ExitCode::from(2);
        }
    };
    let messages = |event: Event<'_>| {
        if let Event::Message(line) = event {
            eprintln!("{line}");
        }
    };
    let written = fetch(model, &messages)
        .and_then(Checkpoint::open)
        .and_then(|checkpoint| checkpoint.write_safetensors(folder, dtype));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
