//! Numbers that are kept in the repository, and that a change which moves them has to move there.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// A file of `tests/data/guard`: lines of a name and numbers, with tabs between.
pub struct Guard {
    pub file: &'static str,
    /// The name of the first column, and those of the numbers.
    pub columns: &'static [&'static str],
    /// By which part of the file's number a number may differ from it.
    pub tolerance: f64,
}

impl Guard {
    /// Holds the rows against the file's; with `BLESS=1` in the environment writes them to it.
    #[track_caller]
    pub fn check(&self, rows: Vec<(String, Vec<u64>)>) {
        if std::env::var_os("BLESS").is_some_and(|bless| bless == "1") {
            std::fs::write(self.path(), self.text(&rows)).expect("the file can be written");
            return;
        }
        let kept = self.kept();
        let mut moved: Vec<String> = (kept.iter())
            .filter(|(name, _)| !rows.iter().any(|(other, _)| other == name))
            .map(|(name, _)| format!("{name}: is in the file alone"))
            .collect();
        for (name, numbers) in &rows {
            match kept.iter().find(|(other, _)| other == name) {
                None => moved.push(format!("{name}: is not in the file")),
                Some((_, kept)) => moved.extend(self.moved(name, kept, numbers)),
            }
        }
        assert!(
            moved.is_empty(),
            "tests/data/guard/{}: {} of {} moved (tolerance {} %):\n{}\nIf that is meant, write the file anew: see docs/evaluating.md",
            self.file,
            moved.len(),
            rows.len(),
            self.tolerance * 100.0,
            moved.join("\n"),
        );
    }

    fn moved(&self, name: &str, kept: &[u64], numbers: &[u64]) -> Option<String> {
        let within = |(&kept, &number): (&u64, &u64)| {
            kept.abs_diff(number) as f64 <= self.tolerance * kept as f64
        };
        if kept.len() == numbers.len() && kept.iter().zip(numbers).all(within) {
            return None;
        }
        let changes = (self.columns[1..].iter().zip(kept).zip(numbers))
            .filter(|((_, kept), number)| kept != number)
            .map(|((column, &kept), &number)| {
                let change = 100.0 * (number as f64 / kept as f64 - 1.0);
                format!("{column} {kept} -> {number} ({change:+.1} %)")
            });
        Some(format!(
            "{name}: {}",
            changes.collect::<Vec<_>>().join(", ")
        ))
    }

    fn path(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/data/guard")
            .join(self.file)
    }

    fn text(&self, rows: &[(String, Vec<u64>)]) -> String {
        let mut text = self.columns.join("\t") + "\n";
        for (name, numbers) in rows {
            text += name;
            for number in numbers {
                write!(text, "\t{number}").expect("a string takes all");
            }
            text.push('\n');
        }
        text
    }

    fn kept(&self) -> Vec<(String, Vec<u64>)> {
        let path = self.path();
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some(self.columns.join("\t").as_str()));
        lines
            .map(|line| {
                let mut fields = line.split('\t');
                let name = fields.next().unwrap_or_default().to_owned();
                let numbers =
                    fields.map(|field| field.parse().unwrap_or_else(|e| panic!("{line}: {e}")));
                (name, numbers.collect())
            })
            .collect()
    }
}
