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

/// The files of a repository that make up the model: its weights, preferably in one file, and
/// what belongs beside them.
pub(super) fn choose(listing: &Listing) -> Option<Vec<&RemoteFile>> {
    let named = |name: &str| listing.siblings.iter().find(|file| file.name == name);
    let mut wanted: Vec<&RemoteFile> = COMPANIONS.iter().filter_map(|name| named(name)).collect();
    if let Some(weights) = named("model.safetensors") {
        wanted.push(weights);
    } else if let Some(index) = named("model.safetensors.index.json") {
        wanted.push(index);
        wanted.extend(listing.siblings.iter().filter(|file| {
            file.name.starts_with("model-")
                && file.name.ends_with(".safetensors")
                && !file.name.contains('/')
        }));
    } else {
        wanted.push(named("model.bin")?);
    }
    Some(wanted)
}
