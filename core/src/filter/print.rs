//! The canonical form of a filter; reading it gives the same filter.

use super::ast::{Cmp, Filter, Key, Scalar, Term, Test};
use super::cursor::is_key_char;
use super::glob::is_pattern;
use super::keys::Family;
use super::matcher::Case;
use std::fmt::{self, Display, Formatter, Write};

/// The canonical form: aliases resolved, `-` for negation, a blank for AND, quotes only where needed.
impl Display for Filter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => Ok(()),
            Self::And(parts) => joined(f, parts, " ", |part| matches!(part, Self::And(_) | Self::Or(_))),
            Self::Or(parts) => joined(f, parts, " OR ", |part| matches!(part, Self::Or(_))),
            Self::Not(inner) => {
                f.write_char('-')?;
                part(f, inner, |part| matches!(part, Self::And(_) | Self::Or(_)))
            }
            Self::Term(term) => term.fmt(f),
            Self::Text(Test::Compare(_, value)) => bare_text(f, &value.written()),
            Self::Text(test) => value(f, test, Family::Text),
        }
    }
}

fn joined(f: &mut Formatter<'_>, parts: &[Filter], by: &str, grouped: fn(&Filter) -> bool) -> fmt::Result {
    for (at, inner) in parts.iter().enumerate() {
        if at > 0 {
            f.write_str(by)?;
        }
        part(f, inner, grouped)?;
    }
    Ok(())
}

fn part(f: &mut Formatter<'_>, inner: &Filter, grouped: fn(&Filter) -> bool) -> fmt::Result {
    match inner {
        Filter::All => f.write_char('*'),
        inner if grouped(inner) => write!(f, "({inner})"),
        inner => inner.fmt(f),
    }
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.key.fmt(f)?;
        for (at, test) in self.any.iter().enumerate() {
            f.write_char(if at == 0 { ':' } else { ',' })?;
            value(f, test, self.key.family())?;
        }
        Ok(())
    }
}

/// The canonical name.
impl Display for Key {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (fixed, own) = self.spelling();
        f.write_str(fixed)?;
        match own {
            None => Ok(()),
            Some(own) if !own.is_empty() && own.chars().all(is_key_char) => f.write_str(own),
            Some(own) => quoted(f, own),
        }
    }
}

fn value(f: &mut Formatter<'_>, test: &Test, family: Family) -> fmt::Result {
    match test {
        Test::Present => f.write_char('*'),
        Test::Compare(cmp, scalar) => {
            f.write_str(cmp.sign())?;
            match (scalar, cmp) {
                (Scalar::Text(word), Cmp::Eq | Cmp::Ne) if is_plain_value(word) => f.write_str(word),
                _ => self::scalar(f, scalar, family),
            }
        }
        Test::Range(low, high) => {
            low.iter().try_for_each(|low| scalar(f, low, family))?;
            f.write_str("..")?;
            high.iter().try_for_each(|high| scalar(f, high, family))
        }
        Test::Glob(pattern) => glob(f, pattern),
        Test::Regex { pattern, case } => regex(f, pattern, *case),
    }
}

// Names of levels are never quoted; text in an order always, so that it is not read as a number.
fn scalar(f: &mut Formatter<'_>, scalar: &Scalar, family: Family) -> fmt::Result {
    match scalar {
        Scalar::Text(text) if matches!(family, Family::Text | Family::Open | Family::Body) => quoted(f, text),
        other => f.write_str(&other.written()),
    }
}

fn quoted(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\t' => f.write_str("\\t")?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}

// What needs no quotes behind a colon; less than the reader takes.
fn is_plain_value(text: &str) -> bool {
    let begins =
        |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '@' | '#' | '%' | '+' | '$' | '&');
    let goes_on = |c: char| begins(c) || matches!(c, ':' | '=' | ';' | '!' | '~' | '\'' | '[' | ']' | '{' | '}' | '|');
    text.starts_with(begins) && text.chars().all(goes_on) && !text.contains("..") && !text.starts_with("//")
}

fn bare_text(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    let begins = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '/' | '@' | '#' | '%' | '+' | '$');
    let goes_on = |c: char| begins(c) || matches!(c, '-' | ',' | ';' | '\'' | '?');
    let is_plain = text.starts_with(begins) && text.chars().all(goes_on) && !matches!(text, "AND" | "OR" | "NOT");
    if is_plain { f.write_str(text) } else { quoted(f, text) }
}

fn glob(f: &mut Formatter<'_>, pattern: &str) -> fmt::Result {
    debug_assert!(is_pattern(pattern), "a glob without a wildcard is text");
    // two slashes behind a colon are a URL
    if pattern.starts_with("//") {
        f.write_char('\\')?;
    }
    for c in pattern.chars() {
        if c.is_whitespace() || matches!(c, ',' | '(' | ')' | '"' | '<' | '>' | '=' | '!' | '~') {
            f.write_char('\\')?;
        }
        f.write_char(c)?;
    }
    Ok(())
}

fn regex(f: &mut Formatter<'_>, pattern: &str, case: Case) -> fmt::Result {
    f.write_str("~/")?;
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '/' => f.write_str("\\/")?,
            '\\' => {
                f.write_char(c)?;
                chars.next().into_iter().try_for_each(|escaped| f.write_char(escaped))?;
            }
            c => f.write_char(c)?,
        }
    }
    f.write_str(if case == Case::Ignored { "/i" } else { "/" })
}
