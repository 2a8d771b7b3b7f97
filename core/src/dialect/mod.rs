//! The wire APIs: each understands requests and renders outcomes in its own words.

mod cognigy;
mod endpoint;
mod flowmock;
mod generic;
mod hoody;
mod link;
mod params;
mod reqlog;
mod schema;
mod scrip;
mod streamed;

pub use endpoint::{About, Access, Answer, Endpoint, Media, Refusal};
pub(crate) use endpoint::{BUSY, LIMITED};
pub use params::{Absent, Param, ParamError, Params, Shape};
pub(crate) use reqlog::{Change, backup_head};
pub(crate) use streamed::{Seen, Streamed};

use crate::auth::{Key, Role};
use crate::error::{Error, whole_seconds};
use crate::filter::Predicate;
use crate::id::{EntryId, Seq};
use crate::limit::{Charge, Rate, Verdict};
use crate::live::{Counted, Tail, sse};
use crate::plan::{Context, Failure, Offer, Operation, Outcome};
use crate::record::Stored;
use crate::timestamp::Timestamp;
use bytes::Bytes;
use endpoint::Match;
use http::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

/// One wire API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Session logs and captured bodies.
    FlowMock,
    /// API request logs by cursor.
    Scrip,
    /// Proxy logs in halves.
    Hoody,
    /// `GET /logs`.
    Generic,
    /// Log entries of a project.
    Cognigy,
    /// reqlog's own API, and every path that belongs to no other.
    Reqlog,
}

/// A request as the dialects see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    /// The method.
    pub method: &'a Method,
    /// The path as sent, without the base path.
    pub path: &'a str,
    /// The query as sent, without `?`.
    pub query: &'a str,
    /// Header fields.
    pub headers: &'a HeaderMap,
    /// The valid key that it presents.
    pub key: Option<&'a Key>,
    /// What it is planned against.
    pub context: &'a Context<'a>,
}

/// What a dialect made of a request.
#[derive(Debug)]
pub(crate) enum Planned {
    /// The answer is known.
    Ready(Response<Bytes>),
    /// The body is needed first.
    Collect(Change),
    /// An operation and how its outcome is rendered.
    Run(Box<Operation>, Render),
}

impl Planned {
    /// A subscription; `HEAD` is answered without one.
    fn tail(asked: &Asked<'_>, tail: Tail) -> Result<Self, Error> {
        if *asked.method == Method::HEAD {
            asked.is_offered(Offer::Tail)?;
            return Ok(Self::Ready(stream_head().map(|()| Bytes::new())));
        }
        Ok(Self::Run(Box::new(Operation::Tail { key: tail.key() }), Render::Tail(Box::new(tail))))
    }

    fn run(operation: Operation, render: impl Into<Render>) -> Self {
        Self::Run(Box::new(operation), render.into())
    }
}

/// How an outcome is rendered.
#[derive(Debug)]
pub(crate) enum Render {
    /// As `FlowMock` would.
    FlowMock(flowmock::Render),
    /// As Scrip would.
    Scrip(scrip::Render),
    /// As Hoody would.
    Hoody(hoody::Render),
    /// As the generic `/logs` would.
    Generic(generic::Render),
    /// As Cognigy would.
    Cognigy(cognigy::Render),
    /// By reqlog's own API.
    Reqlog(reqlog::Render),
    /// Streamed; only a failure to begin is rendered here.
    Streamed(Box<dyn Streamed>),
    /// A stream of events; only a failure to begin is rendered here.
    Tail(Box<Tail>),
}

macro_rules! renders {
    ($($variant:ident $module:ident),*) => {
        $(impl From<$module::Render> for Render {
            fn from(render: $module::Render) -> Self {
                Self::$variant(render)
            }
        })*
    };
}

renders!(FlowMock flowmock, Scrip scrip, Hoody hoody, Generic generic, Cognigy cognigy, Reqlog reqlog);

