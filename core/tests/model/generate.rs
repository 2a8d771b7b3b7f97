//! Records and predicates from small alphabets, so that ties, misses and matches are all frequent.

use proptest::prelude::*;
use reqlog_core::body::{Body, Cut};
use reqlog_core::filter::{Case, Number, Predicate, TextKey, TextMatcher};
use reqlog_core::headers::Headers;
use reqlog_core::level::Level;
use reqlog_core::query::Order;
use reqlog_core::record::{Field, Kind, Message, Record, Source};
use reqlog_core::timestamp::Timestamp;

/// The orders that have positions.
pub const NUMERIC: [Order; 6] =
    [Order::Time, Order::Arrival, Order::Duration, Order::Status, Order::Size, Order::Level];

/// The orders that have none.
pub const TEXTUAL: [Order; 2] = [Order::Trace, Order::Shown];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec!["alpha", "Alpha", "beta", "/v1/users", "/v1/users/7", "GET", "post", "a=1&b=2", "b=x%20y"])
            .prop_map(str::to_owned),
        1 => "[a-cÄä/?=]{0,6}",
    ]
}

fn body() -> impl Strategy<Value = Option<Body>> {
    let bytes = prop_oneof![
        Just(b"{\"id\":7,\"name\":\"alpha\"}".to_vec()),
        "[a-dé ]{0,600}".prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 0..40),
    ];
    let content_type =
        prop::option::of(prop::sample::select(vec!["application/json", "text/plain"]).prop_map(str::to_owned));
    let cut = prop::option::weighted(0.2, prop::sample::select(Cut::ALL.to_vec()));
    prop::option::of((0u64..5, bytes, content_type, cut).prop_map(|(extra, bytes, content_type, cut)| Body {
        size: bytes.len() as u64 + extra,
        bytes,
        withheld: 0,
        content_type,
        cut,
    }))
}

fn message() -> impl Strategy<Value = Message> {
    let field = (prop::sample::select(vec!["x-cache", "accept"]), word());
    (proptest::collection::vec(field, 0..3), body()).prop_map(|(fields, body)| Message {
        headers: fields.iter().map(|(name, value)| (*name, value.as_str())).collect::<Headers>(),
        body,
    })
}

pub fn record() -> impl Strategy<Value = Record> {
    let facts = (
        prop_oneof![8 => 0i64..4, 1 => any::<i64>().prop_map(|time| time / 2)],
        prop::sample::select(Kind::ALL.to_vec()),
        prop::sample::select(Level::ALL.to_vec()),
        prop::option::of(prop::sample::select(Source::ALL.to_vec())),
        prop::option::of(prop::sample::select(vec![200u16, 201, 404, 500, 503])),
        prop::option::of(prop_oneof![0u64..4, Just(499_999), Just(500_000), Just(1_499_999)]),
        any::<(bool, bool)>(),
    );
    let line = prop_oneof![
        prop::sample::select(vec!["GET", "post", "A/v1"]).prop_map(|method| (Field::Method, method.to_owned())),
        prop::sample::select(vec!["/v1/users", "/v1/users/7", "/a 200 in"])
            .prop_map(|path| (Field::Path, path.to_owned())),
    ];
    let any = (prop::sample::select(Field::ALL.to_vec()), word());
    let texts = proptest::collection::vec(prop_oneof![3 => any, 1 => line], 0..8);
    let attributes = prop::option::of(Just("{\"count\":7,\"deep\":{\"name\":\"alpha\"}}".to_owned()));
    (facts, texts, message(), message(), attributes).prop_map(|(facts, texts, request, response, attributes)| {
        let (time, kind, level, source, status, duration, (overridden, redacted)) = facts;
        let mut record = Record::new(Timestamp::from_nanos(time));
        (record.kind, record.level, record.source, record.status, record.duration) =
            (kind, level, source, status, duration);
        (record.overridden, record.redacted) = (overridden, redacted);
        texts.iter().for_each(|(field, value)| record.texts.set(*field, value));
        (record.request, record.response, record.attributes) = (request, response, attributes);
        record
    })
}

