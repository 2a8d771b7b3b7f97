//! Query parameters, described once: reading, refusing and documenting them all come from the same table.

use crate::filter::{Moment, Number, Predicate};
use crate::timestamp::Timestamp;
use percent_encoding::percent_decode_str;
use std::fmt;
use std::time::Duration;

/// One parameter of an endpoint.
#[derive(Debug)]
pub struct Param {
    /// As spelt in the URL; case counts.
    pub name: &'static str,
    /// Which values it takes.
    pub shape: Shape,
    /// What stands when it is absent.
    pub absent: Absent,
    /// One sentence for the documentation.
    pub doc: &'static str,
}

/// What it means that a parameter is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// Nothing is asked for by it.
    Fine,
    /// The request is refused.
    Refused,
    /// This value, spelt as a client would.
    Means(&'static str),
}

impl Param {
    /// One that may be absent.
    pub const fn optional(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self { name, shape, absent: Absent::Fine, doc }
    }

    /// One that must be there.
    pub const fn required(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self { name, shape, absent: Absent::Refused, doc }
    }

    /// One that has a value when it is absent.
    pub const fn defaulted(name: &'static str, shape: Shape, default: &'static str, doc: &'static str) -> Self {
        Self { name, shape, absent: Absent::Means(default), doc }
    }
}

/// Which values a parameter takes.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Any text.
    Text,
    /// Text that is not empty: nothing is named by the empty one.
    Name,
    /// A whole number between both, inclusive.
    Integer {
        /// The least.
        least: u64,
        /// The greatest.
        most: u64,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// One of these words, in any mix of upper and lower case.
    AnyCase(&'static [&'static str]),
    /// Some of these words, separated by commas.
    Words(&'static [&'static str]),
    /// Some of these words, separated by commas, by repeating the parameter, or sent as `name[]`.
    Array(&'static [&'static str]),
    /// `1` or `true`, `0` or `false`.
    Flag,
    /// Seconds, or a number with the unit `s` or `ms`, up to this long.
    Wait {
        /// The longest.
        most: Duration,
    },
    /// RFC 3339 with any offset, or a date; it covers its last written unit.
    Time,
    /// A whole number above 0 with a unit from `ms` to `d`.
    Interval,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("text"),
            Self::Name => f.write_str("a name that is not empty"),
            Self::Integer { least, most } => write!(f, "a whole number from {least} to {most}"),
            Self::Choice(words) | Self::AnyCase(words) => write!(f, "one of {}", words.join(", ")),
            Self::Words(words) | Self::Array(words) => write!(f, "a comma-separated list of {}", words.join(", ")),
            Self::Flag => f.write_str("true or false, or 1 or 0"),
            Self::Wait { most } => write!(f, "seconds up to {}, as 10, 10s or 500ms", most.as_secs()),
            Self::Time => f.write_str("an RFC 3339 time, as 2026-06-23T12:00:00Z, or a date"),
            Self::Interval => f.write_str("a whole number above 0 with the unit ms, s, m, h or d, as 30s"),
        }
    }
}

/// Why the parameters of a request are refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParamError {
    /// A `%` without two hexadecimal digits, or bytes that are not UTF-8.
    Encoding {
        /// The parameter as sent.
        sent: String,
    },
    /// Given more than once.
    Repeated {
        /// Its name.
        name: &'static str,
    },
    /// Not a value that it takes.
    Value {
        /// Its name.
        name: &'static str,
        /// What was sent.
        value: String,
        /// What it takes.
        accepted: String,
    },
    /// Needed and not given.
    Missing {
        /// Its name.
        name: &'static str,
        /// What it takes.
        accepted: String,
    },
    /// Given together with another that says something else.
    Exclusive {
        /// Its name.
        name: &'static str,
        /// The other's name.
        other: &'static str,
    },
    /// The lower bound of a range lies above the upper one.
    Inverted {
        /// The lower bound's name.
        low: &'static str,
        /// The upper bound's name.
        high: &'static str,
    },
}

