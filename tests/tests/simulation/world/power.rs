//! How the store ends and begins again: by itself, with the program, with the power.

use super::{Law, World};
use reqlog::server::Service;
use reqlog::store::{Compaction, Options, Store, doctor};
use reqlog_core::catalog::SourceId;
use reqlog_core::live::Room;
use reqlog_core::timestamp::Timestamp;
use reqlog_tests::simdisk::{Fault, Loss, Syncs};
use reqlog_tests::vfs;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl World {
    /// Lets the next steps of the disk fail: one alone, or all from some step on.
    pub fn arm(&mut self) {
        self.armed = true;
        let step = self.disk.steps() + 1 + self.prng.below(24);
        match self.prng.below(4) {
            0 => self.disk.fault_at(step, Fault::Done),
            1 => self.disk.fault_at(step, Fault::Undone),
            _ => self.disk.fail_at(step),
        }
        self.note(format!("  armed for step {step}"));
    }

    /// Turns power off and on, or only the program; then everything must be as it was.
    pub fn restart(&mut self) -> Law {
        self.reopen()?;
        self.expire();
        self.settle();
        self.learn()?;
        self.compare()
    }

    /// Compacts by a step or to the end.
    pub fn compact(&mut self, whole: bool) -> Law {
        let store = self.store();
        let done = if whole { store.compact_now() } else { store.compact_step().map(drop) };
        match done {
            Ok(()) if self.disk.is_on() => Ok(()),
            done => self.failed(done, "power failed during compaction"),
        }
    }

    /// Goes on after work of the store's own that was broken off.
    pub(super) fn failed(&mut self, done: Result<(), reqlog::store::Fault>, what: &'static str) -> Law {
        match done {
            // only the disk may be a reason
            Err(fault) if !self.armed => Err(fault.to_string()),
            _ => {
                self.note("  failed".into());
                self.meet(what);
                self.restart()
            }
        }
    }

    /// Closes the store and lets `doctor` look at it.
    pub fn end(&mut self) -> Law {
        self.compare()?;
        if self.armed {
            self.restart()?;
        }
        if !self.armed {
            self.compact(true)?;
            self.compare()?;
            let catalog = self.store().catalog();
            let batch = catalog.entries.iter().find(|entry| matches!(entry.id, SourceId::Batch(_)));
            if let (Some(id), _) | (_, Some(id)) = (catalog.deletions.first().map(|one| one.id), batch.map(|_| 0)) {
                return Err(format!("compaction left deletion {id}, or a batch, behind"));
            }
            self.retain()?;
            let (stored, alive) = (self.stored(), self.model.alive().count() as u64);
            if stored > 2 * alive {
                return Err(format!("{stored} rows are stored, and {alive} are left"));
            }
        }
        self.service = None;
        let disk = self.disk.restart(Loss::Unsynced);
        self.disk = disk;
        let diagnosis = doctor(&self.disk.root().join("data"), &self.options()).map_err(|error| error.to_string())?;
        diagnosis.findings.first().map_or(Ok(()), |finding| Err(format!("doctor: {finding}")))
    }

    pub(super) fn options(&self) -> Options {
        let clock = self.clock.clone();
        Options {
            disk: Arc::new(self.disk.clone()),
            vfs: Some(vfs::register().to_owned()),
            clock: Arc::new(move || Timestamp::from_millis(clock.load(Ordering::SeqCst))),
            reserve: 0,
            // which a few requests overrun
            ring: Room { records: 40, bytes: 16 << 10 },
            compaction: Compaction::Manual,
            retention: self.retention(),
            ..Options::default()
        }
    }

    pub(super) fn open(&mut self) -> Law {
        self.disk.set_syncs(self.sabotage.syncs.unwrap_or(Syncs::Kept));
        let store = Store::open(&self.disk.root().join("data"), self.options()).map_err(|error| error.to_string())?;
        let settings = self.setting.settings.clone();
        let service = Service::new(store, settings, Some(self.setting.redact_key));
        self.service = Some(Arc::new(service.map_err(|fault| fault.to_string())?));
        Ok(())
    }

    /// Ends the program, on its own or with the power, and starts it again; power may fail during the start too.
    pub(super) fn reopen(&mut self) -> Law {
        self.restarts += 1;
        // arrival is not before what readers were told, as far as one process goes; nobody sets the clock back meanwhile
        self.clock.store(self.latest, Ordering::SeqCst);
        self.armed = false;
        if self.disk.is_on() && self.prng.chance(0.3) {
            self.note("  closed".into());
            self.service = None;
        }
        for starts in 0.. {
            let loss = match self.prng.below(3) {
                0 => Loss::Unsynced,
                1 => Loss::Torn { seed: self.prng.bits(), sector: 512 },
                _ => Loss::Torn { seed: self.prng.bits(), sector: 4096 },
            };
            self.note(format!("  power off, {loss:?}"));
            let disk = self.disk.restart(loss);
            // what still runs cannot touch the new disk
            self.service = None;
            self.disk = disk;
            let disturbed = starts < 2 && self.prng.chance(0.2);
            if disturbed {
                self.disk.fail_at(1 + self.prng.below(12));
            }
            match self.open() {
                Ok(()) if self.disk.is_on() => {
                    self.wake();
                    // what was left of it may come true later
                    self.armed = disturbed;
                    return Ok(());
                }
                Err(error) if self.disk.is_on() => return Err(error),
                _ => {
                    self.note("  failed while it started".into());
                    self.meet("power failed during a start");
                }
            }
        }
        unreachable!("the third start is not disturbed")
    }
}
