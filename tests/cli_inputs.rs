//! The many ways to say what is to be transcribed.
#![cfg(feature = "cli")]

mod common;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{Run, data, model, run, wav, whisper_rs};

/// A folder with short clips, in folders below it as well.
fn tree() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.wav", "deep/b.wav", "deep/er/a.wav", "deep/notes.txt"] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(data("clips/gen_0.1s.wav"), path).unwrap();
    }
    folder
}

/// The files below a folder, by name.
fn files(folder: &Path) -> Vec<String> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => files.push(path.strip_prefix(folder).unwrap().display().to_string()),
            }
        }
    }
    files.sort();
    files
}

#[test]
fn folders_are_mirrored_and_a_stopped_run_is_taken_up() {
    let tree = tree();
    let out = tempfile::tempdir().unwrap();
    let arguments = |more: &[&str]| -> Vec<String> {
        let common = ["transcribe", "-m", model("tiny.en"), "-f", "txt", "-o"];
        let places = [out.path().to_str().unwrap(), tree.path().to_str().unwrap()];
        let all = common.iter().chain(&places).chain(more);
        all.map(|word| (*word).to_owned()).collect()
    };
    run(&arguments(&["--recursive"])).succeeded();
    let expected = ["a.txt", "deep/b.txt", "deep/er/a.txt"];
    assert_eq!(files(out.path()), expected);

    // As after a kill: one is missing, another was being written.
    fs::remove_file(out.path().join("deep/b.txt")).unwrap();
    fs::write(out.path().join("deep/b.txt.whisper-rs.partial"), "half").unwrap();
    fs::write(out.path().join("a.txt"), "precious").unwrap();
    let again = run(&arguments(&["--recursive", "--resume"]));
    assert!(
        again
            .succeeded()
            .stderr
            .contains("2 of 3 were done already"),
        "{again:?}"
    );
    assert_eq!(files(out.path()), expected);
    assert_eq!(
        fs::read_to_string(out.path().join("a.txt")).unwrap(),
        "precious"
    );

    // Without --recursive there is one, and the folders below are told of where there is none.
    let one = run(&arguments(&[]));
    assert!(!one.succeeded().stderr.contains(" of "), "{one:?}");
    let deep = tree.path().join("deep");
    fs::remove_file(deep.join("b.wav")).unwrap();
    let none = run(&["transcribe".as_ref(), deep.as_os_str()]);
    assert!(none.one_error(1).contains("--recursive"), "{none:?}");
}

#[test]
fn globs_and_lists() {
    let tree = tree();
    let list = tree.path().join("list.txt");
    let clip = |name: &str| tree.path().join(name).to_str().unwrap().to_owned();
    fs::write(
        &list,
        format!("{}\r\n\n{}\n", clip("a.wav"), clip("missing.wav")),
    )
    .unwrap();
    let out = tempfile::tempdir().unwrap();
    let run = run(&[
        "transcribe",
        "-m",
        model("tiny.en"),
        "-f",
        "txt",
        "-o",
        out.path().to_str().unwrap(),
        "--files_from",
        list.to_str().unwrap(),
        &clip("deep/*.wav"),
    ]);
    assert_eq!(run.code, Some(1), "one of the list is missing: {run:?}");
    assert_eq!(files(out.path()), ["a.txt", "b.txt"]);
    let errors: Vec<&str> = run
        .stderr
        .lines()
        .filter(|line| line.starts_with("error: "))
        .collect();
    assert!(
        matches!(errors[..], [line] if line.contains("missing.wav")),
        "{errors:?}"
    );
}

