//! Which language a window is in.

use burn::tensor::{Int, Tensor, TensorData};
use whisper_kernels::softmax::{argmax, probability};

use super::logits::{check_finite, read};
use crate::model::{DecoderState, WhisperModel};
use crate::tokenizer::Tokenizer;
use crate::{Error, Result};

/// The language of a window, and how probable each language is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LanguageDetection {
    /// Code of the most probable language.
    pub language: &'static str,
    /// Code and probability of every language of the model, in the vocabulary's order.
    pub probabilities: Vec<(&'static str, f64)>,
}

impl LanguageDetection {
    /// Probability of the most probable language.
    pub fn probability(&self) -> f64 {
        let of_language = |&&(code, _): &&(&str, f64)| code == self.language;
        (self.probabilities.iter().find(of_language)).map_or(0.0, |&(_, probability)| probability)
    }
}

/// Detects the language of a window by one decoder step after the start of transcript, all tokens but
/// languages masked (decoding.py:18-76).
///
/// # Shapes
///
/// - state: begun on one window, `[1, n_audio_ctx, n_state]`; it is left rewound
///
/// # Errors
///
/// [`Error::Model`] for models that know English alone, and when the model's output is not a number;
/// [`Error::Device`] when the logits cannot be read back.
pub fn detect_language(
    model: &WhisperModel,
    tokenizer: &Tokenizer,
    state: &mut DecoderState,
    device: &burn::tensor::Device,
) -> Result<LanguageDetection> {
    let range = tokenizer.language_tokens();
    if !tokenizer.is_multilingual() || range.is_empty() {
        return Err(Error::Model(
            "this model knows English alone and cannot detect a language".to_owned(),
        ));
    }
    let sot = TensorData::new(vec![i64::from(tokenizer.sot())], [1, 1]);
    let sot = Tensor::<2, Int>::from_data(sot, device);
    let hidden = model.decoder.forward(sot, state);
    state.rewind();
    let logits = read(model.decoder.logits(hidden))?;
    check_finite(&logits)?;
    let logits = &logits[range.start as usize..range.end as usize];

    let best = argmax(logits);
    let code = |index: u32| {
        tokenizer
            .language_code(range.start + index)
            .ok_or_else(|| Error::Tokenizer(format!("language token {index} has no code")))
    };
    let probabilities = (0..logits.len() as u32)
        .map(|index| Ok((code(index)?, probability(logits, index))))
        .collect::<Result<_>>()?;
    Ok(LanguageDetection {
        language: code(best)?,
        probabilities,
    })
}
