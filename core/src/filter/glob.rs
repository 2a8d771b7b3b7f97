//! Patterns with `*` (any run of characters) and `?` (one character) over whole values, without case.

use super::fold::{Needle, certain_runs, fold_char};

/// A compiled pattern. `\` before `*`, `?` or `\` takes that character literally.
#[derive(Clone, Debug)]
pub(super) struct Glob {
    tokens: Vec<Token>,
    // ASCII-only patterns fold ASCII only, as every needle does
    ascii: bool,
    // the longest literal, tested before anything else
    literal: Option<Needle>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Token {
    Run,
    One,
    Char(char),
}

/// Whether `pattern` has a wildcard that is not escaped.
pub(super) fn is_pattern(pattern: &str) -> bool {
    tokens(pattern).any(|token| !matches!(token, Token::Char(_)))
}

/// `pattern` without its escapes.
pub(super) fn unescape(pattern: &str) -> String {
    tokens(pattern)
        .map(|token| match token {
            Token::Run => '*',
            Token::One => '?',
            Token::Char(c) => c,
        })
        .collect()
}

fn tokens(pattern: &str) -> impl Iterator<Item = Token> {
    let mut chars = pattern.chars().peekable();
    std::iter::from_fn(move || {
        Some(match chars.next()? {
            '*' => Token::Run,
            '?' => Token::One,
            '\\' => Token::Char(chars.next_if(|next| matches!(next, '*' | '?' | '\\')).unwrap_or('\\')),
            c => Token::Char(c),
        })
    })
}

impl Glob {
    pub(super) fn new(pattern: &str) -> Self {
        let ascii = pattern.is_ascii();
        let fold = |c: char| if ascii { c.to_ascii_lowercase() } else { fold_char(c) };
        let mut tokens: Vec<Token> = tokens(pattern)
            .map(|token| match token {
                Token::Char(c) => Token::Char(fold(c)),
                other => other,
            })
            .collect();
        tokens.dedup_by(|a, b| *a == Token::Run && *b == Token::Run);
        let mut glob = Self { tokens, ascii, literal: None };
        // a literal of an ASCII pattern is ASCII; one that folds otherwise than its pattern would be a wrong filter
        glob.literal = glob
            .literals()
            .max_by_key(String::len)
            .map(|literal| Needle::new(&literal))
            .filter(|needle| needle.is_ascii() == ascii && needle.bytes().len() > 1);
        glob
    }

    /// Whether all of `text` fits.
    pub(super) fn matches(&self, text: &str) -> bool {
        if self.literal.as_ref().is_some_and(|literal| !literal.is_in(text)) {
            return false;
        }
        // where to go on after a mismatch: behind the last run, one character further into the text
        let mut retry: Option<(usize, &str)> = None;
        let (mut at, mut rest) = (0, text);
        loop {
            let mut ahead = rest.chars();
            match (self.tokens.get(at), ahead.next()) {
                (Some(Token::Run), _) => {
                    at += 1;
                    if at == self.tokens.len() {
                        return true;
                    }
                    retry = Some((at, rest));
                    continue;
                }
                (Some(Token::One), Some(_)) => {
                    (at, rest) = (at + 1, ahead.as_str());
                    continue;
                }
                (Some(Token::Char(wanted)), Some(c)) if self.fold(c) == *wanted => {
                    (at, rest) = (at + 1, ahead.as_str());
                    continue;
                }
                (None, None) => return true,
                _ => {}
            }
            let Some((token, from)) = retry else { return false };
            let mut ahead = from.chars();
            if ahead.next().is_none() {
                return false;
            }
            (at, rest) = (token, ahead.as_str());
            retry = Some((token, rest));
        }
    }

    /// What every match contains once it is lower-cased; see [`certain_runs`].
    pub(super) fn required(&self, least: usize) -> Vec<Vec<u8>> {
        // a marker that is not ASCII keeps the stricter rule for patterns that fold Unicode
        let certain = |literal: String| {
            let text = if self.ascii { literal } else { format!("{literal}é") };
            certain_runs(&text, least).collect::<Vec<_>>()
        };
        self.literals().flat_map(certain).collect()
    }

    fn fold(&self, c: char) -> char {
        if self.ascii { c.to_ascii_lowercase() } else { fold_char(c) }
    }

    fn literals(&self) -> impl Iterator<Item = String> {
        self.tokens.split(|token| !matches!(token, Token::Char(_))).filter(|run| !run.is_empty()).map(|run| {
            run.iter().filter_map(|token| if let Token::Char(c) = token { Some(*c) } else { None }).collect()
        })
    }
}

impl PartialEq for Glob {
    fn eq(&self, other: &Self) -> bool {
        self.tokens == other.tokens
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fits_the_whole_value_without_case() {
        for (pattern, text, fits) in [
            ("/health*", "/healthz", true),
            ("/health*", "/api/healthz", false),
            ("*/users/?", "/v1/users/7", true),
            ("*/users/?", "/v1/users/42", false),
            ("a*b*c", "A--B--bC", true),
            ("a*b*c", "a--c--b", false),
            ("**", "", true),
            ("?", "", false),
            ("?", "é", true),
            ("caf?", "CAFÉ", true),
            ("CAFÉ*", "cafés", true),
            (r"\*\?\\", r"*?\", true),
            (r"\*", "x", false),
            ("*aab", "aaaab", true),
        ] {
            assert_eq!(Glob::new(pattern).matches(text), fits, "{pattern} over {text}");
        }
    }

    #[test]
    fn names_the_literals_of_every_match() {
        let required = |pattern| Glob::new(pattern).required(3);
        assert_eq!(required("*Users/?/orders*ab"), [b"users/".to_vec(), b"/orders".to_vec()]);
        assert_eq!(required("*kéabc*"), [b"abc".to_vec()]);
    }

    proptest! {
        #[test]
        fn agrees_with_the_equivalent_regex(pattern in "[aAé*?]{0,7}", text in "[aAéÉ\n]{0,9}") {
            let body: String = pattern.chars().map(|c| match c {
                '*' => "(?s:.)*".to_owned(),
                '?' => "(?s:.)".to_owned(),
                c => c.to_string(),
            }).collect();
            let regex = regex::Regex::new(&format!("(?i)\\A{body}\\z")).unwrap();
            prop_assert_eq!(Glob::new(&pattern).matches(&text), regex.is_match(&text));
        }
    }
}
