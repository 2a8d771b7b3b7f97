//! What is wrong with a query, where, and what to write instead.

use super::fault::Fault;
use std::fmt;
use std::ops::Range;

/// Why a query was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The bytes of the query that are wrong; empty where something is missing.
    pub span: Range<usize>,
    /// What is wrong with them.
    pub problem: Problem,
}

/// What can be wrong with a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// A key and a colon or comma, and nothing behind it.
    MissingValue,
    /// A string without its closing quote.
    UnclosedString,
    /// A regex without its closing slash.
    UnclosedRegex,
    /// An opening parenthesis without a closing one.
    UnclosedGroup,
    /// A closing parenthesis without an opening one.
    UnopenedGroup,
    /// Parentheses with nothing between them.
    EmptyGroup,
    /// `AND`, `OR` or `NOT` without what it needs beside it.
    LonelyOperator,
    /// A comparison without a key right before it.
    LonelyComparison,
    /// Something right behind a quoted string or a regex.
    AfterValue,
    /// More than 64 parentheses and negations in each other.
    TooDeep,
    /// A value that its key does not take.
    Value(Fault),
}

/// Something that was read, perhaps otherwise than meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The bytes of the query it is about.
    pub span: Range<usize>,
    /// The unknown key, which is looked for in the attributes.
    pub key: String,
    /// A key that may have been meant.
    pub nearest: Option<&'static str>,
}

impl ParseError {
    /// Where it is, in bytes from the beginning of the query, which a position never exceeds.
    pub fn position(&self) -> usize {
        self.span.start
    }

    /// What to write instead, where that is known.
    pub fn hint(&self) -> Option<String> {
        Some(match &self.problem {
            Problem::MissingValue => "write the value right behind it; key:* asks for any".into(),
            Problem::UnclosedString => "close it with \", and write \" in it as \\\"".into(),
            Problem::UnclosedRegex => "close it with /, and write / in it as \\/".into(),
            Problem::UnclosedGroup => "close it with ), or quote it to search for it".into(),
            Problem::UnopenedGroup | Problem::LonelyOperator => "quote it to search for it".into(),
            Problem::EmptyGroup => "* stands for everything".into(),
            Problem::LonelyComparison => "write status>=500 without blanks; quote it to search for it".into(),
            Problem::AfterValue => "separate terms by a blank, values by a comma".into(),
            Problem::TooDeep => "ask in several queries".into(),
            Problem::Value(fault) => return fault.hint(),
        })
    }

    /// Message, query with a caret below the place, and hint, for a terminal.
    pub fn render(&self, query: &str) -> String {
        let line = query.replace(|c: char| c.is_control(), " ");
        let start = self.span.start.min(query.len());
        let column = query.get(..start).unwrap_or_default().chars().count();
        let width = query.get(start..self.span.end).unwrap_or_default().chars().count().max(1);
        let mut text = format!("{self}\n  {line}\n  {}{}\n", " ".repeat(column), "^".repeat(width));
        if let Some(hint) = self.hint() {
            text.push_str("hint: ");
            text.push_str(&hint);
            text.push('\n');
        }
        text
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.problem {
            Problem::MissingValue => "a value is missing",
            Problem::UnclosedString => "the string is not closed",
            Problem::UnclosedRegex => "the regular expression is not closed",
            Problem::UnclosedGroup => "the parenthesis is not closed",
            Problem::UnopenedGroup => "there is no parenthesis to close",
            Problem::EmptyGroup => "the parentheses are empty",
            Problem::LonelyOperator => "the operator has nothing to work on",
            Problem::LonelyComparison => "the comparison has no key",
            Problem::AfterValue => "the value ends here",
            Problem::TooDeep => "it is nested too deeply",
            Problem::Value(fault) => return fault.fmt(f),
        })
    }
}

impl std::error::Error for ParseError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.problem {
            Problem::Value(fault) => Some(fault),
            _ => None,
        }
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is no key; it is looked for in the attributes", self.key)?;
        match self.nearest {
            Some(nearest) => write!(f, "; did you mean {nearest}?"),
            None => Ok(()),
        }
    }
}
