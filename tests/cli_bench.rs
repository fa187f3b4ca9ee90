//! `whisper-rs bench`: the reports that a user gets.

mod common;

use common::{Run, data, run};
use serde_json::Value;

fn report(arguments: &[&str]) -> Value {
    let run: Run = run(arguments);
    assert_eq!(run.code, Some(0), "{run:?}");
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

fn number(value: &Value, path: &str) -> f64 {
    let found = value.pointer(path).and_then(Value::as_f64);
    found.unwrap_or_else(|| panic!("no {path} in {value}"))
}

#[test]
fn the_frontend_beside_the_same_composed_of_operations() {
    let clip = data("jfk.wav");
    let clip = clip.to_str().unwrap();
    let found = report(&["bench", "frontend", clip, "--runs", "2", "--json"]);
    assert_eq!(number(&found, "/audio_seconds"), 11.0);
    assert!(number(&found, "/fused/time/median") > 0.0);
    assert!(number(&found, "/largest_difference") < 1e-4);
}

#[test]
fn a_network_of_random_weights() {
    let flags = "bench network --random_weights tiny --tokens 2 --runs 1 --json";
    let found = report(&flags.split(' ').collect::<Vec<_>>());
    assert_eq!(found["random_weights"], true);
    // tiny has 39 million parameters, of which the encoder's table of positions is none.
    assert!((36e6..40e6).contains(&number(&found, "/parameters")));
    assert!(number(&found, "/batches/0/encoder/time/median") > 0.0);
    assert!(number(&found, "/batches/0/step/time/median") > 0.0);
}

#[test]
fn a_model_that_nobody_published_has_no_shape() {
    let run = run(&["bench", "network", "--random_weights", "huge"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("large-v3-turbo"), "{run:?}");
    assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
}
