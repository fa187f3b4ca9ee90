//! Word timestamps: a second look at each window, at where in the audio its tokens look.
//!
//! Facts are openai/whisper's `timing.py` and `transcribe.py:401-476`. The decoder runs once more over the
//! window's text; [`alignment`] turns the scores of a few cross-attention heads into times by way of a
//! [`median_filter`] and [dynamic time warping](dtw); [`punctuation`] and [`word_timing`] make of them the words of
//! each segment; [`seek`] and [`hallucination`] decide what their times mean for the next window.

mod alignment;
mod dtw;
mod hallucination;
mod median_filter;
mod punctuation;
mod seek;
#[cfg(test)]
mod testing;
mod word_timing;

use burn::tensor::{Int, Tensor, TensorData};

use self::alignment::{CrossAttention, WordTiming, align};
pub(super) use self::punctuation::{APPENDED, PREPENDED};
pub(super) use self::seek::{Next, WindowSpan};
use self::word_timing::{WordRules, add_words};
use super::segments::seconds;
use super::{Segment, TranscribeOptions, Whisper};
use crate::model::DecoderState;
use crate::{Error, Result};

/// Mel frames per position of the encoder's output.
const FRAMES_PER_POSITION: usize = 2;

/// Gives the windows of one recording their words, one after the other.
pub(super) struct WordTimestamps<'a> {
    whisper: &'a Whisper,
    options: &'a TranscribeOptions,
    /// Where the last word so far ends, in seconds.
    last_speech_timestamp: f64,
}

impl<'a> WordTimestamps<'a> {
    pub(super) fn new(whisper: &'a Whisper, options: &'a TranscribeOptions) -> Self {
        Self {
            whisper,
            options,
            last_speech_timestamp: 0.0,
        }
    }

    /// Adds words to the segments of a window, corrects the segments' times by them, and says where the next window
    /// begins. Segments that are probably hallucinations are taken away if the options say so.
    ///
    /// # Shapes
    ///
    /// - state: begun on the window; its caches are not touched
    ///
    /// # Errors
    ///
    /// [`Error::Device`] when results cannot be read back.
    pub(super) fn add(
        &mut self,
        segments: &mut Vec<Segment>,
        window: WindowSpan,
        language: &str,
        state: &DecoderState,
    ) -> Result<Next> {
        let eot = self.whisper.tokenizer.eot();
        let is_text = |token: &u32| *token < eot;
        let of_segment = |segment: &Segment| segment.tokens.iter().filter(|t| is_text(t)).count();
        let n_text_tokens: Vec<usize> = segments.iter().map(of_segment).collect();
        let text_tokens: Vec<u32> = (segments.iter())
            .flat_map(|segment| segment.tokens.iter().copied().filter(is_text))
            .collect();

        let alignment = self.find_alignment(text_tokens, window.segment_size, language, state)?;
        let rules = WordRules {
            prepend_punctuations: &self.options.prepend_punctuations,
            append_punctuations: &self.options.append_punctuations,
            time_offset: seconds(window.seek),
            last_speech_timestamp: self.last_speech_timestamp,
        };
        add_words(segments, &n_text_tokens, alignment, rules);

        let next = window.next(
            segments,
            self.last_speech_timestamp,
            self.options.hallucination_silence_threshold,
        );
        if let (Next::Keep(_), Some(end)) = (next, seek::last_word_end(segments)) {
            self.last_speech_timestamp = end;
        }
        Ok(next)
    }

    /// The words of the text with their times from the window's start (openai/whisper timing.py:163-248).
    ///
    /// Tokens beyond the decoder's context, which openai fails on, get no words.
    fn find_alignment(
        &self,
        mut text_tokens: Vec<u32>,
        segment_size: usize,
        language: &str,
        state: &DecoderState,
    ) -> Result<Vec<WordTiming>> {
        let Whisper {
            model, tokenizer, ..
        } = self.whisper;
        let mut tokens = tokenizer.sot_sequence(Some(language), self.options.task)?;
        let start = tokens.len();
        text_tokens.truncate(model.decoder.n_ctx().saturating_sub(start + 2));
        tokens.push(tokenizer.no_timestamps());
        tokens.extend(&text_tokens);
        tokens.push(tokenizer.eot());

        // The last of them is the end of text, with whatever bytes before it make no whole character.
        let mut words = tokenizer.split_to_word_tokens(&tokens[start + 1..], language);
        words.pop();
        if words.is_empty() {
            return Ok(Vec::new());
        }

        let positions = segment_size / FRAMES_PER_POSITION;
        let heads = &self.whisper.alignment_heads;
        let ids: Vec<i64> = tokens.iter().map(|&token| i64::from(token)).collect();
        let ids = TensorData::new(ids, [1, tokens.len()]);
        let ids = Tensor::<2, Int>::from_data(ids, &self.whisper.device);
        let (hidden, scores) = model.decoder.forward_scored(ids, state, heads, positions);
        let [_, _, n_state] = hidden.dims();
        let hidden = hidden.slice([0..1, start..start + text_tokens.len(), 0..n_state]);
        let probabilities =
            (model.decoder).text_probabilities(hidden, &text_tokens, tokenizer.eot());
        let attention = CrossAttention {
            scores: scores.map_or(Ok(Vec::new()), read)?,
            heads: heads.len(),
            tokens: tokens.len(),
            positions,
        };
        Ok(align(attention, start, words, &read(probabilities)?))
    }
}

/// Reads a tensor from the device, flattened.
fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    let failed = |error: String| Error::Device(format!("cannot read the alignment: {error}"));
    let data = tensor
        .try_into_data_as::<f32>()
        .map_err(|error| failed(error.to_string()))?;
    data.try_into_vec::<f32>()
        .map_err(|error| failed(format!("{error:?}")))
}
