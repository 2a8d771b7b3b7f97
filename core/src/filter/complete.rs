//! What can be written at a place in a query: keys, the values that every log has, and operators.

use super::ast::{Filter, Key, Term, Test};
use super::cursor::{Cursor, is_key_char};
use super::error::{ParseError, Problem};
use super::keys::{KEYS, PREFIXES};
use super::parse::Parsed;
use super::words::{headers, values};
use crate::sort;
use std::ops::Range;

/// What can stand at a caret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completions {
    /// The bytes of the query that an item would replace.
    pub span: Range<usize>,
    /// The key whose value is being written, as it is printed: what the values seen so far are asked by.
    pub key: Option<String>,
    /// Best first. Each makes a query that is read once what is open around it is closed; of values only those that do not
    /// depend on what was captured.
    pub items: Vec<Completion>,
}

/// One thing that can be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// What replaces the span.
    pub text: String,
    /// What it is.
    pub kind: CompletionKind,
    /// One line on what it means.
    pub about: Option<&'static str>,
}

/// What a completion is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompletionKind {
    /// A key with its colon, or the beginning of keys that go on with a name.
    Key,
    /// A value of a key.
    Value,
    /// `AND`, `OR` or `NOT`.
    Operator,
}

impl CompletionKind {
    /// The name in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Value => "value",
            Self::Operator => "operator",
        }
    }
}

const JOINS: [(&str, &str); 2] = [("OR", "either side"), ("AND", "both sides, as a blank says too")];
const NEGATION: (&str, &str) = ("NOT", "what does not match, as - says too");

/// What can be written in `query` at the byte `caret`, which is moved to the beginning of its character and into the query.
///
/// A query that cannot be read is no obstacle: it is being written. In quoted text and in a regex there is nothing to offer.
pub fn complete(query: &str, caret: usize) -> Completions {
    let caret = query.floor_char_boundary(caret);
    match Place::at(query, caret) {
        Place::Free => Completions { span: caret..caret, key: None, items: Vec::new() },
        Place::Word { span, operand } => {
            let items = words(&query[span.start..caret], operand);
            Completions { span, key: None, items }
        }
        Place::Value { key, before, span } => {
            let typed = query[span.start..caret].trim_start_matches('"');
            let is_read = |text: &str| Filter::parse(&format!("{before}{text}")).is_ok();
            let items = values(&key).into_iter().filter(|(text, _)| begins(text, typed) && is_read(text));
            let items = items.map(|(text, about)| item(text, CompletionKind::Value, about)).collect();
            Completions { span, key: Some(printed(key)), items }
        }
    }
}

/// Reads a query that is being written at the byte `caret`: what is wrong right there is not finished yet, and read as the
/// text it is so far. What is wrong elsewhere is an error.
pub fn parse_at(query: &str, caret: usize) -> Result<Parsed, ParseError> {
    let caret = query.floor_char_boundary(caret);
    let (parsed, errors) = Filter::parse_typing(query);
    let is_written = |error: &ParseError| match error.problem {
        // closed further on
        Problem::UnclosedGroup => error.span.end <= caret,
        // its other side follows the blanks
        Problem::LonelyOperator => query.get(error.span.end..caret).is_some_and(|between| between.trim().is_empty()),
        _ => error.span.start <= caret && caret <= error.span.end,
    };
    match errors.into_iter().find(|error| !is_written(error)) {
        Some(error) => Err(error),
        None => Ok(parsed),
    }
}

/// Where a caret stands.
enum Place {
    /// Where anything may be written, and nothing can be known.
    Free,
    /// In a word, or where one may begin; whether something to join it with stands before.
    Word { span: Range<usize>, operand: bool },
    /// In a value; `before` is its key with all signs.
    Value { key: Key, before: String, span: Range<usize> },
}

impl Place {
    fn at(query: &str, caret: usize) -> Self {
        let mut cursor = Cursor::new(query);
        let mut operand = false;
        loop {
            cursor.skip_blanks();
            if cursor.at() >= caret {
                return Self::Word { span: caret..caret, operand };
            }
            let differs = cursor.rest().starts_with("!=");
            if cursor.eat("(") || cursor.eat("-") || (!differs && cursor.eat("!")) {
                operand = false;
                continue;
            }
            if cursor.eat(")") {
                operand = true;
                continue;
            }
            if let Some(place) = Self::in_word(query, caret, &mut cursor, &mut operand) {
                return place;
            }
        }
    }

