//! Runs that are killed, that nobody reads, or whose disk is full.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::common::{Run, data, run, whisper_rs};
use crate::running::{LONG, arguments, first_line, names, start, wait_for};

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
                assert!(crate::common::json(&path)["text"].is_string(), "{name}");
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
