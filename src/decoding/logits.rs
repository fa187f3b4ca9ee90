//! Logits from the device, and whether they are numbers.

use burn::tensor::Tensor;
use whisper_kernels::softmax::log_sum_exp;

use crate::{Error, Result};

/// Reads logits from the device.
///
/// # Shapes
///
/// - logits: `[batch, n, n_vocab]`, flattened in the result
pub(super) fn read(logits: Tensor<3>) -> Result<Vec<f32>> {
    let failed = |error: String| Error::Device(format!("cannot read the logits: {error}"));
    let data = logits
        .try_into_data_as::<f32>()
        .map_err(|error| failed(error.to_string()))?;
    data.try_into_vec::<f32>()
        .map_err(|error| failed(format!("{error:?}")))
}

/// Refuses logits of which no probability can be made. A single NaN or infinity among the weights is in every logit
/// soon, so it is enough to look at the first logits of a window.
pub(super) fn check_finite(logits: &[f32]) -> Result<()> {
    check_number(log_sum_exp(logits))
}

/// Refuses a statistic of logits that is no number, as it is when one of them is none.
pub(super) fn check_number(statistic: f64) -> Result<()> {
    if statistic.is_finite() {
        return Ok(());
    }
    Err(Error::Model(
        "the model's output is not a number; its weights are damaged or of a wrong precision"
            .to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logits_that_are_no_numbers_are_refused() {
        for logits in [
            [f32::NAN, 1.0],
            [1.0, f32::INFINITY],
            [f32::NEG_INFINITY; 2],
            [f32::NAN; 2],
        ] {
            assert!(check_finite(&logits).is_err(), "{logits:?}");
        }
        assert!(check_finite(&[f32::NEG_INFINITY, -3.0]).is_ok());
    }
}
