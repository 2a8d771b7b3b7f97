//! What is printed for what is written, and what is refused.

use super::NOW;
use crate::filter::{Fault, Filter, KEYS, PREFIXES, Problem};

fn print(query: &str) -> String {
    match Filter::parse(query) {
        Ok(parsed) => parsed.filter.to_string(),
        Err(error) => panic!("{}", error.render(query)),
    }
}

#[test]
fn prints_canonically() {
    for (query, printed) in [
        ("", ""),
        ("  ", ""),
        ("*", ""),
        ("-*", "-*"),
        ("a  b", "a b"),
        ("a AND b && c", "a b c"),
        ("a OR b || c", "a OR b OR c"),
        ("a b OR c d", "a b OR c d"),
        ("(a OR b) c", "(a OR b) c"),
        ("a (b c)", "a (b c)"),
        ("((a))", "a"),
        ("NOT a", "-a"),
        ("NOT (a OR b)", "-(a OR b)"),
        ("!a", "-a"),
        ("--a", "--a"),
        ("a - b", r#"a "-" b"#),
        ("and or not", "and or not"),
        (r#""OR" "AND""#, r#""OR" "AND""#),
        (r#""timed out""#, r#""timed out""#),
        (r#""plain""#, "plain"),
        (r#""a\"b\\c\nd\te\f""#, r#""a\"b\\c\nd\te\\f""#),
        ("~/a b\\/c/i", "~/a b\\/c/i"),
        ("/v1/users", "/v1/users"),
        ("/v1/users?page=2", r#""/v1/users?page=2""#),
        ("https://api.example.test/v1?a=1", r#""https://api.example.test/v1?a=1""#),
        ("path://x", r#""path://x""#),
        ("std::io::Error", r#""std::io::Error""#),
        ("12:30", r#""12:30""#),
        ("foo(bar)", r#""foo(bar)""#),
        ("(a foo(b))", r#"a "foo(b)""#),
        // the contract's example
        (
            r#"status:5xx,429 method:POST -path:/health* duration:>1.5s res.header.x-cache:MISS time:-1h.. "timed out""#,
            r#"status:5xx,429 method:POST -path:/health* duration:>1.5s res.header.x-cache:MISS time:-1h.. "timed out""#,
        ),
        // comparisons
        ("status>=500", "status:>=500"),
        ("status=500", "status:500"),
        ("status:=500", "status:500"),
        ("status!=500", "status:!=500"),
        ("status<500,>=600", "status:<500,>=600"),
        ("status:5XX", "status:5xx"),
        ("status:4xx..5xx", "status:4xx..5xx"),
        ("status:..399", "status:..399"),
        ("status:2*", "status:2*"),
        (r#"status:"404""#, "status:404"),
        ("duration:007MS", "duration:7ms"),
        ("duration:.5s", "duration:0.5s"),
        ("duration:1.50s", "duration:1.50s"),
        ("duration:5µs", "duration:5us"),
        ("size:>1KiB", "size:>1kib"),
        ("time:>=2026-06-23t12:00:00z", "time:>=2026-06-23T12:00:00Z"),
        (r#"time:"2026-06-23 12:00""#, "time:2026-06-23T12:00"),
        ("time:Yesterday..NOW", "time:yesterday..now"),
        (r#"time:"-1h".."now""#, "time:-1h..now"),
        ("level:>=WARNING", "level:>=warn"),
        ("level:debug..err", "level:debug..error"),
        ("kind:Exchange source:EDGE is:Slow", "kind:exchange source:edge is:slow"),
        ("overridden:yes overridden:0", "overridden:true overridden:false"),
        // text values
        (r#"path:"//x""#, r#"path:"//x""#),
        ("service:*", "service:*"),
        (r#"service:"*""#, r#"service:"*""#),
        (r"service:\*", r#"service:"*""#),
        (r#"service:"""#, r#"service:"""#),
        ("service:>b", r#"service:>"b""#),
        (r"path:/a\ b*", r"path:/a\ b*"),
        (r"path:/a\**", r"path:/a\**"),
        (r"path:/a\d", r#"path:"/a\\d""#),
        (r"path:/a\d*", r"path:/a\\d*"),
        (r"path:\//x*", r"path:\//x*"),
        ("path:/users(1)", r#"path:"/users(1)""#),
        ("path:/a/../b", r#"path:"/a/../b""#),
        ("method!=GET", "method:!=GET"),
        ("session:007", "session:007"),
        ("attr.n:007 attr.n:>007", "attr.n:007 attr.n:>7"),
        ("attr.n:1..2.50", "attr.n:1..2.50"),
        (r#"attr.n:"1".."2""#, r#"attr.n:"1".."2""#),
        ("attr.day:2026-06-01..", r#"attr.day:"2026-06-01".."#),
        (r#"attr."odd name":x"#, r#"attr."odd name":x"#),
        (r#"attr."plain":x"#, "attr.plain:x"),
        ("query.ids[]:1", "query.ids[]:1"),
        ("retries:>3", "attr.retries:>3"),
        ("req.header.X-Trace:a", "req.header.x-trace:a"),
    ] {
        assert_eq!(print(query), printed, "{query}");
        assert_eq!(print(printed), printed, "{printed} is not stable");
    }
}

#[test]
fn every_key_and_alias_prints_as_its_name() {
    let value = |name: &str| match name {
        "time" => "today",
        "level" | "is" => "error",
        "kind" => "event",
        "source" => "edge",
        "overridden" => "true",
        _ => "1",
    };
    for entry in KEYS {
        for alias in entry.aliases.iter().chain([&entry.name]) {
            let value = value(entry.name);
            let parsed = Filter::parse(&format!("{}:{value}", alias.to_uppercase())).unwrap();
            assert_eq!(parsed.filter.to_string(), format!("{}:{value}", entry.name), "{alias}");
            assert!(parsed.hints.is_empty(), "{alias}");
        }
    }
    for entry in PREFIXES {
        for alias in entry.aliases.iter().chain([&entry.prefix]) {
            assert_eq!(print(&format!("{alias}x:1")), format!("{}x:1", entry.prefix));
        }
    }
    for written in ["traceId:1", "spanId:1", "statusCode:1", "durationMs:1", "userId:1", "requestId:1"] {
        assert!(Filter::parse(written).unwrap().hints.is_empty(), "{written}");
    }
}

#[test]
fn refuses_with_place_and_hint() {
    for (query, place, says) in [
        ("status:", "", "a value is missing"),
        ("status: 500", "", "a value is missing"),
        ("status:500,", "", "a value is missing"),
        ("a status:foo b", "foo", "is no number"),
        ("status:500,foo", "foo", "is no number"),
        ("status:500ms", "500ms", "unit ms"),
        ("duration:5kb", "5kb", "unit kb"),
        ("size:5m", "5m", "unit m"),
        ("duration:1*", "1*", "patterns are for text"),
        ("level:loud", "loud", "not known"),
        ("level:>=loud", "loud", "not known"),
        ("kind:>event", "event", "no order"),
        ("is:fast", "fast", "not known"),
        ("is:*", "*", "not known"),
        ("time:tomorrow", "tomorrow", "is no time"),
        ("status:500..400", "500..400", "ends before"),
        ("attr.n:3..1", "3..1", "ends before"),
        ("attr.n:>5ms", "5ms", "unit ms"),
        ("method:!=G*", "G*", "cannot be compared"),
        ("body:>x", "x", "no order"),
        ("path:~/(/", "~/(/", "does not compile"),
        ("~/[/", "~/[/", "does not compile"),
        (r#"a "b c"#, r#""b c"#, "string is not closed"),
        ("~/abc", "~/abc", "regular expression is not closed"),
        ("a (b OR c", "(", "parenthesis is not closed"),
        ("a ) b", ")", "no parenthesis to close"),
        ("a () b", "()", "parentheses are empty"),
        ("a OR", "OR", "operator has nothing"),
        ("OR a", "OR", "operator has nothing"),
        ("a OR OR b", "OR", "operator has nothing"),
        ("(a AND) b", "AND", "operator has nothing"),
        ("a NOT", "NOT", "operator has nothing"),
        ("status >= 500", ">=", "comparison has no key"),
        (r#""a"b"#, "", "value ends here"),
        (r#"path:"a"b"#, "", "value ends here"),
        (r#"path:a"b""#, "", "value ends here"),
        ("status:..", "..", "a value is missing"),
    ] {
        let error = Filter::parse(query).expect_err(query);
        assert_eq!(&query[error.span.clone()], place, "{query}");
        assert!(error.to_string().contains(says), "{query}: {error}");
        assert!(matches!(&error.problem, Problem::Value(Fault::BadRegex { .. })) || error.hint().is_some(), "{query}");
    }
    let deep = "(".repeat(100_000);
    assert_eq!(Filter::parse(&deep).unwrap_err().problem, Problem::TooDeep);
    assert_eq!(Filter::parse(&"-".repeat(100_000)).unwrap_err().problem, Problem::TooDeep);
    let inverted = Filter::parse("time:now..-1h").unwrap().filter.resolve(NOW);
    assert_eq!(inverted, Err(Fault::Inverted { low: "now".into(), high: "-1h".into() }));
}

#[test]
fn a_rendered_error_has_a_caret_below_the_place() {
    let query = "größe:1 status:foo";
    assert_eq!(
        Filter::parse(query).unwrap_err().render(query),
        "\"foo\" is no number\n  größe:1 status:foo\n                 ^^^\nhint: for example 404, 5xx, 200..299, >=500\n"
    );
}

#[test]
fn unknown_keys_give_hints() {
    let hints =
        |query: &str| -> Vec<String> { Filter::parse(query).unwrap().hints.iter().map(ToString::to_string).collect() };
    assert_eq!(hints("stauts:500"), ["stauts is no key; it is looked for in the attributes; did you mean status?"]);
    assert_eq!(hints("status:500 retries:3"), ["retries is no key; it is looked for in the attributes"]);
    assert!(hints("attr.retries:3 std::io https://a.test/").is_empty());
}

#[test]
fn a_broken_tail_is_text_while_typing() {
    for (query, printed, errors) in [
        ("status:500 meth", "status:500 meth", 0),
        ("status:500 method:", r#"status:500 "method:""#, 1),
        ("status:500 level:wa", r#"status:500 "level:wa""#, 1),
        (r#"status:500 "timed o"#, r#"status:500 "timed o""#, 1),
        (r#"service:"user a"#, r#""service:\"user a""#, 1),
        ("a OR", r#"a "OR""#, 1),
        ("a NOT", r#"a "NOT""#, 1),
        ("(a OR b", "a OR b", 1),
        ("a) b", r#"a ")" b"#, 1),
        ("path:~/x", r#""path:~/x""#, 1),
        ("level:loud status:500", r#""level:loud" status:500"#, 1),
        ("-(level:loud OR b) c", r#"-("level:loud" OR b) c"#, 1),
        ("stauts:", r#""stauts:""#, 1),
        ("(", r#""(""#, 1),
    ] {
        let (parsed, found) = Filter::parse_typing(query);
        assert_eq!((parsed.filter.to_string().as_str(), found.len()), (printed, errors), "{query}");
        assert!(found.is_empty() || Filter::parse(query).is_err(), "{query}");
        assert!(parsed.hints.is_empty(), "{query}");
    }
}
