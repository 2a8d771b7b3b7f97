//! CSV rows under a header, by the names that JSON members go by.

use std::borrow::Cow;

use memchr::memchr3;

use super::draft::Draft;
use super::json::Value;
use super::lean::{self, Lean};
use super::member::{Member, Scope};
use super::parser::{Head, Parsed};
use super::word;
use crate::timestamp::Timestamp;

/// Bytes of an unescaped cell that room is made for at first.
const ROOM: usize = 4 << 10;

/// Reads the header row.
pub(super) fn head(row: &[u8]) -> Head {
    // the first of the most frequent: a header without any delimiter is one column
    let count = |delimiter: u8| memchr::memchr_iter(delimiter, row).count();
    let delimiter = [b'\t', b';', b','].into_iter().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',');
    let columns = Cells::new(std::str::from_utf8(row).unwrap_or_default(), delimiter);
    Head { columns: columns.map(|name| name.trim().to_owned()).collect(), delimiter: Some(delimiter) }
}

/// Whether `line` is a header of traffic: two columns or more, one of which is a known member.
pub(super) fn is_header(line: &[u8]) -> bool {
    let columns = head(line.strip_suffix(b"\r").unwrap_or(line)).columns;
    columns.len() > 1
        && columns.iter().all(|name| name.len() <= 64)
        && columns.iter().any(|name| Member::find(Scope::Record, name).is_some())
}

/// The columns of one file, ready to read its rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Columns {
    columns: Vec<Column>,
    delimiter: u8,
}

/// What the cells under one name are.
#[derive(Clone, Debug)]
pub(super) struct Column {
    name: String,
    /// What its name means.
    pub(super) member: Option<Member>,
    /// Whether its cells, being attributes, are read [lean](lean::is_plain).
    pub(super) plain: bool,
}

impl Columns {
    pub(super) fn new(head: &Head) -> Self {
        let column = |name: &String| Column {
            name: name.clone(),
            member: Member::find(Scope::Record, name),
            plain: lean::is_plain(name),
        };
        Self { columns: head.columns.iter().map(column).collect(), delimiter: head.delimiter() }
    }

    /// Reads one row; an empty cell is an absent member.
    pub(super) fn read(&self, row: &str, now: Timestamp) -> Result<Parsed, String> {
        let cells: Vec<Cow<'_, str>> = Cells::new(row, self.delimiter).collect();
        if cells.len() != self.columns.len() {
            return Err(format!("{} columns where the header has {}", cells.len(), self.columns.len()));
        }
        let mut draft = Draft::new();
        for (Column { name, member, .. }, cell) in self.columns.iter().zip(&cells) {
            if !cell.is_empty() {
                draft.found(*member, name, Value::Plain(cell));
            }
        }
        Ok(draft.finish(now))
    }

    /// Reads of one row what columns hold into `lean`, which is new; none where the whole record has to be read.
    pub(super) fn lean<'a>(&self, row: &'a str, lean: &mut Lean<'a>) -> Option<()> {
        lean::read_row(&self.columns, Cells::new(row, self.delimiter), lean)
    }
}

/// The cells of a row (RFC 4180) from left to right, unescaped where they have to be.
///
/// Nothing is refused: a quote within a cell that does not begin with one is text, text behind a closing quote is of the
/// cell too, and a cell without its closing quote ends with the row. A row ends before a carriage return or a line
/// feed that is in no quotes; those it begins with are none of it. An empty row has no cells.
pub(super) struct Cells<'a> {
    // behind the last delimiter
    rest: Option<&'a str>,
    delimiter: u8,
}

impl<'a> Cells<'a> {
    pub(super) fn new(row: &'a str, delimiter: u8) -> Self {
        let row = row.trim_start_matches(['\r', '\n']);
        Self { rest: (!row.is_empty()).then_some(row), delimiter }
    }

    /// Takes what `text` has up to the delimiter or the end of the row.
    #[inline]
    fn plain(&mut self, text: &'a str) -> &'a str {
        let end = memchr3(self.delimiter, b'\r', b'\n', text.as_bytes());
        self.rest = end.filter(|end| text.as_bytes()[*end] == self.delimiter).map(|end| &text[end + 1..]);
        &text[..end.unwrap_or(text.len())]
    }

    /// Takes the cell whose first quote stands before `text`.
    fn quoted(&mut self, text: &'a str) -> Cow<'a, str> {
        let bytes = text.as_bytes();
        let mut cell = Cow::Borrowed("");
        let (mut start, mut at) = (0, 0);
        while let Some(quote) = word::next_quote(bytes, at) {
            if bytes.get(quote + 1) == Some(&b'"') {
                if start == 0 {
                    cell = Cow::Owned(String::with_capacity(text.len().min(ROOM)));
                }
                cell.to_mut().push_str(&text[start..=quote]);
                (start, at) = (quote + 2, quote + 2);
                continue;
            }
            cell += &text[start..quote];
            let behind = self.plain(&text[quote + 1..]);
            if !behind.is_empty() {
                cell += behind;
            }
            return cell;
        }
        self.rest = None;
        cell + &text[start..]
    }
}

impl<'a> Iterator for Cells<'a> {
    type Item = Cow<'a, str>;

    #[inline]
    fn next(&mut self) -> Option<Cow<'a, str>> {
        let rest = self.rest?;
        Some(match rest.as_bytes().first() {
            Some(b'"') => self.quoted(&rest[1..]),
            Some(byte) if *byte == self.delimiter => {
                self.rest = Some(&rest[1..]);
                Cow::Borrowed("")
            }
            _ => Cow::Borrowed(self.plain(rest)),
        })
    }
}
