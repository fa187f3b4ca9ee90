//! The device of a run: opened by its name, or chosen, which is told.

use burn::tensor::Device;
use whisper_rs::device::{self, Chosen, is_gpu};
use whisper_rs::{Error, Result};

use super::messages;
use super::waiting::Waiting;

/// Opens the device of `--device`. Of `auto` one line says what it chose, and why nothing better, where there was a choice.
pub fn open(name: &str) -> Result<Device, Error> {
    if name != "auto" || !device::has_gpu_backend() {
        return device::open(name);
    }
    let waiting = Waiting::for_a_gpu(true);
    let chosen = device::auto();
    drop(waiting);
    messages::note(line(&chosen));
    Ok(chosen.device)
}

/// What reports call the device of `--device`: `auto` without a GPU is the CPU.
pub fn shown(name: &str, device: &Device) -> String {
    match name {
        "auto" if !is_gpu(device) => "cpu".to_owned(),
        name => name.to_owned(),
    }
}

/// `device: cuda:0 (NVIDIA H100 80GB HBM3); not vulkan: this machine has no such GPU`
fn line(chosen: &Chosen) -> String {
    let mut line = format!("device: {}", chosen.name);
    if let Some(description) = &chosen.description {
        line += &format!(" ({description})");
    }
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
        assert!(open("auto").is_ok() && open("cpu").is_ok());
        assert!(open("abacus").is_err());
        assert_eq!(shown("auto", &Device::flex()), "cpu");
        assert_eq!(shown("ndarray", &Device::flex()), "ndarray");
    }
}