    // Goes behind the term, text or operator here, unless the caret is in it.
    fn in_word(query: &str, caret: usize, cursor: &mut Cursor<'_>, operand: &mut bool) -> Option<Self> {
        let start = cursor.at();
        if let Some(end) = quoted(cursor) {
            *operand = true;
            return (caret <= end).then_some(Self::Free);
        }
        if let Some(key) = key(cursor) {
            let (name, signs) = (start..key.end, start..cursor.at());
            if caret < signs.end {
                let span = start..name.end + usize::from(query[name.end..].starts_with(':'));
                return Some(Self::Word { span, operand: *operand });
            }
            *operand = true;
            return Self::in_values(query, caret, cursor, key.key, &query[signs]);
        }
        cursor.go(start);
        let joins = cursor.join().is_some() || cursor.is_operator("NOT");
        cursor.word();
        // a sign that begins nothing
        if cursor.at() == start {
            cursor.go(start + cursor.peek().map_or(0, char::len_utf8));
        }
        let span = start..cursor.at();
        if caret <= span.end {
            return Some(Self::Word { span, operand: *operand });
        }
        *operand = !joins;
        None
    }

    fn in_values(query: &str, caret: usize, cursor: &mut Cursor<'_>, key: Key, signs: &str) -> Option<Self> {
        loop {
            let signed = cursor.at();
            cursor.cmp();
            let start = cursor.at();
            let is_regex = cursor.rest().starts_with("~/");
            if quoted(cursor).is_none() {
                cursor.value_word();
            }
            let span = start..cursor.at();
            if caret <= span.end {
                let before = format!("{signs}{}", &query[signed..start]);
                let is_value = caret >= start && !is_regex;
                return Some(if is_value { Self::Value { key, before, span } } else { Self::Free });
            }
            if !cursor.eat(",") {
                // the rest of a range, or what does not belong there
                cursor.word();
                return (caret <= cursor.at()).then_some(Self::Free);
            }
        }
    }
}

// Goes behind a string or regex, closed or not; where it ends, or behind the query where it does not.
fn quoted(cursor: &mut Cursor<'_>) -> Option<usize> {
    let is_closed = match cursor.rest() {
        rest if rest.starts_with('"') => cursor.string().is_ok(),
        rest if rest.starts_with("~/") => cursor.regex().is_ok(),
        _ => return None,
    };
    Some(if is_closed { cursor.at() } else { usize::MAX })
}

struct Named {
    key: Key,
    end: usize,
}

// Goes behind a key and its sign; none where the word is text.
fn key(cursor: &mut Cursor<'_>) -> Option<Named> {
    let name = cursor.key()?;
    let key = match Key::prefixed(name) {
        Some((length, make)) if length == name.len() && cursor.peek() == Some('"') => make(cursor.string().ok()?),
        Some((length, make)) => make(name[length..].to_owned()),
        None => Key::named(name).unwrap_or_else(|| Key::Attr(name.to_owned())),
    };
    let end = cursor.at();
    let is_signed = if cursor.eat(":") { !cursor.rest().starts_with("//") } else { cursor.cmp().is_some() };
    is_signed.then_some(Named { key, end })
}

// Keys and operators that begin with what is typed, or have a part that does.
fn words(typed: &str, operand: bool) -> Vec<Completion> {
    if !typed.chars().all(is_key_char) {
        return Vec::new();
    }
    if let Some((length, _)) = Key::prefixed(typed) {
        let (beginning, name) = typed.split_at(length);
        let names = headers(beginning).iter().filter(|known| begins(known, name));
        return names.map(|name| item(format!("{beginning}{name}:"), CompletionKind::Key, None)).collect();
    }
    let rank = |name: &str, aliases: &[&str]| {
        let by_part = || name.split('.').skip(1).any(|part| begins(part, typed));
        let by_alias = || aliases.iter().any(|alias| begins(alias, typed));
        if begins(name, typed) { Some(0) } else { (by_part() || by_alias()).then_some(1) }
    };
    let named = KEYS.iter().map(|known| (rank(known.name, known.aliases), format!("{}:", known.name), known.about));
    let prefixed = PREFIXES.iter().map(|known| (rank(known.prefix, known.aliases), known.prefix.into(), known.about));
    let mut ranked: Vec<_> =
        named.chain(prefixed).filter_map(|(rank, text, about)| Some((rank?, text, about))).collect();
    sort::by_key(&mut ranked, |(rank, ..)| *rank);
    let keys = ranked.into_iter().map(|(_, text, about)| item(text, CompletionKind::Key, Some(about)));
    let joins = JOINS.into_iter().filter(|_| operand);
    let operators = joins.chain([NEGATION]).filter(|(text, _)| begins(text, typed));
    keys.chain(operators.map(|(text, about)| item(text, CompletionKind::Operator, Some(about)))).collect()
}

fn begins(text: &str, typed: &str) -> bool {
    text.get(..typed.len()).is_some_and(|start| start.eq_ignore_ascii_case(typed))
}

fn item(text: impl Into<String>, kind: CompletionKind, about: Option<&'static str>) -> Completion {
    Completion { text: text.into(), kind, about }
}

// A key as queries print it.
fn printed(key: Key) -> String {
    let term = Filter::Term(Term { key, any: vec![Test::Present] }).to_string();
    term.strip_suffix(":*").unwrap_or(&term).to_owned()
}
