//! The real server over a real socket: a store in a directory of its own, one keep-alive connection.

use crate::socket::{Client, Fallible, RUNTIME};
use crate::wire::{Came, Frontend, Server, Setting};
use bytes::Bytes;
use http::{Method, Request, Response};
use reqlog::server::{Service, serve};
use reqlog::store::{Compaction, Founding, Options, Store, found};
use reqlog_core::timestamp::Timestamp;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The native server, by where its records are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Native {
    /// In batches: nothing is ever compacted.
    Batches,
    /// In segments: compacted before the first request and after each that may have changed something.
    Segments,
}

impl Frontend for Native {
    type Server = Served;

    fn name(&self) -> &'static str {
        match self {
            Self::Batches => "native, from batches",
            Self::Segments => "native, from segments",
        }
    }

    fn start(&self, setting: &Setting) -> Served {
        Served::start(*self, setting).expect("a server starts in a directory of its own")
    }
}

/// A server, listening.
#[derive(Debug)]
pub struct Served {
    store: Kept,
    clock: Arc<AtomicI64>,
    client: Client,
    stop: Option<(oneshot::Sender<()>, JoinHandle<std::io::Result<()>>)>,
}

/// The store is dropped before its directory.
struct Kept {
    store: Store,
    in_segments: bool,
    _dir: TempDir,
}

impl Served {
    fn start(mode: Native, setting: &Setting) -> Fallible<Self> {
        let dir = tempfile::tempdir()?;
        let clock = Arc::new(AtomicI64::new(setting.now.as_nanos()));
        let time = clock.clone();
        let options = Options {
            clock: Arc::new(move || Timestamp::from_nanos(time.load(Ordering::SeqCst))),
            compaction: Compaction::Manual,
            reserve: 0,
            ..Options::default()
        };
        let founding = Founding {
            batches: setting.batches.clone(),
            projects: setting.projects.clone(),
            secret: setting.cursor_secret,
        };
        found(dir.path(), &options, &founding)?;
        let store = Store::open(dir.path(), options)?;
        store.ensure_admin(Some(setting.admin.clone()))?;
        let service = Arc::new(Service::new(store.clone(), setting.settings.clone(), Some(setting.redact_key))?);
        let listener = RUNTIME.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let task = RUNTIME.spawn(serve(service, listener, async {
            let _ = stopped.await;
        }));
        let store = Kept { store, in_segments: mode == Native::Segments, _dir: dir };
        store.settle()?;
        Ok(Self { store, clock, client: Client::new(address), stop: Some((stop, task)) })
    }
}

impl Server for Served {
    fn answer(&mut self, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
        self.clock.fetch_add(1_000_000, Ordering::SeqCst);
        let reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
        let answer = self.client.answer(request)?;
        if !reads {
            // streams have what was committed from memory, however quick compaction is
            self.store.store.feed().map_err(|error| error.to_string())?;
            self.store.settle().map_err(|error| error.to_string())?;
        }
        Ok(answer)
    }

    fn wait(&mut self, time: Duration) {
        if !time.is_zero() {
            self.clock.fetch_add(time.as_nanos() as i64, Ordering::SeqCst);
            self.store.store.wake();
        }
    }

    fn open(&mut self, name: &str, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
        self.clock.fetch_add(1_000_000, Ordering::SeqCst);
        self.client.open(name, request)
    }

    fn read(&mut self, name: &str, least: usize) -> Result<Came, String> {
        self.client.read(name, least)
    }

    fn disconnect(&mut self, name: &str) {
        self.client.disconnect(name);
    }
}

impl Kept {
    fn settle(&self) -> Fallible<()> {
        if self.in_segments { Ok(self.store.compact_now()?) } else { Ok(()) }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // a server waits for its connections
        self.client.close();
        if let Some((stop, task)) = self.stop.take() {
            let _ = stop.send(());
            let _ = RUNTIME.block_on(task);
        }
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").field("in_segments", &self.in_segments).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqlog_core::catalog::SourceId;
    use reqlog_core::format::time::rfc3339;
    use std::path::Path;

    #[test]
    fn records_are_where_the_name_says() {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/seeds");
        let setting = Setting::read(&seeds, Some("examples"), rfc3339("2026-06-23T12:05:00Z")).unwrap();
        let in_segments = |mode: Native| {
            let mut server = mode.start(&setting);
            let line = "{\"time\":\"2026-06-23T12:00:00Z\",\"kind\":\"event\"}\n";
            let key = setting.admin.expose();
            let request = Request::post("/api/v1/ingest").header("host", "reqlog.test").header("x-api-key", key);
            assert_eq!(server.answer(request.body(line.into()).unwrap()).unwrap().status(), 200);
            let entries = &server.store.store.catalog().entries;
            assert_eq!(entries.iter().map(|entry| entry.summary.rows).sum::<u64>(), 19);
            entries.iter().map(|entry| matches!(entry.id, SourceId::Segment(_))).collect::<Vec<_>>()
        };
        assert_eq!(in_segments(Native::Batches), [false; 6]);
        let segments = in_segments(Native::Segments);
        assert!(!segments.is_empty() && segments.iter().all(|is_segment| *is_segment), "{segments:?}");
    }
}
