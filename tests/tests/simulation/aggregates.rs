//! Aggregates against counts over the rows.

use crate::model::{LEVELS, Row};
use crate::question::{Dialect, Question};
use crate::world::{Ask, Law, Who, World};
use reqlog_core::format::time::rfc3339;
use reqlog_core::timestamp::Timestamp;
use serde_json::{Value, json};

/// Statistics against counts.
pub fn check(world: &mut World) -> Law {
    let now = world.now();
    let question = Question::draw(&mut world.prng, now);
    let who = [Who::Admin, Who::Reader(0)][world.prng.below(2) as usize];
    let stats = world.ask(&Ask::get(who, format!("/api/v1/stats?{}", &question.words(Dialect::Own)[1..])))?.json()?;
    let rows: Vec<Row> = world.model.alive().map(|known| known.row.clone()).collect();
    let matching: Vec<&Row> =
        rows.iter().filter(|row| who.sees(row.project) && question.sees(row, Dialect::Own)).collect();
    let tally = |value: &dyn Fn(&Row) -> Option<&'static str>| {
        let mut counts = serde_json::Map::new();
        for name in matching.iter().filter_map(|row| value(row)) {
            let count = counts.get(name).and_then(Value::as_u64).unwrap_or(0) + 1;
            counts.insert(name.into(), json!(count));
        }
        Value::Object(counts)
    };
    for (member, wanted) in [
        ("total", json!(matching.len())),
        ("level", tally(&|row| Some(LEVELS[row.level]))),
        ("service", tally(&|row| row.service)),
        ("project", tally(&|row| Some(row.project))),
    ] {
        if stats[member] != wanted {
            return Err(format!("{member} of {question:?} is {} instead of {wanted}", stats[member]));
        }
    }
    facets(world, who, &question, &matching)?;
    histogram(world, who, &question, &matching)?;
    world.ask(&Ask::get(who, format!("/api/v1/endpoints?{}", &question.words(Dialect::Own)[1..])))?;
    let seen = rows.iter().filter(|row| who.sees(row.project));
    let halves: usize = seen.map(|row| Question::default().halves(1, row).count()).sum();
    let stats = world.ask(&Ask::get(who, "/_logs/stats"))?.json()?;
    if stats["total"] == halves { Ok(()) } else { Err(format!("{halves} rows, and Hoody counts {}", stats["total"])) }
}

/// Every value of some fields with how often it is there, and how often none is.
fn facets(world: &mut World, who: Who, question: &Question, rows: &[&Row]) -> Law {
    let words = question.words(Dialect::Own);
    let facets =
        world.ask(&Ask::get(who, format!("/api/v1/facets?fields=level,service,method&top=50{words}")))?.json()?;
    let fields: [fn(&Row) -> Option<&'static str>; 3] =
        [|row| Some(LEVELS[row.level]), |row| row.service, |row| row.method];
    for (facet, value) in facets["facets"].as_array().into_iter().flatten().zip(fields) {
        let mut counted = 0;
        for one in facet["values"].as_array().into_iter().flatten() {
            let there = rows.iter().filter(|row| value(row).is_some_and(|value| one["value"] == value)).count();
            if there == 0 || one["count"] != there {
                return Err(format!("{there} rows have the value of {one} for {question:?}"));
            }
            counted += there;
        }
        let present = rows.iter().filter(|row| value(row).is_some()).count();
        if counted != present || facet["missing"] != rows.len() - present {
            return Err(format!("{present} of {} rows have a value, and the facet is {facet}", rows.len()));
        }
    }
    if facets["total"] == rows.len() { Ok(()) } else { Err(format!("{} rows match: {facets}", rows.len())) }
}

/// Rows by time: each bucket reaches to the next.
fn histogram(world: &mut World, who: Who, question: &Question, rows: &[&Row]) -> Law {
    let words = question.words(Dialect::Own);
    let histogram = world.ask(&Ask::get(who, format!("/api/v1/histogram?buckets=9{words}")))?.json()?;
    let buckets = histogram["buckets"].as_array().ok_or("no buckets")?;
    let starts = buckets.iter().map(|bucket| bucket["time"].as_str().and_then(rfc3339).map(Timestamp::as_millis));
    let starts: Vec<i64> = starts.collect::<Option<_>>().ok_or("a bucket without a time")?;
    for (at, bucket) in buckets.iter().enumerate() {
        let end = starts.get(at + 1).copied().unwrap_or(i64::MAX);
        let there = rows.iter().filter(|row| (starts[at]..end).contains(&row.time)).count();
        if bucket["total"] != there {
            return Err(format!("{there} rows are in {bucket} of {question:?}"));
        }
    }
    let first = starts.first().copied().unwrap_or(i64::MAX);
    if histogram["total"] == rows.len() && rows.iter().all(|row| row.time >= first) {
        Ok(())
    } else {
        Err(format!("{} rows match: {histogram}", rows.len()))
    }
}
