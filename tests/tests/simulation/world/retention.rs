//! What expires: by age as the clock says, by bytes as the store says, within laws.

use super::{Ask, Law, Who, World};
use crate::model::PROJECTS;
use reqlog_core::id::{EntryId, Seq};
use reqlog_core::record::Field;
use reqlog_core::retention::{Limits, Retention};
use reqlog_tests::corpus::Prng;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

/// Sources of which the store looks for the last row that has expired; of more it knows a bound.
const LOOKS: usize = 16;

/// What the model does not know yet of horizons that moved.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Unsettled {
    #[default]
    No,
    /// While the store is open.
    Look,
    /// When it was opened.
    Start,
}

/// The limits of each project: of a third of all worlds there are none.
pub(super) fn draw(prng: &mut Prng) -> [Limits; 3] {
    let age = Some(Duration::from_secs([15, 120, 480][prng.below(3) as usize]));
    let bytes = Some([3_000, 12_000][prng.below(2) as usize]);
    let (old, large, any) = (Limits { age, bytes: None }, Limits { age: None, bytes }, Limits::default());
    match prng.below(9) {
        0 => [old; 3],
        1 => [old, any, any],
        2 => [any, Limits { age: age.map(|age| age * 4), bytes: None }, old],
        3 => [large; 3],
        4 => [large, old, any],
        5 => [Limits { age, bytes }, large, any],
        _ => [any; 3],
    }
}

impl World {
    /// As the store is told.
    pub(super) fn retention(&self) -> Retention {
        let late = |limits: Limits| Limits { age: limits.age.map(|age| age + self.sabotage.late), ..limits };
        let [own @ .., default] = self.limits;
        let own = PROJECTS.iter().zip(own).filter(|(_, limits)| *limits != default);
        let projects = own.map(|(name, limits)| ((*name).to_owned(), late(limits))).collect();
        Retention { default: late(default), projects }
    }

    /// Hides and frees what expires.
    pub fn retain(&mut self) -> Law {
        match self.store().retain_now() {
            Ok(()) if self.disk.is_on() => {
                if self.age() {
                    self.unsettled = Unsettled::Look;
                }
                self.expire();
                self.settle();
                self.learn()?;
                if self.limits != [Limits::default(); 3] {
                    // the store asked for the time by itself
                    self.naive(&Ask::get(Who::Admin, "/healthz"));
                }
                if self.prng.chance(0.5) {
                    self.compare()?;
                }
                self.freed()
            }
            done => self.failed(done, "power failed during retention"),
        }
    }

    /// What a start hides.
    pub(super) fn wake(&mut self) {
        self.age();
        self.fed = 0;
        self.model.restart();
        // it finds out anew what has expired
        self.unsettled = Unsettled::Start;
    }

    /// Lets the naive frontend follow.
    pub(super) fn expire(&mut self) {
        let (horizons, expired) = (self.horizons, self.store().catalog().expired.clone());
        let horizon = |name: Option<&str>| PROJECTS.iter().zip(horizons).find(|(one, _)| name == Some(**one));
        self.memory.expire(
            |row| horizon(row.record.text(Field::Project)).is_some_and(|(_, at)| row.id.arrival_ms() < at),
            expired,
        );
    }

    /// Lets the model follow, once it knows what was done before.
    pub fn settle(&mut self) {
        let what = match std::mem::take(&mut self.unsettled) {
            Unsettled::No => return,
            Unsettled::Look => "records expired",
            Unsettled::Start => "records expired at a start",
        };
        if self.model.expire(&self.horizons, self.fed) > 0 {
            self.meet(what);
        }
        let catalog = self.store().catalog();
        let bound = if catalog.entries.len() > LOOKS { self.head() } else { 0 };
        self.model.removed(self.latest, &self.horizons, bound);
    }

