//! English contractions, titles and hesitations.

use super::characters::{replace_ending, replace_word};

/// Sounds that are no words.
const HESITATIONS: [&str; 6] = ["hmm", "mm", "mhm", "mmm", "uh", "um"];

/// Whole words and what they stand for, in this order.
const WORDS: [(&str, &str); 35] = [
    ("won't", "will not"),
    ("can't", "can not"),
    ("let's", "let us"),
    ("ain't", "aint"),
    ("y'all", "you all"),
    ("wanna", "want to"),
    ("gotta", "got to"),
    ("gonna", "going to"),
    ("i'ma", "i am going to"),
    ("imma", "i am going to"),
    ("woulda", "would have"),
    ("coulda", "could have"),
    ("shoulda", "should have"),
    ("ma'am", "madam"),
    ("mr", "mister "),
    ("mrs", "missus "),
    ("st", "saint "),
    ("dr", "doctor "),
    ("prof", "professor "),
    ("capt", "captain "),
    ("gov", "governor "),
    ("ald", "alderman "),
    ("gen", "general "),
    ("sen", "senator "),
    ("rep", "representative "),
    ("pres", "president "),
    ("rev", "reverend "),
    ("hon", "honorable "),
    ("asst", "assistant "),
    ("assoc", "associate "),
    ("lt", "lieutenant "),
    ("col", "colonel "),
    ("jr", "junior "),
    ("sr", "senior "),
    ("esq", "esquire "),
];

/// Ends of words, the perfect tenses before the general ones.
const ENDINGS: [(&str, &str); 14] = [
    ("'d been", " had been"),
    ("'s been", " has been"),
    ("'d gone", " had gone"),
    ("'s gone", " has gone"),
    ("'d done", " had done"),
    ("'s got", " has got"),
    ("n't", " not"),
    ("'re", " are"),
    ("'s", " is"),
    ("'d", " would"),
    ("'ll", " will"),
    ("'t", " not"),
    ("'ve", " have"),
    ("'m", " am"),
];

/// Takes hesitations away (openai/whisper normalizers/english.py:467).
pub(super) fn remove_hesitations(text: &str) -> String {
    HESITATIONS.iter().fold(text.to_owned(), |text, word| {
        replace_word(&text, word, "").into_owned()
    })
}

/// Writes contractions and titles out, in lower case (openai/whisper normalizers/english.py:468-523).
pub(super) fn expand_contractions(text: &str) -> String {
    let text = WORDS.iter().fold(text.to_owned(), |text, (short, long)| {
        replace_word(&text, short, long).into_owned()
    });
    ENDINGS.iter().fold(text, |text, (short, long)| {
        replace_ending(&text, short, long).into_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contractions_are_written_out_in_order() {
        let all = expand_contractions("mr. o'neil won't, she'd been; they'd've isn't");
        assert_eq!(
            all,
            "mister . o'neil will not, she had been; they would have is not"
        );
        assert_eq!(
            expand_contractions("'80s the 1st col'm"),
            "'80s the 1st colonel  am"
        );
    }

    #[test]
    fn hesitations_are_whole_words() {
        assert_eq!(remove_hesitations("um, hum uh-huh mmm"), ", hum -huh ");
    }
}
