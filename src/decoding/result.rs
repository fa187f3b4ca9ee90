//! What decoding a window gives.

/// The text of one window and how sure the model is of it (decoding.py:115-126).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DecodingResult {
    /// Sampled tokens, timestamps among them, without the end of text.
    pub tokens: Vec<u32>,
    /// Log-probability of each of `tokens`, given those before it, as the logit filters left it.
    pub token_logprobs: Vec<f32>,
    /// Their text, without white space around it.
    pub text: String,
    /// Mean log-probability of the tokens, the end of text counted in.
    pub avg_logprob: f64,
    /// Probability that the window holds no speech.
    pub no_speech_prob: f64,
    /// Temperature that the tokens were sampled at.
    pub temperature: f64,
    /// Size of the text over its size when compressed.
    pub compression_ratio: f64,
}