impl Dialect {
    /// Every wire API.
    pub const ALL: [Self; 6] = [Self::FlowMock, Self::Scrip, Self::Hoody, Self::Generic, Self::Cognigy, Self::Reqlog];

    /// Its name in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FlowMock => "flowmock",
            Self::Scrip => "scrip",
            Self::Hoody => "hoody",
            Self::Generic => "generic",
            Self::Cognigy => "cognigy",
            Self::Reqlog => "reqlog",
        }
    }

    /// Whose path it is. On `/api/v1/logs/{id}/body` the spelling of the id decides.
    pub(crate) fn of(path: &str) -> Self {
        match path {
            path if flowmock::owns(path) => Self::FlowMock,
            path if scrip::owns(path) => Self::Scrip,
            path if hoody::owns(path) => Self::Hoody,
            path if generic::owns(path) => Self::Generic,
            path if cognigy::owns(path) => Self::Cognigy,
            _ => Self::Reqlog,
        }
    }

    /// Understands a request; the refusal is for [`Address::refuse`].
    pub(crate) fn plan(self, asked: &Asked<'_>) -> Result<Planned, Error> {
        match self {
            Self::FlowMock => flowmock::plan(asked),
            Self::Scrip => scrip::plan(asked),
            Self::Hoody => hoody::plan(asked),
            Self::Generic => generic::plan(asked),
            Self::Cognigy => cognigy::plan(asked),
            Self::Reqlog => reqlog::plan(asked),
        }
    }

    /// How a request is limited, where the dialect and the settings have a limit.
    pub(crate) fn limited(self, asked: &Asked<'_>) -> Option<Limited> {
        let limits = &asked.context.settings.limits;
        match self {
            Self::FlowMock => Some(flowmock::limited(asked, limits.flowmock?)),
            Self::Scrip => Some(scrip::limited(asked, limits.scrip?)),
            Self::Hoody | Self::Generic | Self::Cognigy | Self::Reqlog => None,
        }
    }

    /// Tells a client what is left of its limit, in a dialect that has words for it.
    pub(crate) fn tell(self, rate: Rate, verdict: &Verdict, now: Timestamp, headers: &mut HeaderMap) {
        if self == Self::Scrip {
            scrip::tell(rate, verdict, now, headers);
        }
    }

    /// The methods of a path, as `Allow` spells them; `None` where there is nothing.
    pub(crate) fn allow(self, path: &str) -> Option<String> {
        // no endpoint has OPTIONS, so that the answer is Nothing or the methods
        match self {
            Self::FlowMock => methods(&endpoint::find(flowmock::ENDPOINTS, flowmock::route(path), &Method::OPTIONS)),
            Self::Scrip => methods(&endpoint::find(scrip::ENDPOINTS, path, &Method::OPTIONS)),
            Self::Hoody => methods(&endpoint::find(hoody::ENDPOINTS, hoody::route(path), &Method::OPTIONS)),
            Self::Generic => methods(&endpoint::find(generic::ENDPOINTS, path, &Method::OPTIONS)),
            Self::Cognigy => methods(&endpoint::find(cognigy::ENDPOINTS, cognigy::route(path), &Method::OPTIONS)),
            Self::Reqlog => methods(&endpoint::find(reqlog::ENDPOINTS, path, &Method::OPTIONS)),
        }
    }
}

/// A request under a limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limited {
    /// The limit.
    pub rate: Rate,
    /// What the request costs; nothing where it has no key that the limit is for.
    pub charge: Option<Charge>,
}

/// Where a request went, which is all that its refusal needs to know of it.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    /// Whose path it is.
    pub dialect: Dialect,
    /// The path as sent, base path included.
    pub path: String,
    /// When.
    pub at: Timestamp,
}

