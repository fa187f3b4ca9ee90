//! The seek loop: from window to window through a recording (transcribe.py:186-515).

use std::collections::{BTreeMap, VecDeque};

use super::clips::Clips;
use super::fallback::decode_with_fallback;
use super::language::RecordingLanguage;
use super::prompt::Prompt;
use super::stages::{Stage, StageClock, StageTimes, StageWork};
use super::watch::{OnSegment, Watch};
use super::window::{Slice, slice_window};
use super::words::{Next, WindowSpan, WordTimestamps};
use super::{Event, Segment, Token, TranscribeOptions, Transcript, Whisper};
use crate::audio::{Audio, SAMPLE_RATE};
use crate::decoding::{DecodingOptions, DecodingResult, DecodingTask, detect_language};
use crate::frontend::{Features, HOP_LENGTH};
use crate::model::{DecoderState, RepeatedEncoder};
use crate::text::python_strip;
use crate::tokenizer::Tokenizer;
use crate::{Error, Result};

/// Segments of a recording, each decoded when it is asked for.
///
/// After an error the iterator ends; the segments before it stand. Where it is [cancelled](super::Transcription::until), it ends
/// with the last segment of the windows that are whole. It stays in the thread that began it, since its callbacks need not be
/// `Send`; what it gives can be sent elsewhere through a channel (`examples/shared_model_threads.rs`).
pub struct Segments<'a> {
    whisper: &'a Whisper,
    options: &'a TranscribeOptions,
    features: Features<'a>,
    task: DecodingTask<'a>,
    /// The recording's, as asked for or detected.
    language: &'static str,
    /// The current window's, where each has its own.
    window_language: Option<&'static str>,
    encoder: RepeatedEncoder<'a>,
    /// The decoder's memory, kept from window to window so that it is allocated once.
    state: Option<DecoderState>,
    /// Whether detecting the language has begun the first window in that memory.
    first_window_begun: bool,
    clips: Clips,
    /// Frame that the next window begins at.
    seek: usize,
    prompt: Prompt,
    next_id: usize,
    ready: VecDeque<Segment>,
    /// Present when words were asked for.
    words: Option<WordTimestamps<'a>>,
    watch: Watch<'a>,
    cancelled: bool,
    clock: StageClock,
}

impl<'a> Segments<'a> {
    pub(super) fn new(
        whisper: &'a Whisper,
        audio: &'a Audio,
        options: &'a TranscribeOptions,
        mut watch: Watch<'a>,
        mut clock: StageClock,
    ) -> Result<Self> {
        options.check()?;
        let mut language = (options.language.as_deref())
            .map(|name| whisper.language_code(name))
            .transpose()?;
        let mut features = clock.time(Stage::Frontend, || whisper.features(audio))?;
        if options.strict {
            whisper.check_strict()?;
        }
        let clips = Clips::new(&options.clip_timestamps, features.content_frames());
        let mut state = None;
        let mut first_window_begun = false;
        if !whisper.is_multilingual() {
            language = Some("en");
        }
        let language = match language {
            Some(language) => language,
            None => {
                let detected = RecordingLanguage::detect(
                    whisper,
                    &mut features,
                    options,
                    clips.first_window(),
                    &watch.cancel,
                    &mut clock,
                )?;
                let language = detected.language;
                watch.tell(Event::LanguageFound {
                    position: 0.0,
                    language,
                });
                state = detected.state;
                first_window_begun = detected.first_window_begun;
                language
            }
        };

        let encode = |text: &str| {
            whisper
                .tokenizer
                .encode(&format!(" {}", python_strip(text)))
        };
        let initial_prompt = options.initial_prompt.as_deref().map(encode).transpose()?;
        // An empty one is none (decoding.py:590), where an empty prompt is a blank.
        let prefix = (options.prefix.as_deref())
            .filter(|prefix| !prefix.is_empty())
            .map(encode)
            .transpose()?;
        let hotwords = (options.hotwords.as_deref())
            .filter(|words| !python_strip(words).is_empty())
            .map(encode)
            .transpose()?;
        let half_context = whisper.model.decoder.n_ctx() / 2;
        let task = DecodingTask::new(
            &whisper.model,
            &whisper.tokenizer,
            &whisper.device,
            &DecodingOptions {
                task: options.task,
                language: Some(language.to_owned()),
                best_of: options.best_of,
                beam_size: options.beam_size,
                patience: options.patience,
                length_penalty: options.length_penalty,
                prefix: prefix.unwrap_or_default(),
                seed: options.seed,
                suppress_tokens: options.suppress_tokens.clone(),
                suppress_blank: options.suppress_blank,
                max_initial_timestamp: options.max_initial_timestamp,
                without_timestamps: options.without_timestamps,
                sample_len: options.max_new_tokens.map(|most| most.min(half_context)),
                repetition_penalty: options.repetition_penalty,
                no_repeat_ngram_size: options.no_repeat_ngram_size,
                logit_filters: options.logit_filters.clone(),
            },
        )?
        .until(&watch.cancel);
        let prompt = Prompt::new(
            initial_prompt.unwrap_or_default(),
            options.carry_initial_prompt,
            half_context - 1,
        )
        .with_hotwords(hotwords.unwrap_or_default());
        Ok(Self {
            whisper,
            options,
            features,
            task,
            language,
            window_language: None,
            encoder: RepeatedEncoder::new(&whisper.model, &whisper.device),
            state,
            first_window_begun,
            seek: clips.start(),
            clips,
            prompt,
            next_id: 0,
            ready: VecDeque::new(),
            words: (options.word_timestamps).then(|| WordTimestamps::new(whisper, options)),
            watch,
            cancelled: false,
            clock,
        })
    }

