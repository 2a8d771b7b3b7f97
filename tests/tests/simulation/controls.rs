//! The simulation sees what is wrong: the same schedules in worlds that break a law.

use crate::world::{Answer, Ask};
use crate::{Tamper, run};
use serde_json::Value;

/// Fails unless some of the seeds fail, and for this reason.
fn caught(tamper: Tamper, reason: &str) {
    let failures: Vec<String> = (1..=4).filter_map(|seed| run(seed, Some(tamper)).err()).collect();
    assert!(failures.iter().any(|failure| failure.contains(reason)), "{reason} was not seen: {failures:#?}");
}

fn pages(answer: &mut Answer, change: impl FnOnce(&mut Vec<Value>)) {
    let Ok(mut page) = answer.json() else { return };
    if let Some(items) = page["items"].as_array_mut() {
        change(items);
        answer.body = page.to_string().into();
    }
}

fn is_later(ask: &Ask) -> bool {
    ask.target.contains("cursor=") || ask.target.contains("next=")
}

#[test]
fn a_walk_that_skips_a_row_is_seen() {
    caught(
        |ask, answer| {
            if is_later(ask) {
                pages(answer, |items| drop(items.drain(..items.len().min(1))));
            }
        },
        "rows instead of",
    );
}

#[test]
fn a_walk_that_repeats_a_row_is_seen() {
    caught(
        |ask, answer| {
            if is_later(ask) {
                pages(answer, |items| items.extend(items.last().cloned()));
            }
        },
        "rows instead of",
    );
}
