//! One store on a simulated disk, the naive frontend beside it, and the clock of both.
//!
//! Every request goes to both and every answer must be the same, byte by byte. When the store fails, because the disk
//! or its power did, it is opened again and must then be what the naive frontend is either before the request or after
//! it; after it, where the request was acknowledged.

mod ask;
mod power;
mod retention;
mod streaming;

pub use ask::{Answer, Ask, Who};

use crate::model::{Model, PROJECTS};
use ask::unmeasured;
use http::{Method, Response, StatusCode};
use reqlog::server::{Reader, Service};
use reqlog::store::{Founding, Store, found};
use reqlog_core::plan::FanOut;
use reqlog_core::retention::Limits;
use reqlog_core::timestamp::Timestamp;
use reqlog_tests::corpus::Prng;
use reqlog_tests::memory::Memory;
use reqlog_tests::simdisk::{SimDisk, Syncs};
use reqlog_tests::wire::Setting;
use retention::Unsettled;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// A law that does not hold, in words.
pub type Law<T = ()> = Result<T, String>;

/// How a change ended.
#[derive(Debug)]
pub enum Change {
    /// Answered.
    Answered(Answer),
    /// Not acknowledged, and there after the store was opened again.
    Found,
    /// Not acknowledged, and not there.
    Lost,
}

/// What a control breaks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sabotage {
    /// Done to answers of the store, before they are compared.
    pub store: Option<fn(&Ask, &mut Answer)>,
    /// Done to what both answered.
    pub both: Option<fn(&Ask, &mut Answer)>,
    /// Done to whole events that a stream sends.
    pub stream: Option<fn(Vec<u8>) -> Vec<u8>>,
    /// What syncs of the disk do.
    pub syncs: Option<Syncs>,
    /// How much longer the store keeps records than it is to.
    pub late: Duration,
}

pub struct World {
    pub prng: Prng,
    pub model: Model,
    pub trace: Vec<String>,
    /// The last serial that was given to a record.
    pub serial: u64,
    pub sabotage: Sabotage,
    /// How often the store was opened again; who is connected to it was cut off.
    pub restarts: u64,
    pub answers: u64,
    /// How often something was met.
    pub met: BTreeMap<&'static str, u64>,
    /// Whether the disk may fail.
    armed: bool,
    disk: SimDisk,
    service: Option<Arc<Service>>,
    memory: Memory,
    clock: Arc<AtomicI64>,
    latest: i64,
    keys: Vec<[String; 2]>,
    setting: Setting,
    /// Of each project.
    limits: [Limits; 3],
    /// What arrived before has expired, in milliseconds since 1970, of each project.
    horizons: [u64; 3],
    /// The last sequence that may be in memory for tails.
    fed: u64,
    unsettled: Unsettled,
}

impl World {
    pub fn new(seed: u64, sabotage: &Sabotage) -> Law<Self> {
        let mut setting = Setting::default();
        setting.settings.fan_out = seed.is_multiple_of(2).then(FanOut::default);
        let mut prng = Prng::new(seed);
        let limits = retention::draw(&mut prng);
        let mut world = Self {
            prng,
            model: Model::default(),
            trace: Vec::new(),
            serial: 0,
            sabotage: *sabotage,
            restarts: 0,
            answers: 0,
            met: BTreeMap::new(),
            armed: false,
            disk: SimDisk::new(),
            service: None,
            memory: Memory::new(&setting),
            clock: Arc::new(AtomicI64::new(setting.now.as_millis())),
            latest: setting.now.as_millis(),
            keys: Vec::new(),
            setting,
            limits,
            horizons: [0; 3],
            fed: 0,
            unsettled: Unsettled::No,
        };
        world.note(format!("{limits:?}"));
        let Setting { batches, projects, cursor_secret, .. } = world.setting.clone();
        let founding = Founding { batches, projects, secret: cursor_secret };
        found(&world.disk.root().join("data"), &world.options(), &founding).map_err(|error| error.to_string())?;
        world.open()?;
        let admin = world.setting.admin.clone();
        world.store().ensure_admin(Some(admin)).map_err(|fault| fault.to_string())?;
        for project in PROJECTS {
            let ask = Ask::change(Method::POST, "/api/v1/projects", json!({"name": project}).to_string());
            world.ask(&ask)?;
            let key = json!({"name": project, "role": "read", "project": project}).to_string();
            let ask = Ask::change(Method::POST, "/api/v1/keys", key);
            let secret = |answer: Answer| -> Law<String> {
                Ok(answer.json()?["secret"].as_str().ok_or("no key was made")?.to_owned())
            };
            let secrets = [secret(world.native(&ask))?, secret(world.naive(&ask))?];
            world.keys.push(secrets);
        }
        Ok(world)
    }

    pub fn store(&self) -> &Store {
        self.service.as_ref().expect("a store is open between two actions").store()
    }

    /// Milliseconds since 1970.
    pub fn now(&self) -> i64 {
        self.clock.load(Ordering::SeqCst)
    }

    /// Moves the clock, also back.
    pub fn pass(&mut self, millis: i64) {
        let now = self.clock.fetch_add(millis, Ordering::SeqCst) + millis;
        self.latest = self.latest.max(now);
    }

    pub fn note(&mut self, what: String) {
        self.trace.push(what);
    }

    /// Asks for something that changes nothing.
    pub fn ask(&mut self, ask: &Ask) -> Law<Answer> {
        let (native, naive) = (self.native(ask), self.naive(ask));
        self.same(ask, native, &naive)
    }