    /// What the stages and their operations took, where a clock notes that.
    pub(super) fn work(&mut self) -> BTreeMap<Stage, StageWork> {
        self.clock.work.take().unwrap_or_default()
    }

    /// What the stages took, where a clock runs.
    pub(super) fn times(&self) -> StageTimes {
        self.clock.times
    }

    /// Whether the iterator has ended before the recording, since it was [cancelled](super::Transcription::until).
    pub fn cancelled(&self) -> bool {
        self.cancelled
    }

    /// Code of the recording's language, as asked for or detected.
    pub fn language(&self) -> &'static str {
        self.language
    }

    /// The text of all segments so far, decoded jointly, so that letters split between segments are whole.
    pub fn text(&self) -> String {
        self.whisper.tokenizer.decode(self.prompt.transcribed())
    }

    /// The transcript of the segments that the iterator has given.
    pub fn transcript(&self, segments: Vec<Segment>) -> Transcript {
        Transcript {
            cancelled: self.cancelled,
            ..Transcript::new(self.text(), segments, self.language.to_owned())
        }
    }

    /// Goes on to the end, and gives each segment to `on_segment` as it comes.
    pub(super) fn finish(&mut self, mut on_segment: Option<OnSegment<'_>>) -> Result<Transcript> {
        let mut all = Vec::new();
        for segment in &mut *self {
            let segment = segment?;
            if let Some(on_segment) = &mut on_segment {
                on_segment(&segment);
            }
            all.push(segment);
        }
        Ok(self.transcript(all))
    }

    /// Frame (of 10 ms) that decoding has come to.
    pub fn position(&self) -> usize {
        self.seek.min(self.content_frames())
    }

    /// Frames (of 10 ms) of the recording.
    pub fn content_frames(&self) -> usize {
        self.features.content_frames()
    }

    /// Decodes the next window and queues its segments; a window that is skipped as silence queues none.
    fn decode_window(&mut self, segment_size: usize) -> Result<()> {
        self.watch.check()?;
        let position = seconds(self.seek);
        self.watch.tell(Event::WindowBegun {
            position,
            length: seconds(segment_size),
        });
        let mut state = self.begin_window(segment_size)?;
        self.detect_window_language(&mut state)?;
        let prompt = self.prompt.tokens();
        let window = self.seek as u64;
        let mut attempts = 0;
        let result = decode_with_fallback(self.options, |temperature| {
            if attempts > 0 {
                self.watch.tell(Event::Fallback {
                    position,
                    temperature,
                });
            }
            attempts += 1;
            let result = self.clock.time(Stage::Decoder, || {
                self.task.decode(&prompt, temperature, window, &mut state)
            })?;
            self.clock.times.tokens += result.tokens.len();
            Ok(result)
        })?;
        self.clock.times.windows += 1;
        self.state = Some(state);
        self.watch.check()?;
        self.queue_window(&result, segment_size)?;
        self.watch.tell(Event::WindowDone {
            position: seconds(Self::position(self)),
            seconds: seconds(self.content_frames()),
        });
        Ok(())
    }

    /// Queues the segments of a window, and goes on to where the next one begins.
    fn queue_window(&mut self, result: &DecodingResult, segment_size: usize) -> Result<()> {
        if self.is_silence(result) {
            self.seek += segment_size;
            return Ok(());
        }
        let timestamp_begin = self.whisper.tokenizer.timestamp_begin();
        let window = slice_window(&result.tokens, timestamp_begin, segment_size);
        let span = WindowSpan {
            seek: self.seek,
            segment_size,
            content_frames: self.content_frames(),
            advance: window.advance,
            single_timestamp_ending: window.single_timestamp_ending,
        };
        let mut segments: Vec<Segment> = (window.slices.into_iter())
            .map(|slice| self.segment(slice, result))
            .collect();
        match self.add_words(&mut segments, span)? {
            Next::Drop(seek) => self.seek = seek,
            Next::Keep(seek) => {
                segments.into_iter().for_each(|segment| self.queue(segment));
                self.reset_prompt_after(result);
                self.seek = seek;
            }
        }
        Ok(())
    }

    /// Adds words where they were asked for, and says where the next window begins.
    fn add_words(&mut self, segments: &mut Vec<Segment>, span: WindowSpan) -> Result<Next> {
        match (&mut self.words, &self.state) {
            (Some(words), Some(state)) => {
                let language = self.window_language.unwrap_or(self.language);
                self.clock
                    .time(Stage::Words, || words.add(segments, span, language, state))
            }
            _ => Ok(Next::Keep(span.seek + span.advance)),
        }
    }

    /// Text is no context for the next window when it was not asked for, or is likely to be wrong.
    fn reset_prompt_after(&mut self, result: &DecodingResult) {
        let options = self.options;
        if !options.condition_on_previous_text
            || result.temperature > options.prompt_reset_on_temperature
        {
            self.prompt.reset();
        }
    }

    /// With the option `multilingual`, finds the language of the window that `state` has begun, to decode it as that.
    fn detect_window_language(&mut self, state: &mut DecoderState) -> Result<()> {
        let whisper = self.whisper;
        if !self.options.multilingual || !whisper.is_multilingual() {
            return Ok(());
        }
        let detected = self.clock.time(Stage::Decoder, || {
            detect_language(&whisper.model, &whisper.tokenizer, state, &whisper.device)
        })?;
        self.task.set_language(detected.language)?;
        self.window_language = Some(detected.language);
        self.watch.tell(Event::LanguageFound {
            position: seconds(self.seek),
            language: detected.language,
        });
        Ok(())
    }

    /// Encodes the window at the current position and begins decoding it, in the state of the window before it where
    /// there was one.
    fn begin_window(&mut self, segment_size: usize) -> Result<DecoderState> {
        let begun = std::mem::take(&mut self.first_window_begun);
        let state = match self.state.take() {
            Some(state) if begun => return Ok(state),
            state => state,
        };
        let model = &self.whisper.model;
        let mel = self.clock.time(Stage::Frontend, || {
            (self.features).window(self.seek, segment_size)
        })?;
        let encoded = (self.clock).time(Stage::Encoder, || self.encoder.encode(mel))?;
        let rows = self.options.max_rows();
        let begin = || match state {
            Some(mut state) => {
                model.decoder.begin_window(encoded, &mut state);
                state
            }
            None => model.decoder.start(encoded, rows),
        };
        (self.clock).time(Stage::CrossKeysAndValues, || Ok(begin()))
    }

    /// No speech by its own probability, and the text is not sure enough to outweigh it (transcribe.py:297-310).
    fn is_silence(&self, result: &DecodingResult) -> bool {
        let Some(no_speech_threshold) = self.options.no_speech_threshold else {
            return false;
        };
        let sure = (self.options.logprob_threshold)
            .is_some_and(|threshold| result.avg_logprob > threshold);
        result.no_speech_prob > no_speech_threshold && !sure
    }

    /// A segment of the current window; its number is given when it is queued.
    fn segment(&self, slice: Slice, result: &DecodingResult) -> Segment {
        let tokenizer = &self.whisper.tokenizer;
        let offset = seconds(self.seek);
        let logprobs = &result.token_logprobs[slice.begin..];
        let text_tokens: Vec<u32> = (slice.tokens.iter().copied())
            .filter(|&token| token < tokenizer.eot())
            .collect();
        Segment {
            id: 0,
            seek: self.seek,
            start: offset + slice.start,
            end: offset + slice.end,
            text: tokenizer.decode(&text_tokens),
            token_details: token_details(tokenizer, &slice.tokens, logprobs),
            tokens: slice.tokens,
            temperature: result.temperature,
            avg_logprob: result.avg_logprob,
            compression_ratio: result.compression_ratio,
            no_speech_prob: result.no_speech_prob,
            words: None,
            language: self.window_language.map(str::to_owned),
        }
    }

    /// Numbers a segment and makes it ready; its tokens become context for the next windows.
    fn queue(&mut self, mut segment: Segment) {
        segment.clear_if_blank();
        segment.id = self.next_id;
        self.next_id += 1;
        self.prompt.extend(&segment.tokens);
        self.ready.push_back(segment);
    }
}

