//! `whisper-rs models list`: the catalogue, and what of it is on this machine.

use std::path::PathBuf;

use serde::Serialize;
use whisper_rs::Error;
use whisper_weights::{Installed, Place, catalogue};

use super::{Models, StoreArguments};
use crate::cli::output_lines;

/// The arguments of `models list`.
#[derive(Debug, clap::Args)]
pub struct ListArguments {
    /// Print the list as JSON
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub store: StoreArguments,
}

/// A line of the list.
#[derive(Debug, Serialize)]
struct Entry {
    name: String,
    aliases: &'static [&'static str],
    /// Unknown for what is not in the catalogue.
    parameters_in_millions: Option<u32>,
    /// Its repository on the Hugging Face Hub.
    repository: String,
    /// Where it is on this machine, if it is.
    folder: Option<PathBuf>,
    bytes: Option<u64>,
    /// Whose copy it is: `cache`, or `hub_cache` for another program's.
    place: Option<&'static str>,
}

pub fn run(arguments: &ListArguments) -> Result<(), Error> {
    let entries = entries(Models::open(&arguments.store)?.fetcher.installed()?);
    if arguments.json {
        output_lines::print_json(&entries)
    } else {
        output_lines::print(table(&entries).trim_end())
    }
}

/// The catalogue in its order, then what else is in the cache.
fn entries(mut installed: Vec<Installed>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = catalogue::models()
        .iter()
        .map(|model| {
            let there = installed.iter().position(|there| there.name == model.name);
            Entry {
                aliases: model.aliases,
                parameters_in_millions: Some(model.parameters_in_millions),
                ..Entry::new(
                    model.name.to_owned(),
                    model.hub.to_owned(),
                    there.map(|at| installed.remove(at)),
                )
            }
        })
        .collect();
    entries.extend(
        installed
            .into_iter()
            .map(|there| Entry::new(there.name.clone(), there.name.clone(), Some(there))),
    );
    entries
}

impl Entry {
    fn new(name: String, repository: String, there: Option<Installed>) -> Self {
        Entry {
            name,
            aliases: &[],
            parameters_in_millions: None,
            repository,
            bytes: there.as_ref().map(|there| there.bytes),
            place: there.as_ref().map(|there| match there.place {
                Place::HubCache => "hub_cache",
                _ => "cache",
            }),
            folder: there.map(|there| there.folder),
        }
    }
}

fn table(entries: &[Entry]) -> String {
    let mut table = format!(
        "{:<28} {:>10} {:>10}  {}\n",
        "name", "parameters", "MB here", "folder"
    );
    for entry in entries {
        let mut name = entry.name.clone();
        for alias in entry.aliases {
            name += &format!(" ({alias})");
        }
        let parameters = match entry.parameters_in_millions {
            Some(millions) => format!("{millions} M"),
            None => "?".to_owned(),
        };
        let (megabytes, folder) = match (&entry.bytes, &entry.folder) {
            (Some(bytes), Some(folder)) => (
                format!("{:.1}", *bytes as f64 / 1e6),
                folder.display().to_string(),
            ),
            _ => ("-".to_owned(), "-".to_owned()),
        };
        table += &format!("{name:<28} {parameters:>10} {megabytes:>10}  {folder}\n");
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_listed_whole() {
        let entries = entries(Vec::new());
        assert_eq!(entries.len(), catalogue::models().len());
        assert!(entries.iter().all(|entry| entry.folder.is_none()));
        let table = table(&entries);
        let turbo = "large-v3-turbo (turbo)            809 M          -  -\n";
        assert!(table.contains(turbo), "{table}");
    }
}
