//! The committed numbers of openai/whisper: intermediate tensors and transcripts.

use std::path::PathBuf;

use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

/// A file under `tests/data`.
pub fn data(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(path)
}

/// Intermediate tensors of jfk, from one safetensors file.
pub struct Stages {
    bytes: Vec<u8>,
}

impl Stages {
    /// What one model computes: stem, encoder, logits.
    pub fn read(model: &str) -> Self {
        Self::open(&format!("reference/{model}/jfk-stages.safetensors"))
    }

    /// The log-Mel features, which are the same for every model with 80 bins.
    pub fn read_mel() -> Self {
        Self::open("reference/jfk-mel.safetensors")
    }

    fn open(path: &str) -> Self {
        let bytes = std::fs::read(data(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        Self { bytes }
    }

    /// Shape of a matrix.
    pub fn shape(&self, name: &str) -> [usize; 2] {
        self.with(name, |tensor| tensor.shape().try_into().expect("a matrix"))
    }

    /// An f32 tensor, row-major.
    pub fn values(&self, name: &str) -> Vec<f32> {
        self.with(name, |tensor| {
            assert_eq!(tensor.dtype(), Dtype::F32, "{name}");
            words(tensor.data()).map(f32::from_le_bytes).collect()
        })
    }

    /// An i32 tensor of token ids.
    pub fn tokens(&self, name: &str) -> Vec<i32> {
        self.with(name, |tensor| {
            assert_eq!(tensor.dtype(), Dtype::I32, "{name}");
            words(tensor.data()).map(i32::from_le_bytes).collect()
        })
    }

    fn with<T>(&self, name: &str, read: impl FnOnce(safetensors::tensor::TensorView) -> T) -> T {
        let file = SafeTensors::deserialize(&self.bytes).expect("a safetensors file");
        read(
            file.tensor(name)
                .unwrap_or_else(|error| panic!("{name}: {error}")),
        )
    }
}

fn words(bytes: &[u8]) -> impl Iterator<Item = [u8; 4]> {
    bytes.as_chunks().0.iter().copied()
}

/// A transcript, ours or openai's, reduced to what both have.
pub struct Transcript {
    pub text: String,
    pub language: String,
    pub segments: Vec<Segment>,
}

/// openai/whisper's transcript of a clip, and what it was made with.
pub struct Reference {
    pub transcript: Transcript,
    /// The clip's name, where the file is not named by it.
    pub clip: Option<String>,
    /// The options beside greedy decoding; null for none.
    pub options: Value,
}

/// One segment, with openai's field names.
pub struct Segment {
    pub seek: usize,
    pub start: f64,
    pub end: f64,
    pub text: String,
    pub tokens: Vec<u32>,
    pub avg_logprob: f64,
    pub compression_ratio: f64,
    pub no_speech_prob: f64,
    /// `None` where no words were asked for, unless the segment was cleared.
    pub words: Option<Vec<Word>>,
}

/// One word, with openai's field names.
pub struct Word {
    pub word: String,
    pub start: f64,
    pub end: f64,
    pub probability: f64,
}

impl Reference {
    fn path(model: &str, name: &str) -> PathBuf {
        data(&format!("reference/{model}/{name}.json"))
    }

    /// Whether there is one of this name for the model: an English-only model has none for clips in other languages.
    pub fn exists(model: &str, name: &str) -> bool {
        Self::path(model, name).exists()
    }

    /// The names of the model's references with sets of options, sorted.
    pub fn option_sets(model: &str) -> Vec<String> {
        let folder = data(&format!("reference/{model}/options"));
        let files = folder.read_dir().expect("the folder of sets of options");
        let mut names: Vec<String> = files
            .map(|file| file.expect("an entry of the folder").path())
            .map(|path| path.file_stem().expect("a file").display().to_string())
            .map(|name| format!("options/{name}"))
            .collect();
        names.sort();
        names
    }

    /// Reads one by its name: a clip's, a clip's and `-words`, or that of a set of options.
    pub fn read(model: &str, name: &str) -> Self {
        let path = Self::path(model, name);
        let json = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let json: Value = serde_json::from_str(&json).expect("a transcript in JSON");
        let segments = json["segments"].as_array().expect("segments").iter();
        Self {
            transcript: Transcript {
                text: string(&json, "text"),
                language: string(&json, "language"),
                segments: segments.map(Segment::read).collect(),
            },
            clip: json["clip"].as_str().map(str::to_owned),
            options: json["options"].clone(),
        }
    }

    /// Whether the segments have the times of their words.
    pub fn has_words(&self) -> bool {
        self.options["word_timestamps"] == true
    }
}

impl Segment {
    fn read(json: &Value) -> Self {
        let number = |key: &str| {
            json[key]
                .as_f64()
                .unwrap_or_else(|| panic!("{key} is no number"))
        };
        let tokens = json["tokens"].as_array().expect("tokens").iter();
        Self {
            seek: number("seek") as usize,
            start: number("start"),
            end: number("end"),
            text: string(json, "text"),
            tokens: tokens
                .map(|token| token.as_u64().expect("a token id") as u32)
                .collect(),
            avg_logprob: number("avg_logprob"),
            compression_ratio: number("compression_ratio"),
            no_speech_prob: number("no_speech_prob"),
            words: (json["words"].as_array()).map(|words| words.iter().map(Word::read).collect()),
        }
    }
}

impl Word {
    fn read(json: &Value) -> Self {
        let number = |key: &str| {
            json[key]
                .as_f64()
                .unwrap_or_else(|| panic!("{key} is no number"))
        };
        Self {
            word: string(json, "word"),
            start: number("start"),
            end: number("end"),
            probability: number("probability"),
        }
    }
}

fn string(json: &Value, key: &str) -> String {
    json[key]
        .as_str()
        .unwrap_or_else(|| panic!("{key} is no string"))
        .to_owned()
}

impl From<whisper_rs::Transcript> for Transcript {
    fn from(ours: whisper_rs::Transcript) -> Self {
        Self {
            text: ours.text,
            language: ours.language,
            segments: ours
                .segments
                .into_iter()
                .map(|segment| Segment {
                    seek: segment.seek,
                    start: segment.start,
                    end: segment.end,
                    text: segment.text,
                    tokens: segment.tokens,
                    avg_logprob: segment.avg_logprob,
                    compression_ratio: segment.compression_ratio,
                    no_speech_prob: segment.no_speech_prob,
                    words: (segment.words).map(|words| words.into_iter().map(Word::from).collect()),
                })
                .collect(),
        }
    }
}

impl From<whisper_rs::Word> for Word {
    fn from(ours: whisper_rs::Word) -> Self {
        Self {
            word: ours.word,
            start: ours.start,
            end: ours.end,
            probability: ours.probability,
        }
    }
}
