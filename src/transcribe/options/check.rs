//! Which options make sense.

use super::TranscribeOptions;
use crate::{Error, Result};

impl TranscribeOptions {
    /// Refuses values that make no sense, before any work is done with them. A transcription checks its options
    /// itself; a program that takes them from a user can do so before it loads a model.
    ///
    /// What depends on the model is not checked here: whether it knows the language and the tokens to suppress.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] with the first option that makes no sense, by its name.
    pub fn check(&self) -> Result<()> {
        self.check_search()?;
        self.check_thresholds()?;
        if let Some(token) = (self.suppress_tokens.iter()).find(|&&token| token < -1) {
            return refuse(format!(
                "suppress_tokens: {token} is no token id; ids are 0 or more, or -1 for the non-speech symbols"
            ));
        }
        if let Some(seconds) =
            (self.max_initial_timestamp).filter(|s| !(s.is_finite() && *s >= 0.0))
        {
            return refuse(format!(
                "max_initial_timestamp is {seconds}; it has to be a time in seconds, or None for no limit"
            ));
        }
        check_clips(&self.clip_timestamps)?;
        self.check_repetition()?;
        self.check_detection()?;
        if self.hotwords.is_some() && self.prefix.is_some() {
            return refuse("hotwords do nothing beside a prefix; give one of them".to_owned());
        }
        if self.strict {
            return self.check_strict();
        }
        Ok(())
    }

    /// What decoding searches with.
    fn check_search(&self) -> Result<()> {
        for (name, value) in [("beam_size", self.beam_size), ("best_of", self.best_of)] {
            if let Some(value) = value.filter(|value| !(1..=Self::MAX_ROWS).contains(value)) {
                let most = Self::MAX_ROWS;
                return refuse(format!("{name} is {value}; it has to be from 1 to {most}"));
            }
        }
        if self.temperatures.len() > Self::MAX_TEMPERATURES {
            return refuse(format!(
                "{} temperatures are too many; give at most {}",
                self.temperatures.len(),
                Self::MAX_TEMPERATURES
            ));
        }
        if let Some(&temperature) =
            (self.temperatures.iter()).find(|&&t| !(t.is_finite() && t >= 0.0))
        {
            return refuse(format!(
                "temperature is {temperature}; it has to be a number from 0 up"
            ));
        }
        if self
            .patience
            .is_some_and(|patience| !(patience.is_finite() && patience > 0.0))
        {
            return refuse("patience has to be above 0".to_owned());
        }
        if self.patience.is_some() && self.beam_size.is_none() {
            return refuse("patience needs a beam_size".to_owned());
        }
        if self
            .length_penalty
            .is_some_and(|penalty| !(0.0..=1.0).contains(&penalty))
        {
            return refuse("length_penalty has to be from 0 to 1".to_owned());
        }
        Ok(())
    }

    /// What keeps a window from repeating itself, and from growing.
    fn check_repetition(&self) -> Result<()> {
        if !Self::REPETITION_PENALTIES.contains(&self.repetition_penalty) {
            return refuse(format!(
                "repetition_penalty is {}; it has to be from {} to {}, and 1 is none",
                self.repetition_penalty,
                Self::REPETITION_PENALTIES.start(),
                Self::REPETITION_PENALTIES.end()
            ));
        }
        let most = Self::MAX_NEW_TOKENS;
        match self.max_new_tokens {
            Some(tokens) if !(1..=most).contains(&tokens) => refuse(format!(
                "max_new_tokens is {tokens}; it has to be from 1 to {most}, or None"
            )),
            _ => Ok(()),
        }
    }

    fn check_detection(&self) -> Result<()> {
        if self.language_detection_segments == 0 {
            return refuse("language_detection_segments has to be 1 or more".to_owned());
        }
        Ok(())
    }

    /// NaN, which is neither above nor below anything, is no threshold; infinities are.
    fn check_thresholds(&self) -> Result<()> {
        if self.prompt_reset_on_temperature.is_nan() {
            return refuse("prompt_reset_on_temperature is not a number".to_owned());
        }
        for (name, threshold) in [
            (
                "language_detection_threshold",
                self.language_detection_threshold,
            ),
            (
                "compression_ratio_threshold",
                self.compression_ratio_threshold,
            ),
            ("logprob_threshold", self.logprob_threshold),
            ("no_speech_threshold", self.no_speech_threshold),
        ] {
            if threshold.is_some_and(f64::is_nan) {
                return refuse(format!("{name} is not a number; leave it out with None"));
            }
        }
        Ok(())
    }
}

