//! Whisper speech to text in Rust on the [Burn](https://burn.dev) framework: from a recording to its transcript, with the tokens, times and probabilities that
//! [openai/whisper](https://github.com/openai/whisper) gives, on a CPU or a GPU.
//!
//! ```
//! use whisper_rs::{Audio, TranscribeOptions, Whisper};
//!
//! fn main() -> whisper_rs::Result<()> {
//!     let whisper = Whisper::builder("tiny.en").device("cpu").load()?;
//!     let audio = Audio::open("tests/data/jfk.wav")?;
//!     for segment in whisper.segments(&audio, &TranscribeOptions::default())? {
//!         let segment = segment?;
//!         println!("{:6.2} s to {:6.2} s: {}", segment.start, segment.end, segment.text);
//! #       assert!(segment.text.contains("ask"));
//!     }
//!     Ok(())
//! }
//! ```
//!
//! A model is a name, which is fetched once, or a path to a file or folder in any of the formats that users have. `device("auto")`, the default, takes a GPU that works, in builds that
//! have a backend for one.
//!
//! # Where to find what
//!
//! | to | see |
//! |---|---|
//! | load a model | [`Whisper::builder`], [`Whisper::load`]; [`weights`] for checkpoints, the catalogue and fetching |
//! | bring in a recording | [`Audio`]: a file, any reader, or samples in memory |
//! | transcribe it | [`Whisper::transcribe`] for all at once, [`Whisper::segments`] for segments as they are made, [`Whisper::transcription`] with progress and an end: [`Event`], [`CancelToken`] |
//! | tell it how | [`TranscribeOptions`]: beams, fallback, words, prompts, clips; serde reads and writes it |
//! | use the transcript | [`Transcript`], [`Segment`], [`Word`], [`Token`]; [`output`] writes srt, vtt, json and others |
//! | choose a device and numbers | [`device`], [`ComputeType`], [`threads`], [`self_test()`](self_test()) |
//! | change what is said | [`decoding::filters`]: logit filters of one's own |
//! | go below | [`frontend`] (samples to features), [`model`] (the network), [`decoding`] (one window), [`tokenizer`], [`text`] |
//! | know what it is worth | [`compare`] (normalisers, error rates), [`evaluate`] (many clips), [`measure`] (time and memory), [`plot`] and [`report`] (pictures, pages) |
//!
//! A [`Whisper`] is `Send + Sync`: threads share it by reference. Errors are one type, [`Error`], each a line that says what to do.
//!
//! # Features
//!
//! By default the crate has everything that its command line needs. `default-features = false` leaves model, frontend and decoding on the CPU; a program adds what it uses: `audio-files`
//! (files of any format), `fetch` (models by name), `output` (writers), `measure`, `compare`, `evaluate`, `plot`, `report`. `cuda`, `vulkan`, `metal`, `wgpu` and `ndarray` add devices ([building](book::building)).
//!
//! # The book
//!
//! [`book`] has the project's documents as chapters:
//! [models](book::models), [audio](book::audio), [devices](book::devices), [options](book::options), [errors](book::errors), [building and features](book::building);
//! [accuracy](book::accuracy) and [performance](book::performance);
//! [the command line](book::flags);
//! [architecture](book::architecture), [extending](book::extending) and [testing](book::testing).
//!
//! The programs in `examples/` are small and complete: transcribe, subtitles, batch_folder, custom_filter, cancel_and_progress, shared_model_threads, log_mel, upload_page, microphone.
//!
//! # Conventions
//!
//! Times are seconds as `f64`. A *sample* is one of 16,000 a second, mono; a *frame* is a column of the log-Mel features, 160 samples or 0.01 s; a *window* is what the model hears at once, 3000 frames or
//! 30 s, which the encoder makes 1500 positions of; a *token* is a `u32` of the model's vocabulary, and the timestamps among them count in steps of 0.02 s. Shapes are written as `[batch, n_mels, frames]`, probabilities are natural
//! logarithms where the name says `logprob`. Sources are named as file and line of openai/whisper v20250625.
//!
//! Of dependencies, this interface has Burn's [`Tensor`](burn::tensor::Tensor) and [`Device`] alone, the element types [`DType`](burn::tensor::DType) and
//! [`FloatDType`](burn::tensor::FloatDType), and on the parts of the [`model`] the traits and parameters of Burn's modules
//! ([`Module`](burn::module::Module), [`Param`](burn::module::Param), [`Config`](burn::config::Config)). [`weights`] and whisper-kernels are this project's.

pub mod audio;
#[cfg(any(doc, test))]
pub mod book;
mod cancel;
#[cfg(feature = "compare")]
pub mod compare;
mod compute_type;
pub mod decoding;
pub mod device;
mod error;
#[cfg(feature = "evaluate")]
pub mod evaluate;
pub mod frontend;
#[cfg(feature = "measure")]
pub mod measure;
pub mod model;
#[cfg(feature = "output")]
pub mod output;
mod panics;
#[cfg(feature = "plot")]
pub mod plot;
#[cfg(feature = "report")]
pub mod report;
mod self_test;
pub mod text;
pub mod threads;
pub mod tokenizer;
pub mod transcribe;

#[doc(inline)]
pub use audio::Audio;
pub use burn::tensor::Device;
pub use cancel::CancelToken;
pub use compute_type::{ComputeType, Numbers, WeightNumbers};
pub use error::{Error, Result};
pub use self_test::{SelfTest, SelfTestStage, self_test};
#[doc(inline)]
pub use tokenizer::{Task, Tokenizer};
#[doc(inline)]
pub use transcribe::{
    Event, Segment, Segments, Token, TranscribeOptions, Transcript, Transcription, Whisper,
    WhisperBuilder, Word,
};
/// The crate of weights: checkpoints, the catalogue of models, fetching.
pub use whisper_weights as weights;

/// The program of the README is compiled with the doc tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
