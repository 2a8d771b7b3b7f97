//! Reading a query: recursive descent over words, terms, groups and operators.

use super::ast::{Cmp, Filter, Key, Scalar, Term, Test};
use super::cursor::{Cursor, Join, pattern};
use super::error::{Hint, ParseError, Problem};
use super::fault::Fault;
use super::glob::{is_pattern, unescape};
use super::keys::Family;
use super::measure::Decimal;
use super::moment::Moment;
use super::resolve::{check, check_text};
use super::scalar::{Place, Quotes};

/// Parentheses and negations in each other; recursion is bounded by it.
const MOST_DEPTH: usize = 64;

/// A query that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// What it says.
    pub filter: Filter,
    /// What of it may be meant otherwise.
    pub hints: Vec<Hint>,
}

impl Filter {
    /// Reads a query as a program sends it: all of it, or an error with its place.
    ///
    /// What is read can be resolved, but for inverted ranges of times.
    pub fn parse(query: &str) -> Result<Parsed, ParseError> {
        let (parsed, errors) = Parser::new(query, Mode::Strict).query()?;
        debug_assert!(errors.is_empty(), "the strict mode stops at the first error");
        Ok(parsed)
    }

    /// Reads a query while it is typed: what cannot be read is text to search for, and named.
    pub fn parse_typing(query: &str) -> (Parsed, Vec<ParseError>) {
        Parser::new(query, Mode::Typing).query().unwrap_or_else(|error| {
            let filter = Self::Text(Test::Compare(Cmp::Eq, Scalar::Text(query.to_owned())));
            (Parsed { filter, hints: Vec::new() }, vec![error])
        })
    }
}

impl std::str::FromStr for Filter {
    type Err = ParseError;

    fn from_str(query: &str) -> Result<Self, ParseError> {
        Self::parse(query).map(|parsed| parsed.filter)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Strict,
    Typing,
}

struct Parser<'q> {
    cursor: Cursor<'q>,
    mode: Mode,
    depth: usize,
    hints: Vec<Hint>,
    errors: Vec<ParseError>,
}

impl<'q> Parser<'q> {
    fn new(query: &'q str, mode: Mode) -> Self {
        Self { cursor: Cursor::new(query), mode, depth: 0, hints: Vec::new(), errors: Vec::new() }
    }

    fn query(mut self) -> Result<(Parsed, Vec<ParseError>), ParseError> {
        let mut parts = Vec::new();
        loop {
            self.cursor.skip_blanks();
            match self.cursor.peek() {
                None => break,
                Some(')') => {
                    let start = self.cursor.at();
                    self.cursor.go(start + 1);
                    parts.push(self.as_text(self.cursor.error(start, Problem::UnopenedGroup), start)?);
                }
                Some(_) => parts.push(self.or()?),
            }
        }
        let filter = one_or(parts, Filter::And).unwrap_or(Filter::All);
        Ok((Parsed { filter, hints: self.hints }, self.errors))
    }

    fn or(&mut self) -> Result<Filter, ParseError> {
        let mut parts = vec![self.and()?];
        while let Some((Join::Or, length)) = self.cursor.join() {
            self.cursor.go(self.cursor.at() + length);
            parts.push(self.and()?);
        }
        Ok(one_or(parts, Filter::Or).unwrap_or(Filter::All))
    }

    // At least one filter follows; stops at the end, before a closing parenthesis, or before an OR that has its operands.
    fn and(&mut self) -> Result<Filter, ParseError> {
        let mut parts = Vec::new();
        loop {
            self.cursor.skip_blanks();
            if self.cursor.is_boundary() {
                break;
            }
            let Some((join, length)) = self.cursor.join() else {
                parts.push(self.unary()?);
                continue;
            };
            let start = self.cursor.at();
            self.cursor.go(start + length);
            if parts.is_empty() || !self.cursor.is_operand() {
                parts.push(self.as_text(self.cursor.error(start, Problem::LonelyOperator), start)?);
            } else if join == Join::Or {
                self.cursor.go(start);
                break;
            }
        }
        Ok(one_or(parts, Filter::And).unwrap_or(Filter::All))
    }

    fn unary(&mut self) -> Result<Filter, ParseError> {
        let (start, depth) = (self.cursor.at(), self.depth);
        self.depth += 1;
        let result = if depth == MOST_DEPTH {
            Err(ParseError { span: start..start, problem: Problem::TooDeep })
        } else if self.negation()? {
            self.unary().map(|inner| Filter::Not(Box::new(inner)))
        } else {
            self.primary()
        };
        self.depth = depth;
        result.or_else(|error| self.as_text(error, start))
    }

