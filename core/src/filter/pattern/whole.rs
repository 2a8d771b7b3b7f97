//! Patterns as `regex` decides them.

use super::super::matcher::Case;
use super::{NEST, PatternError, SIZE};
use regex::{Error, Regex, RegexBuilder};

/// A pattern in the syntax of the `regex` crate.
#[derive(Clone, Debug)]
pub(in crate::filter) struct Pattern(Regex);

impl Pattern {
    pub(in crate::filter) fn new(source: &str, case: Case) -> Result<Self, PatternError> {
        RegexBuilder::new(source)
            .case_insensitive(case == Case::Ignored)
            .size_limit(SIZE)
            .dfa_size_limit(SIZE)
            .nest_limit(NEST)
            .build()
            .map(Self)
            .map_err(|error| match error {
                Error::CompiledTooBig(limit) => PatternError::Size(limit),
                error => PatternError::Syntax(error.to_string()),
            })
    }

    /// Whether it matches anywhere in the text.
    pub(in crate::filter) fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

/// The same source means the same.
impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}