#[test]
fn a_name_that_stands_for_nothing_leaves_the_others_to_be_transcribed() {
    let tree = tree();
    fs::create_dir(tree.path().join("empty")).unwrap();
    let run = |names: &[&str]| {
        let flags = ["transcribe", "-m", model("tiny.en"), "-f", "txt"];
        let output = whisper_rs(&[&flags, names].concat())
            .current_dir(&tree)
            .output();
        Run::of(output.unwrap())
    };
    let some = run(&["empty", "*.ogg", "a.wav", "--files_from", "no_such_list"]);
    assert_eq!(some.code, Some(1), "{some:?}");
    for says in ["empty: no audio", "*.ogg: no such file", "no_such_list: "] {
        assert!(some.stderr.contains(&format!("error: {says}")), "{some:?}");
    }
    assert!(tree.path().join("a.txt").is_file());
    assert_eq!(run(&["*.ogg"]).one_error(1), "*.ogg: no such file");
}

/// An output that another run wrote for another recording of that name.
#[test]
fn an_output_of_another_input_is_not_taken_for_ones_own() {
    let tree = tree();
    let names = || -> Vec<String> {
        let all = files(tree.path()).into_iter();
        all.filter(|name| name.ends_with(".txt")).collect()
    };
    let run = |inputs: &[&str]| {
        let flags = ["transcribe", "-m", model("tiny.en"), "-f", "txt"];
        let output = whisper_rs(&[&flags, inputs, &["--resume"]].concat())
            .current_dir(&tree)
            .output();
        Run::of(output.unwrap())
    };
    run(&["deep/er/a.wav"]).succeeded();
    for done in [None, Some("2 of 2 were done already")] {
        let both = run(&["a.wav", "deep/er/a.wav"]);
        let told = both.succeeded().stderr.lines().last();
        assert_eq!(
            told.filter(|line| line.contains("done")).is_some(),
            done.is_some()
        );
        assert!(
            done.is_none_or(|says| both.stderr.contains(says)),
            "{both:?}"
        );
        assert_eq!(
            names(),
            ["a.txt", "a.wav.txt", "deep/notes.txt", "er-a.wav.txt"]
        );
    }
}

#[test]
fn resuming_needs_files() {
    let run = run(&["transcribe", "a.wav", "--resume"]);
    assert!(run.one_error(2).contains("--output_dir"), "{run:?}");
}

/// Runs on standard input.
fn run_on(bytes: &[u8], flags: &[&str]) -> Run {
    let mut child = whisper_rs(&[&["transcribe", "-m", model("tiny.en"), "-"], flags].concat())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that refuses its input may not read it all.
    let _ = child.stdin.take().unwrap().write_all(bytes);
    Run::of(child.wait_with_output().unwrap())
}

fn jfk() -> Vec<i16> {
    wav::read_pcm16(&data("jfk.wav"))
}

#[test]
fn samples_without_a_header() {
    let bytes: Vec<u8> = jfk()
        .iter()
        .flat_map(|sample| sample.to_le_bytes())
        .collect();
    let run = run_on(&bytes, &["--raw", "s16le,16000,1"]);
    assert!(
        run.succeeded()
            .stdout
            .contains("what you can do for your country"),
        "{run:?}"
    );
    let refused = run_on(&bytes, &["--raw", "s16le"]);
    assert!(
        refused.one_error(2).contains("s16le,16000,1"),
        "{refused:?}"
    );
}

#[test]
fn each_channel_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("call.wav");
    let stereo: Vec<i16> = jfk().iter().flat_map(|&sample| [0, sample]).collect();
    fs::write(&clip, wav::pcm16(2, 16_000, &stereo)).unwrap();
    let arguments = [
        "transcribe",
        "-m",
        model("tiny.en"),
        "-f",
        "txt",
        "--channel",
        "split",
        "-o",
    ];
    let places = [folder.path().to_str().unwrap(), clip.to_str().unwrap()];
    run(&[&arguments[..], &places].concat()).succeeded();
    let text = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(text("call-right.txt").contains("what you can do for your country"));
    assert!(!text("call-left.txt").contains("country"));
}

