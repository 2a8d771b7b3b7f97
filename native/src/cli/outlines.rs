//! Lines of files read no further than the question needs.
//!
//! An outline of a line costs a quarter of its record. It refuses most lines that do not match, and counts are made of
//! it alone where it tells all that the predicate asks.

use reqlog_core::accept::Rules;
use reqlog_core::filter::{Number, Predicate, TextKey};
use reqlog_core::format::Wanted;
use reqlog_core::record::{Field, Record};

/// How much of each matching record the answer shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// All of it.
    Whole,
    /// What counts are made by.
    Counts,
}

/// Fields that counts are made by, or that say whether a record is refused.
const COUNTED: [Field; 6] =
    [Field::Project, Field::Environment, Field::Session, Field::Service, Field::Container, Field::Method];

/// What outlines of records tell of a predicate.
pub struct Outlines {
    // those of its parts that an outline decides; all of them have to hold
    decided: Predicate,
    wanted: Wanted,
    // whether there are no other parts
    whole: bool,
}

impl Outlines {
    pub fn of(predicate: &Predicate) -> Self {
        let mut wanted = Wanted::default();
        for field in COUNTED {
            wanted.add(field);
        }
        let parts = if let Predicate::And(parts) = predicate { &parts[..] } else { std::slice::from_ref(predicate) };
        let decided = Predicate::all_of(parts.iter().filter(|part| decides(part, &mut wanted)).cloned());
        let whole = decided == *predicate;
        Self { decided, wanted, whole }
    }

    /// What an outline needs.
    pub fn wanted(&self) -> Wanted {
        self.wanted
    }

    /// Whether an outline is worth its cost.
    pub fn pay(&self, reading: Reading) -> bool {
        self.suffice(reading) || self.decided != Predicate::ALL
    }

    /// Whether an outline is all that the answer needs.
    pub fn suffice(&self, reading: Reading) -> bool {
        self.whole && reading == Reading::Counts
    }

    /// Whether the record of `outline` has to be read; what acceptance refuses matches nothing.
    pub fn may_match(&self, outline: Record, rules: &Rules) -> bool {
        may_match(&self.decided, &outline) && rules.accept(outline).is_ok_and(|record| self.decided.matches(&record))
    }
}

/// Whether an outline tells what `predicate` says, with the fields of it that are added to `wanted`.
fn decides(predicate: &Predicate, wanted: &mut Wanted) -> bool {
    match predicate {
        Predicate::Const(_) => true,
        Predicate::Not(inner) => decides(inner, wanted),
        Predicate::And(parts) | Predicate::Or(parts) => parts.iter().all(|part| decides(part, wanted)),
        Predicate::Number(number, _) => {
            matches!(number, Number::Time | Number::Status | Number::Duration | Number::Level | Number::Kind)
        }
        Predicate::Text(TextKey::Field(field), _) => wanted.add(*field),
        Predicate::Text(..) => false,
    }
}