    fn negation(&mut self) -> Result<bool, ParseError> {
        let start = self.cursor.at();
        if self.cursor.is_operator("NOT") {
            self.cursor.eat("NOT");
            if self.cursor.is_operand() {
                self.cursor.skip_blanks();
                return Ok(true);
            }
            let error = self.cursor.error(start, Problem::LonelyOperator);
            if self.mode == Mode::Strict {
                return Err(error);
            }
            // read as a word next
            self.errors.push(error);
            self.cursor.go(start);
            return Ok(false);
        }
        if self.cursor.rest().starts_with("!=") {
            return Ok(false);
        }
        let eaten = self.cursor.eat("-") || self.cursor.eat("!");
        if eaten && self.cursor.is_boundary() {
            self.cursor.go(start);
            return Ok(false);
        }
        Ok(eaten)
    }

    fn primary(&mut self) -> Result<Filter, ParseError> {
        let start = self.cursor.at();
        let rest = self.cursor.rest();
        if rest.starts_with('(') {
            return self.group();
        }
        if rest.starts_with('"') {
            let text = self.cursor.string()?;
            self.ends_here()?;
            return Ok(text_of(text));
        }
        if rest.starts_with("~/") {
            let test = self.regex()?;
            check_text(&test).map_err(|fault| self.cursor.error(start, Problem::Value(fault)))?;
            self.ends_here()?;
            return Ok(Filter::Text(test));
        }
        if self.cursor.cmp().is_some() {
            return Err(self.cursor.error(start, Problem::LonelyComparison));
        }
        if let Some((key, cmp)) = self.key()? {
            let any = self.values(&key, cmp)?;
            self.ends_here()?;
            return Ok(Filter::Term(Term { key, any }));
        }
        self.cursor.go(start);
        Ok(match self.cursor.word() {
            "*" => Filter::All,
            word => text_of(word.to_owned()),
        })
    }

    fn group(&mut self) -> Result<Filter, ParseError> {
        let start = self.cursor.at();
        self.cursor.eat("(");
        let inside = self.cursor.at();
        self.cursor.skip_blanks();
        if self.cursor.is_done() {
            return Err(ParseError { span: start..inside, problem: Problem::UnclosedGroup });
        }
        if self.cursor.eat(")") {
            return Err(self.cursor.error(start, Problem::EmptyGroup));
        }
        let inner = self.or()?;
        if !self.cursor.eat(")") {
            let error = ParseError { span: start..inside, problem: Problem::UnclosedGroup };
            if self.mode == Mode::Strict {
                return Err(error);
            }
            // closed by the end
            self.errors.push(error);
        }
        Ok(inner)
    }

    // A key with its sign: the comparison, if it is no colon. `None` where the word is text.
    fn key(&mut self) -> Result<Option<(Key, Option<Cmp>)>, ParseError> {
        let start = self.cursor.at();
        let Some(name) = self.cursor.key() else { return Ok(None) };
        let key = match Key::prefixed(name) {
            Some((length, make)) if length == name.len() && self.cursor.peek() == Some('"') => {
                Some(make(self.cursor.string()?))
            }
            Some((length, make)) if length < name.len() => Some(make(name[length..].to_owned())),
            _ => Key::named(name),
        };
        let span = start..self.cursor.at();
        let colon = self.cursor.eat(":");
        let cmp = if colon { None } else { self.cursor.cmp() };
        let rest = self.cursor.rest();
        // a pasted URL, or a path of names like std::io
        if (!colon && cmp.is_none()) || (colon && (rest.starts_with("//") || (key.is_none() && rest.starts_with(':'))))
        {
            return Ok(None);
        }
        let key = key.unwrap_or_else(|| {
            self.hints.push(Hint { span, key: name.to_owned(), nearest: Key::nearest(name) });
            Key::Attr(name.to_owned())
        });
        Ok(Some((key, cmp)))
    }

    fn values(&mut self, key: &Key, mut cmp: Option<Cmp>) -> Result<Vec<Test>, ParseError> {
        let mut any = Vec::new();
        loop {
            let cmp = cmp.take().or_else(|| self.cursor.cmp());
            let start = self.cursor.at();
            if self.cursor.is_boundary() || self.cursor.peek() == Some(',') {
                return Err(self.cursor.error(start, Problem::MissingValue));
            }
            let test = match cmp {
                None | Some(Cmp::Eq) => self.test(key.family())?,
                Some(cmp) => self.compared(cmp, key.family())?,
            };
            check(key, &test).map_err(|fault| self.cursor.error(start, Problem::Value(fault)))?;
            any.push(test);
            if !self.cursor.eat(",") {
                return Ok(any);
            }
        }
    }

    fn compared(&mut self, cmp: Cmp, family: Family) -> Result<Test, ParseError> {
        let start = self.cursor.at();
        let place = if cmp == Cmp::Ne { Place::Equal } else { Place::Ordered };
        let (text, quotes) = if self.cursor.peek() == Some('"') {
            (self.cursor.string()?, Quotes::Quoted)
        } else {
            let pattern = pattern(self.cursor.value_word());
            if is_pattern(&pattern) {
                return Err(self.cursor.error(start, Problem::Value(Fault::ComparedPattern)));
            }
            (unescape(&pattern), Quotes::Bare)
        };
        self.scalar(family, &text, quotes, place, start).map(|scalar| Test::Compare(cmp, scalar))
    }

