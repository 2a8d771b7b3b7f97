//! What is offered at a caret, written `|`.

use crate::filter::{Completion, CompletionKind, Completions, Filter, KEYS, PREFIXES, complete, parse_at};
use proptest::prelude::*;

fn at(marked: &str) -> (String, Completions) {
    let caret = marked.find('|').expect("the caret is marked");
    let query = marked.replacen('|', "", 1);
    let completions = complete(&query, caret);
    (query, completions)
}

/// What would be replaced, the key whose value it is, and the first items.
fn check(marked: &str, replaced: &str, key: Option<&str>, first: &[&str]) {
    let (query, completions) = at(marked);
    assert_eq!(&query[completions.span.clone()], replaced, "{marked}");
    assert_eq!(completions.key.as_deref(), key, "{marked}");
    let texts: Vec<_> = completions.items.iter().map(|item| item.text.as_str()).take(first.len()).collect();
    assert_eq!(texts, first, "{marked}");
    assert!(!first.is_empty() || completions.items.is_empty(), "{marked}: {:?}", completions.items);
}

#[test]
fn keys_are_offered_where_a_word_is_written() {
    check("|", "", None, &["time:", "level:", "kind:"]);
    check("sta|", "sta", None, &["status:"]);
    check("STA|", "STA", None, &["status:"]);
    check("st|atus:5xx", "status:", None, &["status:"]);
    check("status|:5xx", "status:", None, &["status:"]);
    check("dur|>1s", "dur", None, &["duration:"]);
    check("status:5xx (-me|th a", "meth", None, &["method:", "message:"]);
    check("status:5xx |", "", None, &["time:"]);
    check("| status:5xx", "", None, &["time:"]);
    // by an alias, and by a part
    check("verb|", "verb", None, &["method:"]);
    check("size|", "size", None, &["size:", "req.size:", "res.size:"]);
    check("attr|", "attr", None, &["attr."]);
    check("req.header.content-t|", "req.header.content-t", None, &["req.header.content-type:"]);
    check("res.header.x-c|ache:MISS", "res.header.x-cache:", None, &["res.header.x-cache:"]);
    check("request.headers.user|", "request.headers.user", None, &["request.headers.user-agent:"]);
    check("attr.user|", "attr.user", None, &[]);
    check("/v1/us|", "/v1/us", None, &[]);
    check("https://exa|mple.test", "https://example.test", None, &[]);
}

#[test]
fn values_are_offered_behind_a_key() {
    check("status:|", "", Some("status"), &["2xx", "3xx", "4xx", "5xx"]);
    check("code:5|xx", "5xx", Some("status"), &["5xx", "500", "502"]);
    check("status:5xx,40|", "40", Some("status"), &["400", "401", "403", "404", "409"]);
    check("status>=5|", "5", Some("status"), &["5xx", "500"]);
    check("level:W|", "W", Some("level"), &["warn"]);
    check("level:>=|", "", Some("level"), &["trace", "debug"]);
    check("kind:|", "", Some("kind"), &["exchange", "request", "response", "event", "*"]);
    check("is:|", "", Some("is"), &["error", "slow", "truncated", "redacted", "overridden"]);
    check("verb:p|", "p", Some("method"), &["POST", "PUT", "PATCH"]);
    check("method:\"p|", "\"p", Some("method"), &["POST", "PUT", "PATCH"]);
    check("method:\"PO|ST\" a", "\"POST\"", Some("method"), &["POST"]);
    check("-(time:-1|", "-1", Some("time"), &["-15m..", "-1h.."]);
    check("overridden:|", "", Some("overridden"), &["true", "false"]);
    check("service:|", "", Some("service"), &["*"]);
    check("Retries:|", "", Some("attr.Retries"), &["*"]);
    check("req.header.Accept:|", "", Some("req.header.accept"), &["*"]);
    check("attr.\"a b\":x|", "x", Some("attr.\"a b\""), &[]);
}

