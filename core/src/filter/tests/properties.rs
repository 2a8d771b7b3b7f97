//! What holds for every filter and every text.

use super::{NOW, record};
use crate::filter::{Case, Cmp, Filter, Key, Number, Predicate, Scalar, Term, Test, TextMatcher, Unit};
use crate::record::Field;
use proptest::prelude::*;

fn number() -> impl Strategy<Value = String> {
    "-?(0|[1-9][0-9]{0,6})([.][0-9]{1,3})?"
}

// Any text, and often what the grammar itself is made of.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof!["\\PC{0,8}", "[-a-z:/.*?\\\\\"(),<>=!~ \n\t|&]{0,8}", "(OR|AND|NOT|5xx|1s|12|-1h|~/a/|//a|[*]|now|)"]
}

fn pattern() -> impl Strategy<Value = String> {
    ("([-a-zé:/.\"(),<>=!~ \n\t]|\\\\\\\\|\\\\[*]|\\\\[?]|[*?]){0,6}", "[*?]", "[a-z/.]{1,3}")
        .prop_map(|(a, b, c)| format!("{a}{b}{c}"))
}

fn regex_test() -> impl Strategy<Value = Test> {
    let case = prop_oneof![Just(Case::Counts), Just(Case::Ignored)];
    ("([a-z/ \"(:,]|\\\\\\\\|\\\\d|[.]){1,6}", case)
        .prop_filter("compiles", |(pattern, case)| TextMatcher::regex(pattern, *case).is_ok())
        .prop_map(|(pattern, case)| Test::Regex { pattern, case })
}

fn cmp() -> impl Strategy<Value = Cmp> {
    prop::sample::select(vec![Cmp::Lt, Cmp::Le, Cmp::Gt, Cmp::Ge])
}

fn equality() -> impl Strategy<Value = Cmp> {
    prop::sample::select(vec![Cmp::Eq, Cmp::Ne])
}

fn text_test() -> impl Strategy<Value = Test> {
    let scalar = || prop_oneof![number().prop_map(|n| Scalar::Number(n, None)), any_text().prop_map(Scalar::Text)];
    prop_oneof![
        Just(Test::Present),
        (equality(), any_text()).prop_map(|(cmp, text)| Test::Compare(cmp, Scalar::Text(text))),
        (cmp(), scalar()).prop_map(|(cmp, scalar)| Test::Compare(cmp, scalar)),
        scalar().prop_map(|low| Test::Range(Some(low), None)),
        scalar().prop_map(|high| Test::Range(None, Some(high))),
        pattern().prop_map(Test::Glob),
        regex_test(),
    ]
}

fn scalar_test(scalar: BoxedStrategy<Scalar>) -> BoxedStrategy<Test> {
    prop_oneof![
        Just(Test::Present),
        (prop_oneof![equality(), cmp()], scalar.clone()).prop_map(|(cmp, scalar)| Test::Compare(cmp, scalar)),
        scalar.clone().prop_map(|scalar| Test::Range(Some(scalar.clone()), Some(scalar))),
        scalar.prop_map(|scalar| Test::Range(None, Some(scalar))),
    ]
    .boxed()
}

fn term() -> impl Strategy<Value = Term> {
    let measured = |units: &'static [Unit]| {
        let unit = prop::sample::select([None].into_iter().chain(units.iter().copied().map(Some)).collect::<Vec<_>>());
        (number(), unit).prop_map(|(digits, unit)| Scalar::Number(digits, unit)).boxed()
    };
    let named =
        |names: &'static [&'static str]| prop::sample::select(names).prop_map(|name| Scalar::Text(name.into())).boxed();
    let equal = |scalar| (equality(), scalar).prop_map(|(cmp, scalar)| Test::Compare(cmp, scalar)).boxed();
    let status = prop_oneof![measured(&[]), (0u8..10).prop_map(Scalar::Class)].boxed();
    let time = prop_oneof![
        "now|today|yesterday",
        "-[1-9][0-9]?(ms|s|h|d)",
        "202[0-9]-0[1-9]-1[0-9](T1[0-9]:3[0-9](:00([.][0-9]{1,9})?)?(Z|[+]02:00)?)?",
    ];
    let own = prop_oneof!["[a-z.0-9]{1,6}", any_text()].boxed();
    let text_key = prop_oneof![
        prop::sample::select(Field::ALL).prop_map(Key::Field),
        Just(Key::Url),
        Just(Key::Type),
        own.clone().prop_map(Key::Attr),
        own.clone().prop_map(Key::QueryParam),
        own.clone().prop_map(|name| Key::ReqHeader(name.to_ascii_lowercase())),
        own.prop_map(Key::ResJson),
    ];
    let some = |key: Key, test: BoxedStrategy<Test>| (Just(key), prop::collection::vec(test, 1..4)).boxed();
    prop_oneof![
        1 => some(Key::Time, scalar_test(time.prop_map(Scalar::Time).boxed())),
        1 => some(Key::Duration, scalar_test(measured(&[Unit::Ns, Unit::Ms, Unit::S, Unit::D]))),
        1 => some(Key::ReqSize, scalar_test(measured(&[Unit::B, Unit::Kb, Unit::Gib]))),
        1 => some(Key::Status, scalar_test(status)),
        1 => some(Key::Level, scalar_test(named(&["trace", "warn", "fatal"]))),
        1 => some(Key::Source, equal(named(&["edge", "backend"]))),
        1 => some(Key::Is, equal(named(&["slow", "error"]))),
        7 => (text_key, prop::collection::vec(text_test(), 1..4)),
    ]
    .prop_map(|(key, any)| Term { key, any })
}

