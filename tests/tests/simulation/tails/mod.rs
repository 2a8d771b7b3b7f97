//! Subscribers that come and go.
//!
//! Each takes so many bytes at a time, stalls for as long as it likes, is cut off in the middle of a frame or with the
//! server, and comes again with the id of the last event that it has whole. Whatever happened meanwhile, it must have
//! received what matches and was committed after it came for the first time: each row once, in order, and never one that
//! was deleted before it was sent. What expires before its turn may be missing.

mod client;
mod event;

use crate::model::PROJECTS;
use crate::question::{Dialect, Question};
use crate::world::{Ask, Law, Who, World};
use event::events;
use reqlog::store::Follow;
use reqlog_core::live::{Step, Tail};
use std::collections::VecDeque;

/// A client of a stream, connected or not.
pub struct Subscriber {
    who: Who,
    dialect: Dialect,
    question: Question,
    project: Option<&'static str>,
    target: String,
    /// The head when it came first: what is later must be received.
    since: u64,
    /// Ids in the order in which they came, of Hoody those of rows.
    received: Vec<u64>,
    /// What it sends when it comes again.
    last_event: Option<String>,
    connection: Option<Connection>,
}

/// One connection, as both ends see it.
struct Connection {
    tail: Tail,
    _follow: Follow,
    restarts: u64,
    /// On its way.
    sent: VecDeque<u8>,
    /// The client's part of an event that is not whole yet.
    partial: Vec<u8>,
    /// Rows that were sent.
    delivered: u64,
    /// How often all rows of the scope had been destroyed when it began.
    destroyed: u64,
    /// Whether anything was sent.
    opened: bool,
    ended: bool,
}

impl Subscriber {
    /// Comes for the first time: for what is new, or for everything.
    pub fn begin(world: &mut World) -> Law<Self> {
        let now = world.now();
        // what is relative is relative to each connection
        let question = Question { relative: None, ..Question::draw(&mut world.prng, now) };
        let prng = &mut world.prng;
        let who = [Who::Admin, Who::Admin, Who::Reader(0), Who::Reader(1)][prng.below(4) as usize];
        let dialect = [Dialect::Hoody, Dialect::Own][prng.below(2) as usize];
        let project = match who {
            Who::Admin => prng.chance(0.5).then(|| PROJECTS[[0, 1, 2, 2][prng.below(4) as usize]]),
            Who::Reader(at) => Some(PROJECTS[at]),
        };
        let named = if who == Who::Admin { project } else { None };
        let target = if dialect == Dialect::Hoody {
            let base = ["/api/proxy-logs/_logs", "/_logs"][prng.below(2) as usize];
            let named = named.map_or(String::new(), |name| format!("&projectId={name}"));
            format!("{base}/stream?{}{named}", question.words(dialect).trim_start_matches('&'))
        } else {
            let named = named.map_or(String::new(), |name| format!("&project={name}"));
            format!("/api/v1/tail?{}{named}", &question.words(dialect)[1..])
        };
        let (since, last_event) = if prng.chance(0.3) { (0, Some("0".to_owned())) } else { (world.head(), None) };
        let received = Vec::new();
        let mut new = Self { who, dialect, question, project, target, since, received, last_event, connection: None };
        new.connect(world)?;
        Ok(new)
    }

    /// Something happens to it.
    pub fn step(&mut self, world: &mut World) -> Law {
        if self.connection.as_ref().is_some_and(|connection| connection.restarts != world.restarts) {
            self.cut(world)?;
        }
        match world.prng.below(10) {
            _ if self.connection.is_none() => self.connect(world),
            0 => {
                world.note(format!("  {} is cut off after {:?}", self.target, self.last_event));
                self.cut(world)
            }
            // without taking anything
            1 => self.poll(world),
            _ => {
                self.poll(world)?;
                let most = world.prng.below(6_000) as usize;
                self.take(&world.model, most)?;
                world.note(format!("  {} has {} rows, {:?}", self.target, self.received.len(), self.last_event));
                Ok(())
            }
        }
    }

    /// Gets all that there is, and must then have all that there was.
    pub fn end(&mut self, world: &mut World) -> Law {
        world.feed()?;
        if self.connection.as_ref().is_none_or(|connection| connection.restarts != world.restarts) {
            self.cut(world)?;
            self.connect(world)?;
        }
        // an end sent before is followed by another connection
        for _ in 0..10_000 {
            self.poll(world)?;
            match &self.connection {
                None => self.connect(world)?,
                // there is nothing to be sent, and nothing on its way
                Some(connection) if connection.sent.is_empty() && !connection.ended => {
                    return self.complete(&world.model, u64::MAX);
                }
                Some(_) => self.take(&world.model, usize::MAX)?,
            }
        }
        Err(format!("{} never ends", self.target))
    }

