//! A loaded model, ready to transcribe.

use std::collections::BTreeMap;

use burn::tensor::{Device, FloatDType};
use whisper_weights::Checkpoint;

use super::segments::Segments;
use super::stages::{Stage, StageClock, StageTimes, StageWork};
use super::{Segment, TranscribeOptions, Transcript, Transcription, WhisperBuilder};
use crate::audio::Audio;
use crate::compute_type::{Numbers, WeightNumbers};
use crate::decoding::{LanguageDetection, detect_language};
use crate::frontend::{self, Features, LogMel, N_FRAMES, Normalisation, Smoothing};
use crate::model::{AlignmentHeads, WhisperModel, check_dims};
use crate::tokenizer::Tokenizer;
use crate::{ComputeType, Error, Result};

/// A Whisper model on a device, with its tokenizer and frontend. Shared by reference, or in an [`Arc`](std::sync::Arc), between
/// threads, which may use it at once.
#[derive(Debug)]
pub struct Whisper {
    pub(super) model: WhisperModel,
    pub(super) tokenizer: Tokenizer,
    pub(super) log_mel: LogMel,
    pub(super) normalisation: Normalisation,
    pub(super) alignment_heads: AlignmentHeads,
    pub(super) device: Device,
    numbers: Numbers,
}

impl Whisper {
    /// Loads a model by its name, such as `base`, or from a file or folder of weights, in single precision on any device
    /// ([`builder`](Self::builder) begins with [`ComputeType::Auto`](crate::ComputeType::Auto), which is `int16` on a CPU).
    ///
    /// A name that is not in the cache yet is fetched, without a word; a [`builder`](Self::builder) can show progress, and takes
    /// what else there is to choose.
    ///
    /// # Errors
    ///
    /// [`Error::Weights`](crate::Error::Weights) when the name is unknown or no source has it; else as
    /// [`from_checkpoint`](Self::from_checkpoint).
    pub fn load(model: &str, device: &Device) -> Result<Self> {
        let builder = Self::builder(model).on(device);
        builder.compute_type(ComputeType::Float32).load()
    }

    /// Puts a checkpoint on a device, in single precision.
    ///
    /// # Errors
    ///
    /// [`Error::Weights`](crate::Error::Weights) when a tensor or the tokenizer is missing or unreadable, [`Error::Model`](crate::Error::Model) when
    /// the checkpoint's dimensions are not those of a Whisper model or its tensors do not fit them,
    /// [`Error::Tokenizer`](crate::Error::Tokenizer) when the tokenizer belongs to another model.
    pub fn from_checkpoint(checkpoint: &Checkpoint, device: &Device) -> Result<Self> {
        Self::from_checkpoint_as(checkpoint, device, ComputeType::Float32)
    }

    /// Puts a checkpoint on a device, to be computed with in a number format.
    ///
    /// # Errors
    ///
    /// [`Error::Device`](crate::Error::Device) when the device cannot compute in it; else as
    /// [`from_checkpoint`](Self::from_checkpoint).
    pub fn from_checkpoint_as(
        checkpoint: &Checkpoint,
        device: &Device,
        compute_type: ComputeType,
    ) -> Result<Self> {
        let numbers = compute_type.numbers_on(device)?;
        let dims = checkpoint.dims();
        check_dims(dims)?;
        let tokenizer = Tokenizer::new(&checkpoint.tokenizer_json()?, dims.n_vocab)?;
        Ok(Self {
            log_mel: frontend::log_mel(dims.n_mels, device)?,
            normalisation: Normalisation::Off,
            alignment_heads: AlignmentHeads::of(checkpoint),
            model: WhisperModel::from_checkpoint(checkpoint, device, numbers)?,
            tokenizer,
            device: device.clone(),
            numbers,
        })
    }

    /// The same with the features smoothed over their neighbours, which OpenAI's transcripts are made without
    /// ([word error rates](crate::book::smoothing)).
    #[must_use]
    pub fn with_smoothing(mut self, smoothing: Smoothing) -> Self {
        self.log_mel = self.log_mel.with_smoothing(smoothing);
        self
    }

    /// The same with recordings made as loud as asked before they are heard, which openai/whisper does not do.
    #[must_use]
    pub fn with_normalisation(mut self, normalisation: Normalisation) -> Self {
        self.normalisation = normalisation;
        self
    }

