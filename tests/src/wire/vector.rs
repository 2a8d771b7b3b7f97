//! A vector file, read.

use super::Count;
use super::seed::UNLIMITED;
use super::step::{End, Message, Step, Turn};
use reqlog_core::format::time::rfc3339;
use reqlog_core::limit::Limits;
use reqlog_core::plan::{FanOut, Offer};
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
    /// Hoody's fan-out, where it is enabled.
    pub(super) fan_out: Option<FanOut>,
    pub(super) steps: Vec<Step<'t>>,
}

impl<'t> Vector<'t> {
    pub(super) fn parse(text: &'t str) -> Result<Self, String> {
        let mut blocks = blocks(text);
        let (_, comment) = blocks.next().unwrap_or_default();
        let mut vector = Self { seed: None, now: None, limits: UNLIMITED, fan_out: None, steps: Vec::new() };
        for line in comment.lines().filter(|line| line.starts_with('@')) {
            match line.split_once(' ').map(|(word, value)| (word, value.trim())) {
                Some(("@seed", name)) if vector.seed.is_none() => vector.seed = Some(name),
                Some(("@now", time)) if vector.now.is_none() => {
                    vector.now = Some(rfc3339(time).ok_or_else(|| format!("no RFC 3339 time: {line}"))?);
                }
                Some(("@limits", "contracts")) if vector.limits == UNLIMITED => vector.limits = Limits::default(),
                Some(("@fanout", times)) if vector.fan_out.is_none() => {
                    vector.fan_out = Some(fan_out(times).ok_or_else(|| format!("no times of a fan-out: {line}"))?);
                }
                _ => return Err(format!("none of one @seed, one @now, @limits contracts and one @fanout: {line}")),
            }
        }
        vector.steps = blocks.map(|(line, block)| step(line, block)).collect::<Result<_, _>>()?;
        if vector.steps.is_empty() { Err("no step".to_owned()) } else { Ok(vector) }
    }

    /// The streams that no step leaves or sees closed.
    pub(super) fn left_open(&self) -> Vec<&str> {
        let mut open: Vec<&str> = Vec::new();
        for step in &self.steps {
            match &step.turn {
                Turn::Open { streams, answer, .. } if answer.is_success() => {
                    open.extend(streams.iter().map(String::as_str));
                }
                Turn::Follow { stream, end: End::Closed, .. } | Turn::Leave { stream } => {
                    open.retain(|one| one != stream);
                }
                _ => {}
            }
        }
        open
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
    let (name, mut rest) = block.split_once('\n').unwrap_or((block, ""));
    let name = name.trim_start_matches('#').trim();
    let (mut wait, mut times, mut stream, mut place) = (Duration::ZERO, 1, None, None);
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
            Some(("@where", what)) if place.is_none() => {
                place = Some(where_offered(what).ok_or_else(|| format!("nothing that is offered: {line}"))?);
            }
            Some((word @ ("@stream" | "@frames" | "@closed" | "@disconnect"), name))
                if stream.is_none() && !name.is_empty() =>
            {
                stream = Some((word, name));
            }
            _ => return Err(format!("neither one @wait, one @times, one @where nor a stream: {line}")),
        }
    }
    if times > 1 && stream.is_some_and(|(word, _)| word != "@stream") {
        return Err(format!("line {line}, {name}: @times {times} is for requests"));
    }
    let follow = |stream, end| Turn::Follow { stream, expected: rest.trim_matches('\n'), end };
    let turn = match stream {
        Some(("@frames", stream)) => follow(stream, End::Open),
        Some(("@closed", stream)) => follow(stream, End::Closed),
        Some(("@disconnect", stream)) if rest.trim().is_empty() => Turn::Leave { stream },
        Some(("@disconnect", _)) => return Err(format!("line {line}, {name}: nothing comes after @disconnect")),
        opened => {
            let at = rest.find("\nHTTP/1.1 ").ok_or_else(|| format!("line {line}, {name}: no line HTTP/1.1"))?;
            let (request, answer) = (Message::read(&rest[..at]), Message::read(rest[at + 1..].trim_end_matches('\n')));
            match opened {
                Some((_, stream)) if times == 1 => Turn::Open { streams: vec![stream.to_owned()], request, answer },
                Some((_, stream)) => {
                    let streams = (1..=times).map(|time| format!("{stream}{time}")).collect();
                    Turn::Open { streams, request, answer }
                }
                None => Turn::Ask { times, request, answer },
            }
        }
    };
    Ok(Step { line, name, wait, place, turn })
}

