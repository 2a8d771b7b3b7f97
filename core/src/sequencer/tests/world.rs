//! Two machines over one database, the clients of both, and the laws.

use super::super::{Commit, Committed, Failure, Room, Sequencer, Settled, Step, Submission, Ticket, Window};
use super::database::{Database, Lacking, rows};
use super::{Plain, at, record};
use crate::identity::{Imported, Progress};
use crate::record::{Field, Stored};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What becomes of a request to the database.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    None,
    Before,
    After,
    /// It times out, and is applied so many operations later.
    Late(usize),
}

#[derive(Clone, Debug)]
pub(super) enum Op {
    /// Records of so many bytes each, with identities or without.
    Submit {
        machine: usize,
        identities: Option<Vec<u64>>,
        rows: usize,
        bytes: usize,
    },
    /// A part of an import: a new one, or one that goes on from what is remembered (or is out of step with it).
    Import {
        machine: usize,
        goes_on: bool,
        is_out_of_step: bool,
        rows: usize,
        blocks: usize,
    },
    Begin(usize),
    Finish(usize, Fault),
    Pass(i64),
    SetBack(i64),
    Tell(usize, i64),
    /// The machine loses its memory; what it had under way is applied later or never.
    Restart(usize, Option<usize>),
    Seal,
}

#[derive(Clone, Debug, PartialEq)]
enum Answer {
    Open,
    Given(Result<Committed, Failure>),
    Refused,
    Lost,
}

// what a machine does while nobody reports or submits anything
#[derive(Clone, Copy, Debug, PartialEq)]
enum Doing {
    Something,
    Waiting(i64),
    Nothing,
}

struct Sent {
    machine: usize,
    ticket: Option<Ticket>,
    submission: Submission,
    answer: Answer,
}

struct Machine {
    sequencer: Sequencer,
    flight: Option<Step>,
    token: u64,
    told: i64,
    // up to where its tails have read
    position: u64,
}

impl Machine {
    fn new(seed: u64) -> Self {
        let window = Window { time: Duration::from_millis(250), bytes: 2 << 10 };
        let sequencer = Sequencer::new(window, ROOM, Arc::new(Plain), seed);
        Self { sequencer, flight: None, token: u64::MAX, told: 0, position: 0 }
    }
}

pub(super) const ROOM: Room = Room { row: 2 << 10, rows: 3, backlog: 12 << 10, identities: 1 << 20 };

pub(super) struct World {
    database: Database,
    now: i64,
    machines: [Machine; 2],
    sent: Vec<Sent>,
    late: Vec<(usize, Arc<Commit>)>,
    seeds: u64,
}

macro_rules! law {
    ($holds:expr, $($what:tt)*) => { if !$holds { return Err(format!($($what)*)) } };
}

impl World {
    pub(super) fn new(lacking: Lacking) -> Self {
        let machines = [Machine::new(1), Machine::new(2)];
        Self { database: Database::new(lacking), now: 1_000, machines, sent: Vec::new(), late: Vec::new(), seeds: 2 }
    }

    pub(super) fn run(mut self, ops: &[Op]) -> Result<Tally, String> {
        for op in ops {
            self.step(op)?;
            self.late_ones();
        }
        self.heal()?;
        for (_, commit) in std::mem::take(&mut self.late) {
            let _ = self.database.apply(&commit);
        }
        self.check()
    }

    fn step(&mut self, op: &Op) -> Result<(), String> {
        match *op {
            Op::Submit { machine, ref identities, rows, bytes } => {
                let identities = identities.clone().unwrap_or_default();
                let rows = if identities.is_empty() { rows } else { identities.len() };
                self.submit(machine, rows, bytes, identities, None);
            }
            Op::Import { machine, goes_on, is_out_of_step, rows, blocks } => {
                let source = (self.database.imports.len() as u64).checked_sub(1).filter(|_| goes_on);
                let from = source.map_or(0, |at| self.database.imports[at as usize].0) + u64::from(is_out_of_step);
                let source = source.map(|at| at + 1);
                let progress = Progress { source, from, blocks: vec![7; blocks], tail: Vec::new() };
                self.submit(machine, rows, 10, Vec::new(), Some(Imported { scope: 1, progress }));
            }
            Op::Begin(machine) => drop(self.begin(machine)?),
            Op::Finish(machine, fault) => self.finish(machine, fault)?,
            Op::Pass(millis) => self.now += millis,
            Op::SetBack(millis) => self.now = (self.now - millis).max(0),
            Op::Tell(machine, ahead) => {
                self.machines[machine].sequencer.tell(at(self.now + ahead));
                self.machines[machine].told = self.machines[machine].told.max(self.now + ahead);
            }
            Op::Restart(machine, later) => {
                self.seeds += 1;
                let lost = std::mem::replace(&mut self.machines[machine], Machine::new(self.seeds));
                if let (Some(Step::Commit(commit)), Some(later)) = (lost.flight, later) {
                    self.late.push((later, commit));
                }
                let open = |sent: &&mut Sent| sent.machine == machine && sent.answer == Answer::Open;
                self.sent.iter_mut().filter(open).for_each(|sent| sent.answer = Answer::Lost);
            }
            Op::Seal => self.database.seal(),
        }
        Ok(())
    }

