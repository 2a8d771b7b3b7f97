//! The whole core under random schedules: ingestion with late and equal times, walks of every dialect both ways,
//! exports that break off, streams that are cut off and resumed, deletion, retention, compaction, power failures, against
//! the naive frontend and the laws of paging and tails.
//!
//! One thread, one generator: a seed is a schedule. A failing one is printed with what it did, and
//! `REQLOG_SIM_SEED=<seed> cargo test -p reqlog-tests --test simulation` runs it again. `make soak` goes on with new
//! seeds for `REQLOG_SIM_SECONDS`.
//!
//! - [`model`] knows what was acknowledged and what it means, without the product's code
//! - [`world`] drives the store on a simulated disk and the naive frontend, and compares every answer
//! - [`walks`], [`export`], [`tails`] and [`ingestion`] are clients with laws of their own
//! - [`actions`] decides what happens next
//! - [`controls`] shows that broken worlds are seen
//!
//! A seed means the same in every run of one build; where the store takes more or fewer steps on the disk, power fails
//! elsewhere. The clock is set back at will while the store is open, never between two starts: the beginning of a
//! Cognigy walk is a moment, and no start knows of the moments that the one before it was asked for; and what an age has
//! hidden, but compaction has not removed, a start would show again.

mod actions;
mod aggregates;
mod controls;
mod export;
mod ingestion;
mod model;
mod question;
mod tails;
mod walks;
mod world;

use actions::Schedule;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};
use world::{Sabotage, World};

/// Seeds of every run of the tests.
const SEEDS: u64 = 100;
/// What happens in the schedule of one seed.
const ACTIONS: usize = 200;

/// What the seeds of every run meet, ten times each at least.
const MET: [&str; 37] = [
    "Cognigy by skip, back",
    "Cognigy by skip, forth",
    "Cognigy, back",
    "Cognigy, forth",
    "FlowMock, before",
    "FlowMock, since",
    "Hoody, afterId",
    "Hoody, back",
    "Hoody, forth",
    "Hoody, sweeping",
    "Scrip",
    "a change was found that nobody answered",
    "a change was lost with the power",
    "a cursor stood on a row that is gone",
    "a heartbeat",
    "a page",
    "a page after a deletion",
    "a row was streamed",
    "a scope was destroyed",
    "a stream was cut off on its way",
    "a stream was resumed",
    "a sweep ended because records expired",
    "a tail read the store",
    "an exported record was gone",
    "an export came to its end",
    "an export was resumed",
    "bytes were cut",
    "generic, back",
    "generic, forth",
    "own, back",
    "own, following",
    "own, forth",
    "power failed during a start",
    "power failed during compaction",
    "power failed during retention",
    "records expired",
    "records expired at a start",
];

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

/// What many seeds came to.
#[derive(Default)]
struct Ran {
    seeds: u64,
    met: BTreeMap<&'static str, u64>,
    failures: Vec<String>,
}

/// Runs seeds on all processors, from one on, until `enough` says so or one fails.
fn run_all(first: u64, enough: impl Fn(u64) -> bool + Sync) -> Ran {
    let (next, failed) = (AtomicU64::new(first), AtomicBool::new(false));
    let worker = || {
        let mut ran = Ran::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if enough(seed - first) || failed.load(Ordering::Relaxed) {
                return ran;
            }
            ran.seeds += 1;
            match run(seed, ACTIONS, &Sabotage::default()) {
                Ok(schedule) => add(&mut ran.met, schedule.world.met),
                Err(failure) => {
                    failed.store(true, Ordering::Relaxed);
                    ran.failures.push(failure);
                }
            }
        }
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().fold(Ran::default(), |mut all, worker| {
            let ran = worker.join().expect("failures are caught");
            all.seeds += ran.seeds;
            all.failures.extend(ran.failures);
            add(&mut all.met, ran.met);
            all
        })
    })
}

fn add(all: &mut BTreeMap<&'static str, u64>, met: BTreeMap<&'static str, u64>) {
    for (what, times) in met {
        *all.entry(what).or_default() += times;
    }
}

fn given(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable} is a whole number, not {value}")))
}

#[test]
fn every_law_holds_in_every_schedule() {
    let ran = match (given("REQLOG_SIM_SEED"), given("REQLOG_SIM_SECONDS")) {
        (Some(seed), _) => run_all(seed, |ran| ran > 0),
        (None, Some(seconds)) => {
            let end = Instant::now() + Duration::from_secs(seconds);
            // other seeds every time
            let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is after 1970");
            let first = given("REQLOG_SIM_FIRST").unwrap_or(since.as_secs() * 1_000);
            run_all(first, |_| Instant::now() >= end)
        }
        (None, None) => {
            let ran = run_all(1, |ran| ran >= SEEDS);
            let rare: Vec<_> = MET.iter().filter(|what| ran.met.get(*what).is_none_or(|times| *times < 10)).collect();
            assert!(rare.is_empty() || !ran.failures.is_empty(), "hardly ever happen: {rare:?} in {:#?}", ran.met);
            ran
        }
    };
    println!("{} seeds: {:#?}", ran.seeds, ran.met);
    assert!(ran.failures.is_empty(), "{}", ran.failures.join("\n\n"));
}

#[test]
fn a_seed_is_a_schedule() {
    let [one, other] = [7, 7].map(|seed| {
        let World { trace, answers, .. } = &run(seed, ACTIONS, &Sabotage::default()).unwrap().world;
        (trace.clone(), *answers)
    });
    assert_eq!(one, other);
}
