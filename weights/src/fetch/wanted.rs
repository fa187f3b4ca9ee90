//! What a user means by the name of a model.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::catalogue::{self, Model, PackageSource};
use crate::error::{Error, Result};

/// What a name stands for.
#[derive(Debug)]
pub(super) enum Wanted {
    Model(&'static Model),
    Repository(String),
    Path(PathBuf),
}

impl Wanted {
    pub(super) fn of(name: &str) -> Result<Self> {
        let unknown = match catalogue::find(name) {
            Ok(model) => return Ok(Self::Model(model)),
            Err(unknown) => unknown,
        };
        let path = Path::new(name);
        if is_there(path)? && !name.is_empty() {
            Ok(Self::Path(path.to_path_buf()))
        } else if is_repository(name) {
            Ok(Self::Repository(name.into()))
        } else if looks_like_path(name) {
            Err(Error::NotFound(path.to_path_buf()))
        } else {
            Err(unknown)
        }
    }

    /// The name in the cache.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Model(model) => model.name,
            Self::Repository(name) => name,
            Self::Path(_) => "",
        }
    }

    pub(super) fn hub_repository(&self) -> &str {
        match self {
            Self::Model(model) => model.hub,
            _ => self.name(),
        }
    }

    /// Its copies on the package index.
    pub(super) fn packages(&self) -> &'static [PackageSource] {
        match self {
            Self::Model(model) => model.packages,
            _ => &[],
        }
    }

    /// Repositories whose local copies serve. Those of faster-whisper had another owner before
    /// November 2023.
    pub(super) fn repositories(&self) -> Vec<String> {
        let mut repositories = vec![self.hub_repository().to_owned()];
        if let Self::Model(model) = self {
            let present = model.hub_ctranslate2.iter();
            let earlier = present.clone().filter_map(|repository| {
                let name = repository.strip_prefix("Systran/")?;
                Some(format!("guillaumekln/{name}"))
            });
            repositories.extend(present.map(|name| name.to_string()).chain(earlier));
        }
        repositories
    }

    /// A name with a slash may have been meant as a path.
    pub(super) fn first_failure(&self) -> Vec<String> {
        match self {
            Self::Repository(name) => vec![format!("there is no file or folder {name}")],
            _ => Vec::new(),
        }
    }
}

/// Whether there is something at a path. Where that cannot be told, as below a folder that must not be read, it is an error.
fn is_there(path: &Path) -> Result<bool> {
    match path.try_exists() {
        // No file can have such a name.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::NotADirectory | ErrorKind::InvalidFilename | ErrorKind::InvalidInput
            ) =>
        {
            Ok(false)
        }
        outcome => outcome.map_err(|e| Error::io("read", path, e)),
    }
}

/// Whether a name can be a Hub repository: `owner/name` in the Hub's characters.
fn is_repository(name: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with(['.', '-'])
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    };
    let Some((owner, repository)) = name.split_once('/') else {
        return false;
    };
    plain(owner) && plain(repository) && !has_weight_extension(name)
}

fn looks_like_path(name: &str) -> bool {
    name.contains(['/', '\\']) || name.starts_with(['.', '~']) || has_weight_extension(name)
}

fn has_weight_extension(name: &str) -> bool {
    let extension = Path::new(name)
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    ["bin", "safetensors", "pt", "pth", "gguf", "json"].contains(&&*extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn what_cannot_be_looked_at_is_not_absent() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        // As a folder without permission is to everyone but root.
        std::os::unix::fs::symlink(&link, &link).unwrap();
        let error = Wanted::of(link.to_str().unwrap()).unwrap_err();
        assert!(matches!(error, Error::Io { .. }), "{error}");
    }

    #[test]
    fn names_are_models_repositories_or_paths() {
        assert!(matches!(Wanted::of("turbo"), Ok(Wanted::Model(m)) if m.name == "large-v3-turbo"));
        assert!(matches!(
            Wanted::of("someone/whisper-x"),
            Ok(Wanted::Repository(_))
        ));
        assert!(matches!(Wanted::of("src/lib.rs"), Ok(Wanted::Path(_))));
        for path in [
            "./base",
            "models/base/model.bin",
            "/no/such/folder",
            "x.safetensors",
            "~/m",
        ] {
            assert!(
                matches!(Wanted::of(path), Err(Error::NotFound(_))),
                "{path}"
            );
        }
        for path in ["src/lib.rs/model.bin", &format!("./{}", "a".repeat(300))] {
            assert!(
                matches!(Wanted::of(path), Err(Error::NotFound(_))),
                "{path}"
            );
        }
        for name in ["bsae", "", "tiny.e"] {
            assert!(
                matches!(Wanted::of(name), Err(Error::UnknownModel { .. })),
                "{name}"
            );
        }
    }
}