/// Starts and ends have to be times, and no end may lie before its start.
fn check_clips(timestamps: &[f64]) -> Result<()> {
    let no_time = |seconds: &&f64| !(seconds.is_finite() && **seconds >= 0.0);
    if let Some(seconds) = timestamps.iter().find(no_time) {
        return refuse(format!(
            "clip_timestamps: {seconds} is no time; give seconds from 0 up"
        ));
    }
    for clip in timestamps.chunks_exact(2) {
        let (start, end) = (clip[0], clip[1]);
        if end < start {
            return refuse(format!(
                "clip_timestamps: the end {end} lies before its start {start}"
            ));
        }
    }
    Ok(())
}

pub(super) fn refuse(message: String) -> Result<()> {
    Err(Error::Option(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The message by which options are refused.
    fn refusal(change: impl FnOnce(&mut TranscribeOptions)) -> String {
        let mut options = TranscribeOptions::default();
        change(&mut options);
        options
            .check()
            .map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn defaults_pass() {
        assert_eq!(refusal(|_| ()), "");
    }

    #[test]
    fn values_without_sense_are_refused_by_name() {
        assert!(refusal(|o| o.beam_size = Some(0)).contains("beam_size"));
        assert!(refusal(|o| o.best_of = Some(0)).contains("best_of"));
        assert!(refusal(|o| o.temperatures = vec![-0.1]).contains("temperature"));
        assert!(refusal(|o| o.temperatures = vec![f64::NAN]).contains("temperature"));
        assert!(refusal(|o| o.patience = Some(2.0)).contains("beam_size"));
        assert!(refusal(|o| o.length_penalty = Some(1.5)).contains("length_penalty"));
        assert!(refusal(|o| o.clip_timestamps = vec![f64::INFINITY]).contains("clip_timestamps"));
        assert!(refusal(|o| o.suppress_tokens = vec![-1, -2]).contains("-2"));
        assert!(refusal(|o| o.logprob_threshold = Some(f64::NAN)).contains("logprob_threshold"));
        assert!(refusal(|o| o.max_initial_timestamp = Some(-1.0)).contains("max_initial"));
    }

    #[test]
    fn what_would_take_all_memory_is_refused() {
        assert!(refusal(|o| o.beam_size = Some(65)).contains("from 1 to 64"));
        assert!(refusal(|o| o.best_of = Some(usize::MAX)).contains("best_of"));
        assert!(refusal(|o| o.temperatures = vec![0.0; 102]).contains("102 temperatures"));
        assert_eq!(
            refusal(|o| {
                o.beam_size = Some(64);
                o.best_of = Some(64);
                o.patience = Some(f64::MAX);
                o.temperatures = vec![0.0; 101];
            }),
            ""
        );
    }

    #[test]
    fn clips_do_not_run_backwards() {
        let clips = |times: &[f64]| refusal(|o| o.clip_timestamps = times.to_vec());
        assert!(clips(&[-1.0]).contains("-1 is no time"));
        assert!(clips(&[1.0, 2.0, 5.0, 4.0]).contains("end 4 lies before its start 5"));
        // A clip may be empty, come before the one before it, or have no end.
        for times in [
            &[][..],
            &[3.0, 3.0],
            &[5.0, 6.0, 1.0, 2.0],
            &[1.0, 2.0, 0.5],
        ] {
            assert_eq!(clips(times), "", "{times:?}");
        }
    }

    #[test]
    fn the_options_of_faster_whisper_have_their_bounds() {
        for penalty in [0.0, -1.0, 1e-9, f64::NAN, f64::INFINITY] {
            let message = refusal(|o| o.repetition_penalty = penalty);
            assert!(message.contains("repetition_penalty"), "{message}");
        }
        assert!(refusal(|o| o.max_new_tokens = Some(0)).contains("max_new_tokens"));
        assert!(refusal(|o| o.max_new_tokens = Some(449)).contains("448"));
        assert!(refusal(|o| o.language_detection_segments = 0).contains("1 or more"));
        assert!(
            refusal(|o| o.language_detection_threshold = Some(f64::NAN))
                .contains("language_detection_threshold")
        );
        assert!(
            refusal(|o| o.prompt_reset_on_temperature = f64::NAN)
                .contains("prompt_reset_on_temperature")
        );
        let both = |o: &mut TranscribeOptions| {
            o.hotwords = Some("Burn".to_owned());
            o.prefix = Some("And".to_owned());
        };
        assert!(refusal(both).contains("hotwords"));
        assert_eq!(
            refusal(|o| {
                o.repetition_penalty = 1.3;
                o.no_repeat_ngram_size = usize::MAX;
                o.max_new_tokens = Some(1);
                o.language_detection_segments = usize::MAX;
                o.language_detection_threshold = None;
                o.prompt_reset_on_temperature = 2.0;
                o.multilingual = true;
                o.hotwords = Some(String::new());
            }),
            ""
        );
    }
}
