//! Server-Sent Events as a reader sees them (WHATWG HTML, 9.2.6), in whatever pieces they come.

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Its type; `message` where it names none.
    pub kind: String,
    /// Its lines of data.
    pub data: String,
}

/// Takes bytes and gives events. What a stream breaks off in is no event.
#[derive(Debug, Default)]
pub struct Events {
    line: Vec<u8>,
    // a line feed after a carriage return ends no other line
    after_cr: bool,
    begun: bool,
    kind: String,
    data: String,
    // of the event that has begun
    id: String,
    last_id: String,
}

const MARK: &[u8] = b"\xef\xbb\xbf";

impl Events {
    /// What `Last-Event-ID` is now: the id of the last event that was whole, also of one without data, which is none.
    pub fn last_id(&self) -> &str {
        &self.last_id
    }

    /// Gives the events that end in these bytes.
    pub fn feed(&mut self, bytes: &[u8], mut event: impl FnMut(Event)) {
        let mut rest = bytes;
        while let Some(at) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            let (part, end) = (&rest[..at], rest[at]);
            rest = &rest[at + 1..];
            let is_rest_of_crlf = std::mem::take(&mut self.after_cr) && end == b'\n' && part.is_empty();
            if is_rest_of_crlf {
                continue;
            }
            self.after_cr = end == b'\r';
            self.line.extend_from_slice(part);
            let line = std::mem::take(&mut self.line);
            let line = if std::mem::replace(&mut self.begun, true) { &*line } else { unmarked(&line) };
            if line.is_empty() {
                self.last_id.clone_from(&self.id);
                let (kind, mut data) = (std::mem::take(&mut self.kind), std::mem::take(&mut self.data));
                // an event without data is none
                if data.pop().is_some() {
                    let kind = if kind.is_empty() { "message".to_owned() } else { kind };
                    event(Event { kind, data });
                }
            } else {
                self.field(&String::from_utf8_lossy(line));
            }
        }
        if !rest.is_empty() {
            self.after_cr = false;
        }
        self.line.extend_from_slice(rest);
    }

    fn field(&mut self, line: &str) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "event" => value.clone_into(&mut self.kind),
            "data" => self.data.extend([value, "\n"]),
            "id" if !value.contains('\0') => value.clone_into(&mut self.id),
            // comments, and what is not known
            _ => {}
        }
    }
}

fn unmarked(line: &[u8]) -> &[u8] {
    line.strip_prefix(MARK).unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use reqlog_core::live::Frame;

    fn events(pieces: &[&[u8]]) -> (Vec<Event>, String) {
        let (mut events, mut all) = (Events::default(), Vec::new());
        for piece in pieces {
            events.feed(piece, |event| all.push(event));
        }
        (all, events.last_id)
    }

    fn event(kind: &str, data: &str) -> Event {
        Event { kind: kind.into(), data: data.into() }
    }

    #[test]
    fn the_examples_of_the_standard() {
        let check = |text: &str, all: &[Event], last: &str| {
            assert_eq!(events(&[text.as_bytes()]), (all.to_vec(), last.to_owned()), "{text}");
        };
        check("data: YHOO\ndata: +2\ndata: 10\n\n", &[event("message", "YHOO\n+2\n10")], "");
        let two = [event("message", "first event"), event("message", "second event")];
        check(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid: 2\n\nid: 3\ndata", &two, "2");
        let two = [event("message", "first event"), event("message", " third event")];
        check("data: first event\nid: 1\n\nid\ndata:  third event\n\n", &two, "");
        check("data\n\ndata\ndata\n\ndata:", &[event("message", ""), event("message", "\n")], "");
        check("\u{feff}data:test\r\rdata: test\r\n\r\n", &vec![event("message", "test"); 2], "");
        // an id without data counts, one with a NUL does not
        check("id: 7\n\n", &[], "7");
        check("id: 7\n\nid: a\0b\nevent: x\ndata: y\n\n", &[event("x", "y")], "7");
    }

    proptest! {
        #[test]
        fn however_a_stream_is_cut_its_events_are_the_same(
            frames in prop::collection::vec(
                (prop::option::of(0u64..100), prop::bool::ANY, "[a\u{e4}\u{1f600}: \\n\\r]{0,12}"), 0..8),
            cuts in prop::collection::vec(0usize..400, 0..20),
            end in prop::sample::select(vec!["\n", "\r", "\r\n"]),
        ) {
            let (mut text, mut expected, mut last) = (Vec::new(), Vec::new(), String::new());
            for (id, named, data) in &frames {
                Frame { id: *id, event: named.then_some("named"), data }.write(&mut text);
                last = id.map_or(last, |id| id.to_string());
                let data = data.replace("\r\n", "\n").replace('\r', "\n");
                expected.push(event(if *named { "named" } else { "message" }, &data));
            }
            let text = String::from_utf8(text).unwrap().replace('\n', end).into_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut % (text.len() + 1)).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &text[cut[0]..cut[1]]).collect();
            prop_assert_eq!(events(&pieces), (expected, last));
        }
    }
}