    /// Asks for a change.
    pub fn change(&mut self, ask: &Ask) -> Law<Change> {
        let (now, armed) = (self.now(), self.armed);
        let native = self.native(ask);
        if self.disk.is_on() && !native.status.is_server_error() {
            let naive = self.naive(ask);
            return self.same(ask, native, &naive).map(Change::Answered);
        }
        if !armed {
            return Err(format!("{} {}: {} {:?}", ask.method, ask.target, native.status, native.body));
        }
        let acknowledged = native.status.is_success();
        self.note(format!("  failed: {} {:?}", native.status, native.body));
        self.reopen()?;
        let found = self.native_state();
        // the start hid more than there was when it was asked for
        if !acknowledged && found == self.remaining(now) {
            self.expire();
            self.tell();
            self.meet("a change was lost with the power");
            return Ok(Change::Lost);
        }
        self.naive_at(now, ask);
        self.expire();
        let state = self.naive_state();
        if found == state {
            let what =
                if acknowledged { "power failed after an answer" } else { "a change was found that nobody answered" };
            self.meet(what);
            return Ok(if acknowledged { Change::Answered(native) } else { Change::Found });
        }
        Err(format!("after {} {} failed: {}", ask.method, ask.target, difference(&found, &state)))
    }

    /// The store against the naive frontend, whole.
    pub fn compare(&mut self) -> Law {
        let (native, naive) = (self.native_state(), self.naive_state());
        if native == naive { Ok(()) } else { Err(difference(&native, &naive)) }
    }

    /// Whether an administrator's list of every project is a sweep.
    pub fn fans_out(&self) -> bool {
        self.setting.settings.fan_out.is_some()
    }

    /// The last sequence that was given out; 0 before the first.
    pub fn head(&self) -> u64 {
        self.store().catalog().head.map_or(0, |head| head.seq().get())
    }

    /// The latest arrival, in milliseconds since 1970.
    pub fn arrival(&self) -> i64 {
        self.store().catalog().head.map_or(0, |head| head.arrival_ms() as i64)
    }

    /// Counts what happens, so that it is known to happen.
    pub fn meet(&mut self, what: &'static str) {
        *self.met.entry(what).or_default() += 1;
    }

    pub fn time(&self) -> Timestamp {
        Timestamp::from_millis(self.now())
    }

    fn stream(&self, ask: &Ask) -> Response<Reader> {
        let request = ask.with(self.key(ask.who, 0)).map(|body| Box::new(Cursor::new(body)) as Reader);
        self.service.as_ref().expect("a store is open between two actions").answer(request)
    }

    fn native(&mut self, ask: &Ask) -> Answer {
        self.answers += 1;
        let answer = self.stream(ask);
        let (head, mut body) = answer.into_parts();
        let mut bytes = Vec::new();
        let read = body.read_to_end(&mut bytes);
        let mut answer = Answer::of(Response::from_parts(head, bytes.into()));
        if let Err(error) = read {
            answer.status = StatusCode::INTERNAL_SERVER_ERROR;
            answer.body = error.to_string().into();
        }
        answer
    }

    fn naive(&mut self, ask: &Ask) -> Answer {
        self.naive_at(self.now(), ask)
    }

    fn naive_at(&mut self, now: i64, ask: &Ask) -> Answer {
        self.memory.set_now(Timestamp::from_millis(now - 1));
        let key = self.key(ask.who, 1).to_owned();
        Answer::of(self.memory.answer(ask.with(&key)))
    }

    fn key(&self, who: Who, frontend: usize) -> &str {
        match who {
            Who::Admin => self.setting.admin.expose(),
            Who::Reader(at) => &self.keys[at][frontend],
        }
    }

    fn same(&self, ask: &Ask, native: Answer, naive: &Answer) -> Law<Answer> {
        let (mut native, naive) = (unmeasured(native), unmeasured(naive.clone()));
        if let Some(tamper) = self.sabotage.store {
            tamper(ask, &mut native);
        }
        if native != naive {
            return Err(format!(
                "{} {}: the store and the naive one differ:\n{native:?}\n{naive:?}",
                ask.method, ask.target
            ));
        }
        if let Some(tamper) = self.sabotage.both {
            tamper(ask, &mut native);
        }
        Ok(native)
    }

    fn native_state(&mut self) -> Vec<String> {
        let head = format!("{:?}", self.store().catalog().head);
        let answers = STATE.map(|target| self.native(&Ask::get(Who::Admin, target)));
        state(head, &answers)
    }

    fn naive_state(&mut self) -> Vec<String> {
        self.naive_state_at(self.now())
    }

    fn naive_state_at(&mut self, now: i64) -> Vec<String> {
        let head = format!("{:?}", self.memory.head());
        let answers = STATE.map(|target| self.naive_at(now, &Ask::get(Who::Admin, target)));
        state(head, &answers)
    }
}

/// What shows everything.
const STATE: [&str; 2] = ["/api/v1/export", "/api/v1/projects"];

fn state(head: String, answers: &[Answer]) -> Vec<String> {
    let lines = answers.iter().flat_map(|answer| answer.body.split(|byte| *byte == b'\n'));
    std::iter::once(head).chain(lines.map(|line| String::from_utf8_lossy(line).into_owned())).collect()
}

fn difference(native: &[String], naive: &[String]) -> String {
    let at = native.iter().zip(naive).take_while(|(a, b)| a == b).count();
    let lines = [native.get(at), naive.get(at)];
    format!(
        "the store shows {} lines instead of {}; line {at} is {:?} instead of {:?}",
        native.len(),
        naive.len(),
        lines[0],
        lines[1]
    )
}
