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

#[cfg(test)]
mod tests {
    use super::*;

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
