//! One captured request as a command or as text, to be sent again; secrets were redacted before it was stored.

use crate::body::Body;
use crate::error::{Error, Thing};
use crate::record::{Field, Record};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write;

// The client that replays sets these itself; pseudo-fields belong to HTTP/2 framing.
const OWN_FIELDS: &[&str] =
    &["host", "content-length", "connection", "transfer-encoding", "accept-encoding", "keep-alive", "te", "upgrade"];

/// A shell command that sends the request again with curl.
pub(super) fn curl(record: &Record) -> Result<String, Error> {
    let (method, url) = target(record)?;
    let body = record.request.body.as_ref().filter(|body| !body.bytes.is_empty());
    let text = body.map(|body| std::str::from_utf8(&body.bytes).ok().filter(|text| !text.contains('\0')));
    let mut command = String::new();
    if let (Some(body), Some(None)) = (body, text) {
        let _ = write!(command, "printf %s {} | base64 -d | ", quote(&STANDARD.encode(&body.bytes)));
    }
    // a URL is not a pattern: -g turns curl's globbing of [] and {} off
    let _ = write!(command, "curl -g -X {} {}", quote(method), quote(&url));
    for (name, value) in fields(record) {
        // curl drops a field without a value unless it ends in a semicolon
        let field = if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") };
        let _ = write!(command, " \\\n  -H {}", quote(&field));
    }
    if record.request.headers.get("accept-encoding").is_some() {
        command.push_str(" \\\n  --compressed");
    }
    match text {
        Some(Some(text)) => {
            let _ = write!(command, " \\\n  --data-raw {}", quote(text));
        }
        Some(None) => command.push_str(" \\\n  --data-binary @-"),
        None => {}
    }
    command.push('\n');
    if let Some(note) = record.request.body.as_ref().and_then(cut_note) {
        let _ = writeln!(command, "# {note}");
    }
    Ok(command)
}

/// The request as an `.http` file; the answer follows as comments.
pub(super) fn http(record: &Record) -> Result<Vec<u8>, Error> {
    let (method, url) = target(record)?;
    let mut out = format!("{} {} HTTP/1.1\n", one_line(method), one_line(&url)).into_bytes();
    for (name, value) in fields(record) {
        out.extend_from_slice(format!("{}: {}\n", one_line(name), one_line(value)).as_bytes());
    }
    out.push(b'\n');
    if let Some(body) = &record.request.body {
        out.extend_from_slice(&body.bytes);
        out.push(b'\n');
    }
    let mut answer = String::from("\n### answer\n");
    if let Some(status) = record.status {
        let _ = writeln!(answer, "# HTTP/1.1 {status}");
    }
    for (name, value) in record.response.headers.iter() {
        let _ = writeln!(answer, "# {}: {}", one_line(name), one_line(value));
    }
    if let Some(body) = &record.response.body {
        answer.push_str("#\n");
        for line in String::from_utf8_lossy(&body.bytes).lines() {
            let _ = writeln!(answer, "# {}", one_line(line));
        }
    }
    for (side, message) in [("request", &record.request), ("response", &record.response)] {
        if let Some(note) = message.body.as_ref().and_then(cut_note) {
            let _ = writeln!(answer, "# {side}: {note}");
        }
    }
    out.extend_from_slice(answer.as_bytes());
    Ok(out)
}

fn target(record: &Record) -> Result<(&str, String), Error> {
    let (method, path) = record.text(Field::Method).zip(record.url()).ok_or(Error::Missing(Thing::Request))?;
    let host = record.text(Field::Host).or_else(|| record.request.headers.get("host")).unwrap_or("localhost");
    Ok((method, format!("{}://{host}{path}", record.text(Field::Scheme).unwrap_or("http"))))
}

fn fields(record: &Record) -> impl Iterator<Item = (&str, &str)> {
    record.request.headers.iter().filter(|(name, _)| !name.starts_with(':') && !OWN_FIELDS.contains(name))
}

fn cut_note(body: &Body) -> Option<String> {
    let cut = body.cut?;
    Some(format!("the body is not whole ({}): {} of {} bytes were kept", cut.name(), body.bytes.len(), body.size))
}

// POSIX shells take everything within single quotes as it is, except the quote itself
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn one_line(text: &str) -> String {
    text.replace(['\r', '\n'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::Cut;
    use crate::timestamp::Timestamp;

    fn record(body: &[u8]) -> Record {
        let mut record = Record::new(Timestamp::from_nanos(0));
        for (field, value) in [
            (Field::Method, "POST"),
            (Field::Scheme, "https"),
            (Field::Host, "api.example.test"),
            (Field::Path, "/it's/[1]"),
            (Field::Query, "a=1&b=$HOME"),
        ] {
            record.texts.set(field, value);
        }
        record.request.headers.push("Content-Length", "9");
        record.request.headers.push(":authority", "api.example.test");
        record.request.headers.push("X-Note", "it's");
        record.request.headers.push("X-Empty", "");
        record.request.body = Some(Body { size: 9, bytes: body.to_vec(), ..Body::default() });
        record.status = Some(201);
        record.response.headers.push("X-Multi", "a\r\nb");
        record.response.body =
            Some(Body { size: 99, bytes: b"ok\nyes".to_vec(), cut: Some(Cut::Cap), ..Body::default() });
        record
    }

    #[test]
    fn a_command_survives_the_shell() {
        assert_eq!(
            curl(&record(b"it's\n{}")).unwrap(),
            "curl -g -X 'POST' 'https://api.example.test/it'\\''s/[1]?a=1&b=$HOME' \\\n  -H 'x-note: it'\\''s' \\\n  \
             -H 'x-empty;' \\\n  --data-raw 'it'\\''s\n{}'\n"
        );
        let binary = curl(&record(b"\xff\0")).unwrap();
        assert!(binary.starts_with("printf %s '/wA=' | base64 -d | curl "), "{binary}");
        assert!(binary.ends_with("--data-binary @-\n"), "{binary}");
    }

    #[test]
    fn a_request_is_text_and_its_answer_a_comment() {
        assert_eq!(
            String::from_utf8(http(&record(b"{}")).unwrap()).unwrap(),
            "POST https://api.example.test/it's/[1]?a=1&b=$HOME HTTP/1.1\nx-note: it's\nx-empty: \n\n{}\n\n### answer\n\
             # HTTP/1.1 201\n# x-multi: a  b\n#\n# ok\n# yes\n\
             # response: the body is not whole (cap): 6 of 99 bytes were kept\n"
        );
    }

    #[test]
    fn an_event_is_no_request() {
        let event = Record::new(Timestamp::from_nanos(0));
        assert_eq!(curl(&event), Err(Error::Missing(Thing::Request)));
        assert_eq!(http(&event), Err(Error::Missing(Thing::Request)));
    }
}
