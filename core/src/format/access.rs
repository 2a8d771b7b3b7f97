//! Apache and nginx access logs: common, combined, with a virtual host before or more fields behind.
//!
//! `host ident user [time] "request" status bytes "referer" "user agent" …`, see Apache's `mod_log_config`.
//! A request that is no HTTP (port scans, TLS on a plain port) makes no bad line: its text becomes the message.

use std::borrow::Cow;

use super::attributes::Attributes;
use super::content;
use super::json::{Value, quote};
use super::time;
use super::url::{Url, protocol};
use crate::level::Level;
use crate::record::{Field, Kind, Record};
use crate::timestamp::Timestamp;

/// Reads one line, or says what of its structure is broken.
pub(super) fn read(line: &str) -> Result<Record, String> {
    let Front { host, client, ident, user, time, rest } = front(line)?;
    let mut record = Record::new(time);
    record.kind = Kind::Exchange;
    let mut attributes = Attributes::default();
    if let Some(host) = host {
        record.texts.set(Field::Host, host);
    }
    record.texts.set(Field::ClientIp, client);
    attributes.push_text("ident", present(ident));
    record.texts.set_some(Field::UserId, Some(present(user)));

    let (request, rest) = request(rest)?;
    if !request_line(&unescape(request), &mut record) {
        record.texts.set_some(Field::Message, Some(present(request)));
    }
    let mut fields = Fields(rest);
    let status = fields.next().ok_or("no status after the request")?;
    record.status = match status.text {
        "-" | "0" | "000" => None,
        digits => Some(
            digits
                .parse()
                .ok()
                .filter(|status| (100..1000).contains(status))
                .ok_or("the status is no number of 100 to 999")?,
        ),
    };
    match fields.next().map(|field| field.text) {
        None | Some("-") => {}
        Some(digits) => {
            let size = digits.parse().map_err(|_| "the size is no number")?;
            record.response.body = Some(content::sized(size));
        }
    }
    trailing(fields, &mut record, &mut attributes);
    record.level = Level::at_ingestion(None, record.status);
    record.attributes = attributes.finish();
    Ok(record)
}

/// Whether `line` is read without complaint; cheap on lines that are something else.
pub(super) fn is_line(line: &[u8]) -> bool {
    line.len() < 64 << 10 && std::str::from_utf8(line).is_ok_and(|line| read(line).is_ok())
}

/// Fills method, target and protocol from `GET /a?b HTTP/1.1`; false when `line` is no request line.
pub(super) fn request_line(line: &str, record: &mut Record) -> bool {
    let mut words = line.split(' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return false };
    // HTTP/0.9 had no version; a target with blanks in it is kept whole
    let version = words.next_back();
    let target = match version {
        Some(version) if version.starts_with("HTTP/") => {
            record.texts.set_default(Field::Protocol, protocol(version));
            line[method.len() + 1..].strip_suffix(version).map_or(target, |target| target.trim_ascii_end())
        }
        Some(_) => return false,
        None => target,
    };
    let is_token = !method.is_empty()
        && method.len() <= 32
        && method.bytes().all(|b| b.is_ascii_uppercase() || b == b'-' || b == b'_');
    if !is_token || target.is_empty() {
        record.texts.clear(Field::Protocol);
        return false;
    }
    record.texts.set_default(Field::Method, method);
    if method == "CONNECT" && !target.contains('/') {
        record.texts.set_default(Field::Host, target);
    } else {
        Url::split(target).fill(record);
    }
    true
}

struct Front<'a> {
    host: Option<&'a str>,
    client: &'a str,
    ident: &'a str,
    user: &'a str,
    time: Timestamp,
    rest: &'a str,
}

fn front(line: &str) -> Result<Front<'_>, String> {
    let open = line.find(" [").ok_or("no [time]")?;
    let close = line[open..].find(']').map(|at| open + at).ok_or("no ] after the time")?;
    let time = time::apache(&line[open + 2..close]).ok_or("the time is not like 17/May/2015:10:05:03 +0000")?;
    let before = &line[..open];
    let mut words = before.split(' ');
    let mut next = || words.next().filter(|word| !word.is_empty()).ok_or("expected `host ident user` before the time");
    let (first, second, third) = (next()?, next()?, next()?);
    // vhost_combined begins with the server's name and port, then the client
    let is_virtual = first.split_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok() && !port.is_empty());
    let (host, client, ident) = if is_virtual { (Some(first), second, third) } else { (None, first, second) };
    let words = usize::from(is_virtual) + 2;
    let user_at = before.match_indices(' ').nth(words - 1).map(|(at, _)| at + 1);
    let user = user_at.map(|at| &before[at..]).filter(|user| !user.is_empty());
    let user = user.ok_or("expected `host ident user` before the time")?;
    Ok(Front { host, client, ident, user, time, rest: line[close + 1..].trim_ascii_start() })
}

