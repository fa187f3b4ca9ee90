//! Names that were meant for others.

/// How many typing errors make `name` of `known`; none where they are more than a quarter of its letters, which makes it
/// another word.
pub fn typing_errors(name: &str, known: &str) -> Option<usize> {
    let errors = strsim::osa_distance(name, known);
    (errors * 4 <= known.chars().count()).then_some(errors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_word_is_no_typing_error() {
        for (name, known, errors) in [
            ("modle", "model", Some(1)),
            ("taks", "task", Some(1)),
            ("beamsise", "beam_size", Some(2)),
            ("test", "task", None),
            ("nonsense", "hallucination_silence_threshold", None),
            ("", "raw", None),
        ] {
            assert_eq!(typing_errors(name, known), errors, "{name}");
        }
    }
}