impl ParamError {
    /// Refuses the value of a parameter.
    pub fn value(param: &'static Param, value: &str, accepted: impl fmt::Display) -> Self {
        Self::Value { name: param.name, value: value.to_owned(), accepted: accepted.to_string() }
    }

    /// The parameter that is wrong, where it is a known one.
    pub fn name(&self) -> Option<&'static str> {
        match self {
            Self::Encoding { .. } => None,
            Self::Repeated { name }
            | Self::Value { name, .. }
            | Self::Missing { name, .. }
            | Self::Exclusive { name, .. }
            | Self::Inverted { low: name, .. } => Some(name),
        }
    }
}

impl fmt::Display for ParamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encoding { sent } => write!(f, "'{}' is not percent-encoded UTF-8", excerpt(sent)),
            Self::Repeated { name } => write!(f, "{name} is given more than once; send it once"),
            Self::Value { name, value, accepted } => {
                write!(f, "{name} does not take '{}'; it takes {accepted}", excerpt(value))
            }
            Self::Missing { name, accepted } => write!(f, "{name} is required: {accepted}"),
            Self::Exclusive { name, other } => write!(f, "{name} and {other} exclude each other; send one of them"),
            Self::Inverted { low, high } => write!(f, "{low} lies beyond {high}; send the lower bound as {low}"),
        }
    }
}

fn excerpt(value: &str) -> String {
    let mut short: String = value.chars().take(64).collect();
    if short.len() < value.len() {
        short.push('…');
    }
    short
}

