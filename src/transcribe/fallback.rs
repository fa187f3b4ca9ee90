//! Decodes a window again at a higher temperature when its text fails (transcribe.py:183-222).

use super::TranscribeOptions;
use crate::Result;
use crate::decoding::DecodingResult;

/// Decodes at one temperature after the other until a text passes; the last one stands as it is.
///
/// # Errors
///
/// Those of `decode`.
pub(super) fn decode_with_fallback(
    options: &TranscribeOptions,
    mut decode: impl FnMut(f64) -> Result<DecodingResult>,
) -> Result<DecodingResult> {
    let (&first, others) = options.temperatures.split_first().unwrap_or((&0.0, &[]));
    let mut result = decode(first)?;
    for &temperature in others {
        if !fails(options, &result) {
            break;
        }
        result = decode(temperature)?;
    }
    Ok(result)
}

/// Too repetitive, or too improbable and not silence.
fn fails(options: &TranscribeOptions, result: &DecodingResult) -> bool {
    let repetitive = (options.compression_ratio_threshold)
        .is_some_and(|threshold| result.compression_ratio > threshold);
    let improbable =
        (options.logprob_threshold).is_some_and(|threshold| result.avg_logprob < threshold);
    let silent =
        (options.no_speech_threshold).is_some_and(|threshold| result.no_speech_prob > threshold);
    if silent && improbable {
        return false;
    }
    repetitive || improbable
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(compression_ratio: f64, avg_logprob: f64, no_speech_prob: f64) -> DecodingResult {
        DecodingResult {
            tokens: Vec::new(),
            token_logprobs: Vec::new(),
            text: String::new(),
            avg_logprob,
            no_speech_prob,
            temperature: 0.0,
            compression_ratio,
        }
    }

    #[test]
    fn what_fails_and_what_is_silence() {
        let options = TranscribeOptions::default();
        let fails = |ratio, logprob, no_speech| fails(&options, &result(ratio, logprob, no_speech));
        assert!(!fails(2.4, -1.0, 0.0), "thresholds themselves pass");
        assert!(fails(2.5, -0.1, 0.0), "repetitive");
        assert!(fails(1.0, -1.1, 0.6), "improbable");
        assert!(!fails(3.0, -1.1, 0.7), "silence, however repetitive");
        assert!(fails(3.0, -0.5, 0.7), "repetitive, and sure of it");
    }

    #[test]
    fn temperatures_are_tried_in_order_and_the_last_result_stands() -> Result<()> {
        let options = TranscribeOptions {
            temperatures: vec![0.0, 0.2, 0.4],
            ..TranscribeOptions::default()
        };
        let mut tried = Vec::new();
        let found = decode_with_fallback(&options, |temperature| {
            tried.push(temperature);
            Ok(result(3.0 + temperature, 0.0, 0.0))
        })?;
        assert_eq!(tried, [0.0, 0.2, 0.4]);
        assert_eq!(found.compression_ratio, 3.4);

        tried.clear();
        decode_with_fallback(&options, |temperature| {
            tried.push(temperature);
            Ok(result(if temperature > 0.1 { 1.0 } else { 3.0 }, 0.0, 0.0))
        })?;
        assert_eq!(tried, [0.0, 0.2]);
        Ok(())
    }
}
