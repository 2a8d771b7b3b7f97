//! A reader of Server-Sent Events as WHATWG HTML (9.2.6) has it, but strict: what it would have to ignore is a mistake.

/// An event that was dispatched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) name: String,
    pub(super) data: String,
    pub(super) id: String,
}

/// What is left when a connection ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reader {
    /// `Last-Event-ID` of the next request; an empty one is none.
    pub(super) last_id: String,
    pub(super) events: Vec<Event>,
    /// Ids that came without an event.
    pub(super) places: Vec<String>,
}

impl Reader {
    /// Takes in what one connection sent; what no empty line ended is as if it had not come.
    pub(super) fn connection(&mut self, bytes: &[u8]) {
        let whole = bytes.windows(2).rposition(|pair| pair == b"\n\n").map_or(0, |at| at + 2);
        let text = str::from_utf8(&bytes[..whole]).expect("events are UTF-8");
        assert!(!text.contains('\r') && !text.starts_with('\n'), "{text:?}");
        text.split_terminator("\n\n").for_each(|block| self.block(block));
    }

    fn block(&mut self, block: &str) {
        let (mut name, mut data, mut id) = (None, Vec::new(), None);
        for line in block.split('\n') {
            match line.split_once(": ").or_else(|| line.split_once(':')).expect("a field or a comment") {
                ("", "") => {}
                ("event", value) => assert_eq!(name.replace(value), None, "one type: {block}"),
                ("id", value) => assert_eq!(id.replace(value), None, "one id: {block}"),
                ("data", value) => data.push(value),
                (field, _) => panic!("no field {field}: {block}"),
            }
        }
        if let Some(id) = id {
            self.last_id = id.to_owned();
        }
        if data.is_empty() {
            assert_eq!(name, None, "an event without data is none");
            self.places.extend(id.map(str::to_owned));
            return;
        }
        let name = name.unwrap_or("message").to_owned();
        self.events.push(Event { name, data: data.join("\n"), id: self.last_id.clone() });
    }
}
