//! What matches.

use super::{NOW, record};
use crate::filter::{Filter, Predicate};

#[test]
fn matches_what_it_says() {
    let record = record();
    for (query, expected) in [
        ("", true),
        ("-*", false),
        // text search: message, URL, route, error code; no bodies
        (r#""timed OUT""#, true),
        ("/users/42?page", true),
        ("{id}", true),
        ("etimedout", true),
        ("ann@example.test", false),
        ("~/^upstream/", true),
        ("~/^Upstream/", false),
        ("~/^Upstream/i", true),
        ("https://api.example.test/v1/users/42?page=2", true),
        ("https://other.example.test/v1/users/42", false),
        // text fields
        ("method:post", true),
        ("method:get,post", true),
        ("method:!=get", true),
        ("method:!=POST", false),
        ("path:/v1/users", false),
        ("path:/V1/users/*", true),
        ("path:/v1/users/4?", true),
        ("path:~/users/", false),
        ("url:*page=2*", true),
        ("session:7", false),
        ("session:007", true),
        // absence
        ("user:*", false),
        ("user:x", false),
        ("-user:x", true),
        ("user:!=x", false),
        ("-user:!=x", true),
        ("res.size:<10", false),
        ("-res.size:<10", true),
        // numbers
        ("status:5xx", true),
        ("status:>5xx", false),
        ("status:>=5xx", true),
        ("status:<=5xx", true),
        ("status:<5xx", false),
        ("status:4xx..5xx", true),
        ("status:500..502,504", false),
        ("status:!=503", false),
        ("status:5*", true),
        ("status:~/^50[34]$/", true),
        ("status:*", true),
        // 1520.4 ms
        ("duration:1520", true),
        ("duration:1520.4", true),
        ("duration:1521", false),
        ("duration:1.5s", true),
        ("duration:1.52s", true),
        ("duration:1.50s", false),
        ("duration:!=1.5s", false),
        ("duration:>1520", true),
        ("duration:>1521", false),
        ("duration:1s..2s", true),
        ("size:412", true),
        ("size:0.4kb", true),
        ("size:>0.4kib", true),
        ("req.size:>=413", false),
        // codes
        ("level:error", true),
        ("level:>=warn", true),
        ("level:>error", false),
        ("level:warn..error", true),
        ("level:e*", true),
        ("level:!=error", false),
        ("kind:exchange,event", true),
        ("source:edge", true),
        ("source:!=edge", false),
        ("overridden:false", true),
        ("is:error", true),
        ("is:slow", true),
        ("is:truncated", true),
        ("is:redacted", true),
        ("is:overridden", false),
        // time: the record is half an hour old
        ("time:-1h..", true),
        ("time:-1h", true),
        ("time:-10m", false),
        ("time:..-10m", true),
        ("time:..-1h", false),
        ("time:today", true),
        ("time:yesterday", false),
        ("time:2026-06-23", true),
        ("time:2026-06-23T11:30Z", true),
        ("time:2026-06-23T13:30+02:00", true),
        ("time:<=2026-06-23", true),
        ("time:>2026-06-23", false),
        ("time:2026-06-22..2026-06-23", true),
        ("time:<2026-06-23T11:30:00.001Z", true),
        // headers, query, JSON, attributes
        ("res.header.x-cache:miss", true),
        ("req.header.x-cache:miss", false),
        ("req.header.content-length:>400", true),
        ("req.header.content-length:412.0", true),
        ("query.q:\"a b\"", true),
        ("query.tag:y", true),
        ("query.tag:!=y", false),
        ("query.page:<3", true),
        ("req.json.user.id:7", true),
        ("req.json.user.id:7.0", true),
        ("req.json.user:*", true),
        ("req.json.tags.0:a", true),
        ("res.json.user.id:7", false),
        ("attr.service.name:x", true),
        ("service.name:user-api", true),
        ("attr.nested.k:V", true),
        ("attr.retries:3", true),
        ("attr.retries:>10", false),
        ("attr.retries:1..3", true),
        ("attr.big:9007199254740992", false),
        ("attr.ok:TRUE", true),
        ("attr.none:*", false),
        ("retries:3", true),
        // bodies
        ("body:ANN@example", true),
        ("req.body:ann", true),
        ("res.body:*", false),
        ("res.body:!=x", false),
        ("type:application/json", true),
        ("type:json", true),
        ("type:*json", true),
        ("type:text/json", false),
        // logic
        ("method:GET OR status:503", true),
        ("method:GET status:503 OR is:error", true),
        ("method:GET (status:503 OR is:error)", false),
        ("-(method:GET OR user:*)", true),
    ] {
        let predicate = Filter::parse(query).unwrap().filter.resolve(NOW).unwrap();
        assert_eq!(predicate.matches(&record), expected, "{query}");
        assert_eq!(predicate.normal().matches(&record), expected, "{query} in normal form");
    }
}

#[test]
fn ranges_are_ascending_and_disjoint() {
    let ranges = |query: &str| match Filter::parse(query).unwrap().filter.resolve(NOW).unwrap() {
        Predicate::Number(_, ranges) => ranges,
        other => panic!("{query}: {other:?}"),
    };
    assert_eq!(ranges("status:503,5xx,404,400..403"), [(400, 404), (500, 599)]);
    assert_eq!(ranges("status:2*"), [(200, 299)]);
    assert_eq!(ranges("status:!=404"), [(i64::MIN, 403), (405, i64::MAX)]);
    assert_eq!(ranges("status:*"), [(i64::MIN, i64::MAX)]);
    assert_eq!(ranges("duration:102"), [(101_500_000, 102_499_999)]);
    assert_eq!(ranges("duration:>99999999999999999999d,1ns"), [(1, 1)]);
    assert_eq!(ranges("level:>=warn,debug"), [(2, 2), (4, i64::MAX)]);
}
