//! Models in the Hub's own local cache, where transformers, faster-whisper and others keep them:
//!
//! ```text
//! <cache>/models--<owner>--<name>/refs/main             the commit that was fetched last
//! <cache>/models--<owner>--<name>/snapshots/<commit>/   links to the files in blobs/
//! ```

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A repository's model in one of the caches: the newest that is whole.
pub(in crate::fetch) fn find(caches: &[PathBuf], repository: &str) -> Option<PathBuf> {
    caches
        .iter()
        .flat_map(|cache| snapshots(&cache.join(folder_name(repository))))
        .find(|folder| is_whole(folder))
}

/// The folder of a repository.
fn folder_name(repository: &str) -> String {
    format!("models--{}", repository.replace('/', "--"))
}

/// The snapshots of a repository: that of its main branch, then the newest first.
fn snapshots(repository: &Path) -> Vec<PathBuf> {
    let snapshots = repository.join("snapshots");
    let mut all: Vec<(SystemTime, PathBuf)> = fs::read_dir(&snapshots)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    all.sort_by(|left, right| right.cmp(left));
    let main = fs::read_to_string(repository.join("refs/main")).unwrap_or_default();
    let main = snapshots.join(main.trim());
    all.sort_by_key(|(_, folder)| *folder != main);
    all.into_iter().map(|(_, folder)| folder).collect()
}

/// Programs fetch only the files that they need, so that it may be half a model.
fn is_whole(folder: &Path) -> bool {
    crate::Checkpoint::open(folder).is_ok_and(|checkpoint| checkpoint.tokenizer_json().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_main_snapshot_goes_first_and_newer_ones_before_older() {
        let cache = tempfile::tempdir().unwrap();
        let repository = cache.path().join(folder_name("openai/whisper-base"));
        assert!(repository.ends_with("models--openai--whisper-base"));
        for (age, name) in ["newest", "middle", "oldest"].iter().enumerate() {
            let folder = repository.join("snapshots").join(name);
            fs::create_dir_all(&folder).unwrap();
            let modified = SystemTime::now() - Duration::from_secs(100 * age as u64);
            fs::File::open(&folder)
                .unwrap()
                .set_modified(modified)
                .unwrap();
        }
        let names = || -> Vec<String> {
            let all = snapshots(&repository).into_iter();
            all.map(|folder| folder.file_name().unwrap().to_string_lossy().into_owned())
                .collect()
        };
        assert_eq!(names(), ["newest", "middle", "oldest"]);
        fs::create_dir_all(repository.join("refs")).unwrap();
        fs::write(repository.join("refs/main"), "oldest\n").unwrap();
        assert_eq!(names(), ["oldest", "newest", "middle"]);
    }
}
