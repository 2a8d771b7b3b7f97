//! Subscribers, each of which knows what it has to see.

use super::Result;
use super::server::KEY;
use super::writer::{START, value};
use std::io::Write;
use std::net::TcpStream;
use std::ops::Range;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// One value of 50 matches each filter.
pub const FRAMES_PER_RECORD: f64 = 1.0 / 50.0;

/// Which record a frame was of, and when it came.
pub type Seen = (usize, Duration);

/// Open subscriptions.
pub struct Readers {
    runtime: Runtime,
    address: String,
    tasks: JoinSet<Result<Vec<Seen>>>,
    // how many records there will have been
    end: watch::Sender<Option<usize>>,
}

/// What a subscriber asks for, and which records that is.
fn filter(subscriber: usize) -> (String, usize, usize) {
    let wanted = subscriber / 4;
    match subscriber % 4 {
        0 => (format!("/api/v1/tail?q=service:s{wanted}"), 0, wanted),
        1 => (format!("/api/v1/tail?q=path:/v1/r{wanted}/*+-status:599"), 1, wanted),
        2 => (format!("/api/v1/tail?q=session:u{wanted}+duration:%3C5s"), 2, wanted),
        _ => (format!("/_logs/stream?serviceName=s{wanted}&kind=request&method=POST"), 0, wanted),
    }
}

fn request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {KEY}\r\n\r\n")
}

impl Readers {
    pub fn new(address: &str) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        Ok(Self { runtime, address: address.to_owned(), tasks: JoinSet::new(), end: watch::Sender::new(None) })
    }

    /// Opens these subscriptions, which see what is written from this record on.
    pub fn open(&mut self, which: Range<usize>, first: usize) -> Result<()> {
        for subscriber in which {
            let (path, kind, wanted) = filter(subscriber);
            let (address, mut end) = (self.address.clone(), self.end.subscribe());
            let mut socket = self.runtime.block_on(async {
                let mut socket = tokio::net::TcpStream::connect(address).await?;
                socket.write_all(request(&path).as_bytes()).await?;
                Ok::<_, std::io::Error>(socket)
            })?;
            let mut reader = Reader { path, rest: Vec::new(), seen: Vec::new(), next: first, kind, wanted };
            // it is there when its first bytes are
            self.runtime.block_on(reader.begin(&mut socket))?;
            self.tasks.spawn_on(
                async move {
                    loop {
                        tokio::select! {
                            read = reader.read(&mut socket) => read?,
                            changed = end.changed() => changed?,
                        }
                        if end.borrow().is_some_and(|end| reader.has_all(end)) {
                            return Ok(reader.seen);
                        }
                    }
                },
                self.runtime.handle(),
            );
        }
        Ok(())
    }

    /// A subscription to everything that nobody reads.
    pub fn stuck(&self) -> Result<TcpStream> {
        let mut socket = TcpStream::connect(&self.address)?;
        socket.write_all(request("/api/v1/tail").as_bytes())?;
        Ok(socket)
    }

    /// Everything that was seen, once all subscribers have all they wait for.
    pub fn finish(mut self, records: usize, patience: Duration) -> Result<Vec<Seen>> {
        self.end.send_replace(Some(records));
        let mut all = Vec::new();
        self.runtime.block_on(async {
            while let Some(one) = timeout(patience, self.tasks.join_next()).await.map_err(|_| "frames were lost")? {
                all.extend(one??);
            }
            Ok(all)
        })
    }
}

struct Reader {
    path: String,
    rest: Vec<u8>,
    seen: Vec<Seen>,
    // the first record that may still come
    next: usize,
    kind: usize,
    wanted: usize,
}

impl Reader {
    async fn begin(&mut self, socket: &mut tokio::net::TcpStream) -> Result<()> {
        // the comment that opens a stream ends in an empty line
        while !self.rest.windows(2).any(|end| end == b"\n\n") {
            if socket.read_buf(&mut self.rest).await? == 0 {
                return Err(format!("{}: {}", self.path, String::from_utf8_lossy(&self.rest)).into());
            }
        }
        Ok(())
    }

    async fn read(&mut self, socket: &mut tokio::net::TcpStream) -> Result<()> {
        if socket.read_buf(&mut self.rest).await? == 0 {
            return Err(format!("{}: the stream ended", self.path).into());
        }
        let came = START.elapsed();
        let whole = self.rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let text = std::str::from_utf8(&self.rest[..whole])?;
        // a piece of the body is whole events, so that its lines are too
        for line in text.lines().filter(|line| line.starts_with("data: ")) {
            let Some(at) = line.find("\"/v1/r") else { continue };
            let route = line[at + 1..].split('"').next().unwrap_or_default();
            let number = route.rsplit('/').next().unwrap_or_default().parse::<usize>()?;
            let expected = self.expected();
            if number != expected {
                return Err(format!("{}: record {number} came where {expected} was to come", self.path).into());
            }
            self.seen.push((number, came));
            self.next = number + 1;
        }
        self.rest.drain(..whole);
        Ok(())
    }

    fn expected(&self) -> usize {
        // every value comes back within so many records
        let near = self.next..self.next + 5000;
        near.into_iter().find(|number| value(*number, self.kind) == self.wanted).unwrap_or(usize::MAX)
    }

    fn has_all(&self, records: usize) -> bool {
        self.expected() >= records
    }
}