impl Iterator for Segments<'_> {
    type Item = Result<Segment>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() {
            let segment_size = self.clips.next_window(&mut self.seek)?;
            if let Err(error) = self.decode_window(segment_size) {
                self.clips = Clips::default();
                self.cancelled = matches!(error, Error::Cancelled);
                return (!self.cancelled).then_some(Err(error));
            }
        }
        self.ready.pop_front().map(Ok)
    }
}

/// Text and probability of each token of a segment.
fn token_details(tokenizer: &Tokenizer, tokens: &[u32], logprobs: &[f32]) -> Vec<Token> {
    let mut stream = tokenizer.stream();
    let mut details: Vec<Token> = (tokens.iter().zip(logprobs))
        .map(|(&id, &logprob)| Token {
            id,
            text: if id < tokenizer.timestamp_begin() {
                stream.push(id).unwrap_or_default()
            } else {
                tokenizer.decode_with_timestamps(&[id])
            },
            probability: f64::from(logprob).exp(),
        })
        .collect();
    if let (Some(rest), Some(last)) = (stream.finish(), details.last_mut()) {
        last.text.push_str(&rest);
    }
    details
}

/// Seconds of a number of frames.
pub(super) fn seconds(frames: usize) -> f64 {
    (frames * HOP_LENGTH) as f64 / SAMPLE_RATE as f64
}
