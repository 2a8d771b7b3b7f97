//! The real Worker on workerd, over a socket: its D1, KV and Durable Objects on disk, its clock simulated.
//!
//! `worker/test/host.mjs` runs the Workers of a test binary, `worker/test/controlled.mjs` stands between them and what they
//! are asked. A request tells the clock; nothing of the Worker that is built knows of any of this.

mod host;
mod seed;

use crate::socket::{Client, Fallible};
use crate::wire::{Came, Frontend, Server, Setting};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response};
use reqlog_core::plan::Offers;
use reqlog_core::timestamp::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;
use tempfile::TempDir;

pub use host::missing;
pub(crate) use seed::variables;

/// The Worker, by where its records are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// In batches: nothing is ever compacted.
    Batches(Restart),
    /// In segments: compacted before the first request and after each that may have changed something.
    Segments(Restart),
}

/// When the runtime is ended and started again over the same stores: before which steps of a file, as long as no stream
/// is open. The repeats of one step (`@times`) are asked of one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// Before none.
    Never,
    /// Before the second, the fourth…
    BeforeEven,
    /// Before the first, the third…
    BeforeOdd,
    /// Before each.
    BeforeEach,
}

impl Restart {
    fn is_before(self, step: u64) -> bool {
        match self {
            Self::Never => false,
            Self::BeforeEven => step.is_multiple_of(2),
            Self::BeforeOdd => !step.is_multiple_of(2),
            Self::BeforeEach => true,
        }
    }
}

impl Edge {
    fn restart(self) -> Restart {
        match self {
            Self::Batches(restart) | Self::Segments(restart) => restart,
        }
    }
}

impl Frontend for Edge {
    type Server = Deployed;

    // each is a process of its own
    const AT_ONCE: usize = 4;

    fn name(&self) -> &'static str {
        match self {
            Self::Batches(Restart::Never) => "edge, from batches",
            Self::Batches(_) => "edge, from batches, restarted",
            Self::Segments(Restart::Never) => "edge, from segments",
            Self::Segments(_) => "edge, from segments, restarted",
        }
    }

    fn offers(&self) -> Offers {
        Offers::EDGE
    }

    fn start(&self, setting: &Setting) -> Deployed {
        Deployed::start(*self, setting).expect("a Worker starts over stores of its own")
    }
}

/// A Worker, listening.
#[derive(Debug)]
pub struct Deployed {
    mode: Edge,
    id: u64,
    now: Timestamp,
    client: Client,
    // how many steps have begun, and whether the last of them has asked for nothing yet
    steps: (u64, bool),
    _dir: TempDir,
}

impl Deployed {
    fn start(mode: Edge, setting: &Setting) -> Fallible<Self> {
        let dir = tempfile::tempdir()?;
        let (id, address) = host::start(json!({
            "dir": dir.path(),
            "now": setting.now.as_nanos().to_string(),
            "ui": crate::ui::directory(),
            "vars": seed::variables(&setting.settings),
            "sql": seed::statements(setting),
        }))?;
        let client = Client::new(address);
        let mut deployed = Self { mode, id, now: setting.now, client, steps: (0, false), _dir: dir };
        deployed.settle()?;
        Ok(deployed)
    }

    /// Does what a control of the Worker's test entry or its host says; see `worker/test/`.
    pub fn control(&self, operation: &str, mut more: Value) -> Result<Value, String> {
        more["op"] = operation.into();
        more["id"] = self.id.into();
        if more["now"].is_null() {
            more["now"] = self.now.as_nanos().to_string().into();
        }
        host::command(more)
    }

    /// Asks, and lets `time` pass as soon as `hits` calls have met an armed fault: what waits for it would wait for ever.
    pub fn answer_after(
        &mut self,
        request: Request<Bytes>,
        hits: u64,
        time: Duration,
    ) -> Result<Response<Bytes>, String> {
        let request = self.due(request)?;
        let later = self.now.plus_nanos(time.as_nanos() as i64);
        let (answer, passed) = self.client.answer_while(request, || {
            self.control("hit", json!({ "least": hits }))?;
            self.control("advance", json!({ "now": later.as_nanos().to_string() }))
        });
        self.now = later;
        passed?;
        answer
    }

    /// Ends the runtime as a crash would and starts another over the same stores; connections and streams are gone.
    pub fn restart(&mut self) -> Result<(), String> {
        self.client.close();
        self.control("restart", json!({})).map(drop)
    }

    fn settle(&mut self) -> Result<(), String> {
        match self.mode {
            Edge::Batches(_) => Ok(()),
            Edge::Segments(_) => self.control("settle", json!({})).map(drop),
        }
    }

    /// The clock goes on by a millisecond and the request tells it.
    fn due(&mut self, mut request: Request<Bytes>) -> Result<Request<Bytes>, String> {
        let (step, begins) = (self.steps.0, std::mem::take(&mut self.steps.1));
        if begins && self.mode.restart().is_before(step) && !self.client.is_following() {
            self.restart()?;
        }
        // the runtime closes a connection whose request nobody read to its end, and does not say so
        self.client.hang_up();
        self.now = self.now.plus_nanos(1_000_000);
        let now = HeaderValue::from_str(&self.now.as_nanos().to_string()).expect("digits are a value");
        request.headers_mut().insert("x-test-now", now);
        Ok(request)
    }
}

impl Server for Deployed {
    fn answer(&mut self, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
        let reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
        let request = self.due(request)?;
        let answer = self.client.answer(request)?;
        if !reads {
            self.settle()?;
        }
        Ok(answer)
    }

    fn wait(&mut self, time: Duration) {
        self.steps = (self.steps.0 + 1, true);
        if !time.is_zero() {
            self.now = self.now.plus_nanos(time.as_nanos() as i64);
            self.control("advance", json!({})).expect("time passes");
        }
    }

    fn open(&mut self, name: &str, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
        let request = self.due(request)?;
        self.client.open(name, request)
    }

    fn read(&mut self, name: &str, least: usize) -> Result<Came, String> {
        self.client.read(name, least)
    }

    fn disconnect(&mut self, name: &str) {
        self.client.disconnect(name);
    }
}

impl Drop for Deployed {
    fn drop(&mut self) {
        self.client.close();
        // its directory goes next
        let _ = self.control("stop", json!({}));
    }
}
