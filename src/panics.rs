//! Panics of other code, as errors.

use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::{Arc, Mutex, PoisonError};

/// Calls what may panic where a driver is missing or broken, and gives the message of the panic instead, in one line.
///
/// GPU runtimes work on threads of their own, and a panic there becomes another, of less use, here. So nothing is printed of
/// panics on any thread meanwhile, and the first message counts. One call at a time.
pub(crate) fn caught<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    // A hook is the process's: another call would put back what this one has set.
    static HOOK: Mutex<()> = Mutex::new(());
    let _hook = HOOK.lock().unwrap_or_else(PoisonError::into_inner);
    let first: Arc<Mutex<Option<String>>> = Arc::default();
    let heard = Arc::clone(&first);
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        let mut first = heard.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert_with(|| one_line(panic));
    }));
    let result = panic::catch_unwind(AssertUnwindSafe(call));
    panic::set_hook(before);
    result.map_err(|_| {
        let mut first = first.lock().unwrap_or_else(PoisonError::into_inner);
        first.take().unwrap_or_else(|| "no reason given".to_owned())
    })
}

fn one_line(panic: &PanicHookInfo<'_>) -> String {
    let message = panic.payload_as_str().unwrap_or("no reason given");
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_its_first_message() {
        assert_eq!(caught(|| 3), Ok(3));
        let nested = || -> u8 {
            let inner = std::thread::spawn(|| panic!("no driver:\n  libcuda.so is missing"));
            inner.join().expect("the thread ends")
        };
        let reason = caught(nested).unwrap_err();
        assert_eq!(reason, "no driver: libcuda.so is missing");
    }
}