impl Address {
    /// A refusal in the dialect's envelope.
    pub(crate) fn refuse(&self, error: &Error) -> Response<Bytes> {
        let mut response = match self.dialect {
            Dialect::FlowMock => flowmock::refuse(error),
            Dialect::Scrip => scrip::refuse(error),
            Dialect::Hoody => hoody::refuse(error),
            Dialect::Generic => generic::refuse(error),
            Dialect::Cognigy => cognigy::refuse(error, self),
            Dialect::Reqlog => reqlog::refuse(error),
        };
        let (name, value): (HeaderName, String) = match error {
            Error::Method { allow } => (ALLOW, allow.clone()),
            Error::Unauthorized => (WWW_AUTHENTICATE, "Bearer realm=\"reqlog\"".to_owned()),
            Error::Failed(Failure::Busy { retry_after } | Failure::Limited { retry_after }) => {
                (RETRY_AFTER, whole_seconds(*retry_after).max(1).to_string())
            }
            Error::Failed(Failure::Closing) => (RETRY_AFTER, "1".to_owned()),
            Error::Range { size } => (http::header::CONTENT_RANGE, format!("bytes */{size}")),
            _ => return response,
        };
        set(response.headers_mut(), name, &value);
        response
    }
}

fn methods<A>(found: &Match<'_, A>) -> Option<String> {
    match found {
        Match::Method(allow) => Some(allow.clone()),
        Match::Nothing | Match::Found(..) => None,
    }
}

impl Render {
    /// The answer to what came of the operation; an error is for [`Address::refuse`]. An outcome of another operation is
    /// the server's fault.
    pub(crate) fn reply(self, operation: &Operation, outcome: Outcome) -> Result<Response<Bytes>, Error> {
        match (self, outcome) {
            (Self::Reqlog(render), outcome) => render.reply(operation, outcome),
            (_, Outcome::Failed(failure)) => Err(failure.into()),
            (Self::FlowMock(render), outcome) => render.reply(outcome),
            (Self::Scrip(render), outcome) => render.reply(outcome),
            (Self::Hoody(render), outcome) => render.reply(outcome),
            (Self::Generic(render), outcome) => render.reply(outcome),
            (Self::Cognigy(render), outcome) => render.reply(outcome),
            (Self::Streamed(_) | Self::Tail(_), _) => Err(Failure::Internal.into()),
        }
    }

    /// Tells the renderer of a new head, before the operation is run again.
    pub(crate) fn advance(&mut self, head: Option<Seq>) {
        if let Self::Reqlog(render) = self {
            render.advance(head);
        }
    }
}

impl<'a> Asked<'a> {
    /// The key that may use the endpoint; `None` when everyone may.
    fn admit<A>(&self, endpoint: &Endpoint<A>) -> Result<Option<&'a Key>, Error> {
        let Access::Role(needed) = endpoint.access else { return Ok(None) };
        let key = self.key.ok_or(Error::Unauthorized)?;
        if key.role.allows(needed) { Ok(Some(key)) } else { Err(Error::Role { needed }) }
    }

    /// The key whose requests are limited.
    fn limited_key(&self) -> Option<&'a Key> {
        self.key.filter(|key| key.role != Role::Admin)
    }

    /// Whether a request met an endpoint that its key may use: what is refused before costs nothing, so that a key of
    /// another role takes nothing away from those that read.
    fn is_admitted<A>(&self, met: &Match<'_, A>) -> bool {
        matches!(met, Match::Found(endpoint, _) if self.admit(endpoint).is_ok())
    }

    /// The one project that the request is about: the key's, or the one it names.
    fn project(key: &Key, named: Option<&str>) -> Result<Option<String>, Error> {
        match (key.scope.project(), named) {
            (Some(own), Some(named)) if own != named => Err(Error::OtherProject { project: named.to_owned() }),
            (own, named) => Ok(own.or(named).map(str::to_owned)),
        }
    }

    /// `Last-Event-ID` as sent; an empty one is none.
    fn last_event_id(&self) -> Option<&'a str> {
        let sent = self.headers.get(LAST_EVENT_ID).map(|value| value.to_str().unwrap_or("?").trim());
        sent.filter(|text| !text.is_empty())
    }

    /// A `Last-Event-ID` up to the highest one issued, spelt as it was given out; `None` for any other text.
    fn issued(text: &str, most: u64) -> Option<u64> {
        let number: u64 = text.parse().ok()?;
        // no sign, no leading zero
        (number <= most && number.to_string() == text).then_some(number)
    }

    /// Refuses what this deployment does not have; operations are refused by the plan, answers that need none here.
    fn is_offered(&self, offer: Offer) -> Result<(), Error> {
        if self.context.settings.offers.has(offer) { Ok(()) } else { Err(Failure::NotOffered(offer).into()) }
    }

    /// The highest sequence given out, 0 in an empty store.
    fn head(&self) -> u64 {
        self.context.head.map_or(0, |head| head.seq().get())
    }

    /// The head, or the first sequence of an empty store.
    fn bound(&self) -> Seq {
        self.context.head.map_or(FIRST, EntryId::seq)
    }
}

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const FIRST: Seq = Seq::new(1).expect("1 is a sequence");

