//! The choice of the next token from one row of logits.

use crate::{Chosen, TimestampTokens};

/// Applies the rules for timestamps.
pub(crate) fn timestamp_rules(logits: &mut [f32], sampled: &[u32], tokens: TimestampTokens) {
    let allowed = tokens.allowed(sampled, logits.len());
    for (id, logit) in logits.iter_mut().enumerate() {
        if !(allowed.text.contains(&id) || allowed.timestamps.contains(&id))
            || id == tokens.no_timestamps as usize
        {
            *logit = f32::NEG_INFINITY;
        }
    }
    let (text, timestamps) = logits.split_at_mut(tokens.begin as usize);
    if log_sum_exp(timestamps) > f64::from(highest(text)) {
        text.fill(f32::NEG_INFINITY);
    }
}

/// The first token with the highest logit.
pub(crate) fn most_probable(logits: &[f32]) -> Chosen {
    let highest = highest(logits);
    let allowed = highest > f32::NEG_INFINITY;
    let token = logits.iter().position(|&logit| logit == highest);
    Chosen {
        token: token.filter(|_| allowed).map(|token| token as u32),
        logprob: (f64::from(highest) - log_sum_exp(logits)) as f32,
    }
}

fn highest(logits: &[f32]) -> f32 {
    logits.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}

/// `ln(sum(exp(logits)))`, no number where a logit is none.
fn log_sum_exp(logits: &[f32]) -> f64 {
    let highest = f64::from(highest(logits));
    if highest == f64::NEG_INFINITY {
        return f64::NEG_INFINITY;
    }
    let weights = logits
        .iter()
        .map(|&logit| (f64::from(logit) - highest).exp());
    highest + weights.sum::<f64>().ln()
}
