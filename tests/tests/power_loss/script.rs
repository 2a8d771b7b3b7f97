//! What is done to the store while power fails.

use crate::ledger::{Ingestion, Ledger, Standing, View};
use crate::verdict;
use reqlog::store::{Compaction, Fault, Ingest, Options, Store};
use reqlog_core::auth::Secret;
use reqlog_core::body::Body;
use reqlog_core::catalog::Erasure;
use reqlog_core::filter::Filter;
use reqlog_core::id::Seq;
use reqlog_core::record::{Field, Record};
use reqlog_core::retention::{Limits, Retention};
use reqlog_core::timestamp::Timestamp;
use reqlog_tests::simdisk::SimDisk;
use reqlog_tests::vfs;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

#[derive(Clone, Copy, Debug)]
enum Act {
    /// Opens the data directory, which is made if it is not there.
    Open,
    /// Closes the store.
    Close,
    /// Ingests records under a name, with bodies of so many bytes.
    Ingest {
        name: &'static str,
        records: usize,
        body: usize,
    },
    /// Deletes the records of a name.
    Delete(&'static str),
    Compact,
    /// Lets time pass until everything that is there has expired, and frees what retention frees.
    Outlive,
    /// Ingests a record into the project of limited bytes.
    Fill(&'static str),
    /// Frees what exceeds the limit: the record of the first name, when those of the others are there.
    Squeeze([&'static str; 3]),
    MakeProject(&'static str),
    EndProject(&'static str),
    /// Makes an admin key of a given secret.
    MakeKey(&'static str),
    RevokeKey(&'static str),
}

use Act::{
    Close, Compact, Delete, EndProject, Fill, Ingest as Put, MakeKey, MakeProject, Open, Outlive, RevokeKey, Squeeze,
};

const ACTS: &[Act] = &[
    Open,
    MakeKey("early"),
    MakeProject("made"),
    Put { name: "first", records: 1, body: 0 },
    Put { name: "bodies", records: 20, body: 900 },
    Compact,
    Put { name: "few", records: 3, body: 10 },
    Delete("bodies"),
    Put { name: "many", records: 150, body: 20 },
    // makes the deletion physical and replaces the first segments
    Compact,
    RevokeKey("early"),
    Close,
    Open,
    Put { name: "after", records: 4, body: 0 },
    Delete("few"),
    Close,
    // with a deletion that is not physical yet
    Open,
    MakeKey("late"),
    EndProject("made"),
    Compact,
    Put { name: "last", records: 2, body: 3000 },
    Close,
    Open,
    Put { name: "waits", records: 40, body: 30 },
    // drops segments and batches unread
    Outlive,
    Fill("sized-one"),
    Fill("sized-two"),
    Compact,
    Fill("sized-three"),
    // cuts through a segment
    Squeeze(["sized-one", "sized-two", "sized-three"]),
    Put { name: "stays", records: 5, body: 0 },
    Close,
];

/// How long records are kept.
const AGE: Duration = Duration::from_hours(1);
/// Bytes that are kept of the limited project: two records of it, each of some 7 KB compressed, and not three.
const ROOM: u64 = 19_000;
const BODY: usize = 12_000;
const SIZED: &str = "sized";
/// When it all begins, in ms.
pub const BEGINNING: i64 = 1_700_000_000_000;

/// The data directory, which the store makes itself.
pub fn directory(disk: &SimDisk) -> PathBuf {
    disk.root().join("data")
}

/// A store that lies on the disk entirely and does nothing on its own; its clock shows `now`, in ms.
pub fn options(disk: &SimDisk, now: i64) -> Options {
    ticking(disk, Arc::new(AtomicI64::new(now)))
}

fn ticking(disk: &SimDisk, now: Arc<AtomicI64>) -> Options {
    let limits = |bytes| Limits { age: Some(AGE), bytes };
    Options {
        disk: Arc::new(disk.clone()),
        vfs: Some(vfs::register().to_owned()),
        clock: Arc::new(move || Timestamp::from_millis(now.load(Ordering::SeqCst))),
        retention: Retention { default: limits(None), projects: [(SIZED.to_owned(), limits(Some(ROOM)))].into() },
        reserve: 0,
        compaction: Compaction::Manual,
        ..Options::default()
    }
}

/// Records of one request, of two projects.
pub fn records(name: &str, count: usize, body: usize) -> Ingest {
    let record = |n: usize| {
        let mut record = Record::new(Timestamp::from_millis(1_000 + (n as i64 * 7) % 5));
        let mixed = if n.is_multiple_of(3) { "p" } else { "q" };
        record.texts.set(Field::Project, if name.starts_with(SIZED) { SIZED } else { mixed });
        record.texts.set(Field::Session, name);
        record.texts.set(Field::Message, &format!("{name}/{n}"));
        if body > 0 {
            let salt: usize = name.bytes().map(usize::from).sum();
            let bytes = noise(n + 1_000 * salt, body).into_bytes();
            let size = bytes.len() as u64;
            record.response.body = Some(Body { size, bytes, withheld: 0, content_type: None, cut: None });
        }
        record
    };
    Ingest { records: (0..count).map(record).collect(), ..Ingest::default() }
}

// text that does not compress away
fn noise(seed: usize, len: usize) -> String {
    let mut state = seed as u64 + 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'a' + ((state >> 33) % 26) as u8)
    };
    (0..len).map(|_| next()).collect()
}

/// The acts on one disk, and what came of them.
pub struct Script {
    disk: SimDisk,
    store: Option<Store>,
    ledger: Ledger,
    now: Arc<AtomicI64>,
}

impl Script {
    /// Nothing done yet.
    pub fn new(disk: &SimDisk) -> Self {
        let ledger = Ledger::default();
        let now = Arc::new(AtomicI64::new(ledger.now));
        Self { disk: disk.clone(), store: None, ledger, now }
    }

    /// Does every act, or those before power fails.
    pub fn run(mut self) -> Ledger {
        for act in ACTS {
            if let Err(fault) = self.take(*act) {
                self.ledger.failures.push(format!("{act:?}: {fault}"));
                if !self.disk.is_on() {
                    break;
                }
                // as a person would
                if matches!(act, Open)
                    && let Err(fault) = self.take(*act)
                {
                    self.ledger.failures.push(format!("{act:?} again: {fault}"));
                }
            }
            if let Some(store) = &self.store
                && self.disk.is_on()
                && let Err(wrong) = verdict::check(store, View::Running, &mut self.ledger)
            {
                // power did not fail, but a part of the store did, and what it shows now is wrong
                self.ledger.failures.push(format!("seen after {act:?}: {wrong}"));
            }
        }
        self.ledger
    }

    fn take(&mut self, act: Act) -> Result<(), String> {
        if matches!(act, Open) {
            let options = ticking(&self.disk, self.now.clone());
            let store = Store::open(&directory(&self.disk), options).map_err(|error| error.to_string())?;
            self.ledger.secrets = Some((*store.secret(), *store.redact_key()));
            self.store = Some(store);
            return Ok(());
        }
        let Some(store) = self.store.clone() else { return Ok(()) };
        let ledger = &mut self.ledger;
        let done = match act {
            Open => Ok(()),
            Close => {
                self.store = None;
                store.close()
            }
            Compact => store.compact_now(),
            Put { name, records, body } => ingest(&store, ledger, name, records, body),
            Outlive => {
                ledger.now = ledger.now.max(ledger.arrival as i64) + 2 * AGE.as_millis() as i64;
                self.now.store(ledger.now, Ordering::SeqCst);
                outlive(&store, ledger)
            }
            Fill(name) => ingest(&store, ledger, name, 1, BODY),
            Squeeze(names) => squeeze(&store, ledger, names),
            Delete(name) => delete(&store, ledger, name),
            MakeProject(name) => {
                set(&mut ledger.projects, name, Standing::Coming);
                let done = store.create_project(name, &["test".into()]);
                done.inspect(|()| set(&mut ledger.projects, name, Standing::There))
            }
            // one that an earlier fault kept from being made cannot be ended
            EndProject(name) if store.projects().environments(name).is_none() => Ok(()),
            EndProject(name) => {
                set(&mut ledger.projects, name, Standing::Leaving);
                let done = store.delete_project(name);
                done.map(|_| set(&mut ledger.projects, name, Standing::Gone))
            }
            MakeKey(secret) => {
                set(&mut ledger.keys, secret, Standing::Coming);
                let done = store.ensure_admin(Some(Secret::given(secret.into())));
                done.map(|_| set(&mut ledger.keys, secret, Standing::There))
            }
            RevokeKey(secret) => revoke(&store, ledger, secret),
        };
        done.map_err(|fault: Fault| fault.to_string())
    }
}

fn set(standings: &mut BTreeMap<String, Standing>, name: &str, standing: Standing) {
    standings.insert(name.to_owned(), standing);
}

/// Ingests records under a name.
pub fn ingest(store: &Store, ledger: &mut Ledger, name: &str, count: usize, body: usize) -> Result<(), Fault> {
    ledger.ingestions.push(Ingestion {
        name: name.into(),
        records: count,
        body,
        first: None,
        standing: Standing::Coming,
    });
    let committed = store.commit(records(name, count, body))?;
    let entry = ledger.ingestions.last_mut().expect("just added");
    entry.standing = Standing::There;
    entry.first = committed.first.map(Seq::get);
    ledger.arrival = ledger.arrival.max(committed.arrival_ms);
    Ok(())
}

/// Deletes the records of a name.
pub fn delete(store: &Store, ledger: &mut Ledger, name: &str) -> Result<(), Fault> {
    let filter = Filter::parse(&format!("session:{name}")).expect("a plain word").filter;
    let erasure = Erasure::new(&filter, Timestamp::from_millis(0), None).expect("no relative time");
    let mut set = |standing| {
        let named = ledger.ingestions.iter_mut().filter(|ingestion| ingestion.name == name);
        named.for_each(|ingestion| ingestion.standing = standing);
    };
    set(Standing::Leaving);
    store.delete(erasure)?;
    set(Standing::Gone);
    Ok(())
}

fn outlive(store: &Store, ledger: &mut Ledger) -> Result<(), Fault> {
    let mut set = |standing| {
        // what a fault kept from being acknowledged expires as well, if it is there
        let there = |ingestion: &&mut Ingestion| ingestion.standing != Standing::Gone;
        ledger.ingestions.iter_mut().filter(there).for_each(|ingestion| ingestion.standing = standing);
    };
    set(Standing::Leaving);
    store.retain_now()?;
    set(Standing::Gone);
    Ok(())
}

fn squeeze(store: &Store, ledger: &mut Ledger, [oldest, others @ ..]: [&str; 3]) -> Result<(), Fault> {
    let set = |ledger: &mut Ledger, standing| {
        let there = |ingestion: &&mut Ingestion| ingestion.name == oldest && ingestion.standing != Standing::Gone;
        ledger.ingestions.iter_mut().filter(there).for_each(|ingestion| ingestion.standing = standing);
    };
    let is_there = |ingestion: &Ingestion| ingestion.standing == Standing::There;
    let there = ledger.ingestions.iter().filter(|one| others.contains(&one.name.as_str()) && is_there(one)).count();
    set(ledger, Standing::Leaving);
    store.retain_now()?;
    // else there may have been no need
    if there == others.len() {
        set(ledger, Standing::Gone);
    }
    Ok(())
}

fn revoke(store: &Store, ledger: &mut Ledger, secret: &str) -> Result<(), Fault> {
    // a key that an earlier fault kept from being made cannot be revoked
    let keyring = store.keyring();
    let Some(key) = keyring.authenticate(secret, Timestamp::from_nanos(0)) else { return Ok(()) };
    set(&mut ledger.keys, secret, Standing::Leaving);
    store.revoke_key(key.id)?;
    set(&mut ledger.keys, secret, Standing::Gone);
    Ok(())
}