    /// The features of a recording.
    pub(super) fn features<'a>(&self, audio: &'a Audio) -> Result<Features<'a>> {
        let features = Features::normalised(self.log_mel.clone(), audio, self.normalisation)?;
        Ok(features.with_dtype(self.model.dtype()))
    }

    /// What is chosen before a model is loaded: device, numbers, threads, the folder of models. `model` is a name, such as
    /// `base`, or a file or folder of weights.
    pub fn builder(model: &str) -> WhisperBuilder {
        WhisperBuilder::new(model)
    }

    /// A recording to be transcribed, for who wants to look on or to end it early.
    pub fn transcription<'a>(
        &'a self,
        audio: &'a Audio,
        options: &'a TranscribeOptions,
    ) -> Transcription<'a> {
        Transcription::new(self, audio, options)
    }

    /// Transcribes a recording.
    ///
    /// # Errors
    ///
    /// As [`Transcription::run`].
    pub fn transcribe(&self, audio: &Audio, options: &TranscribeOptions) -> Result<Transcript> {
        self.transcription(audio, options).run()
    }

    /// Transcribes a recording and gives each segment to `on_segment` as soon as its window is decoded.
    ///
    /// # Errors
    ///
    /// As [`Transcription::run`].
    pub fn transcribe_with<'a>(
        &'a self,
        audio: &'a Audio,
        options: &'a TranscribeOptions,
        on_segment: impl FnMut(&Segment) + 'a,
    ) -> Result<Transcript> {
        self.transcription(audio, options)
            .on_segment(on_segment)
            .run()
    }

    /// The segments of a recording, decoded window by window as the iterator is advanced.
    ///
    /// The language is detected before this returns.
    ///
    /// # Errors
    ///
    /// As [`Transcription::run`].
    pub fn segments<'a>(
        &'a self,
        audio: &'a Audio,
        options: &'a TranscribeOptions,
    ) -> Result<Segments<'a>> {
        self.transcription(audio, options).segments()
    }

    /// Transcribes a recording and tells what each stage took. The device is waited for after each stage, which makes a GPU a
    /// little slower than [`transcribe`](Self::transcribe) lets it be.
    ///
    /// # Errors
    ///
    /// As [`Transcription::run`].
    pub fn transcribe_timed(
        &self,
        audio: &Audio,
        options: &TranscribeOptions,
    ) -> Result<(Transcript, StageTimes)> {
        let clock = StageClock::on(&self.device);
        let mut segments = self.transcription(audio, options).segments_timed(clock)?;
        let transcript = segments.finish(None)?;
        Ok((transcript, segments.times()))
    }

    /// Transcribes a recording and tells what the operations of each stage took, on the host's processor. Operations of the whole process
    /// are noted: nothing else should be transcribed meanwhile.
    ///
    /// # Errors
    ///
    /// As [`Transcription::run`].
    pub fn transcribe_noting_work(
        &self,
        audio: &Audio,
        options: &TranscribeOptions,
    ) -> Result<(Transcript, BTreeMap<Stage, StageWork>)> {
        let clock = StageClock::on(&self.device).with_work();
        let mut segments = self.transcription(audio, options).segments_timed(clock)?;
        let transcript = segments.finish(None)?;
        Ok((transcript, segments.work()))
    }

    /// Detects the language of the first 30 s of a recording, with the silence that openai/whisper hears after a shorter one.
    ///
    /// # Errors
    ///
    /// [`Error::Model`](crate::Error::Model) for a model that knows English alone; else as [`transcribe`](Self::transcribe).
    pub fn detect_language(&self, audio: &Audio) -> Result<LanguageDetection> {
        let mel = self.features(audio)?.window(0, N_FRAMES)?;
        let mut state = self.model.decoder.start(self.model.encode(mel), 1);
        detect_language(&self.model, &self.tokenizer, &mut state, &self.device)
    }

    /// The network, for programs that drive it themselves.
    pub fn model(&self) -> &WhisperModel {
        &self.model
    }

    /// The model's tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The frontend that makes the model's features.
    pub fn log_mel(&self) -> &LogMel {
        &self.log_mel
    }

    /// The cross-attention heads that word timestamps are taken from.
    pub fn alignment_heads(&self) -> &AlignmentHeads {
        &self.alignment_heads
    }

    /// What the model's tensors are made of.
    pub fn numbers(&self) -> Numbers {
        self.numbers
    }

    /// The device that holds the model.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Whether the model knows other languages than English.
    pub fn is_multilingual(&self) -> bool {
        self.tokenizer.is_multilingual()
    }

    /// Refuses what in the model itself differs from what `strict` names: another precision than f32, smoothed
    /// features, normalised samples.
    pub(super) fn check_strict(&self) -> Result<()> {
        let dtype = self.model.dtype();
        if dtype != FloatDType::F32 {
            return Err(Error::Option(format!(
                "strict: the model computes in {dtype:?}, and only f32 has been proven equal to openai/whisper"
            )));
        }
        if !matches!(
            self.numbers.weights,
            WeightNumbers::AsStates | WeightNumbers::Exact
        ) {
            return Err(Error::Option(
                "strict: only compute_type float32 has been proven equal to openai/whisper, whose weights are not rounded".to_owned(),
            ));
        }
        if self.log_mel.smoothing() != Smoothing::Off {
            return Err(Error::Option(
                "strict: smoothed features are not openai/whisper's".to_owned(),
            ));
        }
        if self.normalisation != Normalisation::Off {
            return Err(Error::Option(
                "strict: openai/whisper does not normalise the samples".to_owned(),
            ));
        }
        Ok(())
    }

    /// Code of the language asked for, checked against what the model knows.
    pub(super) fn language_code(&self, name_or_code: &str) -> Result<&'static str> {
        let code = crate::tokenizer::languages::parse_language(name_or_code)?;
        if self.is_multilingual() {
            self.tokenizer.language_token(code)?;
        }
        Ok(code)
    }
}

/// What threads share.
const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Whisper>();
    shared::<Audio>();
    shared::<TranscribeOptions>();
    shared::<crate::CancelToken>();
    shared::<Error>();
};
