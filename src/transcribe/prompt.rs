//! The text before a window, which the model is given as context (transcribe.py:234-249, 286-293).

/// All tokens so far, and which of them are context for the next window.
#[derive(Debug)]
pub(super) struct Prompt {
    /// The initial prompt, then what was transcribed.
    all_tokens: Vec<u32>,
    initial_len: usize,
    /// Tokens before this one are forgotten.
    reset_since: usize,
    carry_initial: bool,
    /// Stand before every window, in front of everything else.
    hotwords: Vec<u32>,
    /// Most tokens that the model takes as context.
    longest: usize,
}

impl Prompt {
    /// `initial` stands before the first window, or with `carry_initial` before every window.
    pub fn new(initial: Vec<u32>, carry_initial: bool, longest: usize) -> Self {
        Self {
            initial_len: initial.len(),
            all_tokens: initial,
            reset_since: 0,
            carry_initial,
            hotwords: Vec::new(),
            longest,
        }
    }

    /// Puts words before every window, cut to what the model takes.
    pub fn with_hotwords(mut self, mut hotwords: Vec<u32>) -> Self {
        hotwords.truncate(self.longest);
        self.hotwords = hotwords;
        self
    }

    /// Adds what a segment says.
    pub fn extend(&mut self, tokens: &[u32]) {
        self.all_tokens.extend(tokens);
    }

    /// Forgets everything so far as context; the initial prompt too, unless it is carried.
    pub fn reset(&mut self) {
        self.reset_since = self.all_tokens.len();
    }

    /// What was transcribed.
    pub fn transcribed(&self) -> &[u32] {
        &self.all_tokens[self.initial_len..]
    }

    /// Context for the next window; the decoder cuts it to its last tokens where it is too long.
    pub fn tokens(&self) -> Vec<u32> {
        if self.hotwords.is_empty() {
            return self.said(self.longest);
        }
        // Cut here, so that the decoder does not take the hotwords away.
        let room = self.longest - self.hotwords.len();
        let said = self.said(room);
        let mut tokens = self.hotwords.clone();
        tokens.extend(&said[said.len().saturating_sub(room)..]);
        tokens
    }

    /// The initial prompt and the text so far, as much as is context; `longest` holds where the prompt is carried.
    fn said(&self, longest: usize) -> Vec<u32> {
        if !self.carry_initial {
            return self.all_tokens[self.reset_since..].to_vec();
        }
        let recent = &self.all_tokens[self.initial_len.max(self.reset_since)..];
        let mut tokens = self.all_tokens[..self.initial_len].to_vec();
        tokens.extend(last(recent, longest as isize - self.initial_len as isize));
        tokens
    }
}

/// Python's `tokens[-n:]`: all of them for 0, and all but the first for a negative `n`.
fn last(tokens: &[u32], n: isize) -> &[u32] {
    let begin = if n > 0 {
        tokens.len().saturating_sub(n.unsigned_abs())
    } else {
        n.unsigned_abs().min(tokens.len())
    };
    &tokens[begin..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_initial_prompt_is_context_until_the_first_reset() {
        let mut prompt = Prompt::new(vec![1, 2], false, 4);
        assert_eq!(prompt.tokens(), [1, 2]);
        prompt.extend(&[3, 4]);
        assert_eq!(prompt.tokens(), [1, 2, 3, 4]);
        prompt.reset();
        prompt.extend(&[5]);
        assert_eq!(prompt.tokens(), [5]);
        assert_eq!(prompt.transcribed(), [3, 4, 5]);
    }

    #[test]
    fn a_carried_prompt_stands_before_what_fits_beside_it() {
        let mut prompt = Prompt::new(vec![1, 2], true, 4);
        prompt.extend(&[3, 4, 5]);
        assert_eq!(prompt.tokens(), [1, 2, 4, 5]);
        prompt.reset();
        assert_eq!(prompt.tokens(), [1, 2]);
        prompt.extend(&[6]);
        assert_eq!(prompt.tokens(), [1, 2, 6]);
    }

    #[test]
    fn hotwords_stand_before_every_window_and_the_last_text_fits_beside_them() {
        let mut prompt = Prompt::new(vec![1], false, 4).with_hotwords(vec![8, 9]);
        assert_eq!(prompt.tokens(), [8, 9, 1]);
        prompt.extend(&[2, 3]);
        assert_eq!(prompt.tokens(), [8, 9, 2, 3]);
        prompt.reset();
        assert_eq!(prompt.tokens(), [8, 9]);
        assert_eq!(prompt.transcribed(), [2, 3]);

        let mut carried = Prompt::new(vec![1], true, 4).with_hotwords(vec![8, 9]);
        carried.extend(&[2, 3]);
        assert_eq!(carried.tokens(), [8, 9, 1, 3]);

        let mut long = Prompt::new(vec![1], false, 4).with_hotwords(vec![5, 6, 7, 8, 9]);
        long.extend(&[2]);
        assert_eq!(long.tokens(), [5, 6, 7, 8]);
    }

    #[test]
    fn slices_from_the_end_are_pythons() {
        let tokens = [1, 2, 3];
        assert_eq!(last(&tokens, 2), [2, 3]);
        assert_eq!(last(&tokens, 9), [1, 2, 3]);
        assert_eq!(last(&tokens, 0), [1, 2, 3]);
        assert_eq!(last(&tokens, -2), [3]);
        assert!(last(&tokens, -9).is_empty());
    }
}
