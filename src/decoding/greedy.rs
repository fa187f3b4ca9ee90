//! The most probable token at every step.

/// A chosen token and its log-probability.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Choice {
    pub token: u32,
    pub logprob: f64,
}

/// The first token with the highest logit, and its log-softmax (decoding.py:276-291).
///
/// # Shapes
///
/// - logits: `[n_vocab]`, after the filters
pub(super) fn choose(logits: &[f32]) -> Choice {
    let mut token = 0;
    for (candidate, &logit) in logits.iter().enumerate() {
        if logit > logits[token] {
            token = candidate;
        }
    }
    let highest = logits[token];
    Choice {
        token: token as u32,
        logprob: -log_sum_exp_above(logits, highest),
    }
}

/// `ln(sum(exp(logits - highest)))`.
fn log_sum_exp_above(logits: &[f32], highest: f32) -> f64 {
    let sum: f64 = logits
        .iter()
        .map(|&logit| f64::from((logit - highest).exp()))
        .sum();
    sum.ln()
}

/// The softmax of `logits` at one token.
pub(super) fn probability(logits: &[f32], token: u32) -> f64 {
    let highest = choose_highest(logits);
    let logprob = f64::from(logits[token as usize] - highest) - log_sum_exp_above(logits, highest);
    logprob.exp()
}

fn choose_highest(logits: &[f32]) -> f32 {
    logits.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equals_is_chosen() {
        let choice = choose(&[0.0, 3.0, 3.0, f32::NEG_INFINITY]);
        assert_eq!(choice.token, 1);
        let expected = -((-3.0f64).exp() + 2.0).ln();
        assert!((choice.logprob - expected).abs() < 1e-7);
    }

    #[test]
    fn probabilities_sum_to_one() {
        let logits = [0.5, -2.0, 7.25, 3.0];
        let sum: f64 = (0..4).map(|token| probability(&logits, token)).sum();
        assert!((sum - 1.0).abs() < 1e-7);
    }
}
