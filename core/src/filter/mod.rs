//! Predicates over records: the query language, its meaning, and the form that scans run.
//!
//! `parse` → [`Filter`] (what was written) → [`Filter::resolve`] (relative times and units fixed) → [`Predicate`]
//! (what is evaluated). [`Predicate::matches`] over one record is the executable meaning; segments evaluate the same
//! predicate over columns.

mod ast;
mod complete;
mod cursor;
pub mod editor;
mod error;
mod fault;
mod fold;
mod glob;
mod json;
mod keys;
mod matcher;
mod measure;
mod moment;
mod numeric;
mod parse;
mod pattern;
mod predicate;
mod print;
mod resolve;
mod scalar;
mod values;
mod words;

pub use ast::{Cmp, Filter, Flag, Key, Scalar, Term, Test, Unit};
pub use complete::{Completion, CompletionKind, Completions, complete, parse_at};
pub use error::{Hint, ParseError, Problem};
pub use fault::Fault;
pub use fold::Needle;
pub use keys::{KEYS, KeyName, KeyPrefix, PREFIXES};
pub use matcher::{Case, TextMatcher};
pub use moment::Moment;
pub use parse::Parsed;
pub use pattern::PatternError;
pub use predicate::{Number, Predicate, TextKey};

#[cfg(test)]
mod tests;
