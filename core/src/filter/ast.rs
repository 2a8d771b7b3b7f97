//! The query language as a tree: what was written, units and relative times included.

use super::matcher::Case;
use crate::record::Field;

/// A query as written. Equal filters print equally; the printed form is canonical.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// Everything: the empty query.
    All,
    /// `-f`.
    Not(Box<Filter>),
    /// `f g`; two or more.
    And(Vec<Filter>),
    /// `f OR g`; two or more.
    Or(Vec<Filter>),
    /// `key:value,value`.
    Term(Term),
    /// Bare text: a substring (or regex) of message, URL, route or error code.
    Text(Test),
}

/// A key and the values of which any may match.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// What is looked at.
    pub key: Key,
    /// One or more alternatives.
    pub any: Vec<Test>,
}

/// What a term looks at.
#[derive(Clone, Debug, PartialEq)]
pub enum Key {
    /// `time`.
    Time,
    /// `level`.
    Level,
    /// `kind`.
    Kind,
    /// `source`.
    Source,
    /// `status`.
    Status,
    /// `duration`.
    Duration,
    /// `size`: both bodies.
    Size,
    /// `req.size`.
    ReqSize,
    /// `res.size`.
    ResSize,
    /// `overridden`.
    Overridden,
    /// `is:error`.
    Is,
    /// A text field: `method`, `path`, `service`, ….
    Field(Field),
    /// `url`: path and query.
    Url,
    /// `query.<name>`.
    QueryParam(String),
    /// `req.header.<name>`, the name in lower case.
    ReqHeader(String),
    /// `res.header.<name>`.
    ResHeader(String),
    /// `req.body`.
    ReqBody,
    /// `res.body`.
    ResBody,
    /// `body`: either side.
    Body,
    /// `req.json.<path>`, dot-separated, array indexes as numbers.
    ReqJson(String),
    /// `res.json.<path>`.
    ResJson(String),
    /// `type`: media type of the response body, else of the request body.
    Type,
    /// `attr.<name>`, a dot-separated path.
    Attr(String),
}

/// One alternative of a term.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// `*`: present.
    Present,
    /// `value` or `<cmp>value`.
    Compare(Cmp, Scalar),
    /// `lo..hi`, inclusive; one side may be missing.
    Range(Option<Scalar>, Option<Scalar>),
    /// A value with `*` or `?` in it; a `\` stands before a `*`, `?` or `\` that is meant literally, and nowhere else.
    Glob(String),
    /// `~/…/` or `~/…/i`.
    Regex {
        /// Source of the expression; `/` is written without `\`.
        pattern: String,
        /// `i` ignores it.
        case: Case,
    },
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cmp {
    /// `=` or nothing.
    Eq,
    /// `!=`.
    Ne,
    /// `<`.
    Lt,
    /// `<=`.
    Le,
    /// `>`.
    Gt,
    /// `>=`.
    Ge,
}

impl Cmp {
    /// As it is written before a value; nothing for [`Self::Eq`].
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Eq => "",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
        }
    }
}

/// A value as written. Which variant a value is read as depends on its key and is unique; see `scalar.rs`.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// `500`, `1.5s`, `-2`: an optional `-`, digits without needless zeros in front, the fraction as written; the unit.
    Number(String, Option<Unit>),
    /// `5xx`.
    Class(u8),
    /// RFC 3339, a date, `-1h`, `now`, `today`, `yesterday`, as written.
    Time(String),
    /// A bare or quoted word; names of levels, kinds, sources, flags and truth values are canonical.
    Text(String),
}

/// A unit of time or of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nanosecond.
    Ns,
    /// Microsecond.
    Us,
    /// Millisecond.
    Ms,
    /// Second.
    S,
    /// Minute.
    M,
    /// Hour.
    H,
    /// Day of 24 hours.
    D,
    /// Byte.
    B,
    /// 1000 bytes.
    Kb,
    /// 1000² bytes.
    Mb,
    /// 1000³ bytes.
    Gb,
    /// 1024 bytes.
    Kib,
    /// 1024² bytes.
    Mib,
    /// 1024³ bytes.
    Gib,
}

impl Unit {
    /// Every unit.
    pub const ALL: [Self; 14] = [
        Self::Ns,
        Self::Us,
        Self::Ms,
        Self::S,
        Self::M,
        Self::H,
        Self::D,
        Self::B,
        Self::Kb,
        Self::Mb,
        Self::Gb,
        Self::Kib,
        Self::Mib,
        Self::Gib,
    ];

    /// As it is written behind a number.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ns => "ns",
            Self::Us => "us",
            Self::Ms => "ms",
            Self::S => "s",
            Self::M => "m",
            Self::H => "h",
            Self::D => "d",
            Self::B => "b",
            Self::Kb => "kb",
            Self::Mb => "mb",
            Self::Gb => "gb",
            Self::Kib => "kib",
            Self::Mib => "mib",
            Self::Gib => "gib",
        }
    }

    /// Reads a unit; case is ignored, and `µs` is `us`.
    pub fn parse(name: &str) -> Option<Self> {
        if matches!(name, "µs" | "μs") {
            return Some(Self::Us);
        }
        Self::ALL.into_iter().find(|unit| unit.name().eq_ignore_ascii_case(name))
    }

    /// Nanoseconds, of a unit of time.
    pub const fn nanos(self) -> Option<i128> {
        Some(match self {
            Self::Ns => 1,
            Self::Us => 1_000,
            Self::Ms => 1_000_000,
            Self::S => 1_000_000_000,
            Self::M => 60_000_000_000,
            Self::H => 3_600_000_000_000,
            Self::D => 86_400_000_000_000,
            _ => return None,
        })
    }

    /// Bytes, of a unit of size.
    pub const fn bytes(self) -> Option<i128> {
        Some(match self {
            Self::B => 1,
            Self::Kb => 1_000,
            Self::Mb => 1_000_000,
            Self::Gb => 1_000_000_000,
            Self::Kib => 1 << 10,
            Self::Mib => 1 << 20,
            Self::Gib => 1 << 30,
            _ => return None,
        })
    }
}

/// The values of `is:`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    /// Level error and above.
    Error,
    /// Longer than one second.
    Slow,
    /// A body was cut.
    Truncated,
    /// Redaction replaced something.
    Redacted,
    /// A rule changed the answer.
    Overridden,
}

impl Flag {
    /// Every flag.
    pub const ALL: [Self; 5] = [Self::Error, Self::Slow, Self::Truncated, Self::Redacted, Self::Overridden];

    /// As it is written behind `is:`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Slow => "slow",
            Self::Truncated => "truncated",
            Self::Redacted => "redacted",
            Self::Overridden => "overridden",
        }
    }

    /// Reads a flag; case is ignored.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|flag| flag.name().eq_ignore_ascii_case(name))
    }
}
