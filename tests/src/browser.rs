//! The engine as WebAssembly, in Node and in headless Chromium: every read is its answer.
//!
//! As with [`offline`](crate::offline), what vectors write and follow is done by the evaluator in memory, and the module
//! opens its rows afresh. `wasm/test/host.mjs` runs the modules of a test binary.

use crate::edge::variables;
use crate::memory::{Memory, compressed};
use crate::node::{self, Host};
use crate::offline::indexed;
use crate::wire::{Came, Frontend, Server, Setting};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::ACCEPT_ENCODING;
use http::{Request, Response};
use reqlog_core::auth::Key;
use reqlog_core::plan::Offers;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

static HOST: LazyLock<Host> =
    LazyLock::new(|| Host::spawn("wasm/test/host.mjs").expect("Node runs wasm/test/host.mjs"));

/// Where the module runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Browser {
    /// In Node.
    Node,
    /// In a page of headless Chromium.
    Chromium,
}

impl Browser {
    /// What is missing to run the module there, if something is.
    pub fn missing(self) -> Option<String> {
        let module = "target/wasm/reqlog_bg.wasm";
        match self {
            Self::Node => node::missing(&[module], "wasm"),
            Self::Chromium => node::missing(&[module, "wasm/node_modules/playwright-core"], "wasm").or_else(|| {
                let path = std::env::var("PLAYWRIGHT_CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".to_owned());
                (!Path::new(&path).exists()).then(|| format!("there is no {path}: set PLAYWRIGHT_CHROMIUM"))
            }),
        }
    }
}

impl Frontend for Browser {
    type Server = Opened;

    // one thread runs all of them
    const AT_ONCE: usize = 2;

    // the page that has the module is the UI
    fn serves_ui(&self) -> bool {
        false
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Node => "the module in Node",
            Self::Chromium => "the module in Chromium",
        }
    }

    fn offers(&self) -> Offers {
        Offers::OPENED
    }

    fn start(&self, setting: &Setting) -> Opened {
        let opened = Opened { place: *self, id: HOST.number(), memory: Memory::new(setting) };
        opened.reopen();
        opened
    }
}

/// A store of the module, of what is in memory.
#[derive(Debug)]
pub struct Opened {
    place: Browser,
    id: u64,
    memory: Memory,
}

impl Opened {
    fn command(&self, operation: &str, mut more: Value) -> Result<Value, String> {
        more["op"] = operation.into();
        more["id"] = self.id.into();
        more["in"] = match self.place {
            Browser::Node => "node".into(),
            Browser::Chromium => "chromium".into(),
        };
        HOST.command(more)
    }

    fn reopen(&self) {
        let memory = &self.memory;
        let setting = memory.setting();
        let projects: BTreeMap<_, _> = memory.projects().iter().collect();
        let opened = self.command(
            "open",
            json!({
                "setup": json!({
                    "keys": memory.keyring().keys().iter().map(key).collect::<Vec<_>>(),
                    "projects": projects,
                    "secret": hex(&setting.cursor_secret),
                    "redact_key": hex(&setting.redact_key),
                    "settings": variables(&setting.settings),
                })
                .to_string(),
                "indexed": STANDARD.encode(indexed(memory).encode()),
                "head": memory.head().map(|head| [head.arrival_ms().to_string(), head.seq().get().to_string()]),
            }),
        );
        opened.expect("the module opens what was built");
    }

    fn read(&mut self, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
        self.memory.tick();
        let codings = request.headers().get(ACCEPT_ENCODING).is_some_and(|codings| codings == "gzip");
        let (head, body) = request.into_parts();
        // as byte strings
        let text = |bytes: &[u8]| bytes.iter().map(|byte| char::from(*byte)).collect::<String>();
        let headers = head.headers.iter().flat_map(|(name, value)| [name.to_string(), text(value.as_bytes())]);
        let answered = self.command(
            "answer",
            json!({
                "method": head.method.as_str(),
                "url": head.uri.to_string(),
                "headers": headers.collect::<Vec<_>>(),
                "body": STANDARD.encode(&body),
                "now": self.memory.now().as_nanos().to_string(),
            }),
        )?;
        let answer = response(&answered).ok_or_else(|| format!("no answer: {answered}"))?;
        Ok(if codings && !answer.body().is_empty() { compressed(answer) } else { answer })
    }
}

fn key(key: &Key) -> Value {
    json!({
        "id": key.id,
        "hash": hex(&key.hash.0),
        "name": key.name,
        "role": key.role.name(),
        "project": key.scope.project(),
        "created": key.created.to_string(),
        "expires": key.expires.map(|expires| expires.to_string()),
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn response(answered: &Value) -> Option<Response<Bytes>> {
    let mut response = Response::builder().status(u16::try_from(answered["status"].as_u64()?).ok()?);
    for field in answered["headers"].as_array()? {
        let value: Vec<u8> = field[1].as_str()?.chars().map(|char| char as u8).collect();
        response = response.header(field[0].as_str()?, value);
    }
    response.body(STANDARD.decode(answered["body"].as_str()?).ok()?.into()).ok()
}

impl Server for Opened {
    fn answer(&mut self, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
        if !self.memory.is_needed(&request) {
            return self.read(request);
        }
        let answer = self.memory.answer(request);
        self.reopen();
        Ok(answer)
    }

    fn answer_itself(&mut self, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
        self.read(request)
    }

    fn wait(&mut self, time: Duration) {
        self.memory.wait(time);
    }

    fn open(&mut self, name: &str, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
        self.memory.open(name, request)
    }

    fn read(&mut self, name: &str, least: usize) -> Result<Came, String> {
        self.memory.read(name, least)
    }

    fn disconnect(&mut self, name: &str) {
        self.memory.disconnect(name);
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        // the host may have ended
        let _ = self.command("close", json!({}));
    }
}