    /// What limits of bytes have cut: in each project what arrived before some moment, and nothing where there is no
    /// such limit.
    pub(super) fn learn(&mut self) -> Law {
        if self.limits.iter().all(|limits| limits.bytes.is_none()) {
            return Ok(());
        }
        let state = self.native_state();
        let shown: BTreeSet<Seq> = state.iter().filter_map(|line| identity(line)).map(|(id, _)| id.seq()).collect();
        for (at, project) in PROJECTS.into_iter().enumerate() {
            let alive = || self.model.alive().filter(|known| known.row.project == project);
            let (there, gone): (Vec<EntryId>, Vec<EntryId>) =
                alive().map(|known| known.id).partition(|id| shown.contains(&id.seq()));
            let Some(last) = gone.last().map(|id| id.arrival_ms()) else { continue };
            if self.limits[at].bytes.is_none() {
                return Err(format!("{} rows of {project}, which has no limit of bytes, are gone", gone.len()));
            }
            if let Some(first) = there.first().filter(|first| first.arrival_ms() <= last) {
                return Err(format!("{:?} is gone, and {first:?} is there", gone.last()));
            }
            self.horizons[at] = self.horizons[at].max(last + 1);
            self.unsettled = Unsettled::Look;
            self.meet("bytes were cut");
        }
        self.expire();
        self.settle();
        Ok(())
    }

    /// What the naive frontend, asked at a moment, would show after a start.
    pub(super) fn remaining(&mut self, now: i64) -> Vec<String> {
        let mut state = self.naive_state_at(now);
        state.retain(|line| identity(line).is_none_or(|(id, project)| !self.has_expired(id, &project)));
        state
    }

    /// Whether it was hidden by the last time that the store looked.
    pub fn has_expired(&self, id: EntryId, project: &str) -> bool {
        PROJECTS.iter().zip(self.horizons).any(|(name, horizon)| *name == project && id.arrival_ms() < horizon)
    }

    /// The ids that were given out last, of one commit.
    pub fn newest(&self, count: u64) -> Law<Vec<EntryId>> {
        let head = self.store().catalog().head.ok_or("nothing was ever given out")?;
        let seqs = (head.seq().get() + 1).saturating_sub(count)..=head.seq().get();
        let ids = seqs.map(|seq| Seq::new(seq).map(|seq| EntryId::new(head.arrival_ms(), seq)));
        ids.collect::<Option<_>>().ok_or_else(|| format!("{count} rows end with {head:?}"))
    }

    /// Rows in all sources, whether or not anybody can see them.
    pub(super) fn stored(&self) -> u64 {
        self.store().catalog().entries.iter().map(|entry| entry.summary.rows).sum()
    }

    /// Moves the horizons of ages with the clock; whether any moved.
    fn age(&mut self) -> bool {
        let (now, before) = (self.now(), self.horizons);
        for (horizon, limits) in self.horizons.iter_mut().zip(&self.limits) {
            let age = limits.age.map(|age| now - age.as_millis() as i64);
            *horizon = age.map_or(0, |age| age.max(0) as u64).max(*horizon);
        }
        self.horizons != before
    }

    /// Limits of bytes hold, and no source is there for nothing.
    fn freed(&self) -> Law {
        let snapshot = self.store().snapshot();
        for (project, limits) in PROJECTS.iter().zip(self.limits) {
            let bytes = snapshot.project_bytes(project);
            if limits.bytes.is_some_and(|limit| bytes > limit) {
                return Err(format!("{project} has {bytes} bytes, with {limits:?}"));
            }
        }
        let catalog = snapshot.catalog();
        match catalog.entries.iter().find(|entry| catalog.is_gone(&entry.summary)) {
            Some(entry) => Err(format!("nobody needs {:?}, and it is there", entry.id)),
            None => Ok(()),
        }
    }
}

/// The id and the project of an exported record.
fn identity(line: &str) -> Option<(EntryId, String)> {
    let record: Value = serde_json::from_str(line).ok()?;
    Some((EntryId::from_text(record["id"].as_str()?)?, record["project"].as_str()?.to_owned()))
}
