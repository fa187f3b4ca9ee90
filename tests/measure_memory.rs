//! The memory that is measured is that of the process. In a file, and so a process, of its own: nothing else allocates.
#![cfg(feature = "measure")]
#![cfg(target_os = "linux")]

use whisper_rs::measure::{host_memory, reset_host_peak};

#[test]
fn the_peak_sees_memory_that_is_gone_until_it_is_reset() {
    const SIZE: usize = 256 << 20;
    let before = host_memory().unwrap();
    let block = std::hint::black_box(vec![1u8; SIZE]);
    let during = host_memory().unwrap();
    drop(block);
    let after = host_memory().unwrap();

    assert!(during.current >= before.current + SIZE as u64 * 9 / 10);
    assert!(after.current < during.current);
    // The kernel's counters of different threads are not added up at once.
    assert!(
        after.peak + SIZE as u64 / 10 >= during.current,
        "{during:?} {after:?}"
    );
    // A sandbox may forbid it.
    if reset_host_peak() {
        let reset = host_memory().unwrap();
        assert!(
            reset.peak + SIZE as u64 / 2 < after.peak,
            "{after:?} {reset:?}"
        );
    }
}
