//! Where units begin and end: lines, CSV rows, elements of a JSON array.
//!
//! A boundary never looks back, so that the splitter may drop what it has scanned and slices may be cut anywhere.

use memchr::{memchr, memchr2};

use super::{Format, Head, word};

/// What a boundary found; positions are in the bytes given to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// A unit begins here.
    Open(usize),
    /// The open unit ends before this byte.
    Close(usize),
}

/// How far the input had come when it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// All is whole; a unit that is still open ends with the input.
    Whole,
    /// The input is cut off, or is not of its format; why.
    Broken(&'static str),
}

/// The boundaries of one format.
#[derive(Debug)]
pub(crate) enum Boundary {
    Lines(Lines),
    Rows(Rows),
    Elements(Elements),
}

impl Boundary {
    /// The boundaries of an input from its beginning.
    pub(super) fn of(format: Format) -> Self {
        match format {
            Format::Ndjson | Format::Access => Self::Lines(Lines::default()),
            Format::Csv => Self::Rows(Rows::new()),
            Format::JsonArray => Self::Elements(Elements::new(Place::Document)),
            Format::Har => Self::Elements(Elements::new(Place::LogEntries)),
        }
    }

    /// The boundaries of an input behind its [`Preamble`](super::Preamble).
    pub(crate) fn after_preamble(format: Format, head: &Head) -> Self {
        if head.delimiter.is_some() { Self::resumed(format, head) } else { Self::of(format) }
    }

    /// The boundaries of an input from a line, a row or an element of the array on.
    pub(super) fn resumed(format: Format, head: &Head) -> Self {
        match format {
            Format::Ndjson | Format::Access => Self::Lines(Lines::default()),
            Format::Csv => {
                let mut rows = Rows::new();
                rows.delimited_by(head.delimiter());
                Self::Rows(rows)
            }
            Format::JsonArray | Format::Har => Self::Elements(Elements::new(Place::Element)),
        }
    }

    /// The next mark at or after `*at`, which moves behind it, or to the end of `bytes` when there is none.
    pub(crate) fn next(&mut self, bytes: &[u8], at: &mut usize) -> Option<Mark> {
        match self {
            Self::Lines(lines) => lines.next(bytes, at),
            Self::Rows(rows) => rows.next(bytes, at),
            Self::Elements(elements) => elements.next(bytes, at),
        }
    }

    /// Judges an input that ends here.
    pub(crate) fn end(&self) -> End {
        match self {
            Self::Rows(rows) if rows.quoted => End::Broken("the input ends inside a quoted field"),
            Self::Lines(_) | Self::Rows(_) => End::Whole,
            Self::Elements(elements) => elements.end(),
        }
    }
}

/// Units that end at a line feed.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    inside: bool,
}

impl Lines {
    fn next(&mut self, bytes: &[u8], at: &mut usize) -> Option<Mark> {
        if !self.inside {
            while bytes.get(*at) == Some(&b'\n') {
                *at += 1;
            }
            self.inside = *at < bytes.len();
            return self.inside.then_some(Mark::Open(*at));
        }
        let Some(end) = memchr(b'\n', &bytes[*at..]) else {
            *at = bytes.len();
            return None;
        };
        let end = *at + end;
        *at = end + 1;
        self.inside = false;
        Some(Mark::Close(end))
    }
}

/// Units that end at a line feed outside quotes (RFC 4180).
///
/// A quote opens a field only at its start, so a stray one in the middle of a field swallows nothing.
#[derive(Debug)]
pub(crate) struct Rows {
    delimiter: Option<u8>,
    inside: bool,
    quoted: bool,
    // the byte before the next one: a delimiter, a closing quote, or the start of the row
    before: Before,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    FieldStart,
    ClosingQuote,
    Text,
}

impl Rows {
    /// Rows whose delimiter is not known yet: any of comma, semicolon and tab starts a field of the header.
    pub(super) fn new() -> Self {
        Self { delimiter: None, inside: false, quoted: false, before: Before::FieldStart }
    }

    /// Fixes the delimiter once the header has shown it.
    pub(super) fn delimited_by(&mut self, delimiter: u8) {
        self.delimiter = Some(delimiter);
    }

    fn delimits(&self, byte: u8) -> bool {
        self.delimiter.map_or(matches!(byte, b',' | b';' | b'\t'), |delimiter| byte == delimiter)
    }

    fn next(&mut self, bytes: &[u8], at: &mut usize) -> Option<Mark> {
        if !self.inside {
            while bytes.get(*at) == Some(&b'\n') {
                *at += 1;
            }
            self.inside = *at < bytes.len();
            self.before = Before::FieldStart;
            return self.inside.then_some(Mark::Open(*at));
        }
        loop {
            if self.quoted {
                let Some(quote) = word::next_quote(bytes, *at) else {
                    *at = bytes.len();
                    return None;
                };
                if bytes.get(quote + 1) == Some(&b'"') {
                    *at = quote + 2;
                    continue;
                }
                *at = quote + 1;
                self.quoted = false;
                self.before = Before::ClosingQuote;
            }
            let Some(found) = memchr2(b'"', b'\n', &bytes[*at..]) else { break };
            let here = *at + found;
            if found > 0 {
                self.before = self.after(bytes[here - 1]);
            }
            *at = here + 1;
            if bytes[here] == b'\n' {
                self.inside = false;
                return Some(Mark::Close(here));
            }
            // a quote right after the closing one, in the next slice, is an escaped quote: the field goes on
            self.quoted = self.before != Before::Text;
            self.before = Before::Text;
        }
        if let Some(last) = bytes[*at..].last() {
            self.before = self.after(*last);
        }
        *at = bytes.len();
        None
    }

