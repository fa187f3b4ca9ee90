//! A guard against code that becomes slower: the instructions that the CPU's operations take are counted by valgrind and held
//! against `tests/data/guard/instructions.tsv`. Counts do not depend on what else the machine does, as times would.
//!
//! valgrind shows programs a CPU with AVX2 and FMA and without AVX-512, so all machines that have these count the same code. One
//! thread, fixed shapes and values; only what a case itself does is counted. `BLESS=1` writes the file anew.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod callgrind;
mod cases;
#[path = "../common/guard.rs"]
mod guard;

use cases::CASES;
use guard::Guard;

/// By how much a count may differ from the file's: other versions of the C library copy memory in other ways.
const TOLERANCE: f64 = 0.02;

#[test]
#[ignore = "needs valgrind"]
fn each_case_takes_the_instructions_of_the_file() {
    let counts = callgrind::count("every_case_runs", cases::COUNTED, CASES.len());
    let counted = CASES.iter().zip(counts);
    let rows = counted.map(|(case, count)| (case.name.to_owned(), vec![count]));
    Guard {
        file: "instructions.tsv",
        columns: &["case", "instructions"],
        tolerance: TOLERANCE,
    }
    .check(rows.collect());
}

/// What valgrind runs; alone it shows that the cases compute something.
#[test]
fn every_case_runs() {
    if callgrind::is_counting() {
        assert!(
            is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("fma")
                && is_x86_feature_detected!("f16c")
                && !is_x86_feature_detected!("avx512f"),
            "the counts are those of AVX2 with FMA, which this CPU has not"
        );
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .use_current_thread();
    let pool = pool.build().expect("this thread is no pool's yet");
    pool.install(|| {
        for case in CASES {
            case.run();
        }
    });
}
