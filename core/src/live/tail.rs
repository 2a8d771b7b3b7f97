//! One subscription.

use super::ring::Ring;
use super::sse::{self, Frame};
use crate::auth::Keyring;
use crate::catalog::Deletion;
use crate::dialect::Framing;
use crate::filter::{Predicate, TextKey};
use crate::id::Seq;
use crate::query::{Detail, Direction, Order, Page, Position, Query, Start, Total, Unit};
use crate::record::{Field, Stored};
use crate::timestamp::Timestamp;
use bytes::Bytes;
use std::time::Duration;

/// A stream is never silent for longer.
pub const HEARTBEAT: Duration = Duration::from_secs(15);

/// What a client is told that has as many streams as it may have: nobody can say when one of them ends.
pub const RETRY: Duration = Duration::from_secs(5);

/// What the shell does next.
#[derive(Debug)]
pub enum Step {
    /// Send this, then poll again; while the client does not take it, do nothing.
    Send(Bytes),
    /// Run this query on the store, [`Tail::absorb`] its page, then poll again. A query that fails ends the stream.
    Read(Box<Query>),
    /// Poll again when something was committed or deleted, at the latest at this time.
    Wait(Timestamp),
    /// Close the stream.
    End,
}

/// Where a subscription begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    /// With what is committed from now on: after this sequence, the head; 0 is before the first.
    Head(u64),
    /// After this sequence, up to which the client has everything.
    Position(u64),
    /// After an id that this store never issued.
    Unknown,
}

/// The project and container that a subscription is confined to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Restriction {
    /// The key's project, or the one it named.
    pub(crate) project: Option<String>,
    /// The container it named.
    pub(crate) container: Option<String>,
}

/// A resumable subscription. A stream of one dialect; poll it until it ends.
#[derive(Debug)]
pub struct Tail {
    key: u64,
    filter: Predicate,
    // what the key may see: nobody learns how much there is of the rest
    visible: Predicate,
    restriction: Restriction,
    framing: Framing,
    since: Since,
    state: State,
    position: u64,
    // of the ring's deletions
    seen: u64,
    counted: Counted,
    frames: u64,
    due: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Fresh,
    Running,
    Over,
}

/// What became of the records so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    /// Those that were sent.
    pub(crate) delivered: u64,
    /// Those that the key may see, that came by while the stream was open, and that did not match. What a resumed
    /// stream reads from the store is not counted here: the store is asked for matches only.
    pub(crate) filtered: u64,
}

// frames that are sent together; one record may be more
const PIECE: usize = 8 << 10;
// records that are read together: previews of bodies come along
const PAGE: usize = 32;
// frames of a page that are sent together; what is left is read again
const PAGE_PIECE: usize = 32 << 10;

impl Tail {
    /// A subscription of key number `key` to what matches both.
    pub(crate) fn new(
        key: u64,
        visible: Predicate,
        filter: Predicate,
        restriction: Restriction,
        framing: Framing,
        since: Since,
    ) -> Self {
        let filter = Predicate::all_of([visible.clone(), filter]);
        let position = match since {
            Since::Head(position) | Since::Position(position) => position,
            Since::Unknown => 0,
        };
        let due = Timestamp::from_nanos(i64::MAX);
        let (state, counted) = (State::Fresh, Counted::default());
        Self { key, filter, visible, restriction, framing, since, state, position, seen: 0, counted, frames: 0, due }
    }

    /// The number of the key it belongs to; 0 is the process's own.
    pub fn key(&self) -> u64 {
        self.key
    }

    /// How many frames of records were sent.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Says what to do now.
    pub fn poll(&mut self, ring: &Ring, keyring: &Keyring, now: Timestamp) -> Step {
        // before the key, which goes with its project
        if self.state == State::Running
            && let Some(step) = self.destroyed(ring, now)
        {
            return step;
        }
        match self.state {
            State::Over => Step::End,
            _ if !self.is_admitted(keyring, now) => Step::End,
            State::Fresh => self.open(ring, now),
            State::Running => match self.go_on(ring, now) {
                // nobody wakes it for that
                Step::Wait(due) => Step::Wait(self.expires(keyring).map_or(due, |expires| due.min(expires))),
                step => step,
            },
        }
    }

    /// Takes in the page of [`Step::Read`].
    pub fn absorb(&mut self, query: &Query, page: &Page, now: Timestamp) -> Option<Bytes> {
        let mut out = Vec::new();
        let mut reached = query.bound.get();
        for (at, row) in page.rows.iter().enumerate() {
            self.deliver(row, &mut out);
            let is_last = at + 1 == page.rows.len();
            if (is_last && page.more_after) || (!is_last && out.len() >= PAGE_PIECE) {
                reached = row.id.seq().get();
                break;
            }
        }
        self.position = reached;
        (!out.is_empty()).then(|| self.send(out, now))
    }

    fn open(&mut self, ring: &Ring, now: Timestamp) -> Step {
        (self.state, self.seen) = (State::Running, ring.deleted());
        let mut out = Vec::new();
        // something at once: headers reach the client, and what stands between sees that the stream flows. A client that
        // has no id yet gets one: what is committed while it is away before the first record is not lost either.
        let id = matches!(self.since, Since::Head(_)).then(|| self.framing.place(self.position));
        sse::opening(id, &mut out);
        if self.since == Since::Unknown {
            self.state = State::Over;
            // an event without data is none to a browser, and an empty id is what makes it forget its own
            Frame { id: Some(""), event: Some("reset"), data: "{}" }.write(&mut out);
        }
        Step::Send(self.send(out, now))
    }

