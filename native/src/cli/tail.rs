//! `reqlog tail`: records as they are stored.
//!
//! It goes on by itself: after a connection that ended, or that was silent for three heartbeats, it connects again and
//! asks for what came after the last record it was given. Until the first stream has begun, every failure is final;
//! afterwards only those that another attempt cannot mend.

use super::api::{self, Path};
use super::backend::{Backend, Remote};
use super::events::{Event, Events};
use super::query;
use super::rows::{self, Following};
use super::settings::Settings;
use super::{Place, Problem, Verdict};
use bytes::Bytes;
use clap::{Args, ValueEnum};
use http::{HeaderName, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use reqlog_core::live::HEARTBEAT;
use serde_json::value::RawValue;
use std::fmt::Display;
use std::io::{self, Write};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

/// Shows records that match as they are stored, until it is interrupted
///
/// The server is the one of --url or of the data directory; when it is away, the command waits for it and goes on where
/// it was: `reqlog tail 'status:5xx project:checkout'`.
#[derive(Args, Clone, Debug)]
pub struct Tail {
    /// Which records, in the query language; all without it
    #[arg(value_name = "QUERY", default_value = "", hide_default_value = true, allow_hyphen_values = true)]
    text: String,
    /// How they are shown
    #[arg(long = "format", value_enum, default_value_t = Shown::Table)]
    shown: Shown,
    /// The same as --format ndjson
    #[arg(long, conflicts_with = "shown")]
    json: bool,
    /// Only records of this project
    #[arg(long)]
    project: Option<String>,
    /// First those that are stored after this sequence, 0 for all; without it, only what comes from now on
    #[arg(long, value_name = "SEQ")]
    from: Option<u64>,
    #[command(flatten)]
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Shown {
    /// For people
    Table,
    Ndjson,
}

const SILENCE: Duration = Duration::from_secs(3 * HEARTBEAT.as_secs());
const CONNECTING: Duration = Duration::from_secs(10);
// between attempts, doubled each time
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);
// of a refusal
const REFUSAL: usize = 64 << 10;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Why a stream ended, or did not begin.
enum End {
    /// Nothing will help.
    Final(Problem),
    /// Another attempt may.
    Broken(String),
    /// The server never issued the id; everything begins again.
    Reset,
}

impl End {
    fn broken(base: &str, error: impl Display) -> Self {
        Self::Broken(format!("{base}: {error}"))
    }
}

impl From<Problem> for End {
    fn from(problem: Problem) -> Self {
        Self::Final(problem)
    }
}

impl Tail {
    pub fn run(self, settings: &Settings) -> Result<Verdict, Problem> {
        query::parse(&self.text)?;
        let data = settings.data(self.place.data.as_deref());
        if Backend::server(&self.place, settings)?.is_none() {
            let data = data.display();
            return Err(Problem::Failed(format!(
                "nobody serves {data}, so that nothing can come; `reqlog serve --data {data}` does, --url names another \
                 server, and `reqlog query` shows what is stored"
            )));
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let ended = runtime.block_on(async {
            let mut interrupt = signal(SignalKind::interrupt())?;
            let mut terminate = signal(SignalKind::terminate())?;
            let following = tokio::spawn(Follower::new(self, settings.clone()).run());
            tokio::select! {
                _ = interrupt.recv() => Ok(Verdict::Fine),
                _ = terminate.recv() => Ok(Verdict::Fine),
                ended = following => ended.unwrap_or_else(|error| Err(Problem::Failed(error.to_string()))),
            }
        });
        // whoever reads the output may have stopped reading
        runtime.shutdown_background();
        ended
    }
}

/// Where a tail is.
struct Follower {
    tail: Tail,
    settings: Settings,
    rows: Following,
    // `Last-Event-ID`; empty before the server has said where the stream begins
    last: String,
    // a stream has begun
    begun: bool,
    attempts: u32,
}

impl Follower {
    fn new(tail: Tail, settings: Settings) -> Self {
        let ndjson = tail.json || tail.shown == Shown::Ndjson;
        let rows = if ndjson { Following::ndjson() } else { Following::table() };
        let last = tail.from.map(|seq| seq.to_string()).unwrap_or_default();
        Self { tail, settings, rows, last, begun: false, attempts: 0 }
    }

    async fn run(mut self) -> Result<Verdict, Problem> {
        loop {
            let Err(end) = self.follow().await;
            match end {
                End::Final(problem) => return Err(problem),
                End::Broken(reason) if !self.begun => return Err(Problem::Failed(reason)),
                End::Broken(reason) => eprintln!("reqlog: {reason}; connecting again"),
                End::Reset => {
                    eprintln!(
                        "reqlog: the server does not know record {}: its store is another one; going on with what \
                         comes from now on",
                        self.last
                    );
                    self.last.clear();
                }
            }
            sleep(LONGEST.min(SHORTEST * (1 << self.attempts.min(10)))).await;
            self.attempts += 1;
        }
    }

    // one stream, to its end
    async fn follow(&mut self) -> Result<std::convert::Infallible, End> {
        let remote = self.server().await?;
        let base = remote.base().to_owned();
        let mut body = self.connect(&remote).await?.into_body();
        if std::mem::replace(&mut self.begun, true) {
            eprintln!("reqlog: connected to {base} again");
        }
        let mut events = Events::default();
        let mut out = io::stdout();
        loop {
            let frame = timeout(SILENCE, body.frame()).await;
            let frame = frame.map_err(|_| End::broken(&base, format!("silent for {} s", SILENCE.as_secs())))?;
            let frame = frame.ok_or_else(|| End::broken(&base, "the stream ended"))?;
            let piece = frame.map_err(|error| End::broken(&base, error))?.into_data().unwrap_or_default();
            let (mut lines, mut failed) = (Vec::new(), None);
            events.feed(&piece, |event| {
                if failed.is_none() {
                    failed = self.take(&event, &mut lines).err();
                }
            });
            out.write_all(&lines).and_then(|()| out.flush()).map_err(|error| End::Final(error.into()))?;
            if let Some(end) = failed {
                return Err(end);
            }
            if !events.last_id().is_empty() {
                events.last_id().clone_into(&mut self.last);
            }
        }
    }

    fn take(&mut self, event: &Event, lines: &mut Vec<u8>) -> Result<(), End> {
        match event.kind.as_str() {
            "message" => {
                let item: Box<RawValue> = serde_json::from_str(&event.data)
                    .map_err(|error| Problem::Failed(format!("the server sent no record: {error}")))?;
                self.rows.row(&rows::read(&item)?, lines);
            }
            "reset" => return Err(End::Reset),
            "scope-destroyed" => return Err(Problem::Failed("the project was deleted, and its records".into()).into()),
            _ => {}
        }
        self.attempts = 0;
        Ok(())
    }

    // a directory that is served again may be so at another address, with another key
    async fn server(&self) -> Result<Remote, End> {
        let (place, settings) = (self.tail.place.clone(), self.settings.clone());
        let found = spawn_blocking(move || Backend::server(&place, &settings)).await;
        let found = found.map_err(|error| Problem::Failed(error.to_string()))??;
        found.ok_or_else(|| {
            let data = self.settings.data(self.tail.place.data.as_deref());
            End::Broken(format!("nobody serves {}", data.display()))
        })
    }

    async fn connect(&self, remote: &Remote) -> Result<Response<Incoming>, End> {
        let base = remote.base();
        let path = Path::new("tail").with("q", &self.tail.text).with_some("project", self.tail.project.as_deref());
        let uri: Uri = format!("{base}{}", path.as_str()).parse().map_err(|_| usage(base))?;
        let (host, port) = (uri.host().ok_or_else(|| usage(base))?, uri.port_u16().unwrap_or(80));
        // an address of version 6 stands in brackets
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let broken = |error: &dyn Display| End::broken(base, error);
        let socket = timeout(CONNECTING, TcpStream::connect((host, port))).await;
        let socket = socket.map_err(|_| broken(&"no answer"))?.map_err(|error| broken(&error))?;
        let (mut sender, connection) = handshake(TokioIo::new(socket)).await.map_err(|error| broken(&error))?;
        tokio::spawn(connection);
        let target = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let mut request = Request::get(target)
            .header(header::HOST, uri.authority().map_or(host, http::uri::Authority::as_str))
            .header(header::ACCEPT, "text/event-stream")
            .header(header::USER_AGENT, concat!("reqlog/", env!("CARGO_PKG_VERSION")))
            // an empty one is none
            .header(LAST_EVENT_ID, &self.last);
        if let Some(key) = remote.key() {
            request = request.header(header::AUTHORIZATION, key);
        }
        let request = request.body(Empty::<Bytes>::new()).map_err(|_| usage(base))?;
        let answer = timeout(SILENCE, sender.send_request(request)).await;
        let answer = answer.map_err(|_| broken(&"no answer"))?.map_err(|error| broken(&error))?;
        if answer.status().is_success() { Ok(answer) } else { Err(refused(answer, base).await) }
    }
}

async fn refused(answer: Response<Incoming>, base: &str) -> End {
    let status = answer.status();
    let body = timeout(SILENCE, Limited::new(answer.into_body(), REFUSAL).collect()).await;
    let Ok(Ok(body)) = body else { return End::broken(base, format!("the server answered {status}")) };
    match api::refused(status, &body.to_bytes()) {
        // another attempt may find a place, or the server back
        Problem::Failed(reason) if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
            End::Broken(reason)
        }
        problem => End::Final(problem),
    }
}

fn usage(base: &str) -> Problem {
    Problem::Usage(format!("'{base}' is no URL"))
}
