//! Runs that are asked to end.
#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::common::{Run, data, run, wav, whisper_rs};
use crate::running::{LONG, arguments, first_line, names, send, start, wait_for};

#[test]
fn an_interrupted_run_leaves_what_there_is_and_says_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    let mut child = start(&["-o", place, "-f", "txt,srt,json"]);
    let (line, mut stdout) = first_line(&mut child);
    send("-INT", &child);
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    let ended = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(130), "{stderr}");
    let error = stderr.lines().last().unwrap();
    for says in [
        "error: interrupted at 0:",
        "of 0:53",
        "--resume",
        "--clip_timestamps",
    ] {
        assert!(error.contains(says), "{error}");
    }
    assert_eq!(
        names(folder.path()),
        [
            "sonnet1.json.whisper-rs.partial",
            "sonnet1.srt.whisper-rs.partial",
            "sonnet1.txt.whisper-rs.partial"
        ]
    );
    let json = crate::common::json(&folder.path().join("sonnet1.json.whisper-rs.partial"));
    let segments = json["segments"].as_array().unwrap();
    assert_eq!(segments.len(), 1 + rest.lines().count());
    assert!(line.contains(segments[0]["text"].as_str().unwrap()));
    assert!(
        error.contains(&format!(
            "{}/sonnet1.*.whisper-rs.partial",
            folder.path().display()
        )),
        "{error}"
    );
}

/// A second part of a recording, in the same folder, leaves what there is of the first, and so does any run a file of the
/// user's own.
#[test]
fn what_an_interrupted_run_left_stays_until_all_of_it_is_done_again() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    let own = folder.path().join("sonnet1.txt.partial");
    fs::write(&own, "my own").unwrap();
    let flags = ["-o", place, "-f", "txt,srt"];
    let interrupted = |flags: &[&str]| {
        let mut child = start(flags);
        let (line, stdout) = first_line(&mut child);
        send("-INT", &child);
        drop(stdout);
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(130), "{ended:?}");
        line
    };
    let first_line = interrupted(&flags);
    let first = ["sonnet1.srt", "sonnet1.txt"].map(|name| format!("{name}.whisper-rs.partial"));
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let left = first.each_ref().map(|name| read(name));
    assert!(first_line.contains(left[1].lines().next().unwrap()));

    // Again, and then from where it stopped: each is a part of its own.
    interrupted(&flags);
    let second = [&flags[..], &["--clip_timestamps", "40"]].concat();
    let clip = data(LONG);
    run(&arguments(clip.to_str().unwrap(), &second)).succeeded();
    assert_eq!(first.each_ref().map(|name| read(name)), left);
    assert_eq!(
        names(folder.path()),
        [
            "sonnet1.srt",
            "sonnet1.srt.2.whisper-rs.partial",
            "sonnet1.srt.whisper-rs.partial",
            "sonnet1.txt",
            "sonnet1.txt.2.whisper-rs.partial",
            "sonnet1.txt.partial",
            "sonnet1.txt.whisper-rs.partial",
        ]
    );
    assert_eq!(fs::read_to_string(own).unwrap(), "my own");
}

/// Waits until a run watches for SIGINT, which is one of the signals that the system says are caught.
#[cfg(target_os = "linux")]
fn wait_until_watched(child: &Child) {
    let begun = Instant::now();
    let watched = || {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
        let mask = status
            .lines()
            .find_map(|line| line.strip_prefix("SigCgt:"))?;
        let mask = u64::from_str_radix(mask.trim(), 16).ok()?;
        (mask & (1 << (2 - 1)) != 0).then_some(())
    };
    while watched().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// While the model loads, and wherever else.
#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_at_any_moment_is_told_and_leaves_no_half_file() {
    for moment in 0..10 {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().to_str().unwrap();
        let child = start(&["-o", place, "-f", "txt,json"]);
        wait_until_watched(&child);
        std::thread::sleep(Duration::from_millis(40 * moment));
        send("-INT", &child);
        let run = Run::of(child.wait_with_output().unwrap());
        assert_eq!(run.code, Some(130), "{run:?}");
        let error = run.stderr.lines().last().unwrap();
        assert!(
            error.starts_with("error: interrupted") && error.contains("--resume"),
            "{run:?}"
        );
        for name in names(folder.path()) {
            assert!(name.ends_with(".whisper-rs.partial"), "{name}: {run:?}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_while_audio_is_decoded_ends_the_run_in_words() {
    use std::io::Write;
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    for (flags, says) in [
        (
            &["-o", place][..],
            "the same command with --resume does what is not done",
        ),
        (&[], "with --output_dir it could be taken up by --resume"),
    ] {
        let mut child = whisper_rs(&arguments("-", flags))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // More than a pipe holds: when it is written, most of it has been read. The end never comes.
        let mut stdin = child.stdin.take().unwrap();
        let clip = wav::pcm16(1, 16_000, &vec![0; 1 << 20]);
        stdin.write_all(&clip[..1 << 20]).unwrap();
        send("-INT", &child);
        let run = Run::of(child.wait_with_output().unwrap());
        drop(stdin);
        assert!(run.one_error(130).ends_with(says), "{run:?}");
        assert_eq!(names(folder.path()), [""; 0]);
    }
}

/// A run over an hour in which nothing is said, so that segments may never come, and the folder of its outputs.
fn start_on_silence() -> (Child, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("silence.wav");
    fs::write(&clip, wav::pcm16(1, 8_000, &vec![0; 3600 * 8_000])).unwrap();
    let (clip, place) = (clip.to_str().unwrap(), folder.path().to_str().unwrap());
    let child = whisper_rs(&arguments(clip, &["-o", place, "-f", "txt"]))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for(&folder.path().join("silence.txt.whisper-rs.partial"));
    (child, folder)
}

#[test]
fn an_interrupt_does_not_wait_for_the_next_segment() {
    let (child, folder) = start_on_silence();
    send("-INT", &child);
    let ended = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(130), "{stderr}");
    let told = "error: interrupted at ";
    let at = stderr.lines().find_map(|line| line.strip_prefix(told));
    let at = at.and_then(|rest| rest.split_once(" of ")).unwrap();
    // `m:ss`, where it would have been 1:00:00.
    assert_eq!(at.0.matches(':').count(), 1, "{stderr}");
    assert_eq!(
        names(folder.path()),
        ["silence.txt.whisper-rs.partial", "silence.wav"]
    );
}

#[test]
fn a_second_interrupt_ends_the_program_at_once() {
    let (mut child, _folder) = start_on_silence();
    send("-INT", &child);
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut notice = String::new();
    while !notice.contains("again ends at once") {
        notice.clear();
        assert!(stderr.read_line(&mut notice).unwrap() > 0);
    }
    send("-INT", &child);
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest}");
    // Where the run has ended meanwhile, that is what is said.
    assert!(rest.starts_with("error: interrupted"), "{rest}");
}