#[test]
fn what_cannot_be_written_there_is_not_offered() {
    let offered = |marked: &str, text: &str| at(marked).1.items.iter().any(|item| item.text == text);
    // an order of kinds, a range behind a comparison
    assert!(!offered("kind:>|", "event") && !offered("kind:>|", "*"));
    assert!(!offered("time:>|", "-1h..") && offered("time:>|", "today"));
    assert!(!offered("|", "OR") && !offered("(|", "AND") && !offered("a OR |", "OR"));
    assert!(offered("a |", "OR") && offered("a |", "AND") && offered("status:500 n|", "NOT") && offered("|", "NOT"));
    assert!(offered("(a) o|", "OR"));
    for free in ["\"tim|", "~/tim|", "\"tim|e\" a", "path:~/tim|e/", "\"a\"|", "a \"b |"] {
        assert!(at(free).1.items.is_empty(), "{free}");
    }
}

#[test]
fn every_key_says_what_it_is_and_every_value_can_be_read() {
    let Completions { items, .. } = complete("", 0);
    let keys: Vec<&Completion> = items.iter().filter(|item| item.kind == CompletionKind::Key).collect();
    assert_eq!(keys.len(), KEYS.len() + PREFIXES.len());
    assert!(keys.iter().all(|key| key.about.is_some_and(|about| !about.is_empty())));
    for key in KEYS {
        let query = format!("{}:", key.name);
        let values = complete(&query, query.len());
        assert_eq!(values.key.as_deref(), Some(key.name));
        assert_eq!(
            values.items.last().map(|item| item.text.as_str()),
            (key.name != "is").then_some("*").or(Some("overridden"))
        );
        for Completion { text, kind, .. } in &values.items {
            assert_eq!(*kind, CompletionKind::Value);
            let written = format!("{query}{text}");
            assert!(Filter::parse(&written).is_ok(), "{written}");
        }
    }
}

#[test]
fn what_is_being_written_is_no_error_yet() {
    let read = |marked: &str| {
        let caret = marked.find('|').expect("the caret is marked");
        let query = marked.replacen('|', "", 1);
        assert!(Filter::parse(&query).is_err(), "{query}");
        parse_at(&query, caret).map(|parsed| parsed.filter.to_string()).map_err(|error| error.position())
    };
    assert_eq!(read("a status:|"), Ok("a \"status:\"".to_owned()));
    assert_eq!(read("status:5x| a"), Ok("\"status:5x\" a".to_owned()));
    assert_eq!(read("\"timed o|"), Ok("\"timed o\"".to_owned()));
    assert_eq!(read("(a OR b |"), Ok("a OR b".to_owned()));
    assert_eq!(read("a OR |"), Ok("a \"OR\"".to_owned()));
    assert_eq!(read("a status: b|"), Err(9));
    assert_eq!(read("|a (b"), Err(2));
    assert_eq!(read("level:loud |a"), Err(6));
    assert_eq!(read("level:loud b:|"), Err(6));
}

proptest! {
    /// An item put in its place is offered there again, and its caret may stand anywhere.
    #[test]
    fn items_fit_where_they_are_offered(
        query in "([a-z]{0,6}[:><=\"(),~/! -]{0,2}|status:|method:p|AND |é|[a-z.]{1,9}:){0,5}",
        caret in 0usize..40,
    ) {
        let Completions { span, items, key } = complete(&query, caret);
        let at = query.floor_char_boundary(caret);
        prop_assert!(span.start <= at && (at <= span.end || caret > query.len()));
        prop_assert!(query.get(span.clone()).is_some());
        for item in &items {
            prop_assert_eq!(item.kind == CompletionKind::Value, key.is_some());
            let put = format!("{}{}{}", &query[..span.start], item.text, &query[span.end..]);
            let typed = at - span.start;
            let again = complete(&put, span.start + typed.min(item.text.len()));
            prop_assert!(again.items.contains(item) || query[span.start..at].contains('"') , "{:?} in {:?}", item, put);
        }
    }
}
