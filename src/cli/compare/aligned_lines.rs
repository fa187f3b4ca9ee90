//! Aligned words as lines of a terminal: reference above, hypothesis below, and what happened to each word.

use std::io::{self, IsTerminal};

use terminal_size::{Width, terminal_size};
use unicode_width::UnicodeWidthStr;
use whisper_rs::compare::{ComparedWord, Edit};

/// Columns of the lines where no terminal says how many it has.
const COLUMNS: usize = 100;
/// Columns that the lines' names take.
const NAME: usize = 5;
const PLAIN: &str = "\x1b[0m";

/// How aligned words are written.
#[derive(Debug)]
pub struct AlignedLines {
    coloured: bool,
    columns: usize,
}

impl AlignedLines {
    /// As wide as the terminal.
    pub fn new(coloured: bool) -> Self {
        let width = io::stdout().is_terminal().then(terminal_size).flatten();
        let columns = width.map_or(COLUMNS, |(Width(columns), _)| usize::from(columns));
        AlignedLines {
            coloured,
            columns: columns.max(40),
        }
    }

    /// The words, in blocks of three lines, each ended.
    pub fn text(&self, words: &[ComparedWord]) -> String {
        let cells: Vec<Cell> = words.iter().map(Cell::of).collect();
        let mut text = String::new();
        let mut begin = 0;
        while begin < cells.len() {
            let mut used = NAME + cells[begin].width;
            let mut end = begin + 1;
            while end < cells.len() && used + 1 + cells[end].width <= self.columns {
                used += 1 + cells[end].width;
                end += 1;
            }
            if begin > 0 {
                text.push('\n');
            }
            let block = &cells[begin..end];
            text += &self.line("REF", block, |cell| &cell.reference);
            text += &self.line("HYP", block, |cell| &cell.hypothesis);
            if block.iter().any(|cell| cell.edit != Edit::Hit) {
                text += &self.line("", block, |cell| mark(cell.edit));
            }
            begin = end;
        }
        text
    }

    fn line<'a>(
        &self,
        name: &str,
        cells: &'a [Cell],
        shown: impl Fn(&'a Cell) -> &'a str,
    ) -> String {
        let mut line = format!("{name:<NAME$}");
        for (index, cell) in cells.iter().enumerate() {
            let word = shown(cell);
            let last = index + 1 == cells.len();
            let fill = if last {
                0
            } else {
                1 + cell.width - word.width()
            };
            match colour(cell.edit).filter(|_| self.coloured && !word.is_empty()) {
                Some(colour) => line += &format!("{colour}{word}{PLAIN}"),
                None => line += word,
            }
            line.extend(std::iter::repeat_n(' ', fill));
        }
        line.truncate(line.trim_end().len());
        line + "\n"
    }
}

/// A word of both, side by side. What is not there is as many asterisks as the other has columns.
struct Cell {
    edit: Edit,
    reference: String,
    hypothesis: String,
    width: usize,
}

impl Cell {
    fn of(word: &ComparedWord) -> Self {
        let [reference, hypothesis] = [&word.reference, &word.hypothesis]
            .map(|placed| placed.as_ref().map(|placed| printable(&placed.word)));
        let width =
            [&reference, &hypothesis].map(|word| word.as_ref().map_or(0, |word| word.width()));
        let width = width[0].max(width[1]).max(1);
        let or_missing = |word: Option<String>| word.unwrap_or_else(|| "*".repeat(width));
        Cell {
            edit: word.edit,
            reference: or_missing(reference),
            hypothesis: or_missing(hypothesis),
            width,
        }
    }
}

/// What a terminal would obey is shown instead.
fn printable(word: &str) -> String {
    let shown = |letter: char| match letter.is_control() {
        true => char::REPLACEMENT_CHARACTER,
        false => letter,
    };
    word.chars().map(shown).collect()
}

fn mark(edit: Edit) -> &'static str {
    match edit {
        Edit::Hit => "",
        Edit::Substitution => "S",
        Edit::Deletion => "D",
        Edit::Insertion => "I",
    }
}

/// Yellow is another word, red a missing one, blue one too many.
fn colour(edit: Edit) -> Option<&'static str> {
    match edit {
        Edit::Hit => None,
        Edit::Substitution => Some("\x1b[33m"),
        Edit::Deletion => Some("\x1b[31m"),
        Edit::Insertion => Some("\x1b[34m"),
    }
}

#[cfg(test)]
mod tests {
    use whisper_rs::compare::{Comparison, Normalizer, TimedText};

    use super::*;

    fn lines(coloured: bool, columns: usize, said: &str, heard: &str) -> String {
        let [said, heard] = [said, heard].map(|text| TimedText::plain(text, None));
        let comparison = Comparison::new(&said, &heard, Normalizer::None);
        AlignedLines { coloured, columns }.text(&comparison.aligned)
    }

    #[test]
    fn words_stand_below_each_other() {
        assert_eq!(
            lines(false, 80, "so it goes on", "well so he goes"),
            "REF  **** so it goes on\nHYP  well so he goes **\n     I       S       D\n"
        );
    }

    #[test]
    fn what_differs_is_coloured() {
        assert_eq!(
            lines(true, 80, "it is", "it was"),
            "REF  it \x1b[33mis\x1b[0m\nHYP  it \x1b[33mwas\x1b[0m\n        \x1b[33mS\x1b[0m\n"
        );
    }

    #[test]
    fn lines_break_and_wide_letters_count_as_two() {
        assert_eq!(
            lines(false, 13, "広州 a b c", "広 a b c"),
            "REF  広州 a b\nHYP  広   a b\n     S\n\nREF  c\nHYP  c\n"
        );
        assert_eq!(lines(false, 80, "", ""), "");
        assert!(!lines(false, 80, "\x1b[31m", "").contains('\x1b'));
    }
}
