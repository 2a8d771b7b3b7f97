//! One request and what its answer must be.

use super::template::{self, Captured};
use super::{Server, documented, streamed};
use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http::header::{CONNECTION, CONTENT_ENCODING, DATE, HOST, HeaderName, TRANSFER_ENCODING};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use reqlog_core::plan::Offer;
use std::io::Read;
use std::time::Duration;

/// What of an answer is the connection's affair and no part of the API.
const OF_THE_CONNECTION: [HeaderName; 4] = [CONNECTION, DATE, HeaderName::from_static("keep-alive"), TRANSFER_ENCODING];

/// A step of a vector file.
#[derive(Debug)]
pub(super) struct Step<'t> {
    pub(super) line: usize,
    pub(super) name: &'t str,
    /// Passes before, once.
    pub(super) wait: Duration,
    /// Only where this is offered, or where it is not.
    pub(super) place: Option<(Offer, bool)>,
    pub(super) turn: Turn<'t>,
}

/// What is done.
#[derive(Debug)]
pub(super) enum Turn<'t> {
    /// Asks so many times; an answer each.
    Ask { times: usize, request: Message<'t>, answer: Message<'t> },
    /// Asks for streams, each under its name; the body is what comes at once.
    Open { streams: Vec<String>, request: Message<'t>, answer: Message<'t> },
    /// Looks at what came of a stream since.
    Follow { stream: &'t str, expected: &'t str, end: End },
    /// Leaves a stream.
    Leave { stream: &'t str },
}

/// How a request is asked.
#[derive(Clone, Copy, Debug)]
enum Whom<'a> {
    /// Of the frontend, whoever does it there.
    Anyone,
    /// Of the deployment under test itself.
    Itself,
    /// For a stream of this name.
    Stream(&'a str),
}

/// What comes after what came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Maybe more.
    Open,
    /// Nothing: the server has closed the stream.
    Closed,
    /// Another step looks.
    Either,
}

/// A first line, header lines and a body.
#[derive(Debug)]
pub(super) struct Message<'t> {
    start: &'t str,
    fields: Vec<&'t str>,
    body: Option<&'t str>,
}

impl Step<'_> {
    pub(super) fn is_refusal(&self) -> bool {
        match &self.turn {
            Turn::Ask { answer, .. } | Turn::Open { answer, .. } => answer.status().starts_with('4'),
            Turn::Follow { .. } | Turn::Leave { .. } => false,
        }
    }

    /// Asks and checks, as often as it says; of the first answer that does not hold, all of it.
    pub(super) fn run(&self, server: &mut impl Server, captured: &mut Captured) -> Result<(), String> {
        server.wait(self.wait);
        match &self.turn {
            Turn::Ask { times, request, answer } => (1..=*times).try_for_each(|time| {
                let of = if *times > 1 { format!("  time {time} of {times}\n") } else { String::new() };
                let whom = if matches!(self.place, Some((_, false))) { Whom::Itself } else { Whom::Anyone };
                answer.once(request, whom, server, captured).map_err(|failure| of + &failure)
            }),
            Turn::Open { streams, request, answer } => {
                streams.iter().try_for_each(|name| answer.once(request, Whom::Stream(name), server, captured))
            }
            Turn::Follow { stream, expected, end } => streamed::follow(stream, expected, *end, server, captured),
            Turn::Leave { stream } => {
                server.disconnect(stream);
                Ok(())
            }
        }
    }
}

