//! Which batches the memory of a device holds.

use burn::tensor::{DType, Device};
use whisper_rs::device::is_gpu;
use whisper_rs::{Error, Numbers, WeightNumbers, measure};
use whisper_weights::ModelDims;

use super::report::bytes;

/// Most windows at a time, whatever the memory.
const MOST: usize = 1024;

/// Where batches are to find room.
pub struct Room {
    /// The device's memory, where that is known: all of a GPU's, or what is free of the host's.
    memory: Option<u64>,
    of_a_window: u64,
}

impl Room {
    pub fn on(device: &Device, dims: &ModelDims, numbers: Numbers) -> Self {
        Self {
            memory: match is_gpu(device) {
                true => measure::device_capacity(device),
                false => measure::system_memory().map(|memory| memory.available),
            },
            of_a_window: of_a_window(dims, numbers),
        }
    }

    /// Refuses a batch that cannot have any room.
    pub fn check(&self, batch: usize) -> Result<(), Error> {
        if !(1..=MOST).contains(&batch) {
            return Err(Error::Option(format!(
                "--batch {batch}: between 1 and {MOST} windows are measured at a time"
            )));
        }
        let needed = batch as u64 * self.of_a_window;
        match self.memory.filter(|&memory| memory < needed) {
            None => Ok(()),
            Some(memory) => Err(Error::Option(format!(
                "--batch {batch}: takes {}, and {} are there; give a smaller one",
                bytes(needed),
                bytes(memory)
            ))),
        }
    }
}

/// Bytes that one window of a batch takes at least, beside the model: its features, the widest layer of the encoder, and what
/// the decoder keeps of it and of its tokens.
fn of_a_window(dims: &ModelDims, numbers: Numbers) -> u64 {
    let (positions, state) = (dims.n_audio_ctx, dims.n_audio_state);
    let features = 2 * dims.n_mels * 2 * positions;
    // The states, those before the layer, and four times their width in the MLP.
    let encoder = (2 + 4) * positions * state;
    let of_a_position = 2 * dims.n_text_layer * dims.n_text_state;
    let of_tokens = of_a_position * dims.n_text_ctx;
    let states = features + encoder + of_tokens + dims.n_vocab;
    let state_size = DType::from(numbers.states).size();
    let cross_size = match numbers.weights {
        WeightNumbers::Int8 => DType::F16.size(),
        _ => state_size,
    };
    (states * state_size + of_a_position * positions * cross_size) as u64
}

#[cfg(test)]
mod tests {
    use whisper_rs::ComputeType;

    use super::*;

    #[test]
    fn a_window_takes_what_its_features_states_and_caches_take() {
        let numbers = ComputeType::Float32.numbers_on(&Device::flex()).unwrap();
        let window = |name| of_a_window(&ModelDims::of(name).unwrap(), numbers);
        // 1.9, 13.8 and 23.9 MB, and 0.2 MB of logits.
        let tiny = window("tiny");
        assert!((39_000_000..41_000_000).contains(&tiny), "{tiny}");
        assert!(window("large-v3") > 10 * tiny);
        // 4 layers of keys and values of 1500 positions, 384 wide, in half precision.
        let int8 = ComputeType::Int8.numbers_on(&Device::flex()).unwrap();
        let int8 = of_a_window(&ModelDims::of("tiny").unwrap(), int8);
        assert_eq!(tiny - int8, 2 * 4 * 1500 * 384 * 2);
    }

    #[test]
    fn batches_without_room_are_refused() {
        let room = |memory| Room {
            memory,
            of_a_window: 40_000_000,
        };
        assert!(room(Some(80_000_000)).check(2).is_ok());
        let message = room(Some(80_000_000)).check(3).unwrap_err().to_string();
        assert_eq!(
            message,
            "--batch 3: takes 120 MB, and 80 MB are there; give a smaller one"
        );
        assert!(room(None).check(1024).is_ok());
        assert!(room(None).check(0).is_err() && room(None).check(1025).is_err());
    }
}
