//! What can be wrong with a value.

use std::fmt;

/// A value that its key does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No number, or one of more than 20 digits.
    NotANumber {
        /// As written.
        value: String,
        /// What would be read.
        example: &'static str,
    },
    /// A number with a unit that its key does not have.
    WrongUnit {
        /// As written.
        unit: &'static str,
        /// The units that the key has.
        accepted: &'static [&'static str],
    },
    /// None of the names that the key takes.
    UnknownName {
        /// As written.
        value: String,
        /// The canonical names.
        accepted: Vec<&'static str>,
    },
    /// No point in time.
    NotATime {
        /// As written.
        value: String,
    },
    /// `<` or `..` over values without an order.
    NoOrder,
    /// A glob or regex over values that are no text.
    NoPattern,
    /// A wildcard behind a comparison.
    ComparedPattern,
    /// A range whose end is before its beginning.
    Inverted {
        /// Its beginning, as written.
        low: String,
        /// Its end, as written.
        high: String,
    },
    /// A regular expression that does not compile.
    BadRegex {
        /// What the compiler says.
        reason: String,
    },
}

impl Fault {
    /// What to write instead.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotANumber { example, .. } => format!("for example {example}"),
            Self::WrongUnit { accepted: [], .. } => "write the number without a unit".into(),
            Self::WrongUnit { accepted, .. } => format!("units: {}", accepted.join(", ")),
            Self::UnknownName { accepted, .. } => format!("one of {}", accepted.join(", ")),
            Self::NotATime { .. } => "for example 2026-06-23, 2026-06-23T12:00:00Z, -1h, now, today, yesterday".into(),
            Self::NoOrder => "name the values, separated by commas".into(),
            Self::NoPattern => "compare it or give a range: >10, 10..20".into(),
            Self::ComparedPattern => "quote a literal * or ?, or exclude the pattern with - before the key".into(),
            Self::Inverted { low, high } => format!("{high}..{low}"),
            Self::BadRegex { .. } => return None,
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotANumber { value, .. } => write!(f, "{value:?} is no number"),
            Self::WrongUnit { unit, .. } => write!(f, "the unit {unit} does not fit here"),
            Self::UnknownName { value, .. } => write!(f, "{value:?} is not known here"),
            Self::NotATime { value } => write!(f, "{value:?} is no time"),
            Self::NoOrder => f.write_str("these values have no order"),
            Self::NoPattern => f.write_str("patterns are for text"),
            Self::ComparedPattern => f.write_str("a pattern cannot be compared"),
            Self::Inverted { low, high } => write!(f, "{low}..{high} ends before it begins"),
            Self::BadRegex { reason } => write!(f, "the regular expression does not compile: {reason}"),
        }
    }
}

impl std::error::Error for Fault {}
