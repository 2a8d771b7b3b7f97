//! A vector file, read.

use super::Count;
use super::step::{Message, Step};
use reqlog_core::format::time::rfc3339;
use reqlog_core::plan::FanOut;
use reqlog_core::timestamp::Timestamp;
use std::time::Duration;

/// The steps of a file and what its server begins with.
#[derive(Debug)]
pub(super) struct Vector<'t> {
    /// Name of a seed file, without its extension.
    pub(super) seed: Option<&'t str>,
    /// The clock before the first request.
    pub(super) now: Option<Timestamp>,
    /// Hoody's fan-out, where it is enabled.
    pub(super) fan_out: Option<FanOut>,
    pub(super) steps: Vec<Step<'t>>,
}

impl<'t> Vector<'t> {
    pub(super) fn parse(text: &'t str) -> Result<Self, String> {
        let mut blocks = blocks(text);
        let (_, comment) = blocks.next().unwrap_or_default();
        let mut vector = Self { seed: None, now: None, fan_out: None, steps: Vec::new() };
        for line in comment.lines().filter(|line| line.starts_with('@')) {
            match line.split_once(' ').map(|(word, value)| (word, value.trim())) {
                Some(("@seed", name)) if vector.seed.is_none() => vector.seed = Some(name),
                Some(("@now", time)) if vector.now.is_none() => {
                    vector.now = Some(rfc3339(time).ok_or_else(|| format!("no RFC 3339 time: {line}"))?);
                }
                Some(("@fanout", times)) if vector.fan_out.is_none() => {
                    vector.fan_out = Some(fan_out(times).ok_or_else(|| format!("no times of a fan-out: {line}"))?);
                }
                _ => return Err(format!("no one @seed, @now or @fanout: {line}")),
            }
        }
        vector.steps = blocks.map(|(line, block)| step(line, block)).collect::<Result<_, _>>()?;
        if vector.steps.is_empty() { Err("no step".to_owned()) } else { Ok(vector) }
    }

    pub(super) fn count(&self) -> Count {
        let refusals = self.steps.iter().filter(|step| step.is_refusal()).count();
        Count { files: 1, steps: self.steps.len(), refusals }
    }
}

/// The age of cursors and the deadline of answers, in ms.
fn fan_out(times: &str) -> Option<FanOut> {
    let (age, deadline) = times.split_once(' ')?;
    let millis = |text: &str, unit| Some(Duration::from_millis(text.strip_prefix(unit)?.parse().ok()?));
    Some(FanOut { cursor_age: millis(age, "age=")?, deadline: millis(deadline, "deadline=")? })
}

fn step(line: usize, block: &str) -> Result<Step<'_>, String> {
    let (name, rest) = block.split_once('\n').unwrap_or((block, ""));
    let name = name.trim_start_matches('#').trim();
    let at = rest.find("\nHTTP/1.1 ").ok_or_else(|| format!("line {line}, {name}: no line HTTP/1.1"))?;
    let (request, answer) = (Message::read(&rest[..at]), Message::read(rest[at + 1..].trim_end_matches('\n')));
    Ok(Step { line, name, request, answer })
}

// the pieces that begin with lines that begin with `###`, after what is before the first, with their line numbers
fn blocks(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut starts = vec![(1, 0)];
    let mut at = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if line.starts_with("###") {
            starts.push((number + 1, at));
        }
        at += line.len();
    }
    starts.push((0, text.len()));
    (1..starts.len()).map(move |piece| (starts[piece - 1].0, &text[starts[piece - 1].1..starts[piece].1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_comment_says_what_the_server_begins_with() {
        let vector = Vector::parse(
            "What.\n@seed a\n@now 2026-06-23T12:05:00Z\n@fanout age=5 deadline=1000\n\n### s\nGET /\n\nHTTP/1.1 404\n",
        )
        .unwrap();
        assert_eq!(vector.seed, Some("a"));
        let fan_out = FanOut { cursor_age: Duration::from_millis(5), deadline: Duration::from_secs(1) };
        assert_eq!(vector.fan_out, Some(fan_out));
        assert_eq!(vector.now, Some(Timestamp::from_millis(1_782_216_300_000)));
        assert_eq!(vector.steps[0].line, 6);
        assert_eq!(vector.count(), Count { files: 1, steps: 1, refusals: 1 });
    }

    #[test]
    fn what_is_no_vector_is_refused() {
        let refuse = |text: &str| Vector::parse(text).unwrap_err();
        assert!(refuse("@sed a\n### s\nGET /\n\nHTTP/1.1 200\n").contains("@sed a"));
        assert!(refuse("@seed a\n@seed b\n### s\nGET /\n\nHTTP/1.1 200\n").contains("@seed b"));
        assert!(refuse("@fanout age=5\n### s\nGET /\n\nHTTP/1.1 200\n").contains("age=5"));
        assert!(refuse("@now noon\n### s\nGET /\n\nHTTP/1.1 200\n").contains("noon"));
        assert!(refuse("### s\nGET /\n").contains("line 1, s: no line HTTP/1.1"));
        assert!(refuse("a comment only\n").contains("no step"));
    }
}
