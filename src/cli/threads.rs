//! `--threads`.

use whisper_rs::{Error, threads};

use super::feedback::messages;

/// Sizes the thread pool, of which the calling thread becomes one, and warns where it is smaller than was asked for. To be
/// called once, before any work on the CPU.
pub fn configure(asked: usize) -> Result<(), Error> {
    let threads = threads::configure_with_this_thread(asked)?;
    if threads < asked {
        messages::warning(format!(
            "--threads {asked} is more than this machine's cores can bear: using {threads}"
        ));
    }
    Ok(())
}
