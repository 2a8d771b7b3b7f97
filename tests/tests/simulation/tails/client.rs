//! What a subscriber receives, and what it must have received.

use super::Subscriber;
use super::event::events;
use crate::model::{Model, Row, Sort};
use crate::question::Dialect;
use crate::world::Law;
use serde_json::Value;

impl Subscriber {
    /// The client takes so many bytes.
    pub(super) fn take(&mut self, model: &Model, most: usize) -> Law {
        let Some(mut connection) = self.connection.take() else { return Ok(()) };
        let some = connection.sent.len().min(most);
        connection.partial.extend(connection.sent.drain(..some));
        for event in events(&mut connection.partial) {
            if let Some(id) = &event.id {
                self.last_event = Some(id.clone());
            }
            match (event.name.as_deref(), event.id) {
                (None, Some(id)) if !event.data.is_empty() => {
                    self.receive(model, id.parse().map_err(|_| "no number")?, &event.data)?;
                }
                // everything before it must be here
                (Some("heartbeat"), Some(id)) => self.complete(model, id.parse().map_err(|_| "no number")?)?,
                _ => {}
            }
        }
        if !(connection.ended && connection.sent.is_empty()) {
            self.connection = Some(connection);
        } else if self.destroyed(model) == connection.destroyed {
            return Err(format!("{} ended by itself", self.target));
        }
        Ok(())
    }

    fn receive(&mut self, model: &Model, id: u64, data: &str) -> Law {
        if self.received.last().is_some_and(|last| *last >= id) {
            return Err(format!("{} receives {id} after {:?}", self.target, self.received.last()));
        }
        let seq = self.seq(id);
        if seq <= self.since || !model.rows.contains_key(&seq) {
            return Err(format!("{} receives {id}, which it did not ask for", self.target));
        }
        let data: Value = serde_json::from_str(data).map_err(|error| format!("{error}: {data}"))?;
        let serial = model.rows[&seq].row.serial;
        let is_it = match self.dialect {
            Dialect::Hoody => data["id"] == id,
            _ => data["seq"] == id && data["attributes"]["n"] == serial,
        };
        if !is_it {
            return Err(format!("{} receives {data} as {id}", self.target));
        }
        self.received.push(id);
        Ok(())
    }

    /// Whether everything up to a sequence was received that is there, matches and is new.
    pub(super) fn complete(&self, model: &Model, through: u64) -> Law {
        let seqs = model.select(|row| self.sees(row), Sort::Arrival, false);
        let ids =
            seqs.into_iter().filter(|seq| *seq > self.since && *seq <= through).flat_map(|seq| self.ids(model, seq));
        match ids.into_iter().find(|id| self.received.binary_search(id).is_err()) {
            Some(id) => Err(format!("{} after {} never got {id}; it has {:?}", self.target, self.since, self.received)),
            None => Ok(()),
        }
    }

    pub(super) fn sees(&self, row: &Row) -> bool {
        self.who.sees(row.project)
            && self.project.is_none_or(|project| row.project == project)
            && self.question.sees(row, self.dialect)
    }

    fn ids(&self, model: &Model, seq: u64) -> Vec<u64> {
        match self.dialect {
            Dialect::Hoody => self.question.halves(seq, &model.rows[&seq].row).collect(),
            _ => vec![seq],
        }
    }

    fn seq(&self, id: u64) -> u64 {
        if self.dialect == Dialect::Hoody { id.div_ceil(2) } else { id }
    }

    /// Whether a row may be sent. What has expired is not taken out of memory: only who reads the store misses it.
    pub(super) fn wants(&self, model: &Model, id: u64, read: bool) -> bool {
        let seq = self.seq(id);
        let there =
            model.rows.get(&seq).is_some_and(|known| if read { known.is_alive() } else { known.may_be_in_memory() });
        there && self.sees(&model.rows[&seq].row) && self.ids(model, seq).contains(&id)
    }

    pub(super) fn destroyed(&self, model: &Model) -> u64 {
        self.project.map_or(0, |project| model.destroyed.get(project).copied().unwrap_or(0))
    }
}
