//! Whether dimensions are those of a Whisper model.

use whisper_weights::ModelDims;

use crate::{Error, Result};

/// Positions of the encoder: half the frames of a window of 30 s.
const AUDIO_CTX: usize = 1500;
/// Fewest positions of the decoder. Every published model has 448, but the decoding loop takes any number that
/// leaves room for the start sequence and some text.
const FEWEST_TEXT_CTX: usize = 8;

/// Refuses dimensions that the engine cannot run, before a tensor is made by them.
///
/// # Errors
///
/// [`Error::Model`] with the first dimension that is wrong and its value.
pub(crate) fn check_dims(dims: &ModelDims) -> Result<()> {
    let refuse = |name: &str, value: usize, has: &str| {
        Err(Error::Model(format!(
            "{name} is {value}; a Whisper model has {has}"
        )))
    };
    if ![80, 128].contains(&dims.n_mels) {
        return refuse("n_mels", dims.n_mels, "80 or 128");
    }
    if !(51_864..=51_866).contains(&dims.n_vocab) {
        return refuse("n_vocab", dims.n_vocab, "51864, 51865 or 51866");
    }
    if dims.n_audio_ctx != AUDIO_CTX {
        return refuse("n_audio_ctx", dims.n_audio_ctx, "1500");
    }
    if dims.n_text_ctx < FEWEST_TEXT_CTX {
        return refuse("n_text_ctx", dims.n_text_ctx, "448");
    }
    for (name, layers) in [
        ("n_audio_layer", dims.n_audio_layer),
        ("n_text_layer", dims.n_text_layer),
    ] {
        if layers == 0 {
            return refuse(name, layers, "at least 1");
        }
    }
    for (part, width, heads) in [
        ("audio", dims.n_audio_state, dims.n_audio_head),
        ("text", dims.n_text_state, dims.n_text_head),
    ] {
        if heads == 0 {
            return refuse(&format!("n_{part}_head"), heads, "at least 1");
        }
        if width == 0 || width % heads != 0 {
            let has = format!("a multiple of its {heads} heads");
            return refuse(&format!("n_{part}_state"), width, &has);
        }
    }
    if dims.n_text_state != dims.n_audio_state {
        let has = format!("the encoder's {}", dims.n_audio_state);
        return refuse("n_text_state", dims.n_text_state, &has);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TINY: ModelDims = ModelDims {
        n_mels: 80,
        n_audio_ctx: 1500,
        n_audio_state: 384,
        n_audio_head: 6,
        n_audio_layer: 4,
        n_vocab: 51_865,
        n_text_ctx: 448,
        n_text_state: 384,
        n_text_head: 6,
        n_text_layer: 4,
    };

    #[test]
    fn the_dimensions_of_whisper_models_pass() {
        check_dims(&TINY).unwrap();
        let large = ModelDims {
            n_mels: 128,
            n_audio_state: 1280,
            n_audio_head: 20,
            n_audio_layer: 32,
            n_vocab: 51_866,
            n_text_state: 1280,
            n_text_head: 20,
            n_text_layer: 2,
            ..TINY
        };
        check_dims(&large).unwrap();
    }

    #[test]
    fn what_is_wrong_is_named_with_its_value() {
        for (dims, says) in [
            (ModelDims { n_mels: 64, ..TINY }, "n_mels is 64;"),
            (
                ModelDims {
                    n_vocab: 51_867,
                    ..TINY
                },
                "n_vocab is 51867;",
            ),
            (ModelDims { n_vocab: 0, ..TINY }, "n_vocab is 0;"),
            (
                ModelDims {
                    n_audio_ctx: 1499,
                    ..TINY
                },
                "n_audio_ctx is 1499;",
            ),
            (
                ModelDims {
                    n_text_ctx: 7,
                    ..TINY
                },
                "n_text_ctx is 7;",
            ),
            (
                ModelDims {
                    n_audio_layer: 0,
                    ..TINY
                },
                "n_audio_layer is 0;",
            ),
            (
                ModelDims {
                    n_text_layer: 0,
                    ..TINY
                },
                "n_text_layer is 0;",
            ),
            (
                ModelDims {
                    n_audio_head: 0,
                    ..TINY
                },
                "n_audio_head is 0;",
            ),
            (
                ModelDims {
                    n_audio_head: 5,
                    ..TINY
                },
                "n_audio_state is 384;",
            ),
            (
                ModelDims {
                    n_text_head: 7,
                    ..TINY
                },
                "n_text_state is 384;",
            ),
            (
                ModelDims {
                    n_text_state: 768,
                    ..TINY
                },
                "n_text_state is 768;",
            ),
        ] {
            let message = check_dims(&dims).unwrap_err().to_string();
            assert!(
                message.starts_with("model: ") && message.contains(says) && !message.contains('\n'),
                "{says} {message}"
            );
        }
    }
}
