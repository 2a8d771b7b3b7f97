//! Which exchanges are kept: rules in order, each a filter of the query language with a share.
//!
//! ```text
//! sampling = [ rule , { "," , rule } , [ "," , share ] ] | share ;
//! rule     = query , "=" , share ;                 (* the last "=" before a comma or the end *)
//! share    = decimal from 0 to 1 ;
//! ```
//!
//! **Ours:** the first rule that matches decides; a share alone, which comes last, is for what no rule matches, and
//! without one all of that is kept. A filter may have commas of its own (`status:5xx,429=1`). A key that the language
//! does not know is refused here: it would look in attributes, of which captured traffic has none.

use crate::filter::{Fault, Filter, ParseError, Predicate, Problem};
use crate::record::{Field, Record};
use crate::timestamp::Timestamp;
use std::fmt;
use std::ops::Range;
use xxhash_rust::xxh3::xxh3_64;

/// Which exchanges are kept; the default is all.
#[derive(Clone, Debug)]
pub struct Sampling {
    rules: Vec<(Predicate, Share)>,
    rest: Share,
}

/// Why a setting is no sampling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SamplingError {
    /// Which rule is wrong, from 1.
    pub rule: usize,
    /// The bytes of the setting that are wrong; empty where something is missing.
    pub span: Range<usize>,
    /// What is wrong with them.
    pub problem: SamplingProblem,
}

/// What can be wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SamplingProblem {
    /// Nothing before a comma, or behind the last one.
    NoRule,
    /// A filter without a share.
    NoShare,
    /// A share without a filter that is not the last.
    EarlyRest,
    /// No decimal from 0 to 1.
    Share {
        /// As written.
        given: String,
    },
    /// The filter cannot be read.
    Filter(ParseError),
    /// The filter means nothing.
    Meaning(Fault),
    /// The filter has a key that the language does not know.
    UnknownKey {
        /// As written.
        key: String,
        /// A key that may have been meant.
        nearest: Option<&'static str>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Share(f64);

impl Default for Sampling {
    fn default() -> Self {
        Self { rules: Vec::new(), rest: Share(1.0) }
    }
}

impl Sampling {
    /// Reads the setting; relative times in filters are relative to `now`.
    pub fn parse(setting: &str, now: Timestamp) -> Result<Self, SamplingError> {
        let mut sampling = Self::default();
        let mut at = 0;
        while !setting[at..].trim().is_empty() || at > 0 {
            let rule = Rule { setting, start: at + blanks(&setting[at..]), number: sampling.rules.len() + 1 };
            match rule.read(now)? {
                Read::Rest(share) => {
                    sampling.rest = share;
                    break;
                }
                Read::Rule(predicate, share, end) => {
                    sampling.rules.push((predicate, share));
                    if end == setting.len() {
                        break;
                    }
                    at = end + 1;
                }
            }
        }
        Ok(sampling)
    }

    /// Whether the record of an exchange is kept, from before redaction.
    ///
    /// Decided by its trace id where it has one, so that a trace is kept or dropped whole by equal shares, and what a
    /// smaller share keeps a larger one keeps; else by `random`, which is any 64 bits of the shell.
    pub fn keeps(&self, record: &Record, random: u64) -> bool {
        let rule = self.rules.iter().find(|(filter, _)| filter.matches(record));
        let share = rule.map_or(self.rest, |(_, share)| *share);
        let bits = match record.text(Field::TraceId) {
            Some(trace) => xxh3_64(trace.to_ascii_lowercase().as_bytes()),
            None => random,
        };
        share.covers(bits)
    }
}

impl Share {
    fn parse(text: &str) -> Option<Self> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        text.parse().ok().filter(|share| digits && (0.0..=1.0).contains(share)).map(Self)
    }

    // the 53 highest bits as a fraction from 0 to below 1
    fn covers(self, bits: u64) -> bool {
        ((bits >> 11) as f64) < self.0 * (1u64 << 53) as f64
    }
}

enum Read {
    Rule(Predicate, Share, usize),
    Rest(Share),
}

struct Rule<'s> {
    setting: &'s str,
    start: usize,
    number: usize,
}

