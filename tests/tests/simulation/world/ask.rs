//! Requests and answers.

use super::Law;
use crate::model::PROJECTS;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use serde_json::Value;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Admin,
    /// A reader of the project of this number.
    Reader(usize),
}

impl Who {
    /// Whether the rows of a project are in sight.
    pub fn sees(self, project: &str) -> bool {
        match self {
            Self::Admin => true,
            Self::Reader(at) => PROJECTS[at] == project,
        }
    }
}

/// A request, without the key.
#[derive(Clone, Debug)]
pub struct Ask {
    pub who: Who,
    pub method: Method,
    pub target: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Bytes,
}

impl Ask {
    pub fn get(who: Who, target: impl Into<String>) -> Self {
        Self { who, method: Method::GET, target: target.into(), headers: Vec::new(), body: Bytes::new() }
    }

    pub fn change(method: Method, target: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self { method, body: body.into(), ..Self::get(Who::Admin, target) }
    }

    pub(super) fn with(&self, key: &str) -> Request<Bytes> {
        let mut request = Request::builder().method(&self.method).uri(&self.target).header("x-api-key", key);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        request.body(self.body.clone()).expect("targets are escaped")
    }
}

/// What both answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub(super) fn of(answer: Response<Bytes>) -> Self {
        let (head, body) = answer.into_parts();
        Self { status: head.status, headers: head.headers, body }
    }

    pub fn json(&self) -> Law<Value> {
        serde_json::from_slice(&self.body).map_err(|error| format!("{error}: {:?}", self.body))
    }

    /// The URL of a relation in `Link`.
    pub fn link(&self, rel: &str) -> Option<String> {
        let links = self.headers.get("link")?.to_str().ok()?;
        let link = links.split(", ").find(|link| link.ends_with(&format!("rel=\"{rel}\"")))?;
        Some(link[1..link.find('>')?].to_owned())
    }
}

/// Without what tells how much work an answer was.
pub(super) fn unmeasured(mut answer: Answer) -> Answer {
    let text = String::from_utf8_lossy(&answer.body);
    if let Some(at) = text.rfind(",\"scanned\":{") {
        answer.body = [&answer.body[..at], b"}"].concat().into();
        answer.headers.remove("content-length");
    }
    answer
}
