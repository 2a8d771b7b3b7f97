//! The whole core under random schedules: ingestion with late and equal times, walks of every dialect both ways,
//! exports that break off, deletion, compaction, power failures, against the naive frontend and the laws of paging.
//!
//! One thread, one generator: a seed is a schedule. A failing one is printed with what it did, and
//! `REQLOG_SIM_SEED=<seed> cargo test -p reqlog-tests --test simulation` runs it again. `make soak` goes on with new
//! seeds for `REQLOG_SIM_SECONDS`.
//!
//! - [`model`] knows what was acknowledged and what it means, without the product's code
//! - [`world`] drives the store on a simulated disk and the naive frontend, and compares every answer
//! - [`walks`], [`export`] and [`ingestion`] are clients with laws of their own
//! - [`actions`] decides what happens next

mod actions;
mod controls;
mod export;
mod ingestion;
mod model;
mod question;
mod tails;
mod walks;
mod world;

use actions::Schedule;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use world::{Sabotage, World};

/// Seeds of every run of the tests.
const SEEDS: u64 = 60;
/// What happens in the schedule of one seed.
const ACTIONS: usize = 200;

/// Runs one seed; what did not hold, after what was done.
fn run(seed: u64, actions: usize, sabotage: &Sabotage) -> Result<Schedule, String> {
    let mut schedule = Schedule::new(World::new(seed, sabotage)?);
    // a panic is a failure of this seed too
    let law = catch_unwind(AssertUnwindSafe(|| schedule.run(actions)));
    let law = law.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        Err(format!("panicked: {}", text.or(panic.downcast_ref::<&str>().copied()).unwrap_or_default()))
    });
    match law {
        Ok(()) => Ok(schedule),
        Err(what) => Err(format!("{}\n{what}\n{}", schedule.world.trace.join("\n"), replay(seed))),
    }
}

fn replay(seed: u64) -> String {
    format!("seed {seed}: REQLOG_SIM_SEED={seed} cargo test -p reqlog-tests --test simulation every_law")
}

/// Runs seeds on all processors, from one on, until `enough` says so; the first failures, by seed.
fn run_all(first: u64, enough: impl Fn(u64) -> bool + Sync) -> (u64, Vec<String>) {
    let (next, failed) = (AtomicU64::new(first), AtomicBool::new(false));
    let worker = || {
        let mut failures = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if enough(seed - first) || failed.load(Ordering::Relaxed) {
                return failures;
            }
            if let Err(failure) = run(seed, ACTIONS, &Sabotage::default()) {
                failed.store(true, Ordering::Relaxed);
                failures.push(failure);
            }
        }
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let failures = thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("failures are caught")).collect()
    });
    (next.into_inner() - first, failures)
}

fn given(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable} is a whole number, not {value}")))
}

#[test]
fn every_law_holds_in_every_schedule() {
    let (seeds, failures) = match (given("REQLOG_SIM_SEED"), given("REQLOG_SIM_SECONDS")) {
        (Some(seed), _) => run_all(seed, |ran| ran > 0),
        (None, Some(seconds)) => {
            let end = Instant::now() + Duration::from_secs(seconds);
            // far from the seeds of every run
            run_all(1_000_000, |_| Instant::now() >= end)
        }
        (None, None) => run_all(1, |ran| ran >= SEEDS),
    };
    println!("{seeds} seeds");
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn a_seed_is_a_schedule() {
    let [one, other] = [7, 7].map(|seed| {
        let World { trace, answers, .. } = &run(seed, ACTIONS, &Sabotage::default()).unwrap().world;
        (trace.clone(), *answers)
    });
    assert_eq!(one, other);
}
