//! `whisper-rs transcribe`: from audio files to transcripts.

mod batch;
mod run;

use std::process::ExitCode;

use batch::Batch;
use run::Run;

use super::arguments::TranscribeArguments;
use super::chosen_device;
use super::feedback::interrupt::Interrupt;
use super::feedback::reports::at_once;
use super::feedback::transcript_lines::TranscriptLines;
use super::feedback::{log, messages, progress};
use super::flags::feedback::LogFormat;
use super::inputs::{self, Found};
use super::outputs::Outputs;
use super::settings;
use super::standard_output::StandardOutput;
use super::{FAILED, USAGE, command, threads};

/// Transcribes each file in turn. A file that fails is reported and the others still go through.
pub fn run(arguments: &TranscribeArguments) -> ExitCode {
    let feedback = &arguments.feedback;
    log::configure(feedback.level(), feedback.log_format == LogFormat::Json);
    (settings::misspelt_variables(&command()).iter()).for_each(messages::warning);
    let files = arguments.output.writes_files();
    let interrupt = match Interrupt::watch(move || {
        progress::clear_line();
        messages::error(at_once(files));
    }) {
        Ok(interrupt) => interrupt,
        Err(error) => return fail(FAILED, format!("cannot watch for Ctrl-C: {error}")),
    };
    // The threads first: to choose a device takes work on the CPU.
    if let Err(error) = threads::configure(arguments.engine.model.threads) {
        return fail(FAILED, error);
    }
    let device = match chosen_device::open(&arguments.engine.model.device_name()) {
        Ok(chosen) => chosen.device,
        Err(error) => return fail(USAGE, error),
    };
    let Found {
        inputs,
        repeated,
        errors,
    } = match inputs::inputs(&arguments.files, &arguments.input) {
        // Outputs of several names may be made of one input.
        Ok(found) if arguments.output.names_each() => found,
        Ok(found) => found.once_each(),
        Err(refused) => return refused.end(),
    };
    errors.iter().for_each(messages::error);
    repeated.iter().for_each(messages::note);
    if inputs.is_empty() {
        return ExitCode::from(FAILED);
    }
    let read = [&arguments.input.files_from.0, &arguments.settings.config];
    let kept: Vec<_> = read.into_iter().flatten().cloned().collect();
    let outputs = match Outputs::open(&arguments.output, &inputs, &kept, arguments.unfinished()) {
        Ok(outputs) => outputs,
        Err(refused) => return refused.end(),
    };
    (arguments.warnings(&device)).for_each(messages::warning);
    if outputs.is_none() && !arguments.feedback.verbose && !arguments.engine.speech.detect_language
    {
        messages::warning(
            "the transcript goes nowhere: --verbose False prints none, and without --output_format \
             or --output_dir no file is written",
        );
    }
    // A mistyped model name should not wait for the audio to be decoded.
    let models = match arguments.models() {
        Ok(models) => models,
        Err(refused) => return refused.end(),
    };
    Run {
        arguments,
        inputs: &inputs,
        batch: Batch::new(&inputs),
        interrupt,
        device,
        has_worked: arguments.engine.model.warmup,
        outputs: outputs.as_ref(),
        models,
        engine: None,
        stdout: StandardOutput::default(),
        lines: TranscriptLines::new(
            feedback.print_colors,
            feedback.print_special,
            !arguments.engine.decoding.without_timestamps,
        ),
    }
    .all_files(!errors.is_empty())
}

fn fail(code: u8, message: impl std::fmt::Display) -> ExitCode {
    messages::error(message);
    ExitCode::from(code)
}
