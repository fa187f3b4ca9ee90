//! Which of several finished hypotheses is the text (decoding.py:187-213).

use super::hypothesis::Hypothesis;

/// The hypothesis with the highest log-probability per token, or per Google NMT's length penalty
/// (Wu et al., arXiv 1609.08144, equation 14). The first of equals is taken, and a score that is no
/// number counts as highest, as in numpy's `argmax`.
///
/// The end of text is no part of a hypothesis' length.
pub(super) fn best(
    candidates: &[Hypothesis],
    eot: u32,
    length_penalty: Option<f64>,
) -> Option<usize> {
    let score = |hypothesis: &Hypothesis| {
        let length = (hypothesis.tokens.iter())
            .position(|&token| token == eot)
            .unwrap_or(hypothesis.tokens.len()) as f64;
        let penalty = match length_penalty {
            None => length,
            Some(alpha) => ((5.0 + length) / 6.0).powf(alpha),
        };
        f64::from(hypothesis.sum_logprob) / penalty
    };
    let mut best: Option<(usize, f64)> = None;
    for (index, candidate) in candidates.iter().enumerate() {
        let score = score(candidate);
        if score.is_nan() {
            return Some(index);
        }
        if best.is_none_or(|(_, highest)| score > highest) {
            best = Some((index, score));
        }
    }
    best.map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EOT: u32 = 9;

    fn hypothesis(length: usize, sum_logprob: f32) -> Hypothesis {
        let mut tokens = vec![1; length];
        tokens.push(EOT);
        Hypothesis {
            logprobs: vec![0.0; tokens.len()],
            tokens,
            sum_logprob,
        }
    }

    #[test]
    fn the_mean_decides_without_a_penalty() {
        let candidates = [hypothesis(2, -2.0), hypothesis(4, -3.0)];
        assert_eq!(best(&candidates, EOT, None), Some(1));
    }

    #[test]
    fn a_penalty_of_0_compares_the_sums() {
        let candidates = [hypothesis(2, -2.0), hypothesis(4, -3.0)];
        assert_eq!(best(&candidates, EOT, Some(0.0)), Some(0));
    }

    #[test]
    fn the_first_of_equals_wins() {
        let candidates = [hypothesis(2, -2.0), hypothesis(4, -4.0)];
        assert_eq!(best(&candidates, EOT, None), Some(0));
    }

    #[test]
    fn nothing_sampled_loses_and_no_candidates_have_no_best() {
        let candidates = [hypothesis(0, -0.5), hypothesis(1, -5.0)];
        assert_eq!(best(&candidates, EOT, None), Some(1));
        assert_eq!(best(&[], EOT, None), None);
    }
}
