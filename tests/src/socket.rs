//! The client's side of a frontend over a socket: one keep-alive connection, and one for each stream.

use crate::wire::Came;
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

/// One for all servers and connections.
pub(crate) static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime starts"));

pub(crate) type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

// only for a server that does not say what it should
const PATIENCE: Duration = Duration::from_secs(30);

/// Connections to one server.
#[derive(Debug)]
pub struct Client {
    address: SocketAddr,
    connection: Option<SendRequest<Full<Bytes>>>,
    streams: HashMap<String, Stream>,
}

/// A stream on a connection of its own, and what came of it and was not read yet.
#[derive(Debug)]
struct Stream {
    _connection: SendRequest<Full<Bytes>>,
    body: Incoming,
    came: Vec<u8>,
    is_over: bool,
}

impl Client {
    /// Connects when it is first asked for something.
    pub fn new(address: SocketAddr) -> Self {
        Self { address, connection: None, streams: HashMap::new() }
    }

    /// Leaves every connection.
    pub fn close(&mut self) {
        self.hang_up();
        self.streams.clear();
    }

    /// Leaves every connection that has no stream.
    pub fn hang_up(&mut self) {
        self.connection = None;
    }

    /// Whether a stream is open, as far as it was read.
    pub fn is_following(&self) -> bool {
        self.streams.values().any(|stream| !stream.is_over)
    }

    /// Asks, and reads the answer to its end.
    pub fn answer(&mut self, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
        RUNTIME.block_on(self.ask(request.map(Full::new))).map_err(|error| error.to_string())
    }

    /// Asks on a connection of its own while something else is done; the answer is read to its end.
    pub fn answer_while<T>(
        &self,
        request: Request<Bytes>,
        meanwhile: impl FnOnce() -> T,
    ) -> (Result<Response<Bytes>, String>, T) {
        let mut client = Self::new(self.address);
        let asked =
            RUNTIME.spawn(async move { client.ask(request.map(Full::new)).await.map_err(|error| error.to_string()) });
        let done = meanwhile();
        (RUNTIME.block_on(asked).expect("asking does not panic"), done)
    }

    /// Asks on a connection of its own; a stream stays open under `name`.
    pub fn open(&mut self, name: &str, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
        RUNTIME.block_on(self.begin(name, request.map(Full::new))).map_err(|error| error.to_string())
    }

    /// What a stream has sent since it was read last; see [`Server::read`](crate::wire::Server::read).
    pub fn read(&mut self, name: &str, least: usize) -> Result<Came, String> {
        let stream = self.streams.get_mut(name).ok_or("no such stream")?;
        RUNTIME
            .block_on(stream.fill(least))
            .map_err(|error| format!("{error}; came {}", String::from_utf8_lossy(&stream.came)))?;
        let whole = stream.came.windows(2).rposition(|pair| pair == b"\n\n").map_or(0, |at| at + 2);
        let whole = if stream.is_over { stream.came.len() } else { whole };
        Ok(Came { bytes: stream.came.drain(..whole).collect(), is_over: stream.is_over })
    }

    /// Leaves a stream.
    pub fn disconnect(&mut self, name: &str) {
        self.streams.remove(name);
    }

    async fn ask(&mut self, request: Request<Full<Bytes>>) -> Fallible<Response<Bytes>> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect(self.address).await?,
        };
        let (head, body) = connection.send_request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        // the server says when it will not take another request, or just closes
        let is_kept = head.headers.get(CONNECTION).is_none_or(|value| value != "close");
        if is_kept && connection.ready().await.is_ok() {
            self.connection = Some(connection);
        }
        Ok(Response::from_parts(head, body))
    }

    async fn begin(&mut self, name: &str, request: Request<Full<Bytes>>) -> Fallible<Response<Bytes>> {
        let mut connection = connect(self.address).await?;
        let (head, body) = connection.send_request(request).await?.into_parts();
        if head.headers.get(CONTENT_TYPE).is_none_or(|media| media != "text/event-stream") {
            let body = body.collect().await?.to_bytes();
            return Ok(Response::from_parts(head, body));
        }
        let stream = Stream { _connection: connection, body, came: Vec::new(), is_over: false };
        self.streams.insert(name.to_owned(), stream);
        Ok(Response::from_parts(head, Bytes::new()))
    }
}

impl Stream {
    /// Until so many events and comments are there, or the end.
    async fn fill(&mut self, least: usize) -> Fallible<()> {
        while !self.is_over && self.came.windows(2).filter(|pair| *pair == b"\n\n").count() < least {
            match tokio::time::timeout(PATIENCE, self.body.frame()).await? {
                Some(frame) => self.came.extend_from_slice(&frame?.into_data().unwrap_or_default()),
                None => self.is_over = true,
            }
        }
        Ok(())
    }
}

async fn connect(address: SocketAddr) -> Fallible<SendRequest<Full<Bytes>>> {
    let socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    let (connection, driver) = handshake(TokioIo::new(socket)).await?;
    tokio::spawn(driver);
    Ok(connection)
}
