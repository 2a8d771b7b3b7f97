//! Skipping lines that cannot match before they are parsed.
//!
//! A filter often requires that a text field contains some literal. Where the field's value stands in the line as it
//! is, a line without the literal cannot match. JSON may spell any character as an escape, so a line with one that
//! could hide the literal is parsed too.

use regex::bytes::{Regex, RegexBuilder};
use reqlog_core::filter::{Predicate, TextKey, TextMatcher};
use reqlog_core::format::Format;
use reqlog_core::record::Field;

/// Finds lines that may match.
pub struct Literal(Regex);

impl Literal {
    /// The longest literal that `predicate` requires of every line of `format`, if there is one.
    pub fn required(predicate: &Predicate, format: Format) -> Option<Self> {
        if !matches!(format, Format::Ndjson | Format::Access) {
            return None;
        }
        let mut found = Vec::new();
        collect(predicate, &mut found);
        let (literal, matcher) = found.into_iter().max_by_key(|(literal, _)| literal.len())?;
        // a regex may fold by Unicode: `k` is the Kelvin sign too
        let ascii = matcher.needle().is_some() || matcher.exact().is_some();
        let escapes = match format {
            Format::Ndjson if literal.contains('/') => r"|\\[u/]",
            Format::Ndjson => r"|\\u",
            _ => r"|\\",
        };
        let pattern = format!("(?i:{}){escapes}", regex::escape(&literal));
        RegexBuilder::new(&pattern).unicode(!ascii).build().ok().map(Self)
    }

    /// The first place that makes its line worth parsing.
    pub fn next(&self, bytes: &[u8]) -> Option<usize> {
        self.0.find(bytes).map(|found| found.start())
    }
}

fn collect<'p>(predicate: &'p Predicate, found: &mut Vec<(String, &'p TextMatcher)>) {
    match predicate {
        Predicate::And(parts) => parts.iter().for_each(|part| collect(part, found)),
        Predicate::Text(key, matcher) if stands_in_line(key) => {
            let literals = matcher.required().iter().filter_map(|literal| std::str::from_utf8(literal).ok());
            let plain = literals.filter(|literal| literal.bytes().all(is_plain));
            found.extend(plain.map(|literal| (literal.to_owned(), matcher)));
        }
        _ => {}
    }
}

/// Whether the values are copied from the input, not decoded or put together.
fn stands_in_line(key: &TextKey) -> bool {
    match key {
        TextKey::Url | TextKey::Search => true,
        // put together from other members, or given a default by the caller
        TextKey::Field(field) => !matches!(
            field,
            Field::Project
                | Field::Environment
                | Field::Session
                | Field::Service
                | Field::Host
                | Field::Protocol
                | Field::AuthType
        ),
        _ => false,
    }
}

/// Whether neither JSON nor the splitting of a URL can come between two such characters.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b'?' | b':' | b'#') || byte == b' '
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqlog_core::filter::Filter;
    use reqlog_core::timestamp::Timestamp;

    fn literal(query: &str, format: Format) -> Option<Literal> {
        Literal::required(&Filter::parse(query).unwrap().filter.resolve(Timestamp::from_nanos(0)).unwrap(), format)
    }

    #[test]
    fn lines_that_may_match_are_found() {
        let check = |query: &str, line: &str, found: bool| {
            let literal = literal(query, Format::Ndjson).expect(query);
            assert_eq!(literal.next(line.as_bytes()).is_some(), found, "{query} in {line}");
        };
        check("path:/v1/users*", r#"{"path":"/V1/Users/7"}"#, true);
        check("path:/v1/users*", r#"{"path":"/v1/orders"}"#, false);
        check("path:/v1/users*", r#"{"path":"\/v1\/users"}"#, true);
        check("status:5xx timeout", r#"{"msg":"TimeOut"}"#, true);
        check("status:5xx timeout", r#"{"msg":"\u0074imeout"}"#, true);
        check("status:5xx timeout", r#"{"msg":"a \"quoted\" word"}"#, false);
    }

    #[test]
    fn nothing_is_skipped_where_nothing_is_certain() {
        for query in ["", "status:5xx", "-timeout", "a OR timeout", "res.body:timeout", "service:billing", "url:*a?b*"]
        {
            assert!(literal(query, Format::Ndjson).is_none(), "{query}");
        }
        assert!(literal("timeout", Format::Csv).is_none());
    }
}