    /// An id that nobody was ever given must be told from one that is old.
    pub fn stranger(world: &mut World) -> Law {
        let mut ask = Ask::get(Who::Admin, ["/_logs/stream", "/api/v1/tail"][world.prng.below(2) as usize]);
        let beyond = world.head() * 2 + 1 + world.prng.below(1_000);
        ask.headers.push(("last-event-id", beyond.to_string()));
        let mut tail = world.tail(&ask)?;
        let Step::Send(bytes) = world.poll(&mut tail) else { return Err("nothing came".into()) };
        let text = String::from_utf8_lossy(&bytes);
        let reset = text.contains("event: reset\n") && text.contains("id:\n");
        match world.poll(&mut tail) {
            Step::End if reset => Ok(()),
            step => Err(format!("{beyond} was never given out: {text:?}, then {step:?}")),
        }
    }

    fn connect(&mut self, world: &mut World) -> Law {
        let mut ask = Ask::get(self.who, &*self.target);
        ask.headers.extend(self.last_event.clone().map(|id| ("last-event-id", id)));
        if !self.received.is_empty() {
            world.meet("a stream was resumed");
        }
        world.note(format!("  {:?} {} after {:?}", self.who, self.target, self.last_event));
        if self.last_event.is_none() && self.received.is_empty() {
            self.since = world.head();
        }
        let tail = world.tail(&ask)?;
        self.connection = Some(Connection {
            tail,
            _follow: world.store().follow(),
            restarts: world.restarts,
            sent: VecDeque::new(),
            partial: Vec::new(),
            delivered: 0,
            destroyed: self.destroyed(&world.model),
            opened: false,
            ended: false,
        });
        self.poll(world)
    }

    /// The connection ends where it is; part of what was sent may still arrive.
    fn cut(&mut self, world: &mut World) -> Law {
        let some = world.prng.below(3_000) as usize;
        if self.connection.as_ref().is_some_and(|connection| connection.sent.len() > some) {
            world.meet("a stream was cut off on its way");
        }
        self.take(&world.model, some)?;
        self.connection = None;
        Ok(())
    }

    /// The server goes on, if the client has taken what was sent.
    fn poll(&mut self, world: &mut World) -> Law {
        let Some(mut connection) = self.connection.take() else { return Ok(()) };
        while connection.sent.is_empty() && !connection.ended {
            let (bytes, read) = match world.poll(&mut connection.tail) {
                Step::Send(bytes) => (Some(bytes), false),
                Step::Read(query) => {
                    world.meet("a tail read the store");
                    let page = world.store().page(&query).map_err(|fault| fault.to_string())?;
                    (connection.tail.absorb(&query, &page, world.time()), true)
                }
                Step::Wait(_) if connection.destroyed != self.destroyed(&world.model) => {
                    return Err(format!("{} was not told that its scope is destroyed", self.target));
                }
                Step::Wait(_) => break,
                Step::End => {
                    connection.ended = true;
                    (None, false)
                }
            };
            if let Some(bytes) = bytes {
                self.sends(&mut connection, world, &bytes, read)?;
            }
        }
        self.connection = Some(connection);
        Ok(())
    }

    /// What leaves the server, read in the store or from memory: of rows only those that are there.
    fn sends(&self, connection: &mut Connection, world: &mut World, bytes: &[u8], read: bool) -> Law {
        let mut rest = bytes.to_vec();
        let opened = std::mem::replace(&mut connection.opened, true);
        for event in events(&mut rest) {
            match (event.name.as_deref(), &event.id) {
                // where it would go on: no event to a reader
                (None, Some(_)) if event.data.is_empty() && !opened => {}
                (None, Some(id)) => {
                    connection.delivered += 1;
                    world.meet("a row was streamed");
                    let id: u64 = id.parse().map_err(|_| format!("{event:?}"))?;
                    if !self.wants(&world.model, id, read) {
                        return Err(format!("{} sends {id}, which does not match or is gone", self.target));
                    }
                }
                (Some("heartbeat"), Some(_)) => {
                    world.meet("a heartbeat");
                    let data: serde_json::Value =
                        serde_json::from_str(&event.data).map_err(|error| error.to_string())?;
                    if data["delivered"] != connection.delivered {
                        return Err(format!("{} rows were sent, and {data}", connection.delivered));
                    }
                }
                (Some("scope-destroyed"), _) if connection.destroyed != self.destroyed(&world.model) => {
                    world.meet("a scope was destroyed");
                }
                _ => return Err(format!("{} sends {event:?}", self.target)),
            }
        }
        if !rest.is_empty() {
            return Err(format!("{} sends half an event", self.target));
        }
        connection.sent.extend(match world.sabotage.stream {
            Some(tamper) => tamper(bytes.to_vec()),
            None => bytes.to_vec(),
        });
        Ok(())
    }
}
