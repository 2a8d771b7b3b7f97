//! A client of a stream, which may lose it after any byte, and what it must have received.

use super::reader::Reader;
use super::world::{CONTAINERS, Cut, PROJECTS, World};
use crate::level::Level;
use crate::live::{HEARTBEAT, Step, Tail};
use crate::query::{Page, Query};
use crate::record::{Field, Kind, Stored};
use crate::timestamp::Timestamp;

/// What a stream is asked for.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) is_hoody: bool,
    /// The key of one project, `a`.
    pub(super) is_scoped: bool,
    pub(super) project: Option<usize>,
    pub(super) container: Option<usize>,
    pub(super) kind: Option<usize>,
    pub(super) errors_only: bool,
}

const KINDS: [&str; 3] = ["request", "response", "event"];

impl Wish {
    fn target(&self) -> String {
        let project = self.project.filter(|at| !self.is_scoped || *at == 0).map(|at| PROJECTS[at]);
        let container = self.container.map(|at| CONTAINERS[at]);
        if self.is_hoody {
            let kind = self.kind.map(|at| KINDS[at]);
            let level = self.errors_only.then_some("error");
            let given = [("projectId", project), ("containerId", container), ("kind", kind), ("level", level)];
            let pairs: Vec<_> =
                given.iter().filter_map(|(name, value)| Some(format!("{name}={}", (*value)?))).collect();
            return format!("/_logs/stream?{}", pairs.join("&"));
        }
        let level = self.errors_only.then(|| "level:error".to_owned());
        let terms = [container.map(|name| format!("container:{name}")), level];
        let q = terms.into_iter().flatten().collect::<Vec<_>>().join("%20");
        project.map_or_else(|| format!("/api/v1/tail?q={q}"), |name| format!("/api/v1/tail?q={q}&project={name}"))
    }

    fn key(&self) -> &'static str {
        if self.is_scoped { "a" } else { "all" }
    }

    /// The one project that the stream is confined to.
    fn confined(&self) -> Option<usize> {
        if self.is_scoped { Some(0) } else { self.project }
    }

    fn sees(&self, row: &Stored) -> bool {
        self.confined().is_none_or(|at| row.record.text(Field::Project) == Some(PROJECTS[at]))
    }

    /// The ids of the frames that a record is.
    fn frames(&self, row: &Stored) -> Vec<u64> {
        let record = &row.record;
        let container = self.container.is_none_or(|at| record.text(Field::Container) == Some(CONTAINERS[at]));
        let level = !self.errors_only || record.level == Level::Error;
        if !(self.sees(row) && container && level) {
            return Vec::new();
        }
        let seq = row.id.seq().get();
        if !self.is_hoody {
            return vec![seq];
        }
        let halves: &[(u64, &str)] = match record.kind {
            Kind::Exchange => &[(2 * seq - 1, "request"), (2 * seq, "response")],
            Kind::Request => &[(2 * seq - 1, "request")],
            Kind::Response => &[(2 * seq, "response")],
            Kind::Event => &[(2 * seq - 1, "event")],
        };
        halves.iter().filter(|(_, kind)| self.kind.is_none_or(|at| KINDS[at] == *kind)).map(|(id, _)| *id).collect()
    }

    /// The sequence of a frame's id.
    fn seq(&self, id: u64) -> u64 {
        if self.is_hoody { id.div_ceil(2) } else { id }
    }
}

pub(super) struct Client {
    wish: Wish,
    connection: Option<Connection>,
    reader: Reader,
    // the id that it was given before anything else
    from: Option<u64>,
    received: Vec<u64>,
}

struct Connection {
    tail: Tail,
    // a page that was read and is not absorbed yet
    page: Option<(Box<Query>, Page)>,
    sent: Vec<u8>,
    is_open: bool,
    is_destroyed: bool,
    has_read: bool,
    last_send: Timestamp,
    since: u64,
    records: u64,
}

impl Client {
    pub(super) fn new(wish: Wish) -> Self {
        Self { wish, connection: None, reader: Reader::default(), from: None, received: Vec::new() }
    }

    pub(super) fn connect(&mut self, world: &World) {
        if self.connection.is_none() {
            let tail = world.tail(&self.wish.target(), self.wish.key(), &self.reader.last_id);
            self.connection = Some(Connection {
                tail,
                page: None,
                sent: Vec::new(),
                is_open: false,
                is_destroyed: false,
                has_read: false,
                last_send: world.now,
                since: self.reader.last_id.parse().map_or(world.head, |id| self.wish.seq(id)),
                records: 0,
            });
        }
    }

    pub(super) fn destroyed(&mut self, cut: &Cut) {
        if let Some(connection) = &mut self.connection {
            let nothing = cut.leaves_nothing(self.wish.confined(), self.wish.container.filter(|_| self.wish.is_hoody));
            connection.is_destroyed |= connection.is_open && nothing;
        }
    }

    /// One thing that the shell does for the stream; whether it is idle or closed.
    pub(super) fn step(&mut self, world: &World) -> bool {
        let Some(connection) = &mut self.connection else { return true };
        if let Some((query, page)) = connection.page.take() {
            if let Some(bytes) = connection.tail.absorb(&query, &page, world.now) {
                connection.take(&bytes, &self.wish, world, &page.rows);
            }
            return false;
        }
        let silent = world.now.as_nanos() - connection.last_send.as_nanos();
        let is_due = connection.is_open && silent >= HEARTBEAT.as_nanos() as i64;
        match connection.tail.poll(&world.ring, &world.keyring, world.now) {
            Step::Send(bytes) => {
                connection.take(&bytes, &self.wish, world, &world.rows);
                false
            }
            Step::Read(query) => {
                assert!(!is_due, "a heartbeat is late");
                connection.has_read = true;
                let page = world.page(&query);
                connection.page = Some((query, page));
                false
            }
            Step::Wait(due) => {
                assert!(!is_due && due == connection.last_send.plus_nanos(HEARTBEAT.as_nanos() as i64));
                assert!(!connection.is_destroyed, "the end of the scope was not told");
                true
            }
            Step::End => {
                self.lose(world, usize::MAX);
                true
            }
        }
    }