/// `backup`, `no-metrics`: what is offered, and whether it is.
fn where_offered(text: &str) -> Option<(Offer, bool)> {
    let name = text.strip_prefix("no-").unwrap_or(text);
    let offer = match name {
        "backup" => Offer::Backup,
        "metrics" => Offer::Metrics,
        "write" => Offer::Write,
        "tail" => Offer::Tail,
        _ => return None,
    };
    Some((offer, name == text))
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
        assert_eq!(vector.limits, UNLIMITED);
        let vector = Vector::parse("@limits contracts\n### s\n@wait 250ms\n@times 3\nGET /\n\nHTTP/1.1 404\n").unwrap();
        assert_eq!(vector.limits, Limits::default());
        let Turn::Ask { times, .. } = vector.steps[0].turn else { panic!("{vector:?}") };
        assert_eq!((vector.steps[0].wait, times), (Duration::from_millis(250), 3));
    }

    #[test]
    fn streams_are_named_and_what_is_left_of_them_is_known() {
        let open = |name: &str| format!("### o\n@stream {name}\nGET /s\n\nHTTP/1.1 200\n\n:\n\n");
        let text = open("a")
            + &open("b")
            + &open("c\n@times 2")
            + "### f\n@frames a\n\nid: 1\ndata: x\n\n:\n\n### e\n@closed b\n### d\n@disconnect c2\n";
        let vector = Vector::parse(&text).unwrap();
        assert_eq!(vector.left_open(), ["a", "c1"]);
        assert!(Vector::parse("### f\n@frames a\n@times 2\n").unwrap_err().contains("@times 2 is for requests"));
        let Turn::Follow { stream: "a", expected, end: End::Open } = vector.steps[3].turn else { panic!("{vector:?}") };
        assert_eq!(expected, "id: 1\ndata: x\n\n:");
        assert_eq!(vector.count(), Count { files: 1, steps: 6, refusals: 0 });
        assert!(Vector::parse("### d\n@disconnect c\nGET /\n").unwrap_err().contains("nothing comes after"));
    }

    #[test]
    fn what_is_no_vector_is_refused() {
        let refuse = |text: &str| Vector::parse(text).unwrap_err();
        assert!(refuse("@sed a\n### s\nGET /\n\nHTTP/1.1 200\n").contains("@sed a"));
        assert!(refuse("@seed a\n@seed b\n### s\nGET /\n\nHTTP/1.1 200\n").contains("@seed b"));
        assert!(refuse("@limits none\n### s\nGET /\n\nHTTP/1.1 200\n").contains("@limits none"));
        for wrong in [
            "@wait 10",
            "@wait 1s\n@wait 1s",
            "@wait",
            "@times 1",
            "@times 2\n@times 2",
            "@then",
            "@stream",
            "@stream a\n@frames a",
            "@frames a\n@times 2",
        ] {
            let told = refuse(&format!("### s\n{wrong}\nGET /\n\nHTTP/1.1 200\n"));
            assert!(told.contains(wrong.lines().last().unwrap()), "{told}");
        }
        assert!(refuse("@fanout age=5\n### s\nGET /\n\nHTTP/1.1 200\n").contains("age=5"));
        assert!(refuse("@now noon\n### s\nGET /\n\nHTTP/1.1 200\n").contains("noon"));
        assert!(refuse("### s\nGET /\n").contains("line 1, s: no line HTTP/1.1"));
        assert!(refuse("a comment only\n").contains("no step"));
    }
}