/// The rows that a scope allows to be seen.
fn visible(project: Option<&str>) -> Predicate {
    project.map_or(Predicate::ALL, Predicate::project)
}

/// How far the clock may have been set back, in ms, since a moment was given out; one that is still later was not given
/// out here.
const CLOCK_SLACK_MS: i64 = 86_400_000;

/// Milliseconds where a wire has whole ones: half a millisecond rounds up.
const fn whole_millis(nanos: u64) -> u64 {
    nanos.saturating_add(500_000) / 1_000_000
}

/// The media type of Server-Sent Events.
pub(crate) const EVENT_STREAM: &str = "text/event-stream";

/// How a subscription spells what it sends.
#[derive(Debug)]
pub(crate) enum Framing {
    /// As Hoody would.
    Hoody(hoody::Frames),
    /// By reqlog's own API.
    Reqlog,
}

impl Framing {
    /// The frames of one record, and how many there are, which may be none.
    pub(crate) fn row(&self, row: &Stored, out: &mut Vec<u8>) -> u64 {
        match self {
            Self::Hoody(frames) => frames.row(row, out),
            Self::Reqlog => {
                reqlog::tail::row(row, out);
                1
            }
        }
    }

    /// The id that stands for everything up to a sequence.
    pub(crate) fn place(&self, position: u64) -> u64 {
        match self {
            Self::Hoody(_) => hoody::Frames::place(position),
            Self::Reqlog => position,
        }
    }

    /// What a stream says when there was nothing to say for [`HEARTBEAT`](crate::live::HEARTBEAT).
    pub(crate) fn heartbeat(&self, position: u64, counted: Counted, out: &mut Vec<u8>) {
        match self {
            Self::Hoody(_) => sse::comment(out),
            Self::Reqlog => reqlog::tail::heartbeat(position, counted, out),
        }
    }
}

/// Status and header fields of every stream. What stands between is asked not to hold frames back.
pub(crate) fn stream_head() -> Response<()> {
    let mut response = respond(StatusCode::OK, EVENT_STREAM, Bytes::new()).map(|_| ());
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("keep-alive"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

/// A response of one content type.
fn respond(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// A JSON response.
fn json(status: StatusCode, body: &serde_json::Value) -> Response<Bytes> {
    respond(status, "application/json", body.to_string())
}

/// Sets a header field, unless the text cannot be one: what a record says may be anything.
fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Shows the table of every dialect.
pub(crate) fn tables(visitor: &mut impl crate::openapi::Visitor) {
    visitor.dialect(&flowmock::ABOUT, flowmock::ENDPOINTS);
    visitor.dialect(&scrip::ABOUT, scrip::ENDPOINTS);
    visitor.dialect(&hoody::ABOUT, hoody::ENDPOINTS);
    visitor.dialect(&generic::ABOUT, generic::ENDPOINTS);
    visitor.dialect(&cognigy::ABOUT, cognigy::ENDPOINTS);
    visitor.dialect(&reqlog::ABOUT, reqlog::ENDPOINTS);
}