/// The parameters of one request, checked against an endpoint's table.
#[derive(Clone, Debug)]
pub struct Params {
    values: Vec<(&'static str, Value)>,
    given: Vec<(&'static str, String)>,
}

#[derive(Clone, Debug)]
enum Value {
    Text(String),
    Integer(u64),
    Word(&'static str),
    Words(Vec<&'static str>),
    Flag(bool),
    Wait(Duration),
    Time(Moment),
    Interval(i64),
}

impl Params {
    /// Reads a query string as sent, without `?`. Parameters that are not in the table are ignored.
    pub fn read(query: &str, table: &[&'static Param]) -> Result<Self, ParamError> {
        let mut params = Self { values: Vec::new(), given: Vec::new() };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let broken = || ParamError::Encoding { sent: pair.to_owned() };
            let name = decode_form(name).ok_or_else(broken)?;
            let value = decode_form(value).ok_or_else(broken)?;
            let Some(param) = table.iter().find(|param| param.is_called(&name)) else { continue };
            let read = param.shape.read(&value).ok_or_else(|| ParamError::value(param, &value, param.shape))?;
            match (params.values.iter_mut().find(|(seen, _)| *seen == param.name), read) {
                (None, read) => params.values.push((param.name, read)),
                (Some((_, Value::Words(words))), Value::Words(more)) if param.shape.repeats() => words.extend(more),
                (Some(_), _) => return Err(ParamError::Repeated { name: param.name }),
            }
            params.given.push((param.name, value));
        }
        for param in table {
            match param.absent {
                _ if params.value(param).is_some() => {}
                Absent::Fine => {}
                Absent::Refused => {
                    return Err(ParamError::Missing { name: param.name, accepted: param.shape.to_string() });
                }
                Absent::Means(default) => {
                    params.values.extend(param.shape.read(default).map(|value| (param.name, value)));
                }
            }
        }
        Ok(params)
    }

    /// The known parameters that were sent, decoded, in their order.
    pub fn given(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.given.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// The value of a [`Shape::Text`] or [`Shape::Name`].
    pub fn text(&self, param: &Param) -> Option<&str> {
        match self.value(param)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value of a [`Shape::Integer`].
    pub fn integer(&self, param: &Param) -> Option<u64> {
        match self.value(param)? {
            Value::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// The value of a [`Shape::Choice`] or [`Shape::AnyCase`], as the table spells it.
    pub fn word(&self, param: &Param) -> Option<&'static str> {
        match self.value(param)? {
            Value::Word(word) => Some(word),
            _ => None,
        }
    }

    /// The values of a [`Shape::Words`] or [`Shape::Array`].
    pub fn words(&self, param: &Param) -> Option<&[&'static str]> {
        match self.value(param)? {
            Value::Words(words) => Some(words),
            _ => None,
        }
    }

    /// The value of a [`Shape::Flag`]; absent is false.
    pub fn flag(&self, param: &Param) -> bool {
        matches!(self.value(param), Some(Value::Flag(true)))
    }

    /// The value of a [`Shape::Wait`].
    pub fn wait(&self, param: &Param) -> Option<Duration> {
        match self.value(param)? {
            Value::Wait(wait) => Some(*wait),
            _ => None,
        }
    }

    /// The value of a [`Shape::Time`].
    pub fn time(&self, param: &Param) -> Option<Moment> {
        match self.value(param)? {
            Value::Time(moment) => Some(*moment),
            _ => None,
        }
    }

    /// The nanoseconds of a [`Shape::Interval`].
    pub fn interval(&self, param: &Param) -> Option<i64> {
        match self.value(param)? {
            Value::Interval(nanos) => Some(*nanos),
            _ => None,
        }
    }

    /// The times from the first moment of one [`Shape::Time`] to the last of another, both inclusive; a bound that is
    /// absent is none. An inverted range is refused.
    pub fn window(&self, low: &Param, high: &Param) -> Result<Predicate, ParamError> {
        let (first, last) = (self.time(low).map(|at| at.first), self.time(high).map(|at| at.last));
        if first.is_none() && last.is_none() {
            return Ok(Predicate::ALL);
        }
        let (first, last) = (first.unwrap_or(Timestamp::MIN), last.unwrap_or(Timestamp::MAX));
        if first > last {
            return Err(ParamError::Inverted { low: low.name, high: high.name });
        }
        Ok(Predicate::between(Number::Time, first.as_nanos(), last.as_nanos()))
    }

    fn value(&self, param: &Param) -> Option<&Value> {
        self.values.iter().find(|(name, _)| *name == param.name).map(|(_, value)| value)
    }
}

impl Param {
    fn is_called(&self, name: &str) -> bool {
        name == self.name || self.shape.repeats() && name.strip_suffix("[]") == Some(self.name)
    }
}

impl Shape {
    const fn repeats(self) -> bool {
        matches!(self, Self::Array(_))
    }

    fn read(self, text: &str) -> Option<Value> {
        let digits = |text: &str| -> Option<u64> {
            (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
        };
        let known = |words: &'static [&'static str], text: &str| words.iter().find(|word| **word == text).copied();
        Some(match self {
            Self::Text => Value::Text(text.to_owned()),
            Self::Name => Value::Text(Some(text).filter(|text| !text.is_empty())?.to_owned()),
            Self::Integer { least, most } => {
                Value::Integer(digits(text).filter(|number| (least..=most).contains(number))?)
            }
            Self::Choice(words) => Value::Word(known(words, text)?),
            Self::AnyCase(words) => Value::Word(words.iter().find(|word| word.eq_ignore_ascii_case(text))?),
            Self::Words(words) | Self::Array(words) => {
                Value::Words(text.split(',').map(|word| known(words, word.trim())).collect::<Option<_>>()?)
            }
            Self::Flag => Value::Flag(match text {
                "1" | "true" => true,
                "0" | "false" => false,
                _ => return None,
            }),
            Self::Wait { most } => {
                let (number, scale) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
                    (Some(number), _) => (number, 1),
                    (None, Some(number)) => (number, 1_000),
                    (None, None) => (text, 1_000),
                };
                let wait = Duration::from_millis(digits(number)?.checked_mul(scale)?);
                Value::Wait(Some(wait).filter(|wait| *wait <= most)?)
            }
            Self::Time => Value::Time(Moment::absolute(text)?),
            Self::Interval => {
                let unit = text.find(|c: char| !c.is_ascii_digit())?;
                let nanos = INTERVAL_UNITS.iter().find(|(name, _)| *name == &text[unit..])?.1;
                let nanos = digits(&text[..unit])?.checked_mul(nanos)?;
                Value::Interval(i64::try_from(nanos).ok().filter(|nanos| *nanos > 0)?)
            }
        })
    }
}

/// The units of a [`Shape::Interval`] in nanoseconds, the longest first.
pub(crate) const INTERVAL_UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
];

fn decode_form(text: &str) -> Option<String> {
    decode(&text.replace('+', " "))
}

/// Decodes percent-encoding; `None` for a `%` without two hexadecimal digits and for what is not UTF-8.
pub fn decode(text: &str) -> Option<String> {
    let whole = |escape: &[u8]| escape.len() >= 2 && escape[..2].iter().all(u8::is_ascii_hexdigit);
    let bytes = text.as_bytes();
    let sound = bytes.iter().enumerate().all(|(at, byte)| *byte != b'%' || whole(&bytes[at + 1..]));
    sound.then(|| percent_decode_str(text).decode_utf8().ok().map(std::borrow::Cow::into_owned))?
}

#[cfg(test)]
mod tests {
    use super::*;

    static LIMIT: Param = Param::defaulted("limit", Shape::Integer { least: 1, most: 10 }, "5", "");
    static SORT: Param = Param::optional("sort", Shape::Choice(&["time", "size"]), "");
    static FIELDS: Param = Param::optional("fields", Shape::Words(&["id", "time"]), "");
    static WAIT: Param = Param::optional("wait", Shape::Wait { most: Duration::from_secs(30) }, "");
    static Q: Param = Param::optional("q", Shape::Text, "");
    static IMPORT: Param = Param::optional("import", Shape::Flag, "");
    static KINDS: Param = Param::optional("kind", Shape::Array(&["a", "b", "c"]), "");
    static FROM: Param = Param::optional("from", Shape::Time, "");
    static TO: Param = Param::optional("to", Shape::Time, "");
    static LEVEL: Param = Param::optional("level", Shape::AnyCase(&["INFO", "WARN"]), "");
    static NAME: Param = Param::optional("name", Shape::Name, "");
    static SIDE: Param = Param::required("side", Shape::Text, "");
    static EVERY: Param = Param::optional("every", Shape::Interval, "");
    static TABLE: [&Param; 12] =
        [&LIMIT, &SORT, &FIELDS, &WAIT, &Q, &IMPORT, &KINDS, &FROM, &TO, &LEVEL, &NAME, &EVERY];

    #[test]
    fn values_are_read_by_shape() {
        let read = |query: &str| Params::read(query, &TABLE).unwrap();
        assert_eq!(read("").integer(&LIMIT), Some(5));
        assert_eq!(read("limit=10&unknown=1&unknown=2").integer(&LIMIT), Some(10));
        assert_eq!(read("sort=size").word(&SORT), Some("size"));
        assert_eq!(read("fields=time,+id").words(&FIELDS), Some(&["time", "id"][..]));
        assert_eq!(read("q=a%20b+c%2Bd&&").text(&Q), Some("a b c+d"));
        assert_eq!(read("q").text(&Q), Some(""));
        assert!(read("import=1").flag(&IMPORT) && !read("import=false").flag(&IMPORT) && !read("").flag(&IMPORT));
        for (text, millis) in [("30", 30_000), ("2s", 2_000), ("500ms", 500), ("0", 0)] {
            assert_eq!(read(&format!("wait={text}")).wait(&WAIT), Some(Duration::from_millis(millis)));
        }
        assert_eq!(read("kind[]=a&kind%5B%5D=c,b&kind=a").words(&KINDS), Some(&["a", "c", "b", "a"][..]));
        assert_eq!(read("level=wArN").word(&LEVEL), Some("WARN"));
        assert_eq!(read("name=a").text(&NAME), Some("a"));
        for (text, nanos) in [("250ms", 250_000_000), ("90s", 90_000_000_000), ("1d", 86_400_000_000_000)] {
            assert_eq!(read(&format!("every={text}")).interval(&EVERY), Some(nanos));
        }
        let day = read("from=2026-06-23").time(&FROM).unwrap();
        assert_eq!(day.last.as_nanos() - day.first.as_nanos(), 86_399_999_999_999);
    }

    #[test]
    fn a_window_includes_both_of_its_written_ends() {
        let window = |query: &str| Params::read(query, &TABLE).unwrap().window(&FROM, &TO);
        let between = |first, last| Ok(Predicate::between(Number::Time, first, last));
        assert_eq!(window("limit=1"), Ok(Predicate::ALL));
        assert_eq!(window("from=1970-01-01&to=1970-01-01"), between(0, 86_399_999_999_999));
        assert_eq!(window("to=1970-01-01T00:00:00.5Z"), between(i64::MIN, 599_999_999));
        assert_eq!(window("from=1970-01-01T00:00:01%2B00:00"), between(1_000_000_000, i64::MAX));
        // the same second, however its parts are written
        assert_eq!(window("from=1970-01-01T00:00:00.7Z&to=1970-01-01T00:00:00Z"), between(700_000_000, 999_999_999));
        let inverted = window("from=1970-01-02&to=1970-01-01").unwrap_err();
        assert_eq!(
            (inverted.name(), &*inverted.to_string()),
            (Some("from"), "from lies beyond to; send the lower bound as from")
        );
    }

    #[test]
    fn what_is_not_a_value_is_refused_by_name() {
        let check = |query: &str, text: &str| assert_eq!(Params::read(query, &TABLE).unwrap_err().to_string(), text);
        check("limit=0", "limit does not take '0'; it takes a whole number from 1 to 10");
        check("limit=", "limit does not take ''; it takes a whole number from 1 to 10");
        check("limit=+5", "limit does not take ' 5'; it takes a whole number from 1 to 10");
        check("limit=5&limit=5", "limit is given more than once; send it once");
        check("sort=Time", "sort does not take 'Time'; it takes one of time, size");
        check("fields=id,x", "fields does not take 'id,x'; it takes a comma-separated list of id, time");
        check("wait=31", "wait does not take '31'; it takes seconds up to 30, as 10, 10s or 500ms");
        check(
            "wait=99999999999999999999s",
            "wait does not take '99999999999999999999s'; it takes seconds up to 30, as 10, 10s or 500ms",
        );
        check("from=now", "from does not take 'now'; it takes an RFC 3339 time, as 2026-06-23T12:00:00Z, or a date");
        check("kind=a&kind=d", "kind does not take 'd'; it takes a comma-separated list of a, b, c");
        check("q[]=a&sort=time&sort=size", "sort is given more than once; send it once");
        assert_eq!(Params::read("", &[&SIDE]).unwrap_err().to_string(), "side is required: text");
        check("level=", "level does not take ''; it takes one of INFO, WARN");
        check("name=", "name does not take ''; it takes a name that is not empty");
        for broken in ["0s", "1", "s", "1.5s", "-1s", "1w", "1 s", "106752d", "99999999999999999999ms"] {
            let accepted = "a whole number above 0 with the unit ms, s, m, h or d, as 30s";
            check(&format!("every={broken}"), &format!("every does not take '{broken}'; it takes {accepted}"));
        }
        check("import=yes", "import does not take 'yes'; it takes true or false, or 1 or 0");
        for broken in ["q=%", "q=%2", "q=%zz", "q=%ff", "other=%f", "%=1", "q=%%41"] {
            assert_eq!(Params::read(broken, &TABLE).unwrap_err().name(), None, "{broken}");
        }
    }
}
