//! Families and samples as lines of text.

use std::fmt::{self, Display};

/// What kind of family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// Name and value of a label; values are names of ours, in which nothing has to be escaped.
pub(super) type Label<'l> = (&'static str, &'l str);

/// The text as it grows.
pub(super) struct Exposition<'a, 'f>(pub(super) &'a mut fmt::Formatter<'f>);

impl Exposition<'_, '_> {
    /// Begins a family: all of its samples follow.
    pub(super) fn family(&mut self, kind: Kind, name: &str, help: &str) -> fmt::Result {
        writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {}", kind.name())
    }

    pub(super) fn sample(&mut self, name: &str, labels: &[Label<'_>], value: impl Display) -> fmt::Result {
        self.0.write_str(name)?;
        for (at, (label, value)) in labels.iter().enumerate() {
            write!(self.0, "{}{label}=\"{value}\"", if at == 0 { '{' } else { ',' })?;
        }
        writeln!(self.0, "{} {value}", if labels.is_empty() { "" } else { "}" })
    }

    /// A family of one sample.
    pub(super) fn one(&mut self, kind: Kind, name: &str, help: &str, value: impl Display) -> fmt::Result {
        self.family(kind, name, help)?;
        self.sample(name, &[], value)
    }
}