impl Rule<'_> {
    fn read(&self, now: Timestamp) -> Result<Read, SamplingError> {
        let rest = &self.setting[self.start..];
        let first = rest.split(',').next().unwrap_or_default().trim_end();
        let whole = first.len() == rest.trim_end().len();
        if first.is_empty() {
            return Err(self.error(0..0, SamplingProblem::NoRule));
        }
        if looks_like_share(first) {
            return match (Share::parse(first), whole) {
                (Some(share), true) => Ok(Read::Rest(share)),
                (Some(_), false) => Err(self.error(0..first.len(), SamplingProblem::EarlyRest)),
                (None, _) => Err(self.share(0..first.len())),
            };
        }
        // an equals sign and a comma may stand in a string, a regex or a group, which is then not closed before them
        let mut unclosed = None;
        for (equals, share) in shares(rest) {
            match Filter::parse(&rest[..equals]) {
                Ok(parsed) => {
                    if let Some(hint) = parsed.hints.into_iter().next() {
                        let problem = SamplingProblem::UnknownKey { key: hint.key, nearest: hint.nearest };
                        return Err(self.error(hint.span, problem));
                    }
                    let read = Share::parse(&rest[share.clone()]).ok_or_else(|| self.share(share.clone()))?;
                    if rest[..equals].trim().is_empty() {
                        return Err(self.error(0..0, SamplingProblem::NoRule));
                    }
                    let meant = parsed.filter.resolve(now);
                    let predicate = meant.map_err(|fault| self.error(0..equals, SamplingProblem::Meaning(fault)))?;
                    let end = share.end + blanks(&rest[share.end..]);
                    return Ok(Read::Rule(predicate, read, self.start + end));
                }
                Err(error) => {
                    let open = matches!(
                        error.problem,
                        Problem::UnclosedString | Problem::UnclosedRegex | Problem::UnclosedGroup
                    );
                    let error = self.error(error.span.clone(), SamplingProblem::Filter(error));
                    if !open {
                        return Err(error);
                    }
                    unclosed.get_or_insert(error);
                }
            }
        }
        Err(unclosed.unwrap_or_else(|| self.error(first.len()..first.len(), SamplingProblem::NoShare)))
    }

    fn share(&self, span: Range<usize>) -> SamplingError {
        let given = self.setting[self.start..][span.clone()].to_owned();
        self.error(span, SamplingProblem::Share { given })
    }

    fn error(&self, span: Range<usize>, problem: SamplingProblem) -> SamplingError {
        SamplingError { rule: self.number, span: self.start + span.start..self.start + span.end, problem }
    }
}

fn blanks(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

fn looks_like_share(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+'))
        && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'%'))
}

// Where an equals sign is followed by what may be a share, and by a comma or the end: the sign, and the share.
fn shares(text: &str) -> impl Iterator<Item = (usize, Range<usize>)> {
    text.match_indices('=').filter_map(|(equals, _)| {
        let behind = &text[equals + 1..];
        let given = behind.split(',').next().unwrap_or_default();
        let start = equals + 1 + blanks(given);
        let share = given.trim();
        looks_like_share(share).then(|| (equals, start..start + share.len()))
    })
}

impl SamplingError {
    /// What to write instead, where that is known.
    pub fn hint(&self) -> Option<String> {
        Some(match &self.problem {
            SamplingProblem::NoRule => "write a filter and its share, as status:5xx=1; no comma behind the last".into(),
            SamplingProblem::NoShare => "write =1 behind it to keep all that match, =0 to keep none".into(),
            SamplingProblem::EarlyRest => "a share alone is for what no rule matches: write it last".into(),
            SamplingProblem::Share { .. } => "write a decimal from 0 to 1; 0.1 keeps a tenth".into(),
            SamplingProblem::Filter(error) => return error.hint(),
            SamplingProblem::Meaning(fault) => return fault.hint(),
            SamplingProblem::UnknownKey { nearest, .. } => format!("did you mean {}?", (*nearest)?),
        })
    }
}

impl fmt::Display for SamplingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule {} (at byte {}): ", self.rule, self.span.start)?;
        match &self.problem {
            SamplingProblem::NoRule => f.write_str("there is no rule")?,
            SamplingProblem::NoShare => f.write_str("the filter has no share")?,
            SamplingProblem::EarlyRest => f.write_str("there is a share without a filter")?,
            SamplingProblem::Share { given } => write!(f, "{given} is no share")?,
            SamplingProblem::Filter(error) => error.fmt(f)?,
            SamplingProblem::Meaning(fault) => fault.fmt(f)?,
            SamplingProblem::UnknownKey { key, .. } => write!(f, "{key} is no key")?,
        }
        match self.hint() {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for SamplingError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.problem {
            SamplingProblem::Filter(error) => Some(error),
            SamplingProblem::Meaning(fault) => Some(fault),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