    fn after(&self, byte: u8) -> Before {
        if self.delimits(byte) { Before::FieldStart } else { Before::Text }
    }
}

/// Units that are the elements of one array: of the document itself, or of `log.entries`.
///
/// Brackets are counted, not matched: an element that is no JSON is the parser's to refuse.
#[derive(Debug)]
pub(crate) struct Elements {
    place: Place,
    depth: usize,
    string: Text,
    // the last string outside elements, to know members by
    key: Vec<u8>,
    in_log: bool,
    array: Array,
    inside: bool,
    stray: bool,
}

/// Where the array of elements is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The document is the array.
    Document,
    /// HAR: member `entries` of member `log`.
    LogEntries,
    /// The input begins inside the array, and may end there.
    Element,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Array {
    Unseen,
    // depth of its elements
    Open(usize),
    Closed,
}

/// Where in a string the next byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Text {
    Outside,
    Inside,
    Escaped,
}

/// Longest key that is looked at.
const KEY: usize = 16;

impl Elements {
    pub(super) fn new(place: Place) -> Self {
        let (depth, array) = match place {
            Place::Document | Place::LogEntries => (0, Array::Unseen),
            Place::Element => (1, Array::Open(1)),
        };
        Self { place, depth, string: Text::Outside, key: Vec::new(), in_log: false, array, inside: false, stray: false }
    }

    fn end(&self) -> End {
        match (self.array, self.place) {
            (_, Place::Element) => End::Whole,
            (Array::Unseen, Place::Document) => End::Broken("not a JSON array"),
            (Array::Unseen, Place::LogEntries) => End::Broken("not a HAR file: no array at log.entries"),
            (Array::Open(_), _) if self.inside => End::Broken("the file ends inside an entry"),
            (Array::Open(_), _) => End::Broken("the file ends before its array of entries does"),
            (Array::Closed, _) if self.depth > 0 => End::Broken("the file ends before its last object does"),
            (Array::Closed, _) if self.stray => End::Broken("text after the end of the document"),
            (Array::Closed, _) => End::Whole,
        }
    }

    fn next(&mut self, bytes: &[u8], at: &mut usize) -> Option<Mark> {
        while *at < bytes.len() {
            if self.string != Text::Outside {
                self.skip_string(bytes, at);
                continue;
            }
            let (here, byte) = (*at, bytes[*at]);
            if let Some(mark) = self.step(byte, here) {
                // a unit's first byte is read again, now inside it
                *at += usize::from(matches!(mark, Mark::Close(_)));
                return Some(mark);
            }
            *at += 1;
        }
        None
    }

    fn skip_string(&mut self, bytes: &[u8], at: &mut usize) {
        let keep = !self.inside;
        if self.string == Text::Escaped {
            self.string = Text::Inside;
            *at += 1;
            return;
        }
        let rest = &bytes[*at..];
        let found = memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
        if keep {
            let room = KEY.saturating_sub(self.key.len()).min(found);
            self.key.extend_from_slice(&rest[..room]);
        }
        *at += found;
        match rest.get(found) {
            Some(b'"') => self.string = Text::Outside,
            Some(_) => self.string = Text::Escaped,
            None => return,
        }
        if self.string == Text::Escaped && keep {
            // an escaped key is none of ours
            self.key.resize(KEY, b'\\');
        }
        *at += 1;
    }

    fn step(&mut self, byte: u8, here: usize) -> Option<Mark> {
        let between = !self.inside && self.array == Array::Open(self.depth);
        if between && !matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',' | b']' | b'}') {
            self.inside = true;
            return Some(Mark::Open(here));
        }
        match byte {
            b'"' => {
                self.string = Text::Inside;
                if !self.inside {
                    self.key.clear();
                }
            }
            b'{' | b'[' => self.open(byte),
            b'}' | b']' => return self.close(here),
            b',' if self.inside && Array::Open(self.depth) == self.array => {
                self.inside = false;
                return Some(Mark::Close(here));
            }
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => self.stray |= self.depth == 0,
        }
        None
    }

    fn open(&mut self, byte: u8) {
        if self.array == Array::Unseen {
            let found = match self.place {
                Place::Document => byte == b'[' && self.depth == 0,
                Place::LogEntries => byte == b'[' && self.depth == 2 && self.in_log && self.key == b"entries",
                Place::Element => false,
            };
            if found {
                self.array = Array::Open(self.depth + 1);
            }
            if byte == b'{' && self.depth == 1 && self.key == b"log" {
                self.in_log = true;
            }
        } else if self.depth == 0 {
            self.stray = true;
        }
        self.depth += 1;
    }

    fn close(&mut self, here: usize) -> Option<Mark> {
        self.depth = self.depth.saturating_sub(1);
        self.in_log &= self.depth > 1;
        let Array::Open(level) = self.array else { return None };
        let was_inside = self.inside;
        if self.depth < level {
            self.array = Array::Closed;
            self.inside = false;
            return was_inside.then_some(Mark::Close(here));
        }
        if self.depth == level && was_inside {
            self.inside = false;
            return Some(Mark::Close(here + 1));
        }
        None
    }
}
