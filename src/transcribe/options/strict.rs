//! Which options have been proven to give openai/whisper's results.

use super::TranscribeOptions;
use super::check::refuse;
use crate::tokenizer::Task;
use crate::{Result, text::python_round};

/// Beams of the setting `default`, and its samples at temperatures above 0.
const PROVEN_ROWS: Option<usize> = Some(5);

impl TranscribeOptions {
    /// Refuses whatever is not one of the four settings that [`strict`](Self::strict) names.
    pub(super) fn check_strict(&self) -> Result<()> {
        self.check_defaults()?;
        match self.beam_size {
            None => self.check_greedy(),
            PROVEN_ROWS => self.check_default(),
            Some(beam_size) => not_proven(
                "beam_size",
                beam_size,
                "None (greedy), and 5 with fallback and words",
            ),
        }
    }

    /// `greedy_nowords`, `greedy` and `translate_greedy`. Without sampling, `best_of` means nothing.
    fn check_greedy(&self) -> Result<()> {
        if self.temperatures != [0.0] {
            return not_proven(
                "temperature",
                format!("{:?} without beams", self.temperatures),
                "0 alone, with temperature_increment_on_fallback None",
            );
        }
        if self.task == Task::Translate && self.word_timestamps {
            return not_proven(
                "word_timestamps",
                "True with task translate",
                "translation without words",
            );
        }
        Ok(())
    }

    /// `default`.
    fn check_default(&self) -> Result<()> {
        let steps = Self::default().temperatures;
        if self.temperatures != steps {
            return not_proven(
                "temperature",
                format!("{:?} with beam_size 5", self.temperatures),
                "fallback from 0 in steps of 0.2 (temperature_increment_on_fallback)",
            );
        }
        if self.best_of != PROVEN_ROWS {
            return not_proven("best_of", shown(self.best_of), "5 with beam_size 5");
        }
        if !self.word_timestamps {
            return not_proven(
                "word_timestamps",
                "False with beam_size 5",
                "beams with words, and no beams without",
            );
        }
        if self.task == Task::Translate {
            return not_proven(
                "task",
                "translate with beam_size 5",
                "translation with beam_size None",
            );
        }
        Ok(())
    }

    /// Options that have their defaults in all four settings. Left out are the language, which belongs to the recording, and
    /// the seed, which changes sampled windows alone.
    fn check_defaults(&self) -> Result<()> {
        let default = Self::default();
        let whole = (self.clip_timestamps.iter())
            .all(|&seconds| python_round(seconds * 100.0) == 0)
            && self.clip_timestamps.len() <= 1;
        let differing = [
            ("patience", self.patience.is_some()),
            ("length_penalty", self.length_penalty.is_some()),
            (
                "compression_ratio_threshold",
                self.compression_ratio_threshold != default.compression_ratio_threshold,
            ),
            (
                "logprob_threshold",
                self.logprob_threshold != default.logprob_threshold,
            ),
            (
                "no_speech_threshold",
                self.no_speech_threshold != default.no_speech_threshold,
            ),
            (
                "condition_on_previous_text",
                !self.condition_on_previous_text,
            ),
            ("initial_prompt", self.initial_prompt.is_some()),
            ("carry_initial_prompt", self.carry_initial_prompt),
            ("prefix", self.prefix.is_some()),
            (
                "suppress_tokens",
                self.suppress_tokens != default.suppress_tokens,
            ),
            ("suppress_blank", !self.suppress_blank),
            ("without_timestamps", self.without_timestamps),
            (
                "max_initial_timestamp",
                self.max_initial_timestamp != default.max_initial_timestamp,
            ),
            ("clip_timestamps", !whole),
            (
                "prepend_punctuations",
                self.prepend_punctuations != default.prepend_punctuations,
            ),
            (
                "append_punctuations",
                self.append_punctuations != default.append_punctuations,
            ),
            (
                "hallucination_silence_threshold",
                self.hallucination_silence_threshold.is_some(),
            ),
            ("hotwords", self.hotwords.is_some()),
            (
                "repetition_penalty",
                self.repetition_penalty != default.repetition_penalty,
            ),
            ("no_repeat_ngram_size", self.no_repeat_ngram_size != 0),
            (
                "prompt_reset_on_temperature",
                self.prompt_reset_on_temperature != default.prompt_reset_on_temperature,
            ),
            (
                "language_detection_threshold",
                self.language_detection_threshold != default.language_detection_threshold,
            ),
            (
                "language_detection_segments",
                self.language_detection_segments != default.language_detection_segments,
            ),
            ("multilingual", self.multilingual),
            ("max_new_tokens", self.max_new_tokens.is_some()),
            ("logit_filters", !self.logit_filters.is_empty()),
        ];
        match differing.iter().find(|(_, differs)| *differs) {
            Some((name, _)) => refuse(format!(
                "strict: {name} has been proven equal to openai/whisper with its default alone; leave it out, or strict"
            )),
            None => Ok(()),
        }
    }
}

fn not_proven(name: &str, value: impl std::fmt::Display, proven: &str) -> Result<()> {
    refuse(format!(
        "strict: {name} {value} has not been proven equal to openai/whisper; proven is {proven}"
    ))
}

