//! The device of a run: opened by its name, or chosen, which is told.

use whisper_rs::device::{self, ChosenDevice};
use whisper_rs::{Error, Result};

use super::feedback::messages;
use super::feedback::waiting::Waiting;

/// Opens the device of `--device`. Of `auto` one line says what it chose, and why nothing better, where there was a choice.
///
/// # Errors
///
/// [`Error::Option`]: the command line asks for what this machine or build does not have.
pub fn open(name: &str) -> Result<ChosenDevice, Error> {
    let waiting = Waiting::for_choice(name);
    let chosen = device::choose(name).map_err(|error| Error::Option(error.to_string()))?;
    drop(waiting);
    if name == "auto" && device::has_gpu_backend() {
        messages::note(line(&chosen));
    }
    Ok(chosen)
}

/// What reports call a device: `cpu`, `cuda:0 (NVIDIA H100 80GB HBM3)`.
pub fn title(chosen: &ChosenDevice) -> String {
    match &chosen.description {
        Some(description) => format!("{} ({description})", chosen.name),
        None => chosen.name.clone(),
    }
}

/// `device: cuda:0 (NVIDIA H100 80GB HBM3); not vulkan: this machine has no such GPU`
fn line(chosen: &ChosenDevice) -> String {
    let mut line = format!("device: {}", title(chosen));
    for refusal in &chosen.refused {
        line += &format!("; not {refusal}");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_is_one_line() {
        let line = line(&device::auto());
        assert!(
            line.starts_with("device: ") && !line.contains('\n'),
            "{line}"
        );
    }

    #[test]
    fn any_name_is_opened() {
        assert!(open("auto").is_ok());
        assert_eq!(title(&open("cpu").unwrap()), "cpu");
        assert!(matches!(open("abacus"), Err(Error::Option(_))));
    }

    #[test]
    fn a_gpu_is_told_in_its_driver_s_words() {
        let mut chosen = open("cpu").unwrap();
        chosen.name = "cuda:0".to_owned();
        chosen.description = Some("a card".to_owned());
        assert_eq!(title(&chosen), "cuda:0 (a card)");
    }
}