    /// The connection ends when the client has this many bytes of it.
    pub(super) fn lose(&mut self, world: &World, bytes: usize) {
        let Some(connection) = self.connection.take() else { return };
        let before = self.reader.events.len();
        self.reader.connection(&connection.sent[..bytes.min(connection.sent.len())]);
        for place in self.reader.places.drain(..) {
            assert!(self.from.is_none(), "a client that has an id is not given another");
            self.from = place.parse().ok();
        }
        for event in &self.reader.events[before..] {
            let id: u64 = event.id.parse().unwrap();
            match event.name.as_str() {
                "message" => self.received.push(id),
                "heartbeat" => {
                    // whatever is at or before its place has come
                    let missing = world.rows.iter().flat_map(|row| self.wish.frames(row));
                    let missing = missing.filter(|frame| Some(*frame) > self.from && *frame <= id);
                    let missing: Vec<_> = missing.filter(|frame| !self.received.contains(frame)).collect();
                    assert!(missing.is_empty(), "{missing:?} before {id}");
                }
                "scope-destroyed" => {}
                other => panic!("{other}: every id was issued"),
            }
        }
    }

    /// Follows to the end and compares with what matches.
    pub(super) fn finish(&mut self, world: &World) {
        // a stream that ends is taken up again
        for _ in 0..3 {
            self.connect(world);
            while !self.step(world) {}
        }
        self.lose(world, usize::MAX);
        let from = self.from.expect("the first stream began");
        let wanted: Vec<u64> =
            world.issued.iter().flat_map(|row| self.wish.frames(row)).filter(|id| *id > from).collect();
        assert!(self.received.is_sorted_by(|a, b| a < b), "in order, each once: {:?}", self.received);
        let more: Vec<_> = self.received.iter().filter(|id| !wanted.contains(id)).collect();
        assert!(more.is_empty(), "{more:?} do not match");
        let is_lost = |id: &&u64| !self.received.contains(id) && !world.deleted.contains(&self.wish.seq(**id));
        let lost: Vec<_> = wanted.iter().filter(is_lost).collect();
        assert!(lost.is_empty(), "{lost:?} are lost; received {:?}", self.received);
    }
}

impl Connection {
    // what is sent is made of these rows
    fn take(&mut self, bytes: &[u8], wish: &Wish, world: &World, rows: &[Stored]) {
        let mut piece = Reader::default();
        piece.connection(bytes);
        assert!(bytes.ends_with(b"\n\n"), "events are sent whole");
        let silent = world.now.as_nanos() - self.last_send.as_nanos();
        let first = !std::mem::replace(&mut self.is_open, true);
        let messages: Vec<_> = piece.events.iter().filter(|event| event.name == "message").collect();
        let mut seqs: Vec<u64> = Vec::new();
        for event in &messages {
            let id: u64 = event.id.parse().unwrap();
            let data: serde_json::Value = serde_json::from_str(&event.data).unwrap();
            assert_eq!(data[if wish.is_hoody { "id" } else { "seq" }], id, "{}", event.data);
            let row = rows.iter().find(|row| row.id.seq().get() == wish.seq(id)).expect("a row that is there");
            assert!(wish.sees(row), "another project's");
            seqs.push(wish.seq(id));
        }
        seqs.dedup();
        self.records += seqs.len() as u64;
        let largest = rows.iter().map(|row| 2 * (row.record.text(Field::Message).map_or(0, str::len) + 1000)).max();
        assert!(bytes.len() <= (32 << 10) + largest.unwrap_or(0), "{} bytes at once", bytes.len());
        match piece.events.iter().find(|event| event.name != "message") {
            _ if first => assert!(piece.events.is_empty(), "{piece:?}"),
            Some(event) if event.name == "scope-destroyed" => {
                assert!(self.is_destroyed && messages.is_empty(), "the scope is still there");
                self.is_destroyed = false;
            }
            None if !messages.is_empty() => {}
            heartbeat => {
                assert!(messages.is_empty() && silent >= HEARTBEAT.as_nanos() as i64, "{piece:?} after {silent} ns");
                assert_eq!(heartbeat.is_none(), wish.is_hoody, "{piece:?}");
                if let Some(event) = heartbeat {
                    self.count(&event.id, &event.data, wish, world);
                }
            }
        }
        self.last_send = world.now;
        self.sent.extend_from_slice(bytes);
    }

    fn count(&self, id: &str, data: &str, wish: &Wish, world: &World) {
        let counts: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!(counts["delivered"], self.records);
        let (filtered, at) = (counts["filtered"].as_u64().unwrap(), id.parse().unwrap());
        let passed = |row: &&Stored| {
            let seq = row.id.seq().get();
            seq > self.since && seq <= at && wish.sees(row) && wish.frames(row).is_empty()
        };
        let most = world.issued.iter().filter(passed).count() as u64;
        assert!(filtered <= most, "{filtered} of {most}");
        if !self.has_read {
            let least = world.rows.iter().filter(passed).count() as u64;
            assert!(filtered >= least, "{filtered} of {least}");
        }
    }
}