fn shown(value: Option<usize>) -> String {
    value.map_or("None".to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::decoding::filters::SuppressTokens;

    /// The setting `greedy_nowords`.
    fn greedy() -> TranscribeOptions {
        TranscribeOptions {
            strict: true,
            temperatures: vec![0.0],
            ..TranscribeOptions::default()
        }
    }

    /// The setting `default`.
    fn default() -> TranscribeOptions {
        TranscribeOptions {
            strict: true,
            beam_size: Some(5),
            best_of: Some(5),
            word_timestamps: true,
            ..TranscribeOptions::default()
        }
    }

    fn refusal(
        mut options: TranscribeOptions,
        change: impl FnOnce(&mut TranscribeOptions),
    ) -> String {
        change(&mut options);
        options
            .check()
            .map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn the_four_settings_pass() {
        assert_eq!(refusal(greedy(), |_| ()), "");
        assert_eq!(refusal(greedy(), |o| o.word_timestamps = true), "");
        assert_eq!(refusal(greedy(), |o| o.task = Task::Translate), "");
        assert_eq!(refusal(default(), |_| ()), "");
    }

    #[test]
    fn what_belongs_to_the_recording_or_means_nothing_may_be_given() {
        assert_eq!(refusal(greedy(), |o| o.language = Some("de".into())), "");
        assert_eq!(refusal(greedy(), |o| o.best_of = Some(3)), "");
        assert_eq!(refusal(greedy(), |o| o.clip_timestamps = vec![0.0]), "");
        assert_eq!(refusal(default(), |o| o.seed = 7), "");
    }

    #[test]
    fn mixtures_of_the_settings_are_refused_by_name() {
        for (message, name) in [
            (refusal(greedy(), |o| o.beam_size = Some(2)), "beam_size 2"),
            (refusal(greedy(), |o| o.beam_size = Some(5)), "temperature"),
            (
                refusal(greedy(), |o| o.temperatures = vec![0.2]),
                "temperature",
            ),
            (
                refusal(greedy(), |o| {
                    o.task = Task::Translate;
                    o.word_timestamps = true;
                }),
                "word_timestamps",
            ),
            (
                refusal(default(), |o| o.word_timestamps = false),
                "word_timestamps",
            ),
            (refusal(default(), |o| o.best_of = None), "best_of None"),
            (refusal(default(), |o| o.task = Task::Translate), "task"),
            (refusal(default(), |o| o.beam_size = None), "temperature"),
        ] {
            assert!(
                message.starts_with("strict: ") && message.contains(name),
                "{name}: {message}"
            );
        }
    }

    #[test]
    fn every_other_option_is_refused_by_name() {
        type Change = fn(&mut TranscribeOptions);
        let changes: [(&str, Change); 26] = [
            ("patience", |o| {
                o.beam_size = Some(5);
                o.patience = Some(2.0);
            }),
            ("length_penalty", |o| o.length_penalty = Some(1.0)),
            ("compression_ratio", |o| {
                o.compression_ratio_threshold = None
            }),
            ("logprob", |o| o.logprob_threshold = Some(-2.0)),
            ("no_speech", |o| o.no_speech_threshold = None),
            ("condition_on", |o| o.condition_on_previous_text = false),
            ("initial_prompt", |o| o.initial_prompt = Some("a".into())),
            ("carry_initial_prompt", |o| o.carry_initial_prompt = true),
            ("prefix", |o| o.prefix = Some("a".into())),
            ("suppress_tokens", |o| o.suppress_tokens = vec![]),
            ("suppress_blank", |o| o.suppress_blank = false),
            ("without_timestamps", |o| o.without_timestamps = true),
            ("max_initial", |o| o.max_initial_timestamp = None),
            ("clip_timestamps", |o| o.clip_timestamps = vec![0.0, 5.0]),
            ("prepend_punctuations", |o| o.prepend_punctuations.clear()),
            ("append_punctuations", |o| o.append_punctuations.clear()),
            ("hallucination_silence", |o| {
                o.hallucination_silence_threshold = Some(2.0)
            }),
            ("hotwords", |o| o.hotwords = Some("a".into())),
            ("repetition_penalty", |o| o.repetition_penalty = 1.1),
            ("no_repeat_ngram_size", |o| o.no_repeat_ngram_size = 3),
            ("prompt_reset_on", |o| o.prompt_reset_on_temperature = 0.9),
            ("detection_threshold", |o| {
                o.language_detection_threshold = None
            }),
            ("detection_segments", |o| o.language_detection_segments = 2),
            ("multilingual", |o| o.multilingual = true),
            ("max_new_tokens", |o| o.max_new_tokens = Some(100)),
            ("logit_filters", |o| {
                o.logit_filters.push(Arc::new(SuppressTokens::new(vec![])))
            }),
        ];
        for (name, change) in changes {
            for setting in [greedy(), default()] {
                let message = refusal(setting, change);
                assert!(
                    message.starts_with("strict: ") && message.contains(name),
                    "{name}: {message}"
                );
            }
        }
    }
}