#[test]
fn the_channels_of_a_mono_file_are_one() {
    let folder = tempfile::tempdir().unwrap();
    let clip = data("jfk.wav");
    let (clip, place) = (clip.to_str().unwrap(), folder.path().to_str().unwrap());
    let arguments = |more: &[&str]| -> Run {
        let common = ["transcribe", "-m", model("tiny.en"), "-f", "txt,json", clip];
        run(&[&common[..], &["--channel", "split"], more].concat())
    };
    let both = arguments(&["-o", place]);
    assert!(
        both.succeeded().stderr.contains("has one channel"),
        "{both:?}"
    );
    assert_eq!(
        both.stdout
            .matches("what you can do for your country")
            .count(),
        1,
        "it is transcribed once"
    );
    let text = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(text("jfk-left.txt").contains("country"));
    assert_eq!(text("jfk-left.txt"), text("jfk-right.txt"));
    assert_eq!(text("jfk-left.json"), text("jfk-right.json"));
    let again = arguments(&["-o", place, "--resume"]);
    assert!(again.succeeded().stderr.contains("2 of 2 were done"));
}

#[test]
fn outputs_with_names_of_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    let clip = data("clips/gen_0.1s.wav");
    let clip = clip.to_str().unwrap();
    let made = |flags: &[&str], inputs: &[&str]| {
        let common = ["transcribe", "-m", model("tiny.en"), "-f", "txt"];
        let output = whisper_rs(&[&common, inputs, flags].concat())
            .current_dir(&folder)
            .output();
        Run::of(output.unwrap())
    };
    made(&["-of", "deep/first.take", "-of", "second"], &[clip, clip]).succeeded();
    made(&["--output_file", "third", "-o", "below"], &[clip]).succeeded();
    assert_eq!(
        files(folder.path()),
        ["below/third.txt", "deep/first.take.txt", "second.txt"]
    );
    fs::copy(clip, folder.path().join("talk.txt")).unwrap();
    for (flags, inputs, says) in [
        (&["-of", "one"][..], &[clip, clip][..], "the inputs (2)"),
        (&["-of", "a", "-of", "A"], &[clip, clip], "another output"),
        (&["-of", "talk"], &["talk.txt"], "an input"),
        (&["-of", ".."], &[clip], "no name"),
    ] {
        let refused = made(flags, inputs);
        assert!(refused.one_error(2).contains(says), "{refused:?}");
    }
    assert!(made(&["-of", "-"], &[clip]).succeeded().stdout.is_ascii());
}

/// Voice messages and recordings of browsers.
#[test]
fn opus_is_heard_with_and_without_ffmpeg() {
    for name in ["audio/opus.ogg", "audio/opus.webm"] {
        let clip = data(name);
        let flags = ["transcribe", "-m", model("tiny.en"), clip.to_str().unwrap()];
        let without = whisper_rs(&flags).env("PATH", "").output().unwrap();
        let without = Run::of(without);
        let heard = |run: &Run| run.succeeded().stdout.to_lowercase().contains("and so");
        assert!(heard(&without), "{without:?}");
        let with = run(&flags);
        assert!(heard(&with), "{with:?}");
    }
}

/// RIFF holds more than WAV: what is not decoded here goes to ffmpeg from standard input as well.
#[test]
fn a_video_on_standard_input_is_heard_by_ffmpeg() {
    if !ffmpeg_is_there() {
        panic!("this test needs ffmpeg on the PATH");
    }
    let folder = tempfile::tempdir().unwrap();
    let video = folder.path().join("talk.avi");
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .args([data("jfk.wav"), video.clone()])
        .status()
        .unwrap();
    assert!(made.success());
    let input = fs::File::open(&video).unwrap();
    let output = whisper_rs(&["transcribe", "-m", model("tiny.en"), "-"])
        .stdin(input)
        .output()
        .unwrap();
    let heard = Run::of(output).succeeded().stdout.to_lowercase();
    assert!(heard.contains("country"), "{heard}");
}

fn ffmpeg_is_there() -> bool {
    Command::new("ffmpeg").arg("-version").output().is_ok()
}