/// The request between its quotes, and what follows them.
///
/// A quote inside the request is escaped, but not by every server: the closing one is followed by a status.
fn request(rest: &str) -> Result<(&str, &str), String> {
    let inner = rest.strip_prefix('"').ok_or("no \"request\" after the time")?;
    let ends = |at: &usize| {
        let behind = inner[at + 1..].trim_ascii_start().as_bytes();
        matches!(
            behind,
            [b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b' ', ..] | [b'0'..=b'9', b'0'..=b'9', b'0'..=b'9'] | [b'-', ..]
        )
    };
    let at = quotes(inner).find(ends).or_else(|| quotes(inner).next()).ok_or("the \"request\" has no closing quote")?;
    Ok((&inner[..at], &inner[at + 1..]))
}

/// Positions of quotes that no backslash escapes.
fn quotes(text: &str) -> impl Iterator<Item = usize> {
    let mut escaped = false;
    text.bytes().enumerate().filter_map(move |(at, byte)| {
        let quote = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        quote.then_some(at)
    })
}

#[derive(Clone, Copy)]
struct Token<'a> {
    text: &'a str,
    quoted: bool,
}

/// Blank-separated fields, quoted or not; the last may lack its closing quote.
struct Fields<'a>(&'a str);

impl<'a> Iterator for Fields<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let text = self.0.trim_ascii_start();
        if text.is_empty() {
            return None;
        }
        if let Some(inner) = text.strip_prefix('"') {
            let end = quotes(inner).next().unwrap_or(inner.len());
            self.0 = inner.get(end + 1..).unwrap_or_default();
            return Some(Token { text: &inner[..end], quoted: true });
        }
        let end = text.find(' ').unwrap_or(text.len());
        self.0 = &text[end..];
        Some(Token { text: &text[..end], quoted: false })
    }
}

fn trailing(mut fields: Fields<'_>, record: &mut Record, attributes: &mut Attributes) {
    let all: Vec<Token<'_>> = fields.by_ref().collect();
    let mut rest = all.as_slice();
    if let [referer, agent, more @ ..] = rest
        && referer.quoted
        && agent.quoted
    {
        if !present(referer.text).is_empty() {
            record.request.headers.push("referer", &unescape(referer.text));
        }
        record.texts.set_some(Field::UserAgent, Some(&unescape(present(agent.text))));
        rest = more;
    }
    // Traefik: count of requests, router, server, duration
    if let [count, router, server, took] = rest
        && let (Ok(count), Some(nanos)) = (count.text.parse::<u64>(), named_duration(took.text))
        && router.quoted
        && server.quoted
    {
        record.duration = Some(nanos);
        attributes.push("RequestCount", Value::Json(&count.to_string()));
        attributes.push_text("RouterName", present(router.text));
        attributes.push_text("ServiceURL", present(server.text));
        return;
    }
    // nginx's stock format ends in "$http_x_forwarded_for"
    if let [forwarded, more @ ..] = rest
        && forwarded.quoted
        && is_addresses(forwarded.text)
    {
        record.request.headers.push("x-forwarded-for", forwarded.text);
        rest = more;
    }
    let mut extra = String::new();
    for field in rest {
        if !timing(field, record, attributes) {
            extra.push(if extra.is_empty() { '[' } else { ',' });
            quote(&unescape(field.text), &mut extra);
        }
    }
    if !extra.is_empty() && rest.iter().any(|field| !present(field.text).is_empty()) {
        extra.push(']');
        attributes.push("extra", Value::Json(&extra));
    }
}

/// Takes `key=value`; nginx's habit is `rt=` for its `$request_time` in seconds.
fn timing(field: &Token<'_>, record: &mut Record, attributes: &mut Attributes) -> bool {
    let Some((key, value)) = field.text.split_once('=').filter(|_| !field.quoted) else { return false };
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return false;
    }
    let value = value.trim_matches('"');
    if matches!(key, "rt" | "request_time") && record.duration.is_none() {
        record.duration = time::duration(value, time::Unit::Seconds);
        if record.duration.is_some() {
            return true;
        }
    }
    attributes.push_text(key, present(value));
    true
}

fn named_duration(text: &str) -> Option<u64> {
    text.ends_with('s').then(|| time::duration(text, time::Unit::Millis))?
}

fn is_addresses(text: &str) -> bool {
    text.split(',').all(|address| address.trim_ascii().parse::<std::net::IpAddr>().is_ok())
}

fn present(text: &str) -> &str {
    if text == "-" { "" } else { text }
}

/// `\"`, `\\`, `\n` and `\xHH` as Apache and nginx write them; text that would not be UTF-8 stays as logged.
fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.as_bytes();
    while let [byte, rest @ ..] = bytes {
        let (plain, used) = match rest {
            [b'x', high, low, ..] if *byte == b'\\' => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, 4),
                _ => (b'\\', 1),
            },
            [symbol @ (b'"' | b'\\'), ..] if *byte == b'\\' => (*symbol, 2),
            [b'n', ..] if *byte == b'\\' => (b'\n', 2),
            [b'r', ..] if *byte == b'\\' => (b'\r', 2),
            [b't', ..] if *byte == b'\\' => (b'\t', 2),
            _ => (*byte, 1),
        };
        out.push(plain);
        bytes = &bytes[used..];
    }
    String::from_utf8(out).map_or(Cow::Borrowed(text), Cow::Owned)
}

fn hex(digit: u8) -> Option<u8> {
    (digit as char).to_digit(16).map(|value| value as u8)
}
