//! Server-Sent Events as a browser reads them.

/// An event of a stream.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) data: String,
}

/// Takes the whole events off a stream, as a browser reads them; comments are none.
pub(super) fn events(stream: &mut Vec<u8>) -> Vec<Event> {
    let mut events = Vec::new();
    while let Some(end) = stream.windows(2).position(|two| two == b"\n\n") {
        let block: Vec<u8> = stream.drain(..end + 2).collect();
        let mut event = Event::default();
        for line in String::from_utf8_lossy(&block).lines() {
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
            match field {
                "id" => event.id = Some(value),
                "event" => event.name = Some(value),
                "data" => event.data += &value,
                _ => {}
            }
        }
        if event != Event::default() {
            events.push(event);
        }
    }
    events
}