    fn submit(&mut self, machine: usize, rows: usize, bytes: usize, identities: Vec<u64>, import: Option<Imported>) {
        let number = self.sent.len();
        let records = (0..rows).map(|row| record(&format!("{number}/{row}"), bytes)).collect();
        let submission = Submission { records, identities, import };
        let ticket = self.machines[machine].sequencer.submit(submission.clone(), at(self.now)).ok();
        let answer = if ticket.is_some() { Answer::Open } else { Answer::Refused };
        self.sent.push(Sent { machine, ticket, submission, answer });
    }

    fn begin(&mut self, of: usize) -> Result<Doing, String> {
        let machine = &mut self.machines[of];
        let step = machine.sequencer.next(at(self.now));
        if machine.flight.is_some() {
            law!(matches!(step, Step::Wait(_)), "two requests at a time: {step:?}");
            return self.drain(of).map(|()| Doing::Something);
        }
        if let Step::Commit(commit) = &step
            && commit.token != machine.token
        {
            machine.token = commit.token;
            let arrival = commit.arrival as i64;
            law!(arrival >= self.now.max(machine.told), "{arrival} is before {} or {}", self.now, machine.told);
            law!(commit.batches.len() <= ROOM.rows && commit.token < 1 << 53, "too much: {commit:?}");
            law!(commit.batches.iter().all(|(_, blob)| blob.len() <= ROOM.row), "too long: {commit:?}");
        }
        let doing = match step {
            Step::Wait(None) => Doing::Nothing,
            Step::Wait(Some(until)) => {
                law!(until.as_millis() > self.now, "nothing to wait for at {}: {until}", self.now);
                Doing::Waiting(until.as_millis())
            }
            step => {
                machine.flight = Some(step);
                Doing::Something
            }
        };
        self.drain(of).map(|()| doing)
    }

    fn finish(&mut self, of: usize, fault: Fault) -> Result<(), String> {
        let now = at(self.now);
        let sequencer = &mut self.machines[of].sequencer;
        match (self.machines[of].flight.take(), fault) {
            (Some(Step::Commit(commit)), Fault::None) => match self.database.apply(&commit) {
                Ok(source) => sequencer.committed(source),
                Err(()) => sequencer.refused(),
            },
            (Some(Step::Commit(commit)), fault) => {
                match fault {
                    Fault::After => drop(self.database.apply(&commit)),
                    Fault::Late(later) => self.late.push((later, commit)),
                    Fault::Before | Fault::None => {}
                }
                sequencer.unknown(now);
            }
            (Some(Step::Load { attempt, identities_after }), Fault::None) => {
                sequencer.loaded(self.database.load(attempt.as_deref(), identities_after), now);
            }
            (Some(Step::Load { .. }), _) => sequencer.unknown(now),
            (Some(Step::Wait(_)) | None, _) => {}
        }
        self.drain(of)
    }

    fn late_ones(&mut self) {
        self.late.iter_mut().for_each(|(later, _)| *later = later.saturating_sub(1));
        let due = |(later, _): &mut (usize, Arc<Commit>)| *later == 0;
        for (_, commit) in self.late.extract_if(.., due).collect::<Vec<_>>() {
            let _ = self.database.apply(&commit);
        }
    }

    // whatever comes out is true at this moment
    fn drain(&mut self, of: usize) -> Result<(), String> {
        while let Some(Settled { answers, rows, head }) = self.machines[of].sequencer.settled() {
            let stored = self.database.rows();
            let there = |row: &Stored| stored.iter().any(|known| known == row);
            let machine = &mut self.machines[of];
            if let (Some(first), Some(last)) = (rows.first(), rows.last()) {
                law!(rows.iter().all(there), "published and not there: {rows:?}");
                let whole = first.id.seq().get() == machine.position + 1;
                law!(whole && head == Some(last.id), "a hole before {rows:?} at {}", machine.position);
            }
            let position = head.map_or(0, |head| head.seq().get());
            law!(position >= machine.position, "the head goes back from {} to {position}", machine.position);
            machine.position = position;
            for (ticket, answer) in answers {
                let mine = |sent: &&mut Sent| sent.machine == of && sent.ticket == Some(ticket);
                let Some(sent) = self.sent.iter_mut().rev().find(mine) else { return Err("whose?".into()) };
                law!(sent.answer == Answer::Open, "{ticket:?} is answered twice: {:?}, {answer:?}", sent.answer);
                sent.answer = Answer::Given(answer);
                if let Ok(committed) = answer {
                    acknowledged(&sent.submission, committed, &stored, &self.database)?;
                }
            }
        }
        Ok(())
    }

