//! The wire vectors: reading them and running them against a frontend. `tests/vectors/README.md` has the format.

use bytes::Bytes;
use http::{Request, Response};
use regex::Regex;
use std::collections::BTreeMap;
use std::path::Path;

/// A server under test with an empty store of its own.
pub trait Frontend {
    /// The admin key that it was set up with.
    fn admin(&self) -> &str;
    /// Answers one request.
    fn answer(&mut self, request: Request<Bytes>) -> Response<Bytes>;
}

/// One request and what its answer must be.
#[derive(Debug)]
struct Step<'t> {
    name: &'t str,
    request: Message<'t>,
    answer: Message<'t>,
}

/// A first line, header lines and a body.
#[derive(Debug)]
struct Message<'t> {
    start: &'t str,
    fields: Vec<&'t str>,
    body: Option<&'t str>,
}

type Captured = BTreeMap<String, String>;

/// Runs every vector file of a folder, each against a fresh frontend; says what did not hold, file by file.
pub fn run_folder<F: Frontend>(folder: &Path, mut fresh: impl FnMut() -> F) -> Result<usize, String> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "http"));
    files.sort();
    let mut failures = Vec::new();
    for file in &files {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        if let Err(failure) = run(&text, &mut fresh()) {
            failures.push(format!("{}: {failure}", file.display()));
        }
    }
    if failures.is_empty() { Ok(files.len()) } else { Err(failures.join("\n\n")) }
}

/// Runs one vector file; stops at the first step that does not hold.
pub fn run(text: &str, frontend: &mut impl Frontend) -> Result<(), String> {
    let mut captured = Captured::from([("admin".to_owned(), frontend.admin().to_owned())]);
    for step in steps(text)? {
        let request = step.request.request(&captured).map_err(|error| format!("{}: {error}", step.name))?;
        let answer = frontend.answer(request);
        step.answer
            .check(&answer, &mut captured)
            .map_err(|error| format!("{}\n  {error}\n  answered {}", step.name, show(&answer)))?;
    }
    Ok(())
}

fn show(answer: &Response<Bytes>) -> String {
    let mut fields = String::new();
    for (name, value) in answer.headers() {
        fields.extend(["\n    ", name.as_str(), ": ", &String::from_utf8_lossy(value.as_bytes())]);
    }
    format!("{}{fields}\n    {}", answer.status(), String::from_utf8_lossy(answer.body()))
}

fn steps(text: &str) -> Result<Vec<Step<'_>>, String> {
    let mut steps = Vec::new();
    for block in split_before(text, "###").skip(1) {
        let (name, rest) = block.split_once('\n').unwrap_or((block, ""));
        let name = name.trim_start_matches('#').trim();
        let at = rest.find("\nHTTP/1.1 ").ok_or_else(|| format!("{name}: no line HTTP/1.1"))?;
        let (request, answer) = (Message::read(&rest[..at]), Message::read(rest[at + 1..].trim_end_matches('\n')));
        steps.push(Step { name, request, answer });
    }
    Ok(steps)
}

// pieces of `text` that begin with lines that begin with `mark`; what is before the first is the first piece
fn split_before<'t>(text: &'t str, mark: &'t str) -> impl Iterator<Item = &'t str> {
    let mut starts = vec![0];
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with(mark) {
            starts.push(at);
        }
        at += line.len();
    }
    starts.push(text.len());
    (1..starts.len()).map(move |piece| &text[starts[piece - 1]..starts[piece]])
}

impl<'t> Message<'t> {
    fn read(text: &'t str) -> Self {
        let (head, body) = match text.split_once("\n\n") {
            Some((head, body)) => (head, Some(body)),
            None => (text, None),
        };
        let mut lines = head.lines();
        Self { start: lines.next().unwrap_or_default(), fields: lines.collect(), body }
    }

    fn request(&self, captured: &Captured) -> Result<Request<Bytes>, String> {
        let start = fill(self.start, captured)?;
        let (method, target) = start.split_once(' ').ok_or("no request line")?;
        let mut request = Request::builder().method(method).uri(target);
        for field in &self.fields {
            let (name, value) = field.split_once(':').ok_or_else(|| format!("no header field: {field}"))?;
            request = request.header(name, fill(value.trim(), captured)?);
        }
        let body = fill(self.body.unwrap_or_default(), captured)?;
        request.body(body.into()).map_err(|error| error.to_string())
    }

    fn check(&self, answer: &Response<Bytes>, captured: &mut Captured) -> Result<(), String> {
        let status = self.start.trim_start_matches("HTTP/1.1 ").trim();
        if answer.status().as_str() != status {
            return Err(format!("expected status {status}"));
        }
        for field in &self.fields {
            if let Some(name) = field.strip_prefix('!') {
                if answer.headers().contains_key(name) {
                    return Err(format!("expected no {name}"));
                }
                continue;
            }
            let (name, value) = field.split_once(':').ok_or_else(|| format!("no header field: {field}"))?;
            let got = answer.headers().get(name).ok_or_else(|| format!("expected {field}"))?;
            fit(value.trim(), &String::from_utf8_lossy(got.as_bytes()), captured)?;
        }
        match self.body {
            Some(body) => fit(body, &String::from_utf8_lossy(answer.body()), captured),
            None => Ok(()),
        }
    }
}

/// The pieces of a template: text and, between each two, a name.
fn pieces(template: &str) -> (Vec<&str>, Vec<&str>) {
    let (mut texts, mut names) = (Vec::new(), Vec::new());
    let mut rest = template;
    while let Some((before, (name, after))) =
        rest.split_once("{{").and_then(|(before, rest)| Some((before, rest.split_once("}}")?)))
    {
        texts.push(before);
        names.push(name);
        rest = after;
    }
    texts.push(rest);
    (texts, names)
}

fn fill(template: &str, captured: &Captured) -> Result<String, String> {
    let (texts, names) = pieces(template);
    let mut out = texts[0].to_owned();
    for (name, text) in names.iter().zip(&texts[1..]) {
        out += captured.get(*name).ok_or_else(|| format!("nothing was captured as {name}"))?;
        out += text;
    }
    Ok(out)
}

fn fit(template: &str, got: &str, captured: &mut Captured) -> Result<(), String> {
    let (texts, names) = pieces(template);
    let mut pattern = format!("(?s)^{}", regex::escape(texts[0]));
    let mut fresh: Vec<&str> = Vec::new();
    for (name, text) in names.iter().zip(&texts[1..]) {
        match captured.get(*name) {
            _ if *name == "_" => pattern += ".*?",
            Some(known) => pattern += &regex::escape(known),
            None => {
                pattern += "(.*?)";
                fresh.push(name);
            }
        }
        pattern += &regex::escape(text);
    }
    let pattern = Regex::new(&(pattern + "\n?$")).map_err(|error| error.to_string())?;
    let found = pattern.captures(got).ok_or_else(|| format!("expected {template}"))?;
    for (at, name) in fresh.into_iter().enumerate() {
        captured.insert(name.to_owned(), found[at + 1].to_owned());
    }
    Ok(())
}
