//! What a run tells while it goes on, and how it ends when it is told to.
#![cfg(feature = "cli")]

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{Run, data, model, run, wav, whisper_rs};

/// Several windows of speech.
const LONG: &str = "clips/sonnet1.flac";

fn arguments<'a>(clip: &'a str, flags: &[&'a str]) -> Vec<&'a str> {
    [&["transcribe", "-m", model("tiny.en"), clip], flags].concat()
}

#[test]
fn a_quiet_run_tells_errors_alone() {
    let clip = data("clips/gen_0.1s.wav");
    let quiet = run(&arguments(
        clip.to_str().unwrap(),
        &["-q", "--language", "French"],
    ));
    assert_eq!(quiet.succeeded().stderr, "");
    let level = run(&arguments(
        clip.to_str().unwrap(),
        &["--log_level", "warning", "-l", "French"],
    ));
    assert!(
        level.succeeded().stderr.starts_with("warning: "),
        "{level:?}"
    );
    let failed = run(&arguments("no_such_file.wav", &["--quiet"]));
    assert!(failed.one_error(1).contains("no_such_file.wav"));
}

#[test]
fn messages_as_json_are_one_object_a_line() {
    let clip = data("jfk.wav");
    let clip = clip.to_str().unwrap();
    let flags = [
        "--log_format",
        "json",
        "--log_level",
        "debug",
        "-l",
        "French",
        "no_such_file.wav",
    ];
    let run = run(&arguments(clip, &flags));
    assert_eq!(run.code, Some(1), "{run:?}");
    let events: Vec<serde_json::Value> = (run.stderr.lines())
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect();
    let of_level = |level: &str| {
        events
            .iter()
            .filter(|event| event["level"] == level)
            .count()
    };
    assert_eq!((of_level("warn"), of_level("error")), (1, 1), "{events:?}");
    assert!(
        events
            .iter()
            .all(|event| event["time"].as_f64().unwrap() > 1.7e9)
    );
    let segments: Vec<_> = events
        .iter()
        .filter(|event| event["message"] == "segment")
        .collect();
    assert_eq!(segments.len(), run.stdout.lines().count());
    let text = segments[0]["text"].as_str().unwrap();
    assert!(run.stdout.contains(text) && segments[0]["avg_logprob"].is_f64());
}

#[test]
fn colours_are_for_terminals_or_on_demand() {
    let clip = data("jfk.wav");
    let clip = clip.to_str().unwrap();
    let plain = run(&arguments(clip, &[]));
    assert!(!plain.succeeded().stdout.contains('\u{1b}'));
    let coloured = run(&arguments(clip, &["--print_colors"]));
    assert!(coloured.succeeded().stdout.contains("\u{1b}[38;5;"));
    let mut text = String::new();
    let mut in_sequence = false;
    for character in coloured.stdout.chars() {
        match (in_sequence, character) {
            (_, '\u{1b}') => in_sequence = true,
            (true, 'm') => in_sequence = false,
            (true, _) => {}
            (false, other) => text.push(other),
        }
    }
    assert_eq!(text, plain.stdout, "colours change nothing but colours");
}

fn start(flags: &[&str]) -> Child {
    let clip = data(LONG);
    whisper_rs(&arguments(clip.to_str().unwrap(), flags))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits for the first segment.
fn first_line(child: &mut Child) -> (String, impl Read + use<>) {
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert!(!line.is_empty(), "the command has ended");
    (line, stdout)
}

#[cfg(unix)]
fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[cfg(unix)]
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
    let json = common::json(&folder.path().join("sonnet1.json.whisper-rs.partial"));
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
#[cfg(unix)]
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

/// Waits until a run has begun its outputs, and with them its work.
#[cfg(unix)]
fn wait_for(path: &Path) {
    let begun = Instant::now();
    while !path.exists() {
        assert!(begun.elapsed() < Duration::from_secs(300), "no {path:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A run over an hour in which nothing is said, so that segments may never come, and the folder of its outputs.
#[cfg(unix)]
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

#[cfg(unix)]
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

#[cfg(unix)]
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

#[test]
fn a_reader_that_goes_away_leaves_the_files_to_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let clip = data("jfk.wav");
    let place = folder.path().to_str().unwrap();
    let mut child = whisper_rs(&arguments(
        clip.to_str().unwrap(),
        &["-o", place, "-f", "txt,srt"],
    ))
    .stdout(Stdio::piped())
    .stderr(Stdio::piped())
    .spawn()
    .unwrap();
    drop(child.stdout.take());
    let run = Run::of(child.wait_with_output().unwrap());
    assert_eq!(run.succeeded().stderr, "");
    assert_eq!(names(folder.path()), ["jfk.srt", "jfk.txt"]);
}

#[cfg(unix)]
#[test]
fn a_run_killed_at_any_moment_leaves_whole_files_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("in"), folder.path().join("out"));
    fs::create_dir(&from).unwrap();
    const FILES: usize = 4;
    for number in 0..FILES {
        fs::copy(data("jfk.wav"), from.join(format!("{number}.wav"))).unwrap();
    }
    let flags = [
        "-q",
        "--beam_size=None",
        "--resume",
        "-f",
        "json,jsonl",
        "-o",
        to.to_str().unwrap(),
    ];
    let arguments = arguments(from.to_str().unwrap(), &flags);
    for kill in 1.. {
        let done = (0..FILES).find(|number| !to.join(format!("{number}.json")).exists());
        let Some(next) = done else { break };
        // From the beginning of a file's outputs on, at another moment each time.
        let begun = to.join(format!("{next}.jsonl.whisper-rs.partial"));
        let _ = fs::remove_file(&begun);
        let mut child = whisper_rs(&arguments)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        wait_for(&begun);
        std::thread::sleep(Duration::from_millis(kill * 150));
        child.kill().unwrap();
        child.wait().unwrap();
        for name in names(&to) {
            let path = to.join(&name);
            if name.ends_with(".json") && !name.starts_with('.') {
                assert!(common::json(&path)["text"].is_string(), "{name}");
            }
            if name.ends_with(".jsonl") {
                let lines = fs::read_to_string(&path).unwrap();
                let last = lines.lines().last().unwrap();
                let last: serde_json::Value = serde_json::from_str(last).unwrap();
                assert!(last["text"].as_str().unwrap().contains("country"), "{name}");
            }
        }
        assert!(kill < 60, "no run comes to an end");
    }
}

#[cfg(unix)]
#[test]
fn a_killed_run_leaves_no_half_file_and_is_taken_up() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    let flags = ["-o", place, "-f", "jsonl,txt", "--resume"];
    let mut child = start(&flags);
    let (_, _stdout) = first_line(&mut child);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(
        names(folder.path()),
        [
            "sonnet1.jsonl.whisper-rs.partial",
            "sonnet1.txt.whisper-rs.partial"
        ]
    );
    let partial = fs::read_to_string(folder.path().join("sonnet1.txt.whisper-rs.partial")).unwrap();
    let clip = data(LONG);
    let whole = run(&arguments(clip.to_str().unwrap(), &flags));
    whole.succeeded();
    assert_eq!(names(folder.path()), ["sonnet1.jsonl", "sonnet1.txt"]);
    let text = fs::read_to_string(folder.path().join("sonnet1.txt")).unwrap();
    assert!(text.starts_with(&partial) && text.len() > partial.len());
    let again = run(&arguments(clip.to_str().unwrap(), &flags));
    assert_eq!(again.succeeded().stdout, "");
    assert!(
        again.stderr.contains("1 of 1 were done already"),
        "{again:?}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_and_leaves_no_half_file() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    let clip = data("clips/gen_0.1s.wav");
    let clip = clip.to_str().unwrap();
    for (format, name) in [("json", "gen_0.1s.json"), ("jsonl", "gen_0.1s.jsonl")] {
        // Every write to this device fails as on a full disk.
        std::os::unix::fs::symlink("/dev/full", folder.path().join(name)).unwrap();
        let jfk = data("jfk.wav");
        let linked = name.replace("gen_0.1s", "jfk");
        std::os::unix::fs::symlink("/dev/full", folder.path().join(&linked)).unwrap();
        let run = run(&arguments(
            jfk.to_str().unwrap(),
            &["-q", "-o", place, "-f", format],
        ));
        assert_eq!(run.code, Some(1), "{run:?}");
        assert!(
            run.stderr.contains(&linked) && run.stderr.contains("No space left"),
            "{run:?}"
        );
    }
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let run = whisper_rs(&arguments(clip, &["-q", "-o", "-", "-f", "json"]))
        .stdout(full)
        .output();
    let run = run.unwrap();
    assert_eq!(run.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&run.stderr).contains("standard output: No space left"));
}

#[cfg(target_os = "linux")]
#[test]
fn files_are_written_when_standard_output_is_full() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    let clip = data("jfk.wav");
    let full = fs::OpenOptions::new().write(true).open("/dev/full");
    let output = whisper_rs(&arguments(
        clip.to_str().unwrap(),
        &["-o", place, "-f", "txt,jsonl"],
    ))
    .stdout(full.unwrap())
    .output();
    let run = Run::of(output.unwrap());
    assert!(
        run.one_error(1).starts_with("standard output: No space"),
        "{run:?}"
    );
    assert_eq!(names(folder.path()), ["jfk.jsonl", "jfk.txt"]);
    let text = fs::read_to_string(folder.path().join("jfk.txt")).unwrap();
    assert!(text.contains("country"), "{text}");
}