    fn test(&mut self, family: Family) -> Result<Test, ParseError> {
        let start = self.cursor.at();
        if self.cursor.rest().starts_with("~/") {
            return self.regex();
        }
        if self.cursor.peek() == Some('"') {
            let text = self.cursor.string()?;
            if !self.cursor.eat("..") {
                return self
                    .scalar(family, &text, Quotes::Quoted, Place::Equal, start)
                    .map(|scalar| Test::Compare(Cmp::Eq, scalar));
            }
            let low = self.scalar(family, &text, Quotes::Quoted, Place::Ordered, start)?;
            return Ok(Test::Range(Some(low), self.end_of_range(family)?));
        }
        let word = self.cursor.value_word();
        if self.cursor.peek() == Some('"')
            && let Some(low) = word.strip_suffix("..")
        {
            let low = self.side(family, low, start)?;
            return Ok(Test::Range(low, self.end_of_range(family)?));
        }
        if let Some((low, high)) = range(word, family) {
            let (low, high) = (self.side(family, low, start)?, self.side(family, high, start)?);
            if low.is_none() && high.is_none() {
                return Err(self.cursor.error(start, Problem::MissingValue));
            }
            return Ok(Test::Range(low, high));
        }
        let pattern = pattern(word);
        if pattern == "*" {
            return Ok(Test::Present);
        }
        if is_pattern(&pattern) {
            return Ok(Test::Glob(pattern));
        }
        self.scalar(family, &unescape(&pattern), Quotes::Bare, Place::Equal, start)
            .map(|scalar| Test::Compare(Cmp::Eq, scalar))
    }

    fn end_of_range(&mut self, family: Family) -> Result<Option<Scalar>, ParseError> {
        let start = self.cursor.at();
        if self.cursor.peek() == Some('"') {
            let text = self.cursor.string()?;
            return self.scalar(family, &text, Quotes::Quoted, Place::Ordered, start).map(Some);
        }
        let word = self.cursor.value_word();
        self.side(family, word, start)
    }

    fn side(&self, family: Family, word: &str, start: usize) -> Result<Option<Scalar>, ParseError> {
        if word.is_empty() {
            return Ok(None);
        }
        self.scalar(family, &unescape(&pattern(word)), Quotes::Bare, Place::Ordered, start).map(Some)
    }

    fn scalar(
        &self,
        family: Family,
        text: &str,
        quotes: Quotes,
        place: Place,
        start: usize,
    ) -> Result<Scalar, ParseError> {
        Scalar::read(family, text, quotes, place).map_err(|fault| self.cursor.error(start, Problem::Value(fault)))
    }

    fn regex(&mut self) -> Result<Test, ParseError> {
        self.cursor.regex().map(|(pattern, case)| Test::Regex { pattern, case })
    }

    fn ends_here(&mut self) -> Result<(), ParseError> {
        if self.cursor.is_boundary() {
            return Ok(());
        }
        let at = self.cursor.at();
        Err(ParseError { span: at..at, problem: Problem::AfterValue })
    }

    // While typing, what stands from `start` to the end of the broken word.
    fn as_text(&mut self, error: ParseError, start: usize) -> Result<Filter, ParseError> {
        if self.mode == Mode::Strict {
            return Err(error);
        }
        self.cursor.go(error.span.end.max(start));
        self.cursor.word();
        let written = self.cursor.slice(start..self.cursor.at());
        self.errors.push(error);
        while self.hints.last().is_some_and(|hint| hint.span.start >= start) {
            self.hints.pop();
        }
        Ok(text_of(written.strip_prefix('"').unwrap_or(written).trim_end().to_owned()))
    }
}

// The sides of a range. In text, where .. is common in paths, only numbers and dates make one.
fn range(word: &str, family: Family) -> Option<(&str, &str)> {
    let (low, high) = word.split_once("..")?;
    if !matches!(family, Family::Text | Family::Open | Family::Body) {
        return Some((low, high));
    }
    let is_end = |side: &str| side.is_empty() || Decimal::parse_with_unit(side).is_some() || Moment::is_absolute(side);
    (word != ".." && is_end(low) && is_end(high)).then_some((low, high))
}

fn one_or(mut parts: Vec<Filter>, many: fn(Vec<Filter>) -> Filter) -> Option<Filter> {
    if parts.len() > 1 { Some(many(parts)) } else { parts.pop() }
}

fn text_of(text: String) -> Filter {
    Filter::Text(Test::Compare(Cmp::Eq, Scalar::Text(text)))
}
