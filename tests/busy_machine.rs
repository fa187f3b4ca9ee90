//! Beside programs that never wait a transcription slows down in proportion, since threads that wait for each other sleep. In a file, and so
//! a process, of its own, whose CPU time is measured; the first run fetches the model.
#![cfg(all(feature = "audio-files", feature = "fetch"))]
#![cfg(target_os = "linux")]

use std::process::{Child, Command, Stdio};
use std::time::Instant;

use whisper_rs::{Audio, ComputeType, TranscribeOptions, Whisper, device};
use whisper_weights::{Checkpoint, Silent, fetch};

/// Processes that compute without end, and end with this.
struct BusyLoops(Vec<Child>);

impl BusyLoops {
    fn start(count: usize) -> Self {
        let start = |_| {
            Command::new("sh")
                .args(["-c", "while :; do :; done"])
                .stdin(Stdio::null())
                .spawn()
                .expect("a shell")
        };
        Self((0..count).map(start).collect())
    }
}

impl Drop for BusyLoops {
    fn drop(&mut self) {
        for child in &mut self.0 {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

/// Seconds of CPU time that this process has taken, to a hundredth: user and system time of `/proc/self/stat`.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    // The name, which may hold blanks, ends with the last parenthesis.
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks
        .map(|ticks| ticks.parse::<f64>().unwrap())
        .sum::<f64>()
        / 100.0
}

/// Wall and CPU time of some work.
fn measure(work: impl FnOnce()) -> (f64, f64) {
    let (begin, cpu) = (Instant::now(), cpu_seconds());
    work();
    (begin.elapsed().as_secs_f64(), cpu_seconds() - cpu)
}

#[test]
fn beside_as_many_busy_loops_as_cores_it_slows_down_in_proportion() {
    let device = device::open("cpu").unwrap();
    let checkpoint = Checkpoint::open(fetch("tiny.en", &Silent).unwrap()).unwrap();
    let whisper = Whisper::from_checkpoint_as(&checkpoint, &device, ComputeType::Float32).unwrap();
    let audio = Audio::open(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/jfk.wav")).unwrap();
    let mut options = TranscribeOptions::default();
    options.temperatures = vec![0.0];
    let transcribe = || drop(whisper.transcribe(&audio, &options).unwrap());
    transcribe();

    // Other programs come and go: one of three times has to do.
    assert!((0..3).any(|_| slows_down_in_proportion(transcribe)));
}

fn slows_down_in_proportion(transcribe: impl Fn()) -> bool {
    let (wall, cpu) = measure(&transcribe);
    let loops = BusyLoops::start(std::thread::available_parallelism().unwrap().get());
    let (wall_beside, cpu_beside) = measure(&transcribe);
    drop(loops);
    println!(
        "alone {wall:.2} s, {cpu:.2} s of CPU; beside {wall_beside:.2} s, {cpu_beside:.2} s of CPU"
    );
    // Threads that spin while they wait take CPU time for it; the caches are shared with the loops. Half of each core is left, and where
    // threads wait for one that is not run, it takes ten times as long.
    cpu_beside < 2.0 * cpu + 0.3 && wall_beside < 5.0 * wall
}