/// The limit on the size of files stands for a disk that is full in the middle of one.
#[cfg(unix)]
#[test]
fn a_disk_that_fills_up_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    let clip = data("jfk.wav");
    let clip = clip.to_str().unwrap();
    for format in ["json", "jsonl"] {
        let before = folder.path().join(format!("jfk.{format}"));
        fs::write(&before, "precious").unwrap();
        let command = whisper_rs(&arguments(clip, &["-q", "-o", place, "-f", format]));
        // In blocks of 512 or 1024 bytes; without the signal that a write beyond it is told by.
        let limited = Command::new("sh")
            .args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$@\"", "sh"])
            .arg(command.get_program())
            .args(command.get_args())
            .output();
        let run = Run::of(limited.unwrap());
        assert_eq!(run.code, Some(1), "{run:?}");
        assert!(
            run.stderr.starts_with("error: ") && run.stderr.contains("File too large"),
            "{run:?}"
        );
        assert_eq!(fs::read_to_string(&before).unwrap(), "precious");
    }
    assert_eq!(names(folder.path()), ["jfk.json", "jfk.jsonl"]);
}

#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_written_is_told_before_any_work() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).unwrap();
    let place = folder.path().to_str().unwrap();
    let arguments = [
        "transcribe",
        "-m",
        "no/such/model",
        "-o",
        place,
        "no_such_file.wav",
    ];
    // The permissions of folders do not hold for root, unless it gives up that power.
    let is_root = fs::write(folder.path().join("trial"), "").is_ok();
    let command = whisper_rs(&arguments);
    let output = match is_root {
        true => Command::new("setpriv")
            .args(["--bounding-set=-dac_override", "--inh-caps=-dac_override"])
            .arg(command.get_program())
            .args(command.get_args())
            .output()
            .expect("setpriv (util-linux) is there for root"),
        false => whisper_rs(&arguments).output().unwrap(),
    };
    let run = Run::of(output);
    let line = run.one_error(1);
    assert!(
        line.starts_with(place)
            && line.contains("Permission denied")
            && line.contains("--output_dir"),
        "{line}"
    );
}

#[test]
fn a_model_is_warmed_up_before_the_first_file_and_transcribes_the_same() {
    let clip = data("jfk.wav");
    let clip = clip.to_str().unwrap();
    let flags = ["transcribe", clip, "--model", model("tiny.en"), "--warmup"];
    let warm = run(&flags);
    let lines: Vec<_> = warm.succeeded().stderr.lines().collect();
    assert!(lines[0].starts_with("warmed up in "), "{warm:?}");
    let cold = run(&flags[..4]);
    assert_eq!(cold.succeeded().stdout, warm.stdout);
    assert!(!cold.stderr.contains("warmed up"), "{cold:?}");
}
