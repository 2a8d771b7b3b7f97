//! The simulation sees what is wrong: the same schedules in worlds that break a law.

use crate::world::{Answer, Ask, Sabotage};
use crate::{ACTIONS, run};
use reqlog_tests::simdisk::Syncs;
use serde_json::Value;
use std::time::Duration;

/// Fails unless one of the seeds fails for this reason.
fn caught(sabotage: &Sabotage, reason: &str) {
    let mut ends = Vec::new();
    for failure in (1..=32).filter_map(|seed| run(seed, ACTIONS, sabotage).err()) {
        let end: Vec<String> = failure.lines().rev().take(4).map(str::to_owned).collect();
        if end.iter().any(|line| line.contains(reason)) {
            return;
        }
        ends.push(end);
    }
    panic!("{reason} was not seen: {ends:#?}");
}

/// Changes the rows of every page but the first.
fn later(ask: &Ask, answer: &mut Answer, change: fn(&mut Vec<Value>)) {
    let Ok(mut page) = answer.json() else { return };
    let is_later = ["cursor=", "next=", "since=", "afterId="].iter().any(|name| ask.target.contains(name));
    for list in ["items", "data", "logs", "entries"] {
        if let Some(rows) = page[list].as_array_mut().filter(|_| is_later) {
            change(rows);
            answer.body = page.to_string().into();
            return;
        }
    }
}

#[test]
fn a_walk_that_skips_a_row_is_seen() {
    let skip = |ask: &Ask, answer: &mut Answer| later(ask, answer, |rows| drop(rows.drain(..rows.len().min(1))));
    caught(&Sabotage { both: Some(skip), ..Sabotage::default() }, "rows instead of");
}

#[test]
fn a_walk_that_repeats_a_row_is_seen() {
    let repeat = |ask: &Ask, answer: &mut Answer| later(ask, answer, |rows| rows.extend(rows.last().cloned()));
    caught(&Sabotage { both: Some(repeat), ..Sabotage::default() }, "rows instead of");
}

#[test]
fn a_walk_that_goes_out_of_order_is_seen() {
    let reverse = |ask: &Ask, answer: &mut Answer| later(ask, answer, |rows| rows.reverse());
    caught(&Sabotage { both: Some(reverse), ..Sabotage::default() }, "rows instead of");
}

#[test]
fn a_store_that_drops_an_acknowledged_record_is_seen() {
    // a disk that does not sync loses it with the power
    caught(&Sabotage { syncs: Some(Syncs::Ignored), ..Sabotage::default() }, "the store shows");
}

#[test]
fn an_answer_that_is_not_the_naive_one_is_seen() {
    let count = |_: &Ask, answer: &mut Answer| {
        let text = String::from_utf8_lossy(&answer.body).replace("\"total\":7", "\"total\":8");
        answer.body = text.into();
    };
    caught(&Sabotage { store: Some(count), ..Sabotage::default() }, "differ");
}

#[test]
fn a_record_that_outlives_its_age_is_seen() {
    caught(&Sabotage { late: Duration::from_secs(30), ..Sabotage::default() }, "the store shows");
}

#[test]
fn a_sweep_that_loses_rows_unheard_is_seen() {
    let end = |_: &Ask, answer: &mut Answer| {
        let text = String::from_utf8_lossy(&answer.body);
        let lost = r#""error":"snapshot_expired","status":410"#;
        answer.body = text.replace(lost, r#""cursor":null,"stoppedReason":"end""#).into();
    };
    caught(&Sabotage { both: Some(end), ..Sabotage::default() }, "which has expired");
}

#[test]
fn a_stream_that_loses_an_event_is_seen() {
    // of several that are sent together, the first
    let lose = |bytes: Vec<u8>| match bytes.windows(2).position(|two| two == b"\n\n") {
        Some(end) if end + 2 < bytes.len() => bytes[end + 2..].to_vec(),
        _ => bytes,
    };
    caught(&Sabotage { stream: Some(lose), ..Sabotage::default() }, "never got");
}

#[test]
fn a_stream_that_repeats_what_it_sent_is_seen() {
    caught(&Sabotage { stream: Some(|bytes| bytes.repeat(2)), ..Sabotage::default() }, "receives");
}
