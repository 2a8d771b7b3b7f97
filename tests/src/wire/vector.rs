//! A vector file, read.

use super::Count;
use super::seed::UNLIMITED;
use super::step::{Message, Step};
use reqlog_core::format::time::rfc3339;
use reqlog_core::limit::Limits;
use reqlog_core::timestamp::Timestamp;
use std::time::Duration;

/// The steps of a file and what its server begins with.
#[derive(Debug)]
pub(super) struct Vector<'t> {
    /// Name of a seed file, without its extension.
    pub(super) seed: Option<&'t str>,
    /// The clock before the first request.
    pub(super) now: Option<Timestamp>,
    /// What keys may ask for: nothing of it limited, or as the contracts say.
    pub(super) limits: Limits,
    pub(super) steps: Vec<Step<'t>>,
}

impl<'t> Vector<'t> {
    pub(super) fn parse(text: &'t str) -> Result<Self, String> {
        let mut blocks = blocks(text);
        let (_, comment) = blocks.next().unwrap_or_default();
        let mut vector = Self { seed: None, now: None, limits: UNLIMITED, steps: Vec::new() };
        for line in comment.lines().filter(|line| line.starts_with('@')) {
            match line.split_once(' ').map(|(word, value)| (word, value.trim())) {
                Some(("@seed", name)) if vector.seed.is_none() => vector.seed = Some(name),
                Some(("@now", time)) if vector.now.is_none() => {
                    vector.now = Some(rfc3339(time).ok_or_else(|| format!("no RFC 3339 time: {line}"))?);
                }
                Some(("@limits", "contracts")) if vector.limits == UNLIMITED => vector.limits = Limits::default(),
                _ => return Err(format!("none of one @seed, one @now and @limits contracts: {line}")),
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

fn step(line: usize, block: &str) -> Result<Step<'_>, String> {
    let (name, mut rest) = block.split_once('\n').unwrap_or((block, ""));
    let name = name.trim_start_matches('#').trim();
    let (mut wait, mut times) = (Duration::ZERO, 1);
    while rest.starts_with('@') {
        let line;
        (line, rest) = rest.split_once('\n').unwrap_or((rest, ""));
        match line.split_once(' ').map(|(word, value)| (word, value.trim())) {
            Some(("@wait", time)) if wait.is_zero() => {
                wait = duration(time).ok_or_else(|| format!("no time: {line}"))?;
            }
            Some(("@times", count)) if times == 1 => {
                times =
                    count.parse().ok().filter(|times| *times > 1).ok_or_else(|| format!("not 2 or more: {line}"))?;
            }
            _ => return Err(format!("neither one @wait nor one @times: {line}")),
        }
    }
    let at = rest.find("\nHTTP/1.1 ").ok_or_else(|| format!("line {line}, {name}: no line HTTP/1.1"))?;
    let (request, answer) = (Message::read(&rest[..at]), Message::read(rest[at + 1..].trim_end_matches('\n')));
    Ok(Step { line, name, wait, times, request, answer })
}

/// Whole milliseconds or seconds: `250ms`, `10s`.
fn duration(text: &str) -> Option<Duration> {
    match text.strip_suffix("ms") {
        Some(millis) => millis.parse().ok().map(Duration::from_millis),
        None => text.strip_suffix('s')?.parse().ok().map(Duration::from_secs),
    }
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
        let vector =
            Vector::parse("What.\n@seed a\n@now 2026-06-23T12:05:00Z\n\n### s\nGET /\n\nHTTP/1.1 404\n").unwrap();
        assert_eq!(vector.seed, Some("a"));
        assert_eq!(vector.now, Some(Timestamp::from_millis(1_782_216_300_000)));
        assert_eq!(vector.steps[0].line, 5);
        assert_eq!(vector.count(), Count { files: 1, steps: 1, refusals: 1 });
        assert_eq!(vector.limits, UNLIMITED);
        let vector = Vector::parse("@limits contracts\n### s\n@wait 250ms\n@times 3\nGET /\n\nHTTP/1.1 404\n").unwrap();
        assert_eq!(vector.limits, Limits::default());
        assert_eq!((vector.steps[0].wait, vector.steps[0].times), (Duration::from_millis(250), 3));
    }

    #[test]
    fn what_is_no_vector_is_refused() {
        let refuse = |text: &str| Vector::parse(text).unwrap_err();
        assert!(refuse("@sed a\n### s\nGET /\n\nHTTP/1.1 200\n").contains("@sed a"));
        assert!(refuse("@seed a\n@seed b\n### s\nGET /\n\nHTTP/1.1 200\n").contains("@seed b"));
        assert!(refuse("@limits none\n### s\nGET /\n\nHTTP/1.1 200\n").contains("@limits none"));
        for wrong in ["@wait 10", "@wait 1s\n@wait 1s", "@wait", "@times 1", "@times 2\n@times 2", "@then"] {
            let told = refuse(&format!("### s\n{wrong}\nGET /\n\nHTTP/1.1 200\n"));
            assert!(told.contains(wrong.lines().last().unwrap()), "{told}");
        }
        assert!(refuse("@now noon\n### s\nGET /\n\nHTTP/1.1 200\n").contains("noon"));
        assert!(refuse("### s\nGET /\n").contains("line 1, s: no line HTTP/1.1"));
        assert!(refuse("a comment only\n").contains("no step"));
    }
}
