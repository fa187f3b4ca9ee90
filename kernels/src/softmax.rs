//! Softmax statistics of one row of logits in the host's memory: `[n_vocab]`.
//!
//! A row has 51,865 logits and there is one for every row of every step, so these loops are written for vector units: over
//! 16 values at a time, without branches. Which value goes to which lane does not depend on the machine, so results do
//! not either.

/// Values that are worked on together.
const LANES: usize = 16;

/// Logits whose weights are summed in f32 before they are added up in f64.
const BLOCK: usize = 256;

/// The highest logit; negative infinity where there is none.
pub fn highest(logits: &[f32]) -> f32 {
    let higher = |a: f32, b: f32| if b > a { b } else { a };
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let mut chunks = logits.chunks_exact(LANES);
    for chunk in &mut chunks {
        for (lane, &logit) in lanes.iter_mut().zip(chunk) {
            *lane = higher(*lane, logit);
        }
    }
    let rest = chunks.remainder().iter().copied();
    lanes
        .into_iter()
        .chain(rest)
        .fold(f32::NEG_INFINITY, higher)
}

/// The first token with the highest logit, as `argmax` finds it.
pub fn argmax(logits: &[f32]) -> u32 {
    let highest = highest(logits);
    let first = logits.iter().position(|&logit| logit == highest);
    first.unwrap_or(0) as u32
}

/// `ln(sum(exp(logits)))`, no number where a logit is none. The weights are f32, their sum is f64.
pub fn log_sum_exp(logits: &[f32]) -> f64 {
    let highest = highest(logits);
    if highest == f32::NEG_INFINITY {
        return f64::NEG_INFINITY;
    }
    let weights = Weights {
        highest,
        per_logit: 1.0,
    };
    f64::from(highest) + weights.sums(logits).sum::<f64>().ln()
}

/// The softmax of `logits` at one token.
///
/// # Panics
///
/// If the token is not in the row.
pub fn probability(logits: &[f32], token: u32) -> f64 {
    (f64::from(logits[token as usize]) - log_sum_exp(logits)).exp()
}

/// The log-softmax of `logits` at one token.
///
/// # Panics
///
/// If the token is not in the row.
pub fn logprob(logits: &[f32], token: u32) -> f32 {
    (f64::from(logits[token as usize]) - log_sum_exp(logits)) as f32
}

/// The token at which the weights of `softmax(logits / temperature)`, added up in the vocabulary's order, pass the share
/// `fraction` of their sum: drawn with those probabilities when the fraction is drawn from [0, 1).
pub fn at_fraction(logits: &[f32], temperature: f64, fraction: f64) -> u32 {
    let weights = Weights {
        highest: highest(logits),
        per_logit: (1.0 / temperature) as f32,
    };
    let sums: Vec<f64> = weights.sums(logits).collect();
    let mut left = fraction * sums.iter().sum::<f64>();
    let mut last = 0;
    for (block, (logits, sum)) in logits.chunks(BLOCK).zip(sums).enumerate() {
        if sum == 0.0 {
            continue;
        }
        // The last block with any weight takes what rounding leaves over.
        if left >= sum {
            left -= sum;
            last = block * BLOCK + last_with_weight(weights, logits);
            continue;
        }
        for (token, &logit) in logits.iter().enumerate() {
            let weight = f64::from(weights.of(logit));
            if weight > 0.0 {
                last = block * BLOCK + token;
                left -= weight;
                if left < 0.0 {
                    return last as u32;
                }
            }
        }
    }
    last as u32
}

fn last_with_weight(weights: Weights, logits: &[f32]) -> usize {
    let last = logits.iter().rposition(|&logit| weights.of(logit) > 0.0);
    last.unwrap_or(0)
}

/// The weights `exp((logit - highest) * per_logit)` of tokens, from 0 to 1.
#[derive(Clone, Copy)]
struct Weights {
    highest: f32,
    per_logit: f32,
}

impl Weights {
    fn of(self, logit: f32) -> f32 {
        exp_up_to_0((logit - self.highest) * self.per_logit)
    }

    /// The sum of each [`BLOCK`] of logits.
    fn sums(self, logits: &[f32]) -> impl Iterator<Item = f64> {
        logits.chunks(BLOCK).map(move |block| {
            let mut lanes = [0.0f32; LANES];
            let mut chunks = block.chunks_exact(LANES);
            for chunk in &mut chunks {
                for (lane, &logit) in lanes.iter_mut().zip(chunk) {
                    *lane += self.of(logit);
                }
            }
            let rest = chunks.remainder().iter().map(|&logit| self.of(logit));
            lanes.into_iter().chain(rest).map(f64::from).sum()
        })
    }
}

