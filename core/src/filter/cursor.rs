//! The lexical level of a query: blanks, words, strings, regexes and signs, with byte positions.

use super::ast::Cmp;
use super::error::{ParseError, Problem};
use super::matcher::Case;
use std::ops::Range;

/// A place in a query.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'q> {
    text: &'q str,
    at: usize,
}

/// What joins two filters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Join {
    And,
    Or,
}

/// Whether a character may stand in a key after its first.
pub(super) fn is_key_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '@' | '$' | '[' | ']')
}

// What a backslash makes an ordinary character of an unquoted value; before any other character it is one itself.
fn is_escapable(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | '(' | ')' | '"' | '\\' | '*' | '?' | '<' | '>' | '=' | '!' | '~' | '/')
}

impl<'q> Cursor<'q> {
    pub(super) fn new(text: &'q str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn go(&mut self, at: usize) {
        self.at = at;
    }

    pub(super) fn rest(&self) -> &'q str {
        &self.text[self.at..]
    }

    pub(super) fn slice(&self, span: Range<usize>) -> &'q str {
        &self.text[span]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn is_done(&self) -> bool {
        self.at == self.text.len()
    }

    pub(super) fn eat(&mut self, sign: &str) -> bool {
        let eaten = self.rest().starts_with(sign);
        if eaten {
            self.at += sign.len();
        }
        eaten
    }

    pub(super) fn skip_blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Whether a term or text ends here.
    pub(super) fn is_boundary(&self) -> bool {
        self.peek().is_none_or(|c| c.is_whitespace() || c == ')')
    }

    pub(super) fn error(&self, from: usize, problem: Problem) -> ParseError {
        ParseError { span: from..self.at, problem }
    }

    /// The operator here, if one is, and its length.
    pub(super) fn join(&self) -> Option<(Join, usize)> {
        let signs = [("AND", Join::And), ("&&", Join::And), ("OR", Join::Or), ("||", Join::Or)];
        signs.into_iter().find(|(sign, _)| self.is_operator(sign)).map(|(sign, join)| (join, sign.len()))
    }

    /// Whether the operator `sign` is here: a blank, a parenthesis or the end follows it.
    pub(super) fn is_operator(&self, sign: &str) -> bool {
        let mut behind = *self;
        behind.eat(sign) && (behind.is_boundary() || behind.peek() == Some('('))
    }

    /// Whether a filter may begin after the blanks here.
    pub(super) fn is_operand(&self) -> bool {
        let mut ahead = *self;
        ahead.skip_blanks();
        !ahead.is_boundary() && ahead.join().is_none()
    }

    /// Eats a comparison.
    pub(super) fn cmp(&mut self) -> Option<Cmp> {
        let signs = [(">=", Cmp::Ge), ("<=", Cmp::Le), ("!=", Cmp::Ne), (">", Cmp::Gt), ("<", Cmp::Lt), ("=", Cmp::Eq)];
        signs.into_iter().find(|(sign, _)| self.eat(sign)).map(|(_, cmp)| cmp)
    }

    /// Eats what may be a key: a letter, `_` or `@`, then key characters.
    pub(super) fn key(&mut self) -> Option<&'q str> {
        let rest = self.rest();
        if !rest.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '@')) {
            return None;
        }
        let key = &rest[..rest.find(|c| !is_key_char(c)).unwrap_or(rest.len())];
        self.at += key.len();
        Some(key)
    }

    /// Eats up to a blank or a parenthesis that closes none of the word's own.
    pub(super) fn word(&mut self) -> &'q str {
        self.until(|_| false, |_| false)
    }

    /// Eats an unquoted value, which a comma, a quote, or what ends a word ends, unless a backslash escapes it.
    pub(super) fn value_word(&mut self) -> &'q str {
        self.until(|c| matches!(c, ',' | '"'), is_escapable)
    }

    fn until(&mut self, stop: impl Fn(char) -> bool, escapable: impl Fn(char) -> bool) -> &'q str {
        let rest = self.rest();
        let mut open = 0usize;
        let mut chars = rest.char_indices().peekable();
        let mut end = rest.len();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' if chars.next_if(|(_, next)| escapable(*next)).is_some() => {}
                c if c.is_whitespace() || stop(c) || (c == ')' && open == 0) => {
                    end = at;
                    break;
                }
                '(' => open += 1,
                ')' => open -= 1,
                _ => {}
            }
        }
        self.at += end;
        &rest[..end]
    }

    /// Eats a string with its quotes; the quote it begins with is here.
    pub(super) fn string(&mut self) -> Result<String, ParseError> {
        let start = self.at;
        let mut content = String::new();
        let mut chars = self.rest().char_indices().skip(1).peekable();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.at += at + 1;
                    return Ok(content);
                }
                '\\' => content.push(match chars.next_if(|(_, next)| matches!(next, '"' | '\\' | 'n' | 't')) {
                    Some((_, 'n')) => '\n',
                    Some((_, 't')) => '\t',
                    Some((_, escaped)) => escaped,
                    None => '\\',
                }),
                c => content.push(c),
            }
        }
        self.at = self.text.len();
        Err(self.error(start, Problem::UnclosedString))
    }

    /// Eats a regex with its slashes and flag; its `~/` is here.
    pub(super) fn regex(&mut self) -> Result<(String, Case), ParseError> {
        let start = self.at;
        let mut pattern = String::new();
        let mut chars = self.rest().char_indices().skip(2).peekable();
        while let Some((at, c)) = chars.next() {
            match c {
                '/' => {
                    self.at += at + 1;
                    let case = if self.eat("i") { Case::Ignored } else { Case::Counts };
                    return Ok((pattern, case));
                }
                '\\' => {
                    if chars.peek().is_none_or(|(_, next)| *next != '/') {
                        pattern.push('\\');
                    }
                    pattern.extend(chars.next().map(|(_, escaped)| escaped));
                }
                c => pattern.push(c),
            }
        }
        self.at = self.text.len();
        Err(self.error(start, Problem::UnclosedRegex))
    }
}

/// An unquoted value as a pattern: only wildcards and backslashes that are meant literally keep their backslash.
pub(super) fn pattern(word: &str) -> String {
    let mut pattern = String::with_capacity(word.len());
    let mut chars = word.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, if c == '\\' { chars.next_if(|next| is_escapable(*next)) } else { None }) {
            (_, Some(literal @ ('*' | '?' | '\\'))) => pattern.extend(['\\', literal]),
            (_, Some(literal)) => pattern.push(literal),
            ('\\', None) => pattern.push_str("\\\\"),
            (c, None) => pattern.push(c),
        }
    }
    pattern
}
