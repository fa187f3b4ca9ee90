//! Softmax statistics of one row of logits.

/// The highest logit; negative infinity where there is none.
pub(super) fn highest(logits: &[f32]) -> f32 {
    logits.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}

/// The first token with the highest logit, as `argmax` finds it.
pub(super) fn argmax(logits: &[f32]) -> u32 {
    let mut best = 0;
    for (token, &logit) in logits.iter().enumerate() {
        if logit > logits[best] {
            best = token;
        }
    }
    best as u32
}

/// `ln(sum(exp(logits)))`, summed in f64.
pub(super) fn log_sum_exp(logits: &[f32]) -> f64 {
    let highest = highest(logits);
    if highest == f32::NEG_INFINITY {
        return f64::NEG_INFINITY;
    }
    let sum: f64 = logits
        .iter()
        .map(|&logit| f64::from((logit - highest).exp()))
        .sum();
    f64::from(highest) + sum.ln()
}

/// The softmax of `logits` at one token.
pub(super) fn probability(logits: &[f32], token: u32) -> f64 {
    (f64::from(logits[token as usize]) - log_sum_exp(logits)).exp()
}

/// The log-softmax of `logits` at one token.
pub(super) fn logprob(logits: &[f32], token: u32) -> f32 {
    (f64::from(logits[token as usize]) - log_sum_exp(logits)) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equals_is_chosen() {
        let logits = [0.0, 3.0, 3.0, f32::NEG_INFINITY];
        assert_eq!(argmax(&logits), 1);
        let expected = -((-3.0f64).exp() + 2.0).ln();
        assert!((f64::from(logprob(&logits, 1)) - expected).abs() < 1e-6);
    }

    #[test]
    fn probabilities_sum_to_one() {
        let logits = [0.5, -2.0, 7.25, 3.0];
        let sum: f64 = (0..4).map(|token| probability(&logits, token)).sum();
        assert!((sum - 1.0).abs() < 1e-7);
    }

    #[test]
    fn nothing_allowed_is_no_number_of_its_own() {
        assert_eq!(log_sum_exp(&[f32::NEG_INFINITY; 3]), f64::NEG_INFINITY);
    }
}
