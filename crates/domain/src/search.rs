//! What people type to find rows, read as web searches are: words, "phrases", -without, `or`. Folding and separating
//! words follow the migration that made the index; the words of SQL are `persistence`'s business.

use unicode_normalization::UnicodeNormalization;

/// Longest text that is searched for, in characters.
pub const LONGEST: usize = 500;
/// Most words that are searched for.
pub const MOST_WORDS: usize = 32;
/// Fewest characters of the last word that are taken for the beginning of one.
const SHORTEST_BEGINNING: usize = 2;
/// Longest word that is compared as a whole; a longer one is looked for by its beginning.
const LONGEST_WORD: usize = 64;

/// What of a resource is searched, as its migration told `bulkhead.make_searchable`.
#[derive(Clone, Copy, Debug)]
pub struct Texts {
    /// The column that names a row. It weighs most, and may be mistyped.
    pub title: &'static str,
    /// The columns with the rest.
    pub body: &'static [&'static str],
}

/// Why a text cannot be searched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsearchable {
    /// It has a character that no text in the database can have.
    #[error("Null characters are not allowed.")]
    Null,
    /// It has too many characters.
    #[error("Must have no more than {LONGEST} characters.")]
    TooLong,
    /// It has too many words.
    #[error("Must have no more than {MOST_WORDS} words.")]
    TooManyWords,
}

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The text as it was typed, for whose sake a title may begin with it.
    pub text: String,
    /// One of these must be met; none when the text has no word. Each asks for at least one word.
    pub alternatives: Vec<Vec<Term>>,
}

/// Words that follow one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// At least one word.
    pub words: Vec<Word>,
    /// Whether they must not be there.
    pub excluded: bool,
}

/// One word, of characters that separate nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Its characters, decomposed and without accents.
    pub text: String,
    /// Whether it may go on: it is still being typed.
    pub open: bool,
}

/// Whether words end at a character, as the index sees it (`search_tagged` of the latest migration that has it): punctuation
/// and symbols, which no locale of a database takes for a letter.
#[must_use]
pub const fn separates(character: char) -> bool {
    matches!(character, '\0'..='/' | ':'..='@' | '['..='`' | '{'..='\u{bf}' | '\u{d7}' | '\u{f7}' | '\u{5be}'
        | '\u{60c}' | '\u{61b}' | '\u{61f}' | '\u{66a}'..='\u{66d}' | '\u{6d4}' | '\u{964}' | '\u{965}'
        | '\u{2000}'..='\u{206f}' | '\u{20a0}'..='\u{20cf}' | '\u{2190}'..='\u{27ff}' | '\u{2900}'..='\u{2bff}'
        | '\u{2e00}'..='\u{2e7f}' | '\u{3000}'..='\u{3003}' | '\u{3008}'..='\u{301f}' | '\u{30fb}'
        | '\u{e000}'..='\u{f8ff}' | '\u{fe00}'..='\u{fe6f}' | '\u{fffc}'..='\u{ffff}' | '\u{1f000}'..='\u{1faff}')
}

/// A word as it is compared: lower case, accents off. For showing what was found; the index folds by itself.
#[must_use]
pub fn fold(word: &str) -> String {
    word.nfkd().filter(|character| !is_mark(*character)).collect::<String>().to_lowercase()
}

/// Whether a character only changes the letter before it: an accent.
const fn is_mark(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}')
}

impl Terms {
    /// Reads what was typed.
    ///
    /// # Errors
    /// When it is too much.
    pub fn parse(text: &str) -> Result<Self, Unsearchable> {
        if text.contains('\0') {
            return Err(Unsearchable::Null);
        }
        if text.chars().count() > LONGEST {
            return Err(Unsearchable::TooLong);
        }
        // Without marks: they belong to the letter before them, and alone they would ask for everything.
        let decomposed: String = text.nfkd().filter(|character| !is_mark(*character)).collect();
        let mut alternatives = read(&decomposed);
        if alternatives.iter().flatten().map(|term| term.words.len()).sum::<usize>() > MOST_WORDS {
            return Err(Unsearchable::TooManyWords);
        }
        // Only leaving out would ask for nearly everything.
        alternatives.retain(|terms| terms.iter().any(|term| !term.excluded));
        Ok(Self { text: text.to_owned(), alternatives })
    }

    /// The words that are looked for, as texts are compared with them.
    #[must_use]
    pub fn asked(&self) -> Asked {
        let terms = self.alternatives.iter().flatten().filter(|term| !term.excluded);
        Asked(terms.flat_map(|term| &term.words).map(|word| (fold(&word.text), word.open)).collect())
    }
}

/// Folded words, and whether each may go on. Made once for many texts: folding costs more than comparing.
#[derive(Clone, Debug)]
pub struct Asked(Vec<(String, bool)>);

impl Asked {
    /// Whether a word of a text is one of these.
    #[must_use]
    pub fn mention(&self, word: &str) -> bool {
        if word.is_ascii() {
            let same = |asked: &str| asked.eq_ignore_ascii_case(word);
            let begins =
                |asked: &str| word.get(..asked.len()).is_some_and(|start| start.eq_ignore_ascii_case(asked));
            return self.0.iter().any(|(asked, open)| if *open { begins(asked) } else { same(asked) });
        }
        let folded = fold(word);
        self.0.iter().any(|(asked, open)| if *open { folded.starts_with(asked) } else { folded == *asked })
    }
}

