//! The encoder for one window after the other.

use std::sync::{Arc, Mutex, PoisonError};

use burn::tensor::{Device, Tensor};
use whisper_kernels::{Repeated, overwrite};

use super::WhisperModel;
use crate::{Error, Result};

/// [`WhisperModel::encode`] for windows of one shape, which a device that can records once and then repeats as one launch: see
/// [`Repeated`].
pub struct RepeatedEncoder<'a> {
    device: Device,
    model: &'a WhisperModel,
    work: Option<Work<'a>>,
}

struct Work<'a> {
    shape: [usize; 3],
    /// The features of the window, always in the same memory.
    mel: Arc<Mutex<Tensor<3>>>,
    encode: Repeated<Tensor<3>, Encode<'a>>,
}

type Encode<'a> = Box<dyn FnMut() -> Tensor<3> + Send + 'a>;

impl<'a> RepeatedEncoder<'a> {
    /// The encoder of a model that lies on `device`.
    pub fn new(model: &'a WhisperModel, device: &Device) -> Self {
        Self {
            device: device.clone(),
            model,
            work: None,
        }
    }

    /// Encodes windows of 30 s. The next call may write its result where this one's is.
    ///
    /// # Shapes
    ///
    /// - mel: `[batch, n_mels, 3000]`
    /// - output: `[batch, 1500, n_state]`
    ///
    /// # Errors
    ///
    /// [`Error::Device`] when the device fails.
    pub fn encode(&mut self, mel: Tensor<3>) -> Result<Tensor<3>> {
        match self.encode_repeated(mel.clone()) {
            // What it would have written is lost: the work is done by itself, in other memory.
            Err(whisper_kernels::Error::Recording { .. }) => {
                self.work = None;
                Ok(self.model.encode(mel))
            }
            encoded => encoded.map_err(|error| Error::Device(error.to_string())),
        }
    }

    fn encode_repeated(&mut self, mel: Tensor<3>) -> whisper_kernels::Result<Tensor<3>> {
        let shape = mel.dims();
        match &mut self.work {
            Some(work) if work.shape == shape => {
                let mut kept = work.mel.lock().unwrap_or_else(PoisonError::into_inner);
                *kept = overwrite(kept.clone(), mel);
            }
            work => *work = Some(Work::new(self.model, &self.device, mel)),
        }
        let Some(work) = &mut self.work else {
            unreachable!("the work has just been made");
        };
        work.encode.run().cloned()
    }
}

/// Windows before the encoder is made ready to be recorded: the decoder, whose recordings pay sooner, has to wait meanwhile.
const FIRST_WINDOWS: usize = 2;

impl<'a> Work<'a> {
    fn new(model: &'a WhisperModel, device: &Device, mel: Tensor<3>) -> Self {
        let shape = mel.dims();
        // Memory of its own, that nobody else writes.
        let own = overwrite(Tensor::zeros(shape, (device, mel.dtype())), mel);
        let mel = Arc::new(Mutex::new(own));
        let kept = Arc::clone(&mel);
        let encode = move || {
            let mel = kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
            model.encode(mel)
        };
        Self {
            shape,
            mel,
            encode: Repeated::new(device, Box::new(encode) as Encode<'a>).not_before(FIRST_WINDOWS),
        }
    }
}