    // the last words of a stream whose scope was destroyed
    fn destroyed(&mut self, ring: &Ring, now: Timestamp) -> Option<Step> {
        let Some(mut deletions) = ring.deletions_after(self.seen) else { return Some(Step::End) };
        let is_destroyed = deletions.any(|deletion| self.restriction.is_destroyed_by(deletion));
        self.seen = ring.deleted();
        is_destroyed.then(|| {
            self.state = State::Over;
            let mut out = Vec::new();
            Frame::<u64> { id: None, event: Some("scope-destroyed"), data: "{}" }.write(&mut out);
            Step::Send(self.send(out, now))
        })
    }

    fn go_on(&mut self, ring: &Ring, now: Timestamp) -> Step {
        let rows = ring.after(self.position);
        // it is due too while the store is read, page after page, and nothing matches
        if rows.is_none() && !self.is_due(now) {
            return self.read(ring.head());
        }
        if let Some(rows) = rows.filter(|_| ring.head() > self.position) {
            let mut out = Vec::new();
            let mut reached = ring.head();
            for row in rows {
                if self.filter.matches_stored(row) {
                    self.deliver(row, &mut out);
                    if out.len() >= PIECE {
                        reached = row.id.seq().get();
                        break;
                    }
                } else if self.visible.matches_stored(row) {
                    self.counted.filtered += 1;
                }
            }
            self.position = reached;
            if !out.is_empty() {
                return Step::Send(self.send(out, now));
            }
        }
        if !self.is_due(now) {
            return Step::Wait(self.due);
        }
        let mut out = Vec::new();
        self.framing.heartbeat(self.position, self.counted, &mut out);
        Step::Send(self.send(out, now))
    }

    fn read(&self, head: u64) -> Step {
        let Some(bound) = Seq::new(head) else { return Step::End };
        let start = Seq::new(self.position).map_or(Start::First, |seq| Start::After(Position::arrival(seq)));
        Step::Read(Box::new(Query {
            filter: self.filter.clone(),
            order: Order::Arrival,
            direction: Direction::Ascending,
            start,
            bound,
            limit: PAGE,
            detail: Detail::Preview,
            total: Total::Skip,
            unit: Unit::Record,
        }))
    }

    fn deliver(&mut self, row: &Stored, out: &mut Vec<u8>) {
        let frames = self.framing.row(row, out);
        self.frames += frames;
        // a client that comes again may have all of it
        self.counted.delivered += u64::from(frames > 0);
    }

    // a clock that went back must not silence the stream
    fn is_due(&self, now: Timestamp) -> bool {
        now >= self.due || self.due > now.plus_nanos(HEARTBEAT.as_nanos() as i64)
    }

    fn send(&mut self, out: Vec<u8>, now: Timestamp) -> Bytes {
        self.due = now.plus_nanos(HEARTBEAT.as_nanos() as i64);
        out.into()
    }

    // a stream ends with its key
    fn is_admitted(&self, keyring: &Keyring, now: Timestamp) -> bool {
        let is_known = self.key == 0 || keyring.get(self.key).is_some();
        is_known && self.expires(keyring).is_none_or(|expires| now < expires)
    }

    fn expires(&self, keyring: &Keyring) -> Option<Timestamp> {
        keyring.get(self.key)?.expires
    }
}

impl Restriction {
    /// Whether a deletion leaves nothing of what there was: it is of everything, or of a project or container that
    /// this is confined to. One that says more than that destroys records, not the scope.
    fn is_destroyed_by(&self, deletion: &Deletion) -> bool {
        let confined = self.project.is_some() || self.container.is_some();
        confined && self.decide(&deletion.filter) == Some(true)
    }

    // what a filter says of every record of the scope; `None` where it depends on the record
    fn decide(&self, filter: &Predicate) -> Option<bool> {
        match filter {
            Predicate::Const(value) => Some(*value),
            Predicate::Not(inner) => self.decide(inner).map(|value| !value),
            Predicate::And(all) => decide(all.iter().map(|part| self.decide(part)), false),
            Predicate::Or(any) => decide(any.iter().map(|part| self.decide(part)), true),
            Predicate::Text(TextKey::Field(Field::Project), matcher) => {
                self.project.as_deref().map(|name| matcher.matches(name))
            }
            Predicate::Text(TextKey::Field(Field::Container), matcher) => {
                self.container.as_deref().map(|name| matcher.matches(name))
            }
            Predicate::Text(..) | Predicate::Number(..) => None,
        }
    }
}

// one part that is `decisive` decides; else all must be known
fn decide(mut parts: impl Iterator<Item = Option<bool>>, decisive: bool) -> Option<bool> {
    parts
        .try_fold(Some(!decisive), |all, part| match part {
            Some(value) if value == decisive => Err(()),
            part => Ok(all.and(part)),
        })
        .unwrap_or(Some(decisive))
}