impl<'t> Message<'t> {
    /// Asks and checks; where it is for a stream and one comes, its first events too.
    fn once(
        &self,
        request: &Message<'_>,
        whom: Whom<'_>,
        server: &mut impl Server,
        captured: &mut Captured,
    ) -> Result<(), String> {
        let request = request.request(captured).map_err(|error| format!("  not asked: {error}"))?;
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let answer = match whom {
            Whom::Stream(name) => server.open(name, request),
            Whom::Itself => server.answer_itself(request),
            Whom::Anyone => server.answer(request),
        };
        let mut answer = answer.map_err(|error| format!("  no answer: {error}"))?;
        for name in OF_THE_CONNECTION {
            answer.headers_mut().remove(name);
        }
        let mut wrong = Vec::new();
        if let Whom::Stream(name) = whom
            && streamed::is_stream(&answer)
        {
            self.check_head(&answer, captured, &mut wrong);
            wrong.extend(documented::check(&method, &path, &answer).err());
            let expected = self.body.unwrap_or_default();
            wrong.extend(streamed::follow(name, expected, End::Either, server, captured).err());
            return if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) };
        }
        let empty = [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&answer.status());
        if (empty || method == Method::HEAD) && !answer.body().is_empty() {
            wrong.push("  expected no body, as the method or the status says".to_owned());
        }
        match inflated(&answer) {
            Ok(body) => *answer.body_mut() = body,
            Err(error) => wrong.push(format!("  expected a gzip body: {error}")),
        }
        self.check(&answer, captured, &mut wrong);
        wrong.extend(documented::check(&method, &path, &answer).err());
        if wrong.is_empty() { Ok(()) } else { Err(format!("{}\n  answered {}", wrong.join("\n"), show(&answer))) }
    }

    pub(super) fn read(text: &'t str) -> Self {
        let (head, body) = match text.split_once("\n\n") {
            Some((head, body)) => (head, Some(body)),
            None => (text, None),
        };
        let mut lines = head.lines();
        Self { start: lines.next().unwrap_or_default(), fields: lines.collect(), body }
    }

    fn status(&self) -> &'t str {
        self.start.trim_start_matches("HTTP/1.1 ").trim()
    }

    pub(super) fn is_success(&self) -> bool {
        self.status() == "200"
    }

    fn request(&self, captured: &Captured) -> Result<Request<Bytes>, String> {
        let start = template::fill(self.start, captured)?;
        let start = str::from_utf8(&start).map_err(|error| error.to_string())?;
        let (method, target) = start.split_once(' ').ok_or("no request line")?;
        let mut request = Request::builder().method(method).uri(target);
        for field in &self.fields {
            let (name, value) = field.split_once(':').ok_or_else(|| format!("no header field: {field}"))?;
            request = request.header(name, template::fill(value.trim(), captured)?);
        }
        let body = template::fill(self.body.unwrap_or_default(), captured)?;
        let mut request = request.body(body.into()).map_err(|error| error.to_string())?;
        // every frontend is asked under one name
        request.headers_mut().entry(HOST).or_insert(HeaderValue::from_static("reqlog.test"));
        Ok(request)
    }

    fn check(&self, answer: &Response<Bytes>, captured: &mut Captured, wrong: &mut Vec<String>) {
        self.check_head(answer, captured, wrong);
        if let Some(body) = self.body
            && let Err(difference) = template::fit(body, answer.body(), captured)
        {
            wrong.push(format!("  the body differs{difference}"));
        }
    }

    fn check_head(&self, answer: &Response<Bytes>, captured: &mut Captured, wrong: &mut Vec<String>) {
        if answer.status().as_str() != self.status() {
            wrong.push(format!("  expected status {}", self.status()));
        }
        for field in &self.fields {
            if let Some(name) = field.strip_prefix('!') {
                if answer.headers().contains_key(name) {
                    wrong.push(format!("  expected no {name}"));
                }
            } else if let Err(error) = check_field(field, answer, captured) {
                wrong.push(error);
            }
        }
    }
}

/// One of the fields of that name has the value.
fn check_field(field: &str, answer: &Response<Bytes>, captured: &mut Captured) -> Result<(), String> {
    let (name, value) = field.split_once(':').ok_or_else(|| format!("  no header field: {field}"))?;
    let mut differences = String::new();
    for got in answer.headers().get_all(name) {
        match template::fit(value.trim(), got.as_bytes(), captured) {
            Ok(()) => return Ok(()),
            Err(difference) => differences += &difference,
        }
    }
    Err(format!("  expected {field}{differences}"))
}

/// The body as it is without gzip.
fn inflated(answer: &Response<Bytes>) -> Result<Bytes, String> {
    match answer.headers().get(CONTENT_ENCODING) {
        Some(coding) if coding == "gzip" && !answer.body().is_empty() => {
            let mut plain = Vec::new();
            let read = MultiGzDecoder::new(&answer.body()[..]).read_to_end(&mut plain);
            read.map(|_| plain.into()).map_err(|error| error.to_string())
        }
        _ => Ok(answer.body().clone()),
    }
}

fn show(answer: &Response<Bytes>) -> String {
    const MOST: usize = 4096;
    let mut fields = String::new();
    for (name, value) in answer.headers() {
        fields.extend(["\n    ", name.as_str(), ": ", &template::printable(value.as_bytes())]);
    }
    let body = answer.body();
    let cut = if body.len() > MOST { "…" } else { "" };
    format!("{}{fields}\n\n    {}{cut}", answer.status(), template::printable(&body[..body.len().min(MOST)]))
}
