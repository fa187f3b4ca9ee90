//! What a program does with the library: load a model, look on, end it early, share it; the first run fetches the model.
#![cfg(all(feature = "audio-files", feature = "fetch"))]

use std::sync::{Arc, OnceLock};
use std::thread;

use whisper_rs::decoding::filters::{FilterContext, LogitFilter};
use whisper_rs::{
    Audio, CancelToken, ComputeType, Error, Event, TranscribeOptions, Whisper, weights,
};

fn whisper() -> &'static Whisper {
    static WHISPER: OnceLock<Whisper> = OnceLock::new();
    WHISPER.get_or_init(|| {
        let builder = Whisper::builder("tiny.en").device("cpu");
        let builder = builder.compute_type(ComputeType::Float32);
        builder.load().unwrap()
    })
}

fn jfk() -> Audio {
    Audio::open(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/jfk.wav")).unwrap()
}

/// Greedy, in two windows.
fn two_windows() -> TranscribeOptions {
    let mut options = TranscribeOptions::default();
    options.temperatures = vec![0.0];
    options.clip_timestamps = vec![0.0, 3.5, 3.5];
    options
}

#[test]
fn events_tell_of_each_window_in_order() {
    let (audio, options) = (jfk(), two_windows());
    let mut told = Vec::new();
    let transcript = whisper()
        .transcription(&audio, &options)
        .on_event(|event| told.push(serde_json::to_value(event).unwrap()))
        .run()
        .unwrap();
    assert!(!transcript.cancelled);
    let names: Vec<_> = told
        .iter()
        .map(|event| event["event"].as_str().unwrap())
        .collect();
    assert_eq!(names[..2], ["window_begun", "window_done"]);
    assert_eq!(names.len() % 2, 0, "{names:?}");
    let second = (told.iter()).find(|event| event["position"] == 3.5 && event["length"].is_f64());
    assert!(second.is_some(), "{told:?}");
    let last = told.last().unwrap();
    assert_eq!(
        (&last["position"], &last["seconds"]),
        (&11.0.into(), &11.0.into())
    );
}

#[test]
fn a_text_that_fails_is_told_before_it_is_decoded_again() {
    let (audio, mut options) = (jfk(), two_windows());
    options.temperatures = vec![0.0, 0.3];
    options.clip_timestamps = vec![0.0, 3.5];
    // No text is as sure.
    options.logprob_threshold = Some(0.0);
    let mut attempts = Vec::new();
    let transcription = whisper().transcription(&audio, &options);
    let transcript = transcription.on_event(|event| {
        if let Event::Fallback {
            temperature,
            position,
            ..
        } = event
        {
            attempts.push((*position, *temperature));
        }
    });
    transcript.run().unwrap();
    assert_eq!(attempts, [(0.0, 0.3)]);
}

#[test]
fn what_is_finished_stands_when_the_rest_is_cancelled() {
    let (audio, options) = (jfk(), two_windows());
    let whole = whisper().transcribe(&audio, &options).unwrap();
    let cancel = CancelToken::new();
    let transcript = whisper()
        .transcription(&audio, &options)
        .until(&cancel)
        .on_event(|event| {
            if matches!(event, Event::WindowDone { .. }) {
                cancel.cancel();
            }
        })
        .run()
        .unwrap();
    assert!(transcript.cancelled && !transcript.segments.is_empty());
    let (first, rest) = whole.segments.split_at(transcript.segments.len());
    assert_eq!(transcript.segments, first);
    assert!(!rest.is_empty());
}

/// Cancels in the midst of a window, and forbids nothing.
#[derive(Debug)]
struct CancelAt {
    step: usize,
    token: CancelToken,
}

impl LogitFilter for CancelAt {
    fn apply(&self, context: &FilterContext<'_>, _: &mut [f32]) {
        assert!(context.step() <= self.step, "a step after the end");
        if context.step() == self.step {
            self.token.cancel();
        }
    }
}

#[test]
fn a_window_is_given_up_at_the_next_step() {
    let audio = jfk();
    for beam_size in [None, Some(2)] {
        let token = CancelToken::new();
        let mut options = two_windows();
        options.beam_size = beam_size;
        let at = CancelAt {
            step: 4,
            token: token.clone(),
        };
        options.logit_filters = vec![Arc::new(at)];
        let transcription = whisper().transcription(&audio, &options).until(&token);
        let mut segments = transcription.segments().unwrap();
        assert!(segments.next().is_none());
        assert!(segments.cancelled() && segments.next().is_none());
        assert_eq!(segments.position(), 0, "the window would be decoded anew");
    }
}

#[test]
fn a_model_is_used_by_several_threads_at_once() {
    let (audio, options) = (jfk(), two_windows());
    let transcribe = || whisper().transcribe(&audio, &options).unwrap();
    let expected = transcribe();
    thread::scope(|scope| {
        let threads = [scope.spawn(transcribe), scope.spawn(transcribe)];
        for thread in threads {
            assert_eq!(thread.join().unwrap(), expected);
        }
    });
}

#[test]
fn what_a_builder_cannot_have_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let builder = Whisper::builder("tiny.en").cache_folder(folder.path());
    let unknown = builder.clone().device("abacus").load_checkpoint(
        &weights::Checkpoint::open(weights::fetch("tiny.en", &weights::Silent).unwrap()).unwrap(),
    );
    assert!(matches!(unknown, Err(Error::Device(_))), "{unknown:?}");
    let missing = Whisper::builder("no-such-model").offline(true).load();
    assert!(matches!(missing, Err(Error::Weights(_))), "{missing:?}");
}
