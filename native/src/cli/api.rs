//! reqlog's own API as its client sees it: the one place of this command that spells routes and members.

use super::Problem;
use super::backend::Backend;
use http::request::Builder;
use http::{Method, Request, Response, StatusCode, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqlog::server::Reader;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Number;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::io::{self, Read};

/// Most records of one page.
pub const MOST: usize = 1000;

/// A path with its parameters.
#[derive(Clone, Debug)]
pub struct Path(String, char);

impl Path {
    /// A route under the API's base.
    pub fn new(route: &str) -> Self {
        Self(format!("/api/v1/{route}"), '?')
    }

    /// A route with a name or number at its end.
    pub fn of(route: &str, name: &str) -> Self {
        Self::new(&format!("{route}/{}", utf8_percent_encode(name, NON_ALPHANUMERIC)))
    }

    /// Appends a parameter.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.push(self.1);
        self.0.extend([name, "="]);
        self.0.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
        self.1 = '&';
        self
    }

    /// As it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Appends a parameter that has a value.
    pub fn with_some(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }
}

/// One page of `GET /logs`.
#[derive(Debug, Deserialize)]
pub struct Page {
    /// Records as sent.
    pub items: Vec<Box<RawValue>>,
    /// Where the next page begins.
    pub next: Option<String>,
    /// All that match, when asked for.
    pub total: Option<u64>,
}

/// What became of a file.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct Report {
    pub accepted: u64,
    pub duplicates: u64,
    pub rejected: u64,
    pub errors: Vec<Rejection>,
}

/// A record that was refused.
#[derive(Debug, Deserialize, Serialize)]
pub struct Rejection {
    /// The file, where several were imported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    pub line: u64,
    pub reason: String,
    pub excerpt: String,
}

/// `GET /stats`, in the order in which it is shown.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct Stats {
    pub total: u64,
    #[serde(flatten)]
    pub by: BTreeMap<String, BTreeMap<String, u64>>,
}

/// `GET /endpoints`.
#[derive(Debug, Deserialize, Serialize)]
pub struct Endpoints {
    pub total: u64,
    pub items: Vec<Endpoint>,
    pub distinct: u64,
    pub complete: bool,
}

/// One method of one route.
#[derive(Debug, Deserialize, Serialize)]
pub struct Endpoint {
    pub method: Option<String>,
    pub route: Option<String>,
    pub count: u64,
    pub errors: u64,
    pub client_errors: u64,
    pub error_rate: f64,
    pub p50_ms: Option<Number>,
    pub p95_ms: Option<Number>,
    pub p99_ms: Option<Number>,
    pub request_bytes: u64,
    pub response_bytes: u64,
}

/// RFC 9457, as far as a person is told.
#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    title: String,
    #[serde(default)]
    detail: String,
    position: Option<usize>,
    hint: Option<String>,
}

/// Sends a request without a body and reads its JSON.
pub fn get<T: DeserializeOwned>(backend: &Backend, path: Path) -> Result<T, Problem> {
    parse(&body(ask(backend, Method::GET, path)?)?)
}

/// Sends a request without a body and gives its answer as a stream.
pub fn stream(backend: &Backend, path: Path) -> Result<Reader, Problem> {
    ask(backend, Method::GET, path).map(Response::into_body)
}

/// Sends JSON and reads JSON.
pub fn post<T: DeserializeOwned>(backend: &Backend, path: Path, value: &impl Serialize) -> Result<T, Problem> {
    let bytes = serde_json::to_vec(value).map_err(|error| Problem::Failed(error.to_string()))?;
    let response = send(backend, request(Method::POST, path), Box::new(io::Cursor::new(bytes)))?;
    parse(&body(checked(response)?)?)
}

/// Destroys what a path names.
pub fn delete(backend: &Backend, path: Path) -> Result<(), Problem> {
    ask(backend, Method::DELETE, path).map(drop)
}

/// Sends records; the report of refused ones is an answer too.
pub fn ingest(backend: &Backend, path: Path, input: Reader) -> Result<Report, Problem> {
    // so that a refusal is read before the whole file is sent
    let request = request(Method::POST, path.with("import", "1")).header(header::EXPECT, "100-continue");
    let response = send(backend, request, input)?;
    let status = response.status();
    let bytes = body(response)?;
    match serde_json::from_slice::<Report>(&bytes) {
        Ok(report) => Ok(report),
        Err(_) if status.is_success() => parse(&bytes),
        Err(_) => Err(refused(status, &bytes)),
    }
}

fn ask(backend: &Backend, method: Method, path: Path) -> Result<Response<Reader>, Problem> {
    checked(send(backend, request(method, path), Box::new(io::empty()))?)
}

fn request(method: Method, path: Path) -> Builder {
    Request::builder().method(method).uri(path.0).header(header::ACCEPT, "application/json")
}

fn send(backend: &Backend, request: Builder, body: Reader) -> Result<Response<Reader>, Problem> {
    backend.send(request.body(body).map_err(|error| Problem::Usage(error.to_string()))?)
}

fn checked(response: Response<Reader>) -> Result<Response<Reader>, Problem> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    Err(refused(status, &body(response)?))
}

fn body(response: Response<Reader>) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    response.into_body().read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes)
        .map_err(|error| Problem::Failed(format!("the server's answer is not understood: {error}")))
}

/// What a person is told of an answer that is no success.
pub fn refused(status: StatusCode, bytes: &[u8]) -> Problem {
    let Ok(refusal) = serde_json::from_slice::<Refusal>(bytes) else {
        return Problem::Failed(format!("the server answered {status}"));
    };
    let mut message = if refusal.detail.is_empty() { refusal.title } else { refusal.detail };
    if let Some(hint) = &refusal.hint {
        message.push_str("\n  ");
        message.push_str(hint);
    }
    // a query that is not understood is the caller's to mend
    if refusal.position.is_some() { Problem::Usage(message) } else { Problem::Failed(message) }
}