#[test]
fn what_is_not_supported_here_is_decoded_by_ffmpeg() {
    let clip = data("audio/ac3.mka");
    let clip = clip.to_str().unwrap();
    let common = ["transcribe", "-m", model("tiny.en"), clip];
    let without = whisper_rs(&common).env("PATH", "").output().unwrap();
    let without = Run::of(without);
    let line = without.one_error(1);
    assert!(line.contains("AC-3") && line.contains("ffmpeg"), "{line}");
    if !ffmpeg_is_there() {
        return;
    }
    run(&common).succeeded();
    run_on(&fs::read(clip).unwrap(), &[]).succeeded();
    // It has one channel, which is the right one as well.
    let split = run(&[&common[..], &["--channel", "split"]].concat());
    assert!(
        split.succeeded().stderr.contains("has one channel"),
        "{split:?}"
    );
    // A text is no audio to ffmpeg either, and its name is no option and no protocol.
    let folder = tempfile::tempdir().unwrap();
    for name in ["-version", "http:a"] {
        fs::write(folder.path().join(name), "no audio").unwrap();
        let command = whisper_rs(&["transcribe", "-m", model("tiny.en"), "--", name])
            .current_dir(&folder)
            .output();
        let run = Run::of(command.unwrap());
        assert!(run.one_error(1).contains(name), "{run:?}");
    }
}

#[test]
fn names_of_every_kind() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let names = [
        "Über \u{1f642} 東京.wav".to_owned(),
        // These differ in what is cut.
        format!("{}a.wav", "x".repeat(250)),
        format!("{}b.wav", "x".repeat(250)),
    ];
    let clips: Vec<PathBuf> = names.iter().map(|name| folder.path().join(name)).collect();
    for clip in &clips {
        fs::copy(data("clips/gen_0.1s.wav"), clip).unwrap();
    }
    let mut arguments = [
        "transcribe",
        "-m",
        model("tiny.en"),
        "-f",
        "txt,jsonl,json-full",
        "-o",
    ]
    .map(str::to_owned)
    .to_vec();
    arguments.push(out.to_str().unwrap().to_owned());
    arguments.extend(clips.iter().map(|clip| clip.to_str().unwrap().to_owned()));
    run(&arguments).succeeded();
    let written = files(&out);
    assert_eq!(written.len(), 9, "{written:?}");
    assert!(written.contains(&"Über \u{1f642} 東京.jsonl".to_owned()));
    let long = |ending: &str| {
        let long = written.iter().filter(|name| name.starts_with("xx"));
        long.filter(|name| name.ends_with(ending)).count()
    };
    assert_eq!(
        [long(".txt"), long(".jsonl"), long(".full.json")],
        [2, 2, 2],
        "{written:?}"
    );
}

#[test]
fn no_output_takes_the_place_of_a_list_or_of_another_output() {
    let folder = tempfile::tempdir().unwrap();
    let clip = data("clips/gen_0.1s.wav");
    for name in ["talk.wav", "talk.full.wav"] {
        fs::copy(&clip, folder.path().join(name)).unwrap();
    }
    fs::write(folder.path().join("talk.txt"), "talk.wav\ntalk.full.wav\n").unwrap();
    let flags = "-f txt,json,json-full --beam_size None --files_from talk.txt -m";
    let arguments = ["transcribe"].into_iter().chain(flags.split(' '));
    let arguments: Vec<_> = arguments.chain([model("tiny.en")]).collect();
    let mut command = whisper_rs(&arguments);
    Run::of(command.current_dir(&folder).output().unwrap()).succeeded();
    assert_eq!(
        files(folder.path()),
        [
            "talk.full.wav",
            "talk.full.wav.full.json",
            "talk.full.wav.json",
            "talk.full.wav.txt",
            "talk.txt",
            "talk.wav",
            "talk.wav.full.json",
            "talk.wav.json",
            "talk.wav.txt"
        ]
    );
    let list = fs::read_to_string(folder.path().join("talk.txt")).unwrap();
    assert_eq!(list, "talk.wav\ntalk.full.wav\n");
}