    // nothing fails any more: everybody is answered
    fn heal(&mut self) -> Result<(), String> {
        for _ in 0..2_000 {
            let mut waits = Vec::new();
            for of in 0..self.machines.len() {
                self.finish(of, Fault::None)?;
                waits.push(self.begin(of)?);
            }
            self.late_ones();
            let ends = waits.iter().filter_map(|doing| if let Doing::Waiting(end) = doing { Some(*end) } else { None });
            match ends.min() {
                _ if waits.contains(&Doing::Something) => {}
                Some(end) => self.now = end,
                None => {
                    let open = self.sent.iter().filter(|sent| sent.answer == Answer::Open).count();
                    law!(open == 0, "{open} were never answered");
                    return Ok(());
                }
            }
        }
        Err("it never comes to rest".into())
    }

    fn check(&self) -> Result<Tally, String> {
        let (mut next, mut arrival) = (1, 0);
        for commit in &self.database.commits {
            law!(commit.expected.next == next && commit.arrival > arrival, "{commit:?} after {next}, {arrival}");
            (next, arrival) = (commit.next, commit.arrival);
            let seqs: Vec<u64> = rows(commit).iter().map(|row| row.id.seq().get()).collect();
            law!(seqs.iter().copied().eq(commit.expected.next..next), "holes in {seqs:?} of {commit:?}");
        }
        let (mut copies, mut by_identity) = (BTreeMap::<String, usize>::new(), BTreeMap::<u64, usize>::new());
        for row in self.database.rows() {
            let name = row.record.text(Field::Message).unwrap_or_default().to_owned();
            let (sent, at) = name.split_once('/').expect("every record is named so");
            let submission = &self.sent[sent.parse::<usize>().expect("a number")].submission;
            let at: usize = at.parse().expect("a number");
            law!(submission.records[at] == row.record, "{name} has changed");
            if let Some(identity) = submission.identities.get(at) {
                *by_identity.entry(*identity).or_default() += 1;
            }
            *copies.entry(name).or_default() += 1;
        }
        let twice = by_identity.iter().find(|(_, copies)| **copies > 1);
        law!(twice.is_none(), "an identity is stored twice: {twice:?}");
        let mut tally = Tally::default();
        for (number, sent) in self.sent.iter().enumerate() {
            let of = |row: usize| copies.get(&format!("{number}/{row}")).copied().unwrap_or(0);
            let stored: Vec<usize> = (0..sent.submission.records.len()).map(of).collect();
            law!(stored.iter().all(|copies| *copies <= 1), "{number} is stored twice: {:?}", sent.answer);
            let (all, any) = (stored.iter().all(|copies| *copies == 1), stored.contains(&1));
            let is_identified = !sent.submission.identities.is_empty();
            match &sent.answer {
                Answer::Given(Ok(committed)) => {
                    let rows = stored.iter().sum::<usize>() as u64;
                    law!(rows == committed.rows, "{number} was answered {committed:?}, {rows} are stored");
                    let there = |identity| by_identity.get(identity) == Some(&1);
                    law!(sent.submission.identities.iter().all(there), "an identity of {number} is lost");
                    tally.committed += 1;
                    tally.duplicates += committed.duplicates;
                }
                Answer::Given(Err(Failure::Unknown)) | Answer::Lost => {
                    law!(all || !any || is_identified, "{number} is stored in part");
                    tally.unknown += 1;
                    tally.appeared += usize::from(any);
                }
                Answer::Given(Err(Failure::Unavailable | Failure::Overtaken | Failure::Exhausted))
                | Answer::Refused => {
                    law!(!any, "{number} is stored, and was answered {:?}", sent.answer);
                    tally.failed += 1;
                }
                Answer::Open => return Err(format!("{number} was never answered")),
            }
        }
        Ok(tally)
    }
}

/// What came of the submissions of a run.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) committed: usize,
    pub(super) duplicates: u64,
    pub(super) unknown: usize,
    /// Of the unknown.
    pub(super) appeared: usize,
    pub(super) failed: usize,
}

fn acknowledged(
    submission: &Submission,
    committed: Committed,
    stored: &[Stored],
    database: &Database,
) -> Result<(), String> {
    let expected = submission.records.len() as u64;
    law!(committed.rows + committed.duplicates == expected, "{committed:?} of {expected}");
    law!(committed.first.is_some() == (committed.rows > 0), "{committed:?}");
    law!(committed.source.is_some() == submission.import.is_some(), "{committed:?} without its import");
    let remembered: Vec<u64> = database.identities.values().flat_map(|row| row.hashes.iter().copied()).collect();
    let known = |identity| remembered.contains(identity);
    law!(submission.identities.iter().all(known), "not every identity of {committed:?} is remembered");
    let Some(first) = committed.first else { return Ok(()) };
    let mut own = stored.iter().filter(|row| row.id.seq() >= first).take(committed.rows as usize);
    // those that are no duplicates, in order
    let mut records = submission.records.iter();
    let in_order = own.clone().all(|row| records.any(|record| *record == row.record));
    let arrived = own.all(|row| row.id.arrival_ms() == committed.arrival_ms);
    law!(in_order && arrived, "{committed:?} is not what lies there");
    Ok(())
}
