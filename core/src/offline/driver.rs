//! Scans over segments of opened files, which ask for what is in the files only.

use super::answer::Read;
use super::filtered::{Filtered, Layout};
use super::shown::Shown;
use super::store::Store;
use super::{Input, Place};
use crate::codec::Corrupt;
use crate::plan::Failure;
use crate::scan::{Next, Partial, Scan, Step, Task};
use crate::segment::{Need, PartId};
use std::collections::BTreeSet;
use std::ops::Range;

/// Of how many segments rows that are shown are read side by side.
const TOGETHER: usize = 16;

/// Bytes of a read that is done side by side with others.
const SHORT: u64 = 128 << 10;

/// A scan under way: one task that looks for rows, or several that read those that are shown.
#[derive(Debug)]
pub(super) struct Driver {
    scan: Option<Scan>,
    tasks: Vec<Open>,
    asked: Vec<Want>,
    // how many of these
    supplied: usize,
    layout: Option<Layout>,
    // whether bodies of rows that are shown are not capped
    whole: bool,
    failed: Option<Failure>,
    changed: Option<Place>,
}

/// Bytes that a task wants.
#[derive(Debug)]
pub(super) struct Want {
    task: usize,
    run: usize,
    read: Read,
}

impl Want {
    /// Those of one of the runs of rows that a task reads side by side.
    pub(super) fn of(run: usize, place: Place, range: Range<u64>) -> Self {
        Self { task: 0, run, read: Read { place, range } }
    }
}

#[derive(Debug)]
struct Open {
    task: Box<Task>,
    reading: Option<Reading>,
}

// What a task waits for.
#[derive(Debug)]
enum Reading {
    Shown(Shown),
    Filtered(Filtered),
}

impl Driver {
    pub(super) fn new(scan: Scan) -> Self {
        Self { scan: Some(scan), ..Self::idle() }
    }

    pub(super) fn idle() -> Self {
        Self {
            scan: None,
            tasks: Vec::new(),
            asked: Vec::new(),
            supplied: 0,
            layout: None,
            whole: false,
            failed: None,
            changed: None,
        }
    }

    /// With all that the file has of the bodies of rows that are shown.
    pub(super) fn whole(self) -> Self {
        Self { whole: true, ..self }
    }

    /// The scan, after its end.
    pub(super) fn take(&mut self) -> Option<Scan> {
        self.scan.take()
    }

    /// Goes on until bytes are needed; `None` at the end. What is asked for is to be supplied in the same order.
    pub(super) fn step(&mut self, store: &Store) -> Result<Option<Vec<Read>>, Failure> {
        if let Some(failure) = self.failed.take() {
            return Err(failure);
        }
        if let Some(place) = self.changed.take() {
            return Err(store.input(place).map_or(Failure::Internal, Input::changed));
        }
        let Some(scan) = &mut self.scan else { return Ok(None) };
        loop {
            while self.tasks.len() < TOGETHER && self.tasks.iter().all(|open| open.task.is_showing()) {
                match scan.next() {
                    Next::Run(task) => self.tasks.push(Open { task, reading: None }),
                    Next::Done if self.tasks.is_empty() => return Ok(None),
                    // there is no task for which to wait
                    Next::Wait if self.tasks.is_empty() => return Err(Failure::Internal),
                    Next::Done | Next::Wait => break,
                }
            }
            let (mut wanted, mut at) = (Vec::new(), 0);
            while let Some(open) = self.tasks.get_mut(at) {
                let before = wanted.len();
                match open.step(store, &mut self.layout, self.whole, &mut wanted)? {
                    None => {
                        wanted[before..].iter_mut().for_each(|wanted| wanted.task = at);
                        at += 1;
                    }
                    Some(partial) => {
                        scan.absorb(partial);
                        self.tasks.swap_remove(at);
                    }
                }
            }
            if !wanted.is_empty() {
                // of long units one at a time is half read: that which is longest already
                let len = |wanted: &Want| wanted.read.range.end - wanted.read.range.start;
                let longest = wanted.iter().map(len).max().unwrap_or(0);
                let mut is_taken = false;
                wanted.retain(|wanted| {
                    len(wanted) <= SHORT || len(wanted) == longest && !std::mem::replace(&mut is_taken, true)
                });
                self.asked = wanted;
                self.supplied = 0;
                return Ok(Some(self.asked.iter().map(|wanted| wanted.read.clone()).collect()));
            }
        }
    }

    /// Bytes of the first of the reads that were asked for and are not supplied yet.
    pub(super) fn supply(&mut self, bytes: &[u8]) {
        let Some(wanted) = self.asked.get(self.supplied) else { return };
        self.supplied += 1;
        match self.tasks.get_mut(wanted.task).and_then(|open| open.reading.as_mut()) {
            Some(Reading::Shown(shown)) => shown.push(wanted.run, bytes),
            Some(Reading::Filtered(filtered)) => filtered.push(bytes),
            None => {}
        }
    }

    pub(super) fn fail(&mut self, failure: Failure) {
        self.failed = Some(failure);
    }

    pub(super) fn changed(&mut self) {
        self.changed = self.asked.get(self.supplied).map(|wanted| wanted.read.place);
    }
}

impl Open {
    /// Goes on until bytes are wanted, or it is done.
    fn step(
        &mut self,
        store: &Store,
        layout: &mut Option<Layout>,
        whole: bool,
        wanted: &mut Vec<Want>,
    ) -> Result<Option<Partial>, Failure> {
        loop {
            let before = wanted.len();
            match &mut self.reading {
                Some(Reading::Shown(shown)) => shown.want(wanted),
                Some(Reading::Filtered(filtered)) => filtered.want(wanted),
                None => {}
            }
            if wanted.len() > before {
                return Ok(None);
            }
            match self.reading.take() {
                Some(Reading::Shown(shown)) => return shown.finish(&self.task).map(Some),
                Some(Reading::Filtered(filtered)) => filtered.finish(&mut self.task)?,
                None => {}
            }
            if let Some((detail, rows)) = self.task.entire()
                && store.is_hot(self.task.source()).map_err(damaged)?
            {
                self.reading = Some(Reading::Shown(Shown::new(store, &self.task, rows, detail, whole)?));
                continue;
            }
            match self.task.step().map_err(damaged)? {
                Step::Done(partial) => return Ok(Some(partial)),
                Step::Need(parts) => {
                    self.reading = supply(store, &mut self.task, parts, layout)?.map(Reading::Filtered);
                }
            }
        }
    }
}

/// Gives a task what is at hand; what is not is to be read again.
fn supply(
    store: &Store,
    task: &mut Task,
    parts: Need,
    layout: &mut Option<Layout>,
) -> Result<Option<Filtered>, Failure> {
    let source = task.source();
    let mut blocks = BTreeSet::new();
    for id in parts {
        match (store.part(source, id).map_err(damaged)?, id) {
            (Some(part), _) => task.supply(id, part),
            // the one is read with the other
            (None, PartId::Details(block) | PartId::Bodies(block)) => drop(blocks.insert(block)),
            (None, _) => return Err(Failure::Internal),
        }
    }
    if blocks.is_empty() { Ok(None) } else { Filtered::new(store, task, &blocks, layout).map(Some) }
}

pub(super) fn damaged(_: Corrupt) -> Failure {
    Failure::Corrupt
}
