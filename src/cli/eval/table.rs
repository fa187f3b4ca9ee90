//! An evaluation as a table on the terminal: a line for each clip as it is done, then one for each language and one for all.

use whisper_rs::evaluate::{Agreement, Cost, Errors, EvaluatedClip, Evaluation, Group, Manifest};

use crate::cli::bench::report::bytes;

/// Letters of the longest name that is shown whole.
const LONGEST_NAME: usize = 36;

/// The columns behind the first two.
const HEADINGS: &str = "  audio s   x real time    words  errors   WER %   CER %    memory";

pub struct Table {
    name_width: usize,
    language_width: usize,
    with_agreement: bool,
}

impl Table {
    pub fn new(manifest: &Manifest, with_agreement: bool) -> Self {
        let widest = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0);
        let clips = || manifest.clips.iter();
        let names = &mut clips().map(|clip| clip.name.chars().count());
        let languages = &mut clips().map(|clip| clip.speech.to_string().chars().count());
        Self {
            name_width: widest(names).clamp("language".len(), LONGEST_NAME),
            language_width: widest(languages).max("language".len()),
            with_agreement,
        }
    }

    /// The names of the columns.
    pub fn heading(&self) -> String {
        let agreement = match self.with_agreement {
            true => "   equal to the reference",
            false => "",
        };
        self.row("clip", "language", &format!("{HEADINGS}{agreement}"))
    }

    /// A clip's line.
    pub fn line(&mut self, clip: &EvaluatedClip) -> String {
        let agreement = clip.agreement.map(|agreement| {
            let text = if agreement.text_equal == 1 {
                "yes"
            } else {
                "no"
            };
            format!("{}, text {text}", windows(&agreement))
        });
        let numbers = numbers(&clip.cost, clip.errors.as_ref());
        let agreement = self.agreement(agreement);
        let numbers = format!("{numbers}{agreement}");
        self.row(&shortened(&clip.file), &clip.language, &numbers)
    }

    /// The lines by language and for all.
    pub fn summary(&self, evaluation: &Evaluation) -> String {
        let agreement = match self.with_agreement {
            true => "   equal to the reference",
            false => "",
        };
        let mut lines = vec![
            String::new(),
            self.row("language", "clips", &format!("{HEADINGS}{agreement}")),
        ];
        for (language, group) in &evaluation.languages {
            lines.push(self.group(language, group));
        }
        lines.push(self.group("all", &evaluation.all));
        lines.extend(self.notes(evaluation));
        lines.join("\n")
    }

    fn group(&self, name: &str, group: &Group) -> String {
        let agreement = group.agreement.map(|agreement| {
            let (equal, clips) = (agreement.text_equal, agreement.clips);
            format!("{}, texts {equal}/{clips}", windows(&agreement))
        });
        let numbers = numbers(&group.cost, group.errors.as_ref());
        let agreement = self.agreement(agreement);
        self.row(
            name,
            &group.clips.to_string(),
            &format!("{numbers}{agreement}"),
        )
    }

    /// What the numbers of `all` are made of.
    fn notes(&self, evaluation: &Evaluation) -> Vec<String> {
        let all = &evaluation.all;
        let mut notes = Vec::new();
        if let Some(errors) = &all.errors {
            let words = &errors.score.words;
            notes.push(format!(
                "{} of {} clips have a transcript: {} substitutions, {} deletions, {} insertions",
                all.with_reference,
                all.clips,
                words.substitutions,
                words.deletions,
                words.insertions
            ));
        }
        if let Some(sampled) = all.agreement.map(|all| all.sampled).filter(|&n| n > 0) {
            notes.push(format!(
                "{sampled} windows of the reference were sampled, or follow one that was, and are not compared"
            ));
        }
        notes
    }

    fn row(&self, first: &str, second: &str, rest: &str) -> String {
        let (name, language) = (self.name_width, self.language_width);
        let row = format!("{first:<name$}  {second:<language$}{rest}");
        row.trim_end().to_owned()
    }

    fn agreement(&self, agreement: Option<String>) -> String {
        match agreement {
            Some(agreement) => format!("   {agreement}"),
            None if self.with_agreement => "   -".to_owned(),
            None => String::new(),
        }
    }
}

/// Length, speed, errors and memory, under [`HEADINGS`].
fn numbers(cost: &Cost, errors: Option<&Errors>) -> String {
    let speed = (cost.times_real_time).map_or("-".to_owned(), |speed| format!("{speed:.2}"));
    let percent = |rate: Option<f64>| rate.map_or("-".to_owned(), |r| format!("{:.2}", 100.0 * r));
    let words = errors.map(|errors| errors.score.words);
    let count = |count: Option<usize>| count.map_or("-".to_owned(), |count| count.to_string());
    format!(
        "{:>9.2} {:>13} {:>8} {:>7} {:>7} {:>7} {:>9}",
        cost.audio_seconds,
        speed,
        count(words.map(|words| words.reference_len())),
        count(words.map(|words| words.errors())),
        percent(errors.and_then(|errors| errors.word_error_rate)),
        percent(errors.and_then(|errors| errors.character_error_rate)),
        cost.peak_host_bytes.map_or("-".to_owned(), bytes),
    )
}

fn windows(agreement: &Agreement) -> String {
    format!("windows {}/{}", agreement.windows_equal, agreement.windows)
}

/// A name's end, by which names in one folder differ.
fn shortened(name: &str) -> String {
    let letters = name.chars().count();
    if letters <= LONGEST_NAME {
        return name.to_owned();
    }
    let end: String = name.chars().skip(letters - LONGEST_NAME + 1).collect();
    format!("…{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_keep_their_end() {
        assert_eq!(shortened("a.wav"), "a.wav");
        let long = shortened(&format!("{}/b.wav", "folder/".repeat(9)));
        assert!(long.starts_with('…') && long.ends_with("/b.wav"));
        assert_eq!(long.chars().count(), LONGEST_NAME);
    }
}
