//! Exports that break off and are resumed.
//!
//! A client reads so many bytes at a time, is cut off whenever the store is opened again or it feels like it, and goes on
//! after the last line that it has whole. It must get every row of the moment at which it began that was not deleted
//! since, once, in order, and nothing else.

use crate::question::{Dialect, Question, escaped};
use crate::walks::Going;
use crate::world::{Ask, Law, Who, World};
use reqlog::server::Reader;
use reqlog_core::id::EntryId;
use serde_json::Value;
use std::io::Read;

/// An export under way.
pub struct Export {
    target: String,
    who: Who,
    /// The sequences that it holds.
    snapshot: Vec<u64>,
    received: Vec<EntryId>,
    cursor: String,
    reader: Option<Reader>,
    /// How often the store had been opened when the reader was.
    restarts: u64,
    /// A line that is not whole yet.
    line: Vec<u8>,
}

impl Export {
    /// Asks for one; nothing of it is read yet.
    pub fn begin(world: &mut World) -> Law<Self> {
        let now = world.now();
        let question = Question::draw(&mut world.prng, now);
        let who = [Who::Admin, Who::Reader(0), Who::Reader(1)][world.prng.below(3) as usize];
        let words = question.words(Dialect::Own);
        let target = format!("/api/v1/export?{}", &words[1..]);
        let sees = |row: &crate::model::Row| who.sees(row.project) && question.sees(row, Dialect::Own);
        let snapshot = world.model.select(sees, crate::model::Sort::Arrival, false);
        world.note(format!("  {who:?} {target}"));
        let mut export = Self {
            target,
            who,
            snapshot,
            received: Vec::new(),
            cursor: String::new(),
            reader: None,
            restarts: 0,
            line: Vec::new(),
        };
        // both frontends agree on the whole
        world.ask(&Ask::get(who, &*export.target))?;
        export.connect(world)?;
        Ok(export)
    }

    /// Reads on.
    pub fn step(&mut self, world: &mut World) -> Law<Going> {
        if self.restarts != world.restarts || self.reader.is_none() {
            self.connect(world)?;
        }
        let some = 1 + world.prng.below(40_000) as usize;
        world.note(format!("  export reads {some} after {} rows", self.received.len()));
        world.tell();
        let mut bytes = vec![0; some];
        let mut filled = 0;
        let reader = self.reader.as_mut().ok_or("no reader")?;
        while filled < some {
            match reader.read(&mut bytes[filled..]).map_err(|error| error.to_string())? {
                0 => break,
                read => filled += read,
            }
        }
        self.line.extend_from_slice(&bytes[..filled]);
        while let Some(end) = self.line.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.line.drain(..=end).collect();
            self.receive(&line)?;
        }
        if filled < some {
            world.meet("an export came to its end");
            return self.end(world).map(|()| Going::Ended);
        }
        if world.prng.chance(0.3) {
            // the client goes away in the middle of a line
            self.reader = None;
        }
        Ok(Going::On)
    }

    fn connect(&mut self, world: &mut World) -> Law {
        self.line.clear();
        self.restarts = world.restarts;
        let mut target = self.target.clone();
        if !self.cursor.is_empty() {
            world.meet("an export was resumed");
            let last = self.received.last().map_or(String::new(), |id| format!(".{}", id.to_text()));
            target += &format!("&cursor={}", escaped(&format!("{}{last}", self.cursor)));
        }
        let answer = world.connect(&Ask::get(self.who, target))?;
        if answer.status() != 200 {
            return Err(format!("an export was refused: {}", answer.status()));
        }
        let cursor = answer.headers().get("x-reqlog-cursor").and_then(|cursor| cursor.to_str().ok());
        let cursor = cursor.ok_or("an export without a cursor")?.to_owned();
        if !self.cursor.is_empty() && cursor != self.cursor {
            return Err("a resumed export has another cursor".into());
        }
        self.cursor = cursor;
        self.reader = Some(answer.into_body());
        Ok(())
    }

    fn receive(&mut self, line: &[u8]) -> Law {
        let record: Value = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        let id = record["id"].as_str().and_then(EntryId::from_text).ok_or("a line without an id")?;
        if self.received.last().is_some_and(|last| last.seq() >= id.seq()) {
            return Err(format!("an export has {id:?} after {:?}", self.received.last()));
        }
        if self.snapshot.binary_search(&id.seq().get()).is_err() {
            return Err(format!("an export has {id:?}, which was not there when it began"));
        }
        self.received.push(id);
        Ok(())
    }

    fn end(&self, world: &World) -> Law {
        let received: Vec<u64> = self.received.iter().map(|id| id.seq().get()).collect();
        let is_missing = |seq: &&u64| world.model.is_alive(**seq) && received.binary_search(seq).is_err();
        match self.snapshot.iter().find(is_missing) {
            Some(seq) => Err(format!("an export of {} rows has no {seq}", received.len())),
            None => Ok(()),
        }
    }
}