/// Whether the numbers that acceptance leaves as they are allow a match.
pub fn may_match(predicate: &Predicate, record: &Record) -> bool {
    match predicate {
        Predicate::And(parts) => parts.iter().all(|part| may_match(part, record)),
        Predicate::Number(Number::Time | Number::Status | Number::Duration | Number::Level, _) => {
            predicate.matches(record)
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqlog_core::auth::Scope;
    use reqlog_core::filter::Filter;
    use reqlog_core::format::{Format, Head, Parser, Unit};
    use reqlog_core::plan::{IngestMode, IngestRequest, Settings};
    use reqlog_core::timestamp::Timestamp;

    const QUERIES: [&str; 16] = [
        "",
        "status:5xx",
        "status:5xx path:/v1/*",
        "-status:200 method:GET",
        "level:error OR level:warn",
        "service:cart duration:>20ms",
        "kind:exchange -service:cart",
        "kind:event",
        "path:*redacted*",
        "message:late",
        "late status:>=400",
        "project:default session:s1",
        "host:h status:200",
        "res.body:late level:info",
        "time:2026-06-23T00:00:01Z.. -(status:404 path:/v2*)",
        "container:c route:/v1/{id}",
    ];

    // every value of a member with every value of the next two, the others absent or as this system writes them
    fn lines() -> Vec<String> {
        let members: [&[&str]; 10] = [
            &["", r#""time":"2026-06-23T00:00:00Z""#, r#""time":"2026-06-23T00:00:02Z""#, r#""ts":1782172802"#],
            &["", r#""level":"info""#, r#""level":"WARN""#, r#""lvl":"error""#, r#""level":50"#],
            &["", r#""service":"cart""#, r#""service":"-""#, r#""app":"cart""#],
            &["", r#""method":"GET""#, r#""method":"get""#, r#""method":"""#],
            &[
                "",
                r#""path":"/v1/a""#,
                r#""path":"/v2/a?b=late""#,
                r#""url":"/v1/u""#,
                r#""path":"/v1/token=secret-secret""#,
            ],
            &["", r#""status":200"#, r#""status":503"#, r#""status":404"#, r#""statusCode":500"#, r#""status":"502""#],
            &["", r#""duration_ms":25.5"#, r#""duration":30"#, r#""duration_ms":-1"#],
            &["", r#""message":"too late""#, r#""msg":"late \u00e9""#, r#""message":"on time""#],
            &["", r#""session":"s1""#, r#""request":{"headers":[["x-reqlog-session","s1"]]}"#, r#""session":"\u0001""#],
            &[
                "",
                r#""response":{"body":{"size":4,"text":"late"}}"#,
                r#""response":{"status":503}"#,
                r#""kind":"event""#,
            ],
        ];
        let mut lines = Vec::new();
        for at in 0..members.len() {
            let next = |by: usize| members[(at + by) % members.len()];
            for first in members[at] {
                for (turn, second) in next(1).iter().enumerate() {
                    for third in next(2) {
                        let others = (3..members.len()).map(|by| next(by)[(turn + by) % 2]);
                        let line: Vec<&str> = [*first, second, third]
                            .into_iter()
                            .chain(others)
                            .filter(|member| !member.is_empty())
                            .collect();
                        lines.push(format!("{{{}}}", line.join(",")));
                    }
                }
            }
        }
        lines
    }

    fn rules() -> Rules {
        let request = IngestRequest {
            scope: Scope::Organisation,
            project: None,
            environment: None,
            session: None,
            service: None,
            format: None,
            encodings: Vec::new(),
            mode: IngestMode::Import,
            idempotency_key: None,
            limit: u64::MAX,
        };
        Rules::new(&[7; 32], &Settings::default(), &request)
    }

    #[test]
    fn outlines_refuse_no_line_that_matches_and_count_as_records_do() {
        let (rules, lines) = (rules(), lines());
        let parser = Parser::new(Format::Ndjson, &Head::default(), Timestamp::from_millis(1_782_216_000_000));
        let counted = |record: &Record| {
            let texts = COUNTED.map(|field| record.text(field).map(str::to_owned));
            (record.level, record.kind, record.status, texts)
        };
        let (mut outlined, mut refused) = (0, 0);
        for query in QUERIES {
            let filter = Filter::parse(query).unwrap().filter;
            let predicate = filter.resolve(Timestamp::from_millis(1_782_216_000_000)).unwrap();
            let outlines = Outlines::of(&predicate);
            for line in &lines {
                let unit = Unit::new(1, line.as_bytes());
                let Some(outline) = parser.outline(&unit, outlines.wanted()) else { continue };
                outlined += 1;
                let record = rules.accept(parser.parse(&unit).unwrap()).ok().filter(|record| predicate.matches(record));
                if outlines.suffice(Reading::Counts) {
                    let outline = rules.accept(outline.clone()).ok().filter(|outline| predicate.matches(outline));
                    assert_eq!(outline.as_ref().map(counted), record.as_ref().map(counted), "{query}: {line}");
                }
                let may = outlines.may_match(outline, &rules);
                refused += usize::from(!may);
                assert!(may || record.is_none(), "{query}: {line}");
            }
        }
        assert!(outlined > lines.len() && refused > lines.len(), "{outlined} outlines, {refused} refused");
    }

    #[test]
    fn what_only_a_whole_record_has_is_not_decided() {
        for (query, whole) in [
            ("", true),
            ("status:5xx path:/v1/*", true),
            ("host:h", false),
            ("status:5xx res.body:x", false),
            ("status:5xx OR res.body:x", false),
            ("size:>1kb", false),
        ] {
            let filter = Filter::parse(query).unwrap().filter;
            let outlines = Outlines::of(&filter.resolve(Timestamp::from_millis(0)).unwrap());
            assert_eq!(outlines.suffice(Reading::Counts), whole, "{query}");
            assert!(!outlines.suffice(Reading::Whole));
        }
    }
}
