//! Ending work that is under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::{Error, Result};

/// Ends a transcription from elsewhere: another thread, a signal, a button. Its clones are one token.
///
/// A decoder looks at it before each token, so that it ends within one step of decoding, or within what cannot be parted: the
/// pass over the recording for its features, the encoder's run over a window, the words of a window; see [`Transcription::until`](crate::Transcription::until) for what is there then.
///
/// ```
/// use whisper_rs::CancelToken;
///
/// let token = CancelToken::new();
/// let button = token.clone();
/// std::thread::spawn(move || button.cancel()).join().unwrap();
/// assert!(token.is_cancelled());
/// ```
#[derive(Clone, Debug, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// A token that nobody has asked anything of.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for an end, for good: a token is not used again.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether an end was asked for.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// What is set once an end was asked for, for what takes no token, such as
    /// [`Checkpoint::write_safetensors_unless`](whisper_weights::Checkpoint::write_safetensors_unless).
    pub fn as_flag(&self) -> &AtomicBool {
        &self.0
    }

    /// # Errors
    ///
    /// [`Error::Cancelled`] once an end was asked for.
    pub(crate) fn check(&self) -> Result<()> {
        match self.is_cancelled() {
            true => Err(Error::Cancelled),
            false => Ok(()),
        }
    }
}
