#![no_main]

#[path = "../../src/cli/settings/mod.rs"]
#[allow(dead_code)] // variables are left alone
mod settings;

#[path = "../../src/cli/command_line/alike.rs"]
mod alike;

/// What the settings ask of the table's values.
mod values {
    pub fn is_list(arg: &clap::Arg) -> bool {
        arg.get_id() == "clip_timestamps"
    }

    pub fn may_stand_alone(arg: &clap::Arg) -> bool {
        arg.get_num_args().is_some_and(|count| count.min_values() == 0)
    }
}

/// The modules by the names that the settings have for them.
mod command_line {
    pub use crate::alike;
}
mod cli {
    pub mod flags {
        pub use crate::values;
    }
}

use std::fs;
use std::path::Path;

use clap::{Arg, ArgAction, Command};
use settings::Settings;
use tempfile::TempDir;

thread_local! {
    /// In memory where the system has such a folder: millions of files are written here.
    static FOLDER: TempDir = {
        let memory = Path::new("/dev/shm");
        match memory.is_dir() {
            true => TempDir::new_in(memory),
            false => TempDir::new(),
        }
        .unwrap()
    };
}

/// A few flags of each kind.
fn command() -> Command {
    let flag = |name| Arg::new(name).long(name).allow_hyphen_values(true);
    Command::new("transcribe").args([
        flag("config").value_parser(clap::value_parser!(std::path::PathBuf)),
        flag("model").default_value("base"),
        flag("beam_size").value_parser(clap::value_parser!(u32)),
        flag("word_timestamps").num_args(0..=1).default_missing_value("True"),
        flag("output_format").value_delimiter(',').action(ArgAction::Append),
        flag("clip_timestamps").default_value("0"),
        flag("normalise").alias("normalize"),
    ])
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    FOLDER.with(|folder| {
        let path = folder.path().join("config.toml");
        fs::write(&path, bytes).unwrap();
        let command = command();
        let named = format!("--config={}", path.display());
        let given = command.clone().try_get_matches_from(["transcribe", &named]).unwrap();
        match Settings::find(&command, &given) {
            Ok(settings) => {
                let mut words = vec!["transcribe".into()];
                words.extend(settings.words().map(|(word, _)| word));
                if let Ok(in_force) = command.clone().try_get_matches_from(words) {
                    let printed = settings.print(&command, &in_force);
                    printed.parse::<toml::Table>().expect("what is printed is a config");
                }
            }
            Err(message) => assert!(
                message.starts_with(&path.display().to_string()) && !message.contains('\n'),
                "{message}"
            ),
        }
    });
});