fn matcher() -> impl Strategy<Value = TextMatcher> {
    prop_oneof![
        Just(TextMatcher::present()),
        word().prop_map(|value| TextMatcher::equal(&value)),
        word().prop_map(|value| TextMatcher::verbatim(&value)),
        prop_oneof![word(), "[a-cÄ?/]{0,3}"].prop_map(|value| TextMatcher::contains(&value)),
        "[a/*?]{1,4}".prop_map(|pattern| TextMatcher::glob(&pattern)),
        prop::sample::select(vec!["^/v1", "a.*a", "[0-9]+$"]).prop_map(|pattern| TextMatcher::regex(
            pattern,
            Case::Counts
        )
        .expect("a valid pattern")),
    ]
}

fn key() -> impl Strategy<Value = TextKey> {
    prop_oneof![
        4 => prop::sample::select(Field::ALL.to_vec()).prop_map(TextKey::Field),
        2 => prop::sample::select(vec![
            TextKey::Url, TextKey::Search, TextKey::QueryParam("b".into()), TextKey::Type, TextKey::ReqHeader("x-cache".into()),
            TextKey::ResHeader("accept".into()), TextKey::ReqBody, TextKey::ResBody, TextKey::Body,
            TextKey::ReqJson("name".into()), TextKey::ResJson("id".into()), TextKey::Attr("deep.name".into()),
        ]),
    ]
}

/// Parts of what is shown of a record without a message, over the borders of its parts and within them.
fn line() -> impl Strategy<Value = TextMatcher> {
    let whole = "get /v1/users 200 in 1 ms".len();
    let parts = (0..whole, 1..whole).prop_map(move |(from, len)| {
        TextMatcher::contains(&"get /v1/users 200 in 1 ms"[from..(from + len).min(whole)])
    });
    let lines = vec!["GET /v1/users 200 in 0 ms", "/v1/users 404", "post /v1/users/7", "in 2 ms", "alpha", "", "É /v1"];
    prop_oneof![
        4 => parts,
        1 => prop::sample::select(lines.clone()).prop_map(TextMatcher::contains),
        1 => prop::sample::select(lines.clone()).prop_map(TextMatcher::equal),
        1 => prop::sample::select(lines).prop_map(|line| TextMatcher::glob(&format!("*{line}*"))),
    ]
}

fn number() -> impl Strategy<Value = Predicate> {
    use Number::{
        Arrival, Duration, Kind, Level, Overridden, Redacted, ReqSize, ResSize, Seq, Size, Source, Status, Time,
        Truncated,
    };
    let numbers = vec![
        Arrival, Duration, Kind, Level, Overridden, Redacted, ReqSize, ResSize, Seq, Size, Source, Status, Time,
        Truncated,
    ];
    let range =
        prop_oneof![(0i64..30, 0i64..30), (200i64..600, 0i64..300), Just((i64::MIN, i64::MAX)), Just((i64::MIN, 2))];
    (prop::sample::select(numbers), range).prop_map(|(number, (low, span))| {
        Predicate::Number(number, vec![(low, if low == i64::MIN { span } else { low + span })])
    })
}

pub fn predicate() -> impl Strategy<Value = Predicate> {
    let leaf = prop_oneof![
        1 => any::<bool>().prop_map(Predicate::Const),
        3 => number(),
        4 => (key(), matcher()).prop_map(|(key, matcher)| Predicate::Text(key, matcher)),
        2 => prop_oneof![matcher(), line()].prop_map(|matcher| Predicate::Text(TextKey::Shown, matcher)),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Predicate::Not(Box::new(inner))),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Predicate::And),
            proptest::collection::vec(inner, 2..4).prop_map(Predicate::Or),
        ]
    })
}
