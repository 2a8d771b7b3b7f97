//! The files of the web UI: which there are, and what is said with each.
//!
//! The build of the UI (`www/build.mjs`) leaves them in one directory, with a table of them, `assets.json`, that
//! `www/assets.mjs` writes:
//! ```json
//! {"files": {
//!   "/": {"file": "index.html", "type": "text/html; charset=utf-8", "etag": "\"5f1c…\"",
//!         "headers": {"cache-control": "no-cache", "content-security-policy": "default-src 'none'; …", "vary": "accept"}},
//!   "/assets/index-3KJ2XQ7A.js": {"file": "assets/index-3KJ2XQ7A.js", "type": "text/javascript; charset=utf-8",
//!         "etag": "\"9e07…\"", "headers": {"cache-control": "public, max-age=31536000, immutable"}}
//! }}
//! ```
//! Keys are paths below the base path, `file` is relative to the directory, `etag` is a strong entity tag of the bytes,
//! and `headers` are sent as they are. A shell that has the files in memory puts them into
//! [`Settings::ui`](super::Settings::ui). One whose platform serves files asks [`ui_file`] before it plans anything.
//!
//! **Ours:** files answer `GET` and `HEAD`, without a key; other methods find nothing there. A path of an API is never a
//! file. `/` is the start document, unless `Accept` names `application/json` and not `text/html`. Below a base path, the
//! document without its slash at the end is a redirect: what the document refers to is relative to it.

use super::Settings;
use crate::dialect::Dialect;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, ETAG, LOCATION};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

/// The files of the web UI by their paths.
#[derive(Clone, PartialEq, Eq)]
pub struct Ui {
    files: BTreeMap<String, File>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct File {
    headers: HeaderMap,
    bytes: Bytes,
}

/// The start document by its name in the build.
const INDEX: &str = "index.html";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    files: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    file: String,
    #[serde(rename = "type")]
    media_type: String,
    etag: String,
    headers: BTreeMap<String, String>,
}

/// Why a build of the UI cannot be served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UiError {
    /// `assets.json` is not of the documented shape.
    Table(String),
    /// There is no start document.
    NoIndex,
    /// A path that no request can have.
    Path(String),
    /// A path that belongs to an API.
    Taken(String),
    /// The table names a file that is not there.
    Missing(String),
    /// A header field, or an entity tag, that cannot be sent.
    Field {
        /// With which path.
        path: String,
        /// Which.
        name: String,
    },
}

impl fmt::Display for UiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table(error) => write!(f, "assets.json is not what www/assets.mjs writes: {error}"),
            Self::NoIndex => write!(f, "assets.json has no path /"),
            Self::Path(path) => write!(f, "assets.json has {path:?}, which is no path"),
            Self::Taken(path) => write!(f, "assets.json has {path}, which is a path of the API"),
            Self::Missing(file) => write!(f, "assets.json names {file}, which is not there"),
            Self::Field { path, name } => write!(f, "assets.json has a field {name} with {path} that cannot be sent"),
        }
    }
}

impl std::error::Error for UiError {}

impl Ui {
    /// Reads `assets.json`; `content` gives a file of the directory by its name.
    pub fn read(table: &str, content: impl Fn(&str) -> Option<Bytes>) -> Result<Self, UiError> {
        let table: Table = serde_json::from_str(table).map_err(|error| UiError::Table(error.to_string()))?;
        if !table.files.contains_key("/") {
            return Err(UiError::NoIndex);
        }
        let read = |(path, entry): (String, Entry)| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
            if !path.starts_with('/') || !path.bytes().all(plain) || path.contains("//") {
                return Err(UiError::Path(path));
            }
            if path != "/" && is_api(&path) {
                return Err(UiError::Taken(path));
            }
            let headers = entry.headers(&path)?;
            let bytes = content(&entry.file).ok_or(UiError::Missing(entry.file))?;
            Ok((path, File { headers, bytes }))
        };
        table.files.into_iter().map(read).collect::<Result<_, _>>().map(|files| Self { files })
    }

    /// The paths at which there is a file.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    fn answer(&self, path: &str) -> Option<Response<Bytes>> {
        let file = self.files.get(path)?;
        let mut response = Response::new(file.bytes.clone());
        *response.headers_mut() = file.headers.clone();
        Some(response)
    }
}

impl Entry {
    fn headers(&self, path: &str) -> Result<HeaderMap, UiError> {
        let wrong = |name: &str| UiError::Field { path: path.to_owned(), name: name.to_owned() };
        let is_strong = self.etag.len() > 2 && self.etag.starts_with('"') && self.etag.ends_with('"');
        if !is_strong {
            return Err(wrong("etag"));
        }
        let given = self.headers.iter().map(|(name, value)| (name.as_str(), value));
        let own = [(CONTENT_TYPE.as_str(), &self.media_type), (ETAG.as_str(), &self.etag)];
        let mut headers = HeaderMap::new();
        for (name, text) in given.chain(own) {
            let field = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong(name))?;
            let value = HeaderValue::from_str(text).map_err(|_| wrong(name))?;
            if headers.insert(field, value).is_some() {
                return Err(wrong(name));
            }
        }
        Ok(headers)
    }
}

// the bytes are of no interest
impl fmt::Debug for Ui {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.files.keys()).finish()
    }
}

/// Whether an endpoint of some dialect has the path, or its space.
fn is_api(path: &str) -> bool {
    Dialect::of(path) != Dialect::Reqlog || Dialect::Reqlog.allow(path).is_some() || path.starts_with("/api/")
}

/// Whether the answer at `/` is the document, and not its equivalent in JSON.
pub(crate) fn is_document(headers: &HeaderMap) -> bool {
    let names = |wanted: &str| {
        headers.get_all(ACCEPT).iter().any(|value| value.to_str().is_ok_and(|text| text.contains(wanted)))
    };
    names("text/html") || !names("application/json")
}

/// The path below the base path, where a file can be at it.
fn below<'a>(head: &'a Parts, settings: &Settings) -> Option<&'a str> {
    let path = settings.below_base(head.uri.path())?;
    let is_read = head.method == Method::GET || head.method == Method::HEAD;
    let is_file = if path == "/" { is_document(&head.headers) } else { !is_api(path) };
    (is_read && is_file).then_some(path)
}

/// The document without its slash, below a base path.
fn is_bare(head: &Parts, settings: &Settings) -> bool {
    !settings.base_path.is_empty() && head.uri.path() == settings.base_path
}

/// The file of the UI that is asked for, by its name in the build's directory, where the request can be for one. A shell
/// that serves files by other means than [`Settings::ui`](super::Settings::ui) looks for it there; where there is none,
/// the plan has the answer.
pub fn ui_file<'a>(head: &'a Parts, settings: &Settings) -> Option<&'a str> {
    let path = below(head, settings).filter(|_| !is_bare(head, settings))?;
    Some(path.strip_prefix('/').filter(|name| !name.is_empty()).unwrap_or(INDEX))
}

/// The answer, where it is a file of the UI or the way to it.
pub(super) fn answer(head: &Parts, settings: &Settings) -> Option<Response<Bytes>> {
    let path = below(head, settings)?;
    if is_bare(head, settings) {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
        let slashed = HeaderValue::from_str(&format!("{path}/", path = head.uri.path())).ok()?;
        response.headers_mut().insert(LOCATION, slashed);
        return Some(response);
    }
    settings.ui.as_ref()?.answer(path)
}

#[cfg(test)]
mod tests;
