//! Server-Sent Events (WHATWG HTML, 9.2) as plain data.

use std::fmt::Display;

/// One event.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a, I> {
    /// What `Last-Event-ID` will be; `None` leaves it as it was. Its text has no line end and no NUL.
    pub id: Option<I>,
    /// The event's type; `None` is `message`. No line end.
    pub event: Option<&'static str>,
    /// What it says; lines of their own are put together again by the reader.
    pub data: &'a str,
}

impl<I: Display> Frame<'_, I> {
    /// Appends the event.
    pub fn write(&self, out: &mut Vec<u8>) {
        if let Some(id) = &self.id {
            field("id", &id.to_string(), out);
        }
        if let Some(event) = self.event {
            field("event", event, out);
        }
        // a carriage return is a line end too, and one with the line feed after it
        let mut parts = self.data.split('\r');
        lines(parts.next().unwrap_or_default(), out);
        for part in parts {
            lines(part.strip_prefix('\n').unwrap_or(part), out);
        }
        out.push(b'\n');
    }
}

/// Appends a comment, which readers ignore; proxies see that the connection lives.
pub(crate) fn comment(out: &mut Vec<u8>) {
    opening(None, out);
}

/// Appends a comment and an id without an event: readers remember the id and tell nobody (9.2.6).
pub(crate) fn opening(id: Option<u64>, out: &mut Vec<u8>) {
    out.extend_from_slice(b":\n");
    if let Some(id) = id {
        field("id", &id.to_string(), out);
    }
    out.push(b'\n');
}

fn lines(text: &str, out: &mut Vec<u8>) {
    for line in text.split('\n') {
        field("data", line, out);
    }
}

fn field(name: &str, value: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    out.push(b':');
    if !value.is_empty() {
        out.push(b' ');
        out.extend_from_slice(value.as_bytes());
    }
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(id: Option<u64>, event: Option<&'static str>, data: &str) -> String {
        let mut out = Vec::new();
        Frame { id, event, data }.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn fields_stand_in_lines_and_an_empty_line_ends_the_event() {
        assert_eq!(written(Some(7), None, "{}"), "id: 7\ndata: {}\n\n");
        assert_eq!(written(None, Some("reset"), ""), "event: reset\ndata:\n\n");
        assert_eq!(written(None, None, "a\nb\r\nc\rd"), "data: a\ndata: b\ndata: c\ndata: d\n\n");
        assert_eq!(written(None, None, "a\r\r\n\r"), "data: a\ndata:\ndata:\ndata:\n\n", "three line ends");
    }
}