fn filter() -> impl Strategy<Value = Filter> {
    let text = prop_oneof![
        any_text().prop_map(|text| Filter::Text(Test::Compare(Cmp::Eq, Scalar::Text(text)))),
        regex_test().prop_map(Filter::Text),
    ];
    let leaf = prop_oneof![1 => Just(Filter::All), 4 => text, 8 => term().prop_map(Filter::Term)];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|f| Filter::Not(Box::new(f))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::And),
            prop::collection::vec(inner, 2..4).prop_map(Filter::Or),
        ]
    })
}

// Leaves are as often true of the record as false.
fn predicate() -> impl Strategy<Value = Predicate> {
    let leaf = prop_oneof![
        1 => any::<bool>().prop_map(Predicate::Const),
        4 => prop::sample::select(vec![503, 200]).prop_map(|code| Predicate::between(Number::Status, code, code)),
    ];
    leaf.prop_recursive(5, 24, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Predicate::Not(Box::new(inner))),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Predicate::And),
            prop::collection::vec(inner, 0..3).prop_map(Predicate::Or),
        ]
    })
}

fn is_normal(predicate: &Predicate) -> bool {
    let inside = |part: &Predicate| !matches!(part, Predicate::Const(_)) && is_normal(part);
    match predicate {
        Predicate::Not(inner) => matches!(**inner, Predicate::Number(..) | Predicate::Text(..)),
        Predicate::And(parts) => parts.iter().all(|part| !matches!(part, Predicate::And(_)) && inside(part)),
        Predicate::Or(parts) => parts.iter().all(|part| !matches!(part, Predicate::Or(_)) && inside(part)),
        _ => true,
    }
}

proptest! {
    #[test]
    fn reading_what_is_printed_gives_the_same(filter in filter()) {
        let printed = filter.to_string();
        let parsed = match Filter::parse(&printed) {
            Ok(parsed) => parsed,
            Err(error) => return Err(TestCaseError::fail(error.render(&printed))),
        };
        prop_assert_eq!(&parsed.filter, &filter, "{}", printed);
        prop_assert!(parsed.hints.is_empty());
        prop_assert_eq!(Filter::parse_typing(&printed), (parsed, vec![]));
        prop_assert!(filter.resolve(NOW).is_ok());
    }

    #[test]
    fn normal_form_means_the_same(predicate in predicate()) {
        let record = record();
        let normal = predicate.clone().normal();
        prop_assert!(is_normal(&normal), "{:?}", normal);
        prop_assert_eq!(predicate.matches(&record), normal.matches(&record), "{:?}", normal);
        prop_assert_eq!(predicate.matches(&record), !predicate.negated().matches(&record));
    }

    #[test]
    fn any_text_is_read_or_refused_within_it(query in query()) {
        match Filter::parse(&query) {
            Ok(parsed) => {
                let printed = parsed.filter.to_string();
                prop_assert_eq!(Filter::parse(&printed).map(|parsed| parsed.filter), Ok(parsed.filter), "{}", printed);
            }
            Err(error) => {
                prop_assert!(query.get(error.span.clone()).is_some(), "{:?} is not within {:?}", error, query);
                prop_assert!(error.render(&query).contains('^'));
            }
        }
        let (typed, errors) = Filter::parse_typing(&query);
        prop_assert_eq!(errors.is_empty(), Filter::parse(&query).is_ok());
        prop_assert!(errors.iter().all(|error| query.get(error.span.clone()).is_some()));
        prop_assert!(typed.hints.iter().all(|hint| query.get(hint.span.clone()).is_some()));
        prop_assert_eq!(Filter::parse(&typed.filter.to_string()).map(|parsed| parsed.filter), Ok(typed.filter));
    }
}

// Arbitrary text, and words that come close to queries.
fn query() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "status:", "time:", "attr.x:", "path:", "level", ":", ">=", "<", "=", "!=", "5xx", "..", "1.5s", "\"", "\\",
        "~/", "/", "(", ")", " ", " OR ", " AND", "NOT ", "-", "!", "*", "?", ",", "é", "//", "-1h", "x", "is:", "||",
    ]);
    prop_oneof!["\\PC{0,30}", prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())]
}
