//! A real server over a socket, on a disk that fills up and fails when it is told to.

use crate::exposition::{Families, parse};
use reqlog::server::{Service, serve};
use reqlog::store::{Compaction, Disk, Options, OsDisk, Store};
use reqlog_core::auth::Secret;
use reqlog_core::limit::{Limits, Rate};
use reqlog_core::plan::Settings;
use reqlog_core::timestamp::Timestamp;
use std::any::Any;
use std::io::{self, BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use ureq::Agent;

pub const FREE: u64 = 1 << 40;
pub const RESERVE: u64 = 1 << 30;
pub const NOW: i64 = 1_782_302_400_000;

/// The operating system's disk, but for its free space and whether files can be made.
pub struct Fickle {
    pub free: AtomicU64,
    pub failing: AtomicBool,
}

impl Disk for Fickle {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        OsDisk.create_dir(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        OsDisk.list(dir)
    }

    fn create(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        if self.failing.load(Ordering::SeqCst) {
            return Err(io::Error::other("this disk makes no files"));
        }
        OsDisk.create(path, bytes)
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        OsDisk.append(path, bytes)
    }

    fn read(&self, path: &Path, range: Range<u64>) -> io::Result<Vec<u8>> {
        OsDisk.read(path, range)
    }

    fn len(&self, path: &Path) -> io::Result<u64> {
        OsDisk.len(path)
    }

    fn sync_file(&self, path: &Path) -> io::Result<()> {
        OsDisk.sync_file(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        OsDisk.sync_dir(dir)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        OsDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        OsDisk.remove(path)
    }

    fn free(&self, _: &Path) -> io::Result<u64> {
        Ok(self.free.load(Ordering::SeqCst))
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Any + Send + Sync>> {
        OsDisk.lock(path)
    }
}

pub struct World {
    pub disk: Arc<Fickle>,
    pub store: Store,
    agent: Agent,
    address: SocketAddr,
    _runtime: Runtime,
    _dir: TempDir,
}

/// An answer: status, entity tag, body.
pub type Answer = (u16, Option<String>, String);

impl World {
    pub fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let disk = Arc::new(Fickle { free: AtomicU64::new(FREE), failing: AtomicBool::new(false) });
        let options = Options {
            disk: disk.clone(),
            // it stands still, so that no token comes back
            clock: Arc::new(|| Timestamp::from_millis(NOW)),
            compaction: Compaction::Manual,
            reserve: RESERVE,
            ..Options::default()
        };
        let store = Store::open(dir.path(), options).unwrap();
        store.ensure_admin(Some(Secret::given("admin".to_owned()))).unwrap();
        let limits = Limits { scrip: Rate::parse("1/1h").unwrap(), ..Limits::default() };
        let settings = Settings { limits, ..Settings::default() };
        let service = Arc::new(Service::new(store.clone(), settings, None).unwrap());
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(serve(service, listener, std::future::pending()));
        let agent = Agent::config_builder().http_status_as_error(false).build().new_agent();
        Self { disk, store, agent, address, _runtime: runtime, _dir: dir }
    }

    /// Asks with a key and one more header field; a body makes it a POST.
    pub fn ask(&self, method: &str, path: &str, key: &str, field: (&str, &str), body: &str) -> Answer {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address))
            .header("x-api-key", key)
            .header(field.0, field.1);
        let (head, mut body) = self.agent.run(request.body(body.to_owned()).unwrap()).unwrap().into_parts();
        let tag = head.headers.get("etag").map(|tag| tag.to_str().unwrap().to_owned());
        (head.status.as_u16(), tag, body.read_to_string().unwrap())
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "admin", ("accept", "*/*"), "")
    }

    pub fn ingest(&self, lines: &str) -> u16 {
        self.ask(
            "POST",
            "/api/v1/ingest?project=abcdefghijklmnopqrstuvwx&format=ndjson",
            "admin",
            ("accept", "*/*"),
            lines,
        )
        .0
    }

    /// A live stream from the first record on, of which one row was read.
    pub fn stream(&self) -> impl BufRead {
        let url = format!("http://{}/_logs/stream", self.address);
        let request = self.agent.get(url).header("x-api-key", "admin").header("last-event-id", "0");
        let mut lines = BufReader::new(request.call().unwrap().into_body().into_reader());
        let mut line = String::new();
        while !line.starts_with("data: {") {
            line.clear();
            assert!(lines.read_line(&mut line).unwrap() > 0, "the stream has ended");
        }
        lines
    }

    pub fn scrape(&self) -> Families {
        let (status, _, text) = self.get("/metrics");
        assert_eq!(status, 200);
        parse(&text).unwrap_or_else(|error| panic!("{error} in:\n{text}"))
    }
}