fn read(text: &str) -> Vec<Vec<Term>> {
    let mut alternatives = vec![Vec::new()];
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (token, quoted, excluded, behind) = next_token(rest);
        rest = behind.trim_start();
        if !quoted && !excluded && token.eq_ignore_ascii_case("or") {
            alternatives.push(Vec::new());
            continue;
        }
        let words = words(token, behind.is_empty() && !excluded && !text.ends_with(separates));
        if let (false, Some(terms)) = (words.is_empty(), alternatives.last_mut()) {
            terms.push(Term { words, excluded });
        }
    }
    alternatives
}

/// The next word or phrase, whether it was in quotation marks and behind a minus, and what follows.
fn next_token(text: &str) -> (&str, bool, bool, &str) {
    let without =
        text.strip_prefix('-').filter(|rest| !rest.is_empty() && !rest.starts_with(char::is_whitespace));
    let (excluded, text) = without.map_or((false, text), |rest| (true, rest));
    match text.strip_prefix('"') {
        Some(quoted) => {
            let (phrase, behind) = quoted.split_once('"').unwrap_or((quoted, ""));
            (phrase, true, excluded, behind)
        }
        None => {
            let end = text.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(text.len());
            let (token, behind) = text.split_at(end);
            (token, false, excluded, behind)
        }
    }
}

/// The words of a token; `open` when the last one may go on.
fn words(token: &str, open: bool) -> Vec<Word> {
    let words = token.split(separates).filter(|word| !word.is_empty());
    let mut words: Vec<Word> = words
        .map(|word| {
            let text: String = word.chars().take(LONGEST_WORD).collect();
            Word { open: text.len() < word.len(), text }
        })
        .collect();
    if let Some(last) = words.last_mut() {
        last.open |= open && last.text.chars().count() >= SHORTEST_BEGINNING;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::{MOST_WORDS, Terms, Unsearchable};

    /// Written out: alternatives by `|`, phrases by `+`, what is open by `*`.
    fn read(text: &str) -> String {
        let terms = Terms::parse(text).expect("searchable");
        let term = |term: &super::Term| {
            let words =
                term.words.iter().map(|word| format!("{}{}", word.text, if word.open { "*" } else { "" }));
            format!("{}{}", if term.excluded { "-" } else { "" }, words.collect::<Vec<_>>().join("+"))
        };
        let alternative = |terms: &Vec<super::Term>| terms.iter().map(term).collect::<Vec<_>>().join(" ");
        terms.alternatives.iter().map(alternative).collect::<Vec<_>>().join(" | ")
    }

    #[test]
    fn words_phrases_exclusions_and_alternatives_are_read_as_in_a_web_search() {
        for (text, expected) in [
            ("cover sheet", "cover sheet*"),
            ("cover sheet ", "cover sheet"),
            ("\"cover sheet\"", "cover+sheet"),
            ("\"cover she", "cover+she*"),
            ("report -draft", "report -draft"),
            ("report -\"first draft\" x", "report -first+draft x"),
            ("this or that", "this | that*"),
            ("or OR this or", "this"),
            ("O'Hara", "O+Hara*"),
            ("well-known a.txt", "well+known a+txt*"),
            ("-draft", ""),
            ("a or -b", "a"),
            ("- x", "x"),
            ("p", "p"),
            ("(((", ""),
            ("&|!:*<->'\\", ""),
            ("  ", ""),
            ("", ""),
            ("\"", ""),
        ] {
            assert_eq!(read(text), expected, "{text:?}");
        }
        assert_eq!(read(&"x".repeat(100)), format!("{}*", "x".repeat(64)), "by its beginning");
    }

    #[test]
    fn what_is_too_much_is_refused() {
        assert_eq!(Terms::parse("a\0b"), Err(Unsearchable::Null));
        assert_eq!(Terms::parse(&"ä".repeat(501)), Err(Unsearchable::TooLong));
        assert!(Terms::parse(&"ä".repeat(500)).is_ok());
        assert_eq!(Terms::parse(&"ab ".repeat(MOST_WORDS + 1)), Err(Unsearchable::TooManyWords));
        assert_eq!(Terms::parse(&"a-".repeat(MOST_WORDS + 1)), Err(Unsearchable::TooManyWords));
        assert!(Terms::parse(&"ab ".repeat(MOST_WORDS)).is_ok());
    }

    #[test]
    fn a_word_is_recognised_without_its_case_and_accents() {
        let terms = Terms::parse("ärger resu").expect("searchable");
        for (word, expected) in
            [("Arger", true), ("ÄRGER", true), ("Résumé", true), ("argerlich", false), ("res", false)]
        {
            assert_eq!(terms.asked().mention(word), expected, "{word}");
        }
        assert!(!Terms::parse("found -not").expect("searchable").asked().mention("not"));
    }
}
