//! Where the outputs of each input go: in a folder by the inputs' names, or by names that were given.

use std::fs;
use std::path::{Path, PathBuf};

use super::names::{OutputNames, Recording};
use crate::cli::feedback::messages;
use crate::cli::inputs::Input;
use crate::cli::refused::Refused;

/// Makes the folder, and tries whether files can be made in it.
pub fn ready(folder: &Path) -> Result<(), Refused> {
    let shown = folder.display();
    if folder.exists() && !folder.is_dir() {
        return Err(Refused::Failed(format!(
            "{shown}: is not a folder; choose another --output_dir"
        )));
    }
    let folder = match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    };
    fs::create_dir_all(folder)
        .and_then(|()| tempfile::tempfile_in(folder).map(drop))
        .map_err(|error| {
            Refused::Failed(format!(
                "{shown}: cannot write here: {error}; choose another --output_dir"
            ))
        })
}

/// The files that are read, and so never written: the inputs, and others that are to be kept.
fn read<'a>(inputs: &'a [Input], kept: &'a [PathBuf]) -> impl Iterator<Item = &'a Path> {
    (inputs.iter().map(|input| input.path.as_path())).chain(kept.iter().map(PathBuf::as_path))
}

/// The names that were given for the outputs, one an input.
pub fn given(
    folder: &Path,
    given: &[PathBuf],
    extensions: &[&str],
    inputs: &[Input],
    kept: &[PathBuf],
) -> Result<Vec<PathBuf>, Refused> {
    if given.len() != inputs.len() {
        return Err(Refused::Usage(format!(
            "the number of --output_file ({}) is not that of the inputs ({}); give one for each, or --output_dir",
            given.len(),
            inputs.len()
        )));
    }
    let mut names = OutputNames::new(extensions, read(inputs, kept));
    let mut all = Vec::with_capacity(inputs.len());
    for name in given {
        let path = folder.join(name);
        let (Some(below), Some(_)) = (path.parent(), path.file_name()) else {
            return Err(Refused::Usage(format!(
                "--output_file {}: is no name of a file",
                name.display()
            )));
        };
        ready(below)?;
        let taken = names.take(&path).ok_or_else(|| {
            Refused::Usage(format!(
                "--output_file {}: an input or another output has this name; give another",
                name.display()
            ))
        })?;
        all.push(taken);
    }
    Ok(all)
}

/// The names of the outputs of all inputs; where one is not simply its input's, a line says so.
pub fn by_input(
    folder: &Path,
    extensions: &[&str],
    inputs: &[Input],
    kept: &[PathBuf],
) -> Result<Vec<PathBuf>, Refused> {
    let mut recordings = Vec::with_capacity(inputs.len());
    for input in inputs {
        let below = folder.join(&input.folder);
        if !input.folder.as_os_str().is_empty() {
            fs::create_dir_all(&below)
                .map_err(|error| Refused::Failed(format!("{}: {error}", below.display())))?;
        }
        recordings.push(Recording {
            folder: below,
            path: &input.path,
            called: match input.is_standard_input() {
                true => Path::new("stdin"),
                false => &input.path,
            },
            suffix: input.suffix,
        });
    }
    let named = OutputNames::new(extensions, read(inputs, kept)).of_all(&recordings);
    for (input, (name, plain)) in inputs.iter().zip(&named) {
        if !plain {
            messages::note(format!(
                "{}: its outputs are called {}.*, to tell them from the files of other inputs",
                input.name(),
                name.display()
            ));
        }
    }
    Ok(named.into_iter().map(|(name, _)| name).collect())
}
