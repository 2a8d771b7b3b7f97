//! The store on a disk whose power fails: at every step of commits, compaction, deletion, retention, administration and
//! start.
//!
//! After each failure the data directory is opened again and held against what the store had acknowledged
//! ([`verdict`]).

mod ledger;
mod script;
mod verdict;

use ledger::Ledger;
use reqlog::store::Store;
use reqlog_tests::simdisk::{Fault, Loss, SimDisk, Syncs};
use script::{Script, options};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// Runs the script on a disk until its end or until power fails.
fn run(disk: &SimDisk) -> Ledger {
    Script::new(disk).run()
}

/// How many steps the script takes when nothing fails.
fn steps() -> u64 {
    let disk = SimDisk::new();
    let ledger = run(&disk);
    assert_eq!(ledger.failures, Vec::<String>::new());
    verdict::after_restart(&disk.restart(Loss::Unsynced), ledger).unwrap();
    disk.steps()
}

/// Calls `work` for every step on all processors and gives what went wrong.
fn at_every_step(work: impl Fn(u64) -> Result<(), String> + Sync) -> Vec<String> {
    let (steps, next) = (steps(), AtomicU64::new(1));
    assert!(steps > 200, "only {steps} steps");
    let worker = || {
        let mut wrong = Vec::new();
        loop {
            let step = next.fetch_add(1, Ordering::Relaxed);
            if step > steps {
                return wrong;
            }
            wrong.extend(work(step).err().map(|what| format!("step {step} of {steps}: {what}")));
        }
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    })
}

fn assert_none(wrong: &[String]) {
    assert!(
        wrong.is_empty(),
        "{} failures, the first of them:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(5)].join("\n")
    );
}

fn torn(step: u64) -> Loss {
    Loss::Torn { seed: step, sector: if step.is_multiple_of(2) { 512 } else { 4096 } }
}

#[test]
fn nothing_acknowledged_is_lost_at_any_step() {
    assert_none(&at_every_step(|step| {
        let disk = SimDisk::new();
        disk.fail_at(step);
        let ledger = run(&disk);
        for loss in [Loss::Unsynced, torn(step)] {
            verdict::after_restart(&disk.restart(loss), ledger.clone()).map_err(|what| format!("{loss:?}: {what}"))?;
        }
        Ok(())
    }));
}

#[test]
fn nothing_is_lost_when_power_fails_again_while_the_store_starts() {
    assert_none(&at_every_step(|step| {
        let disk = SimDisk::new();
        disk.fail_at(step);
        let ledger = run(&disk);
        let image = disk.restart(torn(step));
        let probe = image.restart(Loss::Unsynced);
        drop(Store::open(&script::directory(&probe), options(&probe, ledger.now)));
        let again = image.restart(Loss::Unsynced);
        // one of the steps of this start, each in its turn as the script goes on
        let second = 1 + step % probe.steps().max(1);
        again.fail_at(second);
        drop(Store::open(&script::directory(&again), options(&again, ledger.now)));
        let after = again.restart(torn(step + second));
        verdict::after_restart(&after, ledger).map_err(|what| format!("and {second} of the start: {what}"))
    }));
}

#[test]
fn a_step_that_fails_alone_loses_nothing_and_the_store_goes_on() {
    assert_none(&at_every_step(|step| {
        for fault in [Fault::Undone, Fault::Done] {
            let disk = SimDisk::new();
            disk.fault_at(step, fault);
            let ledger = run(&disk);
            if ledger.failures.len() > 1 {
                return Err(format!("{fault:?}: one fault failed {:?}", ledger.failures));
            }
            let restarted = disk.restart(Loss::Unsynced);
            verdict::after_restart(&restarted, ledger).map_err(|what| format!("{fault:?}: {what}"))?;
        }
        Ok(())
    }));
}

#[test]
fn nothing_is_lost_when_power_fails_soon_after_a_step_that_failed_alone() {
    assert_none(&at_every_step(|step| {
        for (fault, soon) in [(Fault::Done, 1 + step % 3), (Fault::Undone, 1 + step % 3), (Fault::Done, 4 + step % 5)] {
            let disk = SimDisk::new();
            disk.fault_at(step, fault);
            disk.fail_at(step + soon);
            let ledger = run(&disk);
            for loss in [Loss::Unsynced, torn(step)] {
                verdict::after_restart(&disk.restart(loss), ledger.clone())
                    .map_err(|what| format!("{fault:?}, {soon} later {loss:?}: {what}"))?;
            }
        }
        Ok(())
    }));
}

#[test]
fn concurrent_writers_lose_nothing_while_compaction_runs() {
    const RUNS: u64 = 40;
    let wrong = (0..RUNS).filter_map(|run| {
        let disk = SimDisk::new();
        let ledger = concurrently(&disk, 1 + run * 97 % 600);
        let after = |loss| verdict::after_restart(&disk.restart(loss), ledger.clone());
        let verdict = after(Loss::Unsynced).and_then(|()| after(torn(run)));
        verdict.err().map(|what| format!("run {run}: {what}"))
    });
    assert_none(&wrong.collect::<Vec<_>>());
}

/// Writers and a compactor until power fails, so many steps after the store was opened.
fn concurrently(disk: &SimDisk, steps: u64) -> Ledger {
    let store = Store::open(&script::directory(disk), options(disk, script::BEGINNING)).expect("power is on");
    disk.fail_at(disk.steps() + steps);
    let write = &|writer: usize| {
        let mut ledger = Ledger::default();
        for request in 0.. {
            let name = format!("w{writer}r{request}");
            let mut done = script::ingest(&store, &mut ledger, &name, 1 + (writer + request * 5) % 9, 50);
            if done.is_ok() && request % 4 == 3 {
                done = script::delete(&store, &mut ledger, &format!("w{writer}r{}", request - 2));
            }
            if let Err(fault) = done {
                assert!(!disk.is_on(), "{fault}");
                break;
            }
        }
        ledger
    };
    thread::scope(|scope| {
        let writers: Vec<_> = (0..3).map(|writer| scope.spawn(move || write(writer))).collect();
        while disk.is_on() {
            if let Err(fault) = store.compact_now() {
                assert!(!disk.is_on(), "{fault}");
            }
        }
        let mut whole = Ledger::default();
        for writer in writers {
            let ledger = writer.join().unwrap();
            whole.arrival = whole.arrival.max(ledger.arrival);
            whole.ingestions.extend(ledger.ingestions);
        }
        whole
    })
}

#[test]
fn loss_is_seen_on_a_disk_that_does_not_sync() {
    let wrong = at_every_step(|step| {
        let disk = SimDisk::new();
        disk.set_syncs(Syncs::Ignored);
        disk.fail_at(step);
        let ledger = run(&disk);
        verdict::after_restart(&disk.restart(Loss::Unsynced), ledger)
    });
    assert!(wrong.len() > 100, "only {} losses seen", wrong.len());
}
