//! One captured exchange, half of one, or event.

use crate::body::Body;
use crate::headers::Headers;
use crate::level::Level;
use crate::timestamp::Timestamp;

/// What a record is: a whole exchange, one half of it, or something that is not HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// Request and response, captured once.
    Exchange = 0,
    /// A request whose response was captured elsewhere or not at all.
    Request = 1,
    /// A response whose request was captured elsewhere or not at all.
    Response = 2,
    /// A log line that is no HTTP message.
    Event = 3,
}

impl Kind {
    /// Every kind, by its stored number.
    pub const ALL: [Self; 4] = [Self::Exchange, Self::Request, Self::Response, Self::Event];

    /// The wire's name, as in `kind:exchange`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exchange => "exchange",
            Self::Request => "request",
            Self::Response => "response",
            Self::Event => "event",
        }
    }

    /// Reads the wire's name; case is ignored.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(name))
    }
}

/// Which side captured the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Source {
    /// An origin server or its logs.
    Backend = 1,
    /// A proxy, gateway or CDN.
    Edge = 2,
}

impl Source {
    /// Every source, by its stored number.
    pub const ALL: [Self; 2] = [Self::Backend, Self::Edge];

    /// The wire's name, as in `source:edge`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Backend => "backend",
            Self::Edge => "edge",
        }
    }

    /// Reads the wire's name; case is ignored.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.name().eq_ignore_ascii_case(name))
    }
}

macro_rules! fields {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// A field of a record that holds text; absent and empty are different.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Field { $($(#[$doc])* $variant,)* }

        impl Field {
            /// Every field in stored order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            /// The member's name in reqlog's own JSON.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

fields! {
    /// Tenant or application; keys are scoped by it.
    Project = "project",
    /// Deployment environment of the project.
    Environment = "environment",
    /// Test run or session key, matched exactly on the wire.
    Session = "session",
    /// Originating service.
    Service = "service",
    /// Container or instance.
    Container = "container",
    /// HTTP method in upper case as sent.
    Method = "method",
    /// `http` or `https`, where known.
    Scheme = "scheme",
    /// Host with port as the request named it.
    Host = "host",
    /// Path as sent, without query.
    Path = "path",
    /// Query string as sent, without `?`.
    Query = "query",
    /// Parameterised template, `/v1/users/{id}`.
    Route = "route",
    /// Address of the client.
    ClientIp = "client_ip",
    /// `User-Agent` of the client.
    UserAgent = "user_agent",
    /// `HTTP/1.1`, `HTTP/2`, ….
    Protocol = "protocol",
    /// Request id, as the source spelt it.
    RequestId = "request_id",
    /// Trace id of the distributed trace.
    TraceId = "trace_id",
    /// Span id within the trace.
    SpanId = "span_id",
    /// How the caller authenticated: `api_key`, `jwt`, ….
    AuthType = "auth_type",
    /// The caller.
    UserId = "user_id",
    /// Named flow the record belongs to.
    FlowName = "flow_name",
    /// Machine-readable error.
    ErrorCode = "error_code",
    /// Human-readable line.
    Message = "message",
}

impl Field {
    /// How many fields there are.
    pub const COUNT: usize = Self::ALL.len();
}

/// Some of the text fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldSet(u32);

const _: () = assert!(Field::COUNT < 32, "a set of fields fits one word");

impl FieldSet {
    /// All of them.
    pub const ALL: Self = Self((1 << Field::COUNT) - 1);

    /// Whether `field` is one of them.
    pub const fn has(self, field: Field) -> bool {
        self.0 & 1 << field as u32 != 0
    }

    /// Each of them, in stored order.
    pub fn iter(self) -> impl Iterator<Item = Field> {
        Field::ALL.iter().copied().filter(move |field| self.has(*field))
    }
}

impl FromIterator<Field> for FieldSet {
    fn from_iter<T: IntoIterator<Item = Field>>(fields: T) -> Self {
        Self(fields.into_iter().fold(0, |set, field| set | 1 << field as u32))
    }
}

/// The text fields of one record in one allocation.
#[derive(Clone, Default)]
pub struct Texts {
    buffer: String,
    // start + 1 and length; start 0 means absent
    spans: [(u32, u32); Field::COUNT],
}

impl Texts {
    /// Makes room for values of `bytes` in all.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        self.buffer.reserve(bytes);
    }

    /// The value of `field`, if the record has one.
    #[inline]
    pub fn get(&self, field: Field) -> Option<&str> {
        let (start, len) = self.spans[field as usize];
        let start = start.checked_sub(1)? as usize;
        Some(&self.buffer[start..start + len as usize])
    }

    /// Sets or replaces the value of `field`; a value past 4 GiB in all is cut off by the caller's caps.
    pub fn set(&mut self, field: Field, value: &str) {
        let start = self.buffer.len();
        self.buffer.push_str(value);
        self.spans[field as usize] = (start as u32 + 1, value.len() as u32);
    }

    /// Sets `field` when `value` is there and not empty.
    pub fn set_some(&mut self, field: Field, value: Option<&str>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.set(field, value);
        }
    }

    /// Sets `field` unless it already has a value.
    pub fn set_default(&mut self, field: Field, value: &str) {
        if self.get(field).is_none() {
            self.set(field, value);
        }
    }

    /// Makes `field` absent.
    pub fn clear(&mut self, field: Field) {
        self.spans[field as usize] = (0, 0);
    }

    /// The fields that are present, in stored order.
    pub fn iter(&self) -> impl Iterator<Item = (Field, &str)> {
        Field::ALL.iter().filter_map(|&field| Some((field, self.get(field)?)))
    }
}

