//! The files of a repository, and which of them make up the model.

use serde::Deserialize;

use super::super::verify::Hash;

/// Files that are kept beside the weights, where a repository has them.
const COMPANIONS: &[&str] = &[
    "config.json",
    "generation_config.json",
    "preprocessor_config.json",
    "tokenizer_config.json",
    "tokenizer.json",
    "vocab.json",
    "merges.txt",
    "added_tokens.json",
    "vocabulary.json",
    "vocabulary.txt",
];

/// What the Hub says of a repository: `GET /api/models/<repository>/revision/main?blobs=true`.
#[derive(Deserialize)]
pub(super) struct Listing {
    /// The commit: all files are taken from this one.
    pub(super) sha: String,
    pub(super) siblings: Vec<RemoteFile>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RemoteFile {
    #[serde(rename = "rfilename")]
    pub(super) name: String,
    pub(super) size: Option<u64>,
    blob_id: Option<String>,
    lfs: Option<LargeFile>,
}

#[derive(Deserialize)]
struct LargeFile {
    sha256: Option<String>,
}

impl RemoteFile {
    /// What its content must have, where the Hub says it.
    pub(super) fn hash(&self) -> Option<Hash> {
        match &self.lfs {
            Some(large) => Hash::from_etag(large.sha256.as_ref()?),
            None => Hash::from_etag(self.blob_id.as_ref()?),
        }
    }
}

/// Weights in one file, and in shards with their index: the index, and how the shards' names begin
/// and end. The first that a repository has is taken: the safest format first, and one file before
/// many.
const WEIGHTS: &[Weights] = &[
    Weights::OneFile("model.safetensors"),
    Weights::Shards("model.safetensors.index.json", "model-", ".safetensors"),
    Weights::OneFile("model.bin"),
    Weights::OneFile("pytorch_model.bin"),
    Weights::Shards("pytorch_model.bin.index.json", "pytorch_model-", ".bin"),
];

enum Weights {
    OneFile(&'static str),
    Shards(&'static str, &'static str, &'static str),
}

/// The files of a repository that make up the model: its weights, and what belongs beside them.
pub(super) fn choose(listing: &Listing) -> Option<Vec<&RemoteFile>> {
    let named = |name: &str| listing.siblings.iter().find(|file| file.name == name);
    let mut wanted: Vec<&RemoteFile> = COMPANIONS.iter().filter_map(|name| named(name)).collect();
    let weights = WEIGHTS.iter().find_map(|weights| match weights {
        Weights::OneFile(name) => Some(vec![named(name)?]),
        Weights::Shards(index, start, end) => {
            let mut files = vec![named(index)?];
            let all = listing.siblings.iter();
            // The listing is the network's: a name that leads to another folder is no shard's.
            files.extend(all.filter(|file| {
                let name = &file.name;
                name.starts_with(start) && name.ends_with(end) && !name.contains(['/', '\\'])
            }));
            Some(files)
        }
    })?;
    wanted.extend(weights);
    Some(wanted)
}

/// What to say of a repository that no weights can be chosen from: what was looked for, and what there is that is read only
/// as a file of this machine.
pub(super) fn nothing_to_choose(listing: &Listing) -> String {
    let names: Vec<&str> = (WEIGHTS.iter())
        .map(|weights| match weights {
            Weights::OneFile(name) | Weights::Shards(name, ..) => *name,
        })
        .collect();
    let mut line = format!(
        "the repository holds no weights under the names that are fetched: {}",
        names.join(", ")
    );
    let others = listing.siblings.iter().map(|file| file.name.as_str());
    let readable = others.filter(|name| {
        [".safetensors", ".bin", ".pt", ".pth", ".gguf"]
            .iter()
            .any(|extension| name.ends_with(extension))
    });
    // The names are the network's: those that are fit for a line of a few.
    let readable: Vec<&str> = readable
        .filter(|name| name.len() < 100 && name.chars().all(|c| c.is_ascii_graphic()))
        .take(4)
        .collect();
    if !readable.is_empty() {
        line += &format!(
            "; it holds {}: download the file that is wanted, and give its path",
            readable.join(", ")
        );
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_under_other_names_are_told_of() {
        let listing = |names: &[&str]| -> Listing {
            let siblings: Vec<_> = (names.iter())
                .map(|name| serde_json::json!({ "rfilename": name }))
                .collect();
            serde_json::from_value(serde_json::json!({"sha": "0", "siblings": siblings})).unwrap()
        };
        let line = nothing_to_choose(&listing(&["flax_model.msgpack"]));
        assert!(
            line.ends_with("pytorch_model.bin, pytorch_model.bin.index.json"),
            "{line}"
        );
        let line = nothing_to_choose(&listing(&["README.md", "ggml-base.bin", "a\n.bin"]));
        assert!(line.contains("it holds ggml-base.bin: download"), "{line}");
    }

    #[test]
    fn shards_lie_beside_their_index_and_nowhere_else() {
        let listing: Listing =
            serde_json::from_value(serde_json::json!({ "sha": "0", "siblings": [
            { "rfilename": "model.safetensors.index.json" },
            { "rfilename": "model-00001-of-00001.safetensors" },
            { "rfilename": "model-old/a.safetensors" },
            { "rfilename": "model-x/../../../b.safetensors" },
            { "rfilename": "model-x\\..\\c.safetensors" },
        ] }))
            .unwrap();
        let chosen: Vec<&str> = (choose(&listing).unwrap().iter())
            .map(|file| file.name.as_str())
            .collect();
        assert_eq!(
            chosen,
            [
                "model.safetensors.index.json",
                "model-00001-of-00001.safetensors"
            ]
        );
    }
}
