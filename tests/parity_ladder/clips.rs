//! The clips of `tests/data/clips.tsv`.

use whisper_rs::Audio;

use crate::reference::data;

/// A clip, or the first samples of one.
pub struct Clip {
    /// Also the name of its references.
    pub name: String,
    file: String,
    /// Length in samples at 16 kHz where the clip is cut.
    samples: Option<usize>,
}

impl Clip {
    /// The samples that the reference was made from: every file is 16 kHz, mono, lossless.
    pub fn audio(&self) -> Audio {
        let whole =
            Audio::open(data(&self.file)).unwrap_or_else(|error| panic!("{}: {error}", self.name));
        let Some(samples) = self.samples else {
            return whole;
        };
        let mut cut = vec![0.0; samples];
        whole.read(0, &mut cut).expect("the clip can be read");
        Audio::from_samples(cut).expect("the samples are finite")
    }
}

/// All clips, in the file's order.
pub fn all() -> Vec<Clip> {
    let table = std::fs::read_to_string(data("clips.tsv")).expect("tests/data/clips.tsv is there");
    table
        .lines()
        .skip(1)
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let [name, file, samples, _speech] = fields[..] else {
                panic!("tests/data/clips.tsv: four fields wanted in '{line}'");
            };
            Clip {
                name: name.to_owned(),
                file: file.to_owned(),
                samples: (!samples.is_empty())
                    .then(|| samples.parse().expect("a number of samples")),
            }
        })
        .collect()
}
