//! A small HTTP client that keeps its connections.

use http::{HeaderMap, Method, Request};
use serde_json::Value;
use std::fmt::Write;
use ureq::{Agent, SendBody};

/// Speaks to one server with one key.
#[derive(Clone)]
pub struct Client {
    agent: Agent,
    base: String,
    key: Option<String>,
}

/// What came back, whatever its status.
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The header fields.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Vec<u8>,
    asked: String,
}

impl Client {
    /// A client that presents `key`, if there is one.
    pub fn new(base: &str, key: Option<&str>) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).max_redirects(0);
        Self { agent: config.build().new_agent(), base: base.to_owned(), key: key.map(str::to_owned) }
    }

    /// The same server with another key.
    pub fn with_key(&self, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..self.clone() }
    }

    /// Sends a request.
    pub fn send(&self, method: &Method, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        if let Some(key) = &self.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let asked = format!("{method} {path}");
        let response = if *method == Method::POST {
            self.agent.run(request.body(SendBody::from_owned_reader(std::io::Cursor::new(body.to_vec()))).unwrap())
        } else {
            assert!(body.is_empty(), "{asked} has no body");
            self.agent.run(request.body(SendBody::none()).unwrap())
        };
        let (head, body) = response.unwrap_or_else(|error| panic!("{asked}: {error}")).into_parts();
        let body = body.into_with_config().limit(u64::MAX).read_to_vec().unwrap_or_else(|e| panic!("{asked}: {e}"));
        Answer { status: head.status.as_u16(), headers: head.headers, body, asked }
    }

    /// `GET`, any status.
    pub fn get(&self, path: &str) -> Answer {
        self.send(&Method::GET, path, &[], b"")
    }

    /// `POST`, any status.
    pub fn post(&self, path: &str, body: impl AsRef<[u8]>) -> Answer {
        self.send(&Method::POST, path, &[], body.as_ref())
    }

    /// `DELETE`, any status.
    pub fn delete(&self, path: &str) -> Answer {
        self.send(&Method::DELETE, path, &[], b"")
    }

    /// `GET` that succeeds and answers JSON.
    pub fn json(&self, path: &str) -> Value {
        self.get(path).expect(200).json()
    }

    /// Makes a key with these JSON members; its number and its secret.
    pub fn make_key(&self, members: &Value) -> (u64, String) {
        let key = self.post("/api/v1/keys", members.to_string()).expect(201).json();
        (key["id"].as_u64().unwrap(), key["secret"].as_str().unwrap().to_owned())
    }
}

impl Answer {
    /// The answer, which has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.asked, self.text());
        self
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{}: {e}: {}", self.asked, self.text()))
    }

    /// The body as NDJSON.
    #[track_caller]
    pub fn lines(&self) -> Vec<Value> {
        let lines = self.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
    }

    /// A header field.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The target of a `Link` of this relation, without scheme and host.
    pub fn link(&self, relation: &str) -> Option<String> {
        let end = format!(">; rel=\"{relation}\"");
        let links = self.header("link")?.split(", ");
        links.filter_map(|link| link.strip_prefix('<')?.strip_suffix(&end)).map(str::to_owned).next()
    }
}

/// A query parameter's value, every byte of it escaped that could mean something.
pub fn escaped(value: &str) -> String {
    value.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte.into());
        } else {
            write!(out, "%{byte:02X}").unwrap();
        }
        out
    })
}