/// `exp(x)` for `x` up to 0, within 1.5e-7 of its value; 0 below -87, no number where `x` is none. Straight-line
/// code, which the compiler makes vector instructions of.
///
/// `exp(x) = 2^n exp(r)` with `n` the whole number nearest to `x / ln 2`, and `exp(r)` by its Taylor polynomial over the
/// `|r| <= ln 2 / 2` that is left.
#[inline(always)]
fn exp_up_to_0(x: f32) -> f32 {
    /// Adding it rounds to a whole number, which is then in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    /// ln 2 in two parts, the first so short that its products with `n` are exact.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    /// Below it the power of 2 is no normal number.
    const LOWEST: f32 = -87.0;
    /// The exponent's place in a float, and its offset.
    const EXPONENT: u32 = 23;
    const OFFSET: u32 = 127;

    let bounded = if x < LOWEST { LOWEST } else { x };
    let rounded = bounded * std::f32::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = bounded - n * LN_2_HIGH - n * LN_2_LOW;
    let polynomial = 1.0
        + r * (1.0
            + r * (1.0 / 2.0
                + r * (1.0 / 6.0
                    + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0 + r / 5040.0))))));
    let power = f32::from_bits(rounded.to_bits().wrapping_add(OFFSET) << EXPONENT);
    if x < LOWEST { 0.0 } else { polynomial * power }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values between -`spread` and 0 that look random.
    fn row(length: usize, spread: f32) -> Vec<f32> {
        let mut state = 1u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            -spread * (state >> 8) as f32 / (1 << 24) as f32
        };
        (0..length).map(|_| next()).collect()
    }

    #[test]
    fn the_first_of_equals_is_chosen() {
        let logits = [0.0, 3.0, 3.0, f32::NEG_INFINITY];
        assert_eq!(argmax(&logits), 1);
        let expected = -((-3.0f64).exp() + 2.0).ln();
        assert!((f64::from(logprob(&logits, 1)) - expected).abs() < 1e-6);
    }

    #[test]
    fn the_highest_is_found_wherever_it_stands() {
        for place in 0..70 {
            let mut logits = row(70, 5.0);
            logits[place] = 1.0;
            assert_eq!(argmax(&logits), place as u32);
            assert_eq!(highest(&logits), 1.0);
        }
        assert_eq!(highest(&[]), f32::NEG_INFINITY);
        assert_eq!(argmax(&[f32::NEG_INFINITY; 40]), 0);
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
        for bad in [f32::NAN, f32::INFINITY] {
            let mut logits = row(40, 5.0);
            logits[33] = bad;
            assert!(!log_sum_exp(&logits).is_finite());
        }
    }

    #[test]
    fn the_exponential_is_exact_to_the_last_bits() {
        for step in 0..=87_000 {
            let x = -(step as f32) / 1000.0;
            let expected = f64::from(x).exp();
            let ours = f64::from(exp_up_to_0(x));
            assert!(
                (ours - expected).abs() <= 1.5e-7 * expected,
                "exp({x}) is {ours:e}"
            );
        }
        assert_eq!(exp_up_to_0(0.0), 1.0);
        for x in [-88.0, -1e30, f32::NEG_INFINITY] {
            assert_eq!(exp_up_to_0(x), 0.0, "{x}");
        }
    }

    #[test]
    fn sums_are_as_in_f64() {
        for (length, spread) in [(1, 1.0), (51_865, 30.0), (51_865, 0.01), (1501, 200.0)] {
            let mut logits = row(length, spread);
            logits[length / 2] = f32::NEG_INFINITY;
            logits[0] = 0.5;
            let exact: f64 = logits.iter().map(|&logit| f64::from(logit).exp()).sum();
            let ours = log_sum_exp(&logits);
            assert!(
                (ours - exact.ln()).abs() < 1e-6,
                "{ours} for {}",
                exact.ln()
            );
        }
    }

    #[test]
    fn fractions_fall_on_tokens_by_their_weights() {
        for temperature in [0.5, 1.0] {
            let mut logits = row(1000, 3.0);
            logits[900..].fill(f32::NEG_INFINITY);
            logits[300..600].fill(f32::NEG_INFINITY);
            let weight = |logit: f32| (f64::from(logit) / temperature).exp();
            let total: f64 = logits.iter().copied().map(weight).sum();
            let mut before = 0.0;
            for (token, &logit) in logits.iter().enumerate() {
                if logit > f32::NEG_INFINITY {
                    let middle = (before + weight(logit) / 2.0) / total;
                    assert_eq!(at_fraction(&logits, temperature, middle), token as u32);
                }
                before += weight(logit);
            }
            assert_eq!(at_fraction(&logits, temperature, 1.0), 899);
            assert_eq!(at_fraction(&logits, temperature, 0.0), 0);
        }
    }
}