impl PartialEq for Texts {
    fn eq(&self, other: &Self) -> bool {
        Field::ALL.iter().all(|&field| self.get(field) == other.get(field))
    }
}

impl std::fmt::Debug for Texts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter().map(|(field, value)| (field.name(), value))).finish()
    }
}

/// One side of an exchange: header fields and the captured body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message {
    /// Header fields in the order captured, names in lower case.
    pub headers: Headers,
    /// The body, where one was seen.
    pub body: Option<Body>,
}

impl Message {
    /// Whether nothing of this side was captured.
    pub fn is_empty(&self) -> bool {
        self.headers.is_empty() && self.body.is_none()
    }
}

/// One captured HTTP exchange, or one half of it, or one event.
///
/// A record has no identity of its own until it is committed; then a [`Stored`] pairs it with its id.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// When it happened, from the source.
    pub time: Timestamp,
    /// What it is.
    pub kind: Kind,
    /// Severity, fixed at ingestion.
    pub level: Level,
    /// Which side captured it.
    pub source: Option<Source>,
    /// HTTP status code, 100–999; absent where no response came.
    pub status: Option<u16>,
    /// Nanoseconds from request to the end of the response.
    pub duration: Option<u64>,
    /// Whether a rule of the capturing system changed the answer.
    pub overridden: bool,
    /// Whether redaction replaced anything.
    pub redacted: bool,
    /// Text fields.
    pub texts: Texts,
    /// What the client sent.
    pub request: Message,
    /// What the server answered.
    pub response: Message,
    /// A JSON object of what has no field of its own, as text; absent when empty.
    pub attributes: Option<String>,
}

impl Record {
    /// An event of level info at `time` with nothing else set.
    pub fn new(time: Timestamp) -> Self {
        Self {
            time,
            kind: Kind::Event,
            level: Level::Info,
            source: None,
            status: None,
            duration: None,
            overridden: false,
            redacted: false,
            texts: Texts::default(),
            request: Message::default(),
            response: Message::default(),
            attributes: None,
        }
    }

    /// Bytes of its texts, headers, attributes and bodies and a little for the rest, about.
    pub fn weight(&self) -> usize {
        let side = |message: &Message| {
            let of_body = |body: &Body| body.bytes.len() + body.content_type.as_ref().map_or(0, String::len);
            message.body.as_ref().map_or(0, of_body)
                + message.headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>()
        };
        let texts: usize = self.texts.iter().map(|(_, value)| value.len()).sum();
        64 + texts + self.attributes.as_ref().map_or(0, String::len) + side(&self.request) + side(&self.response)
    }

    /// The value of a text field.
    #[inline]
    pub fn text(&self, field: Field) -> Option<&str> {
        self.texts.get(field)
    }

    /// Bytes of both bodies on the wire; absent when neither side had a body.
    pub fn size(&self) -> Option<u64> {
        match (&self.request.body, &self.response.body) {
            (None, None) => None,
            (request, response) => Some(
                request
                    .as_ref()
                    .map_or(0, |body| body.size)
                    .saturating_add(response.as_ref().map_or(0, |body| body.size)),
            ),
        }
    }

    /// Path and query as on the request line; absent without a path.
    pub fn url(&self) -> Option<std::borrow::Cow<'_, str>> {
        let path = self.text(Field::Path)?;
        Some(match self.text(Field::Query) {
            Some(query) => format!("{path}?{query}").into(),
            None => path.into(),
        })
    }
}

/// A committed record with its identity.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// Arrival and sequence.
    pub id: crate::id::EntryId,
    /// The record as stored, redacted and capped.
    pub record: Record,
}
