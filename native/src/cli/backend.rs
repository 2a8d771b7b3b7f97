//! Who answers a command: a server over HTTP, or this process over a data directory.

use super::settings::Settings;
use super::{Place, Problem};
use http::{HeaderValue, Request, Response, Uri, header};
use reqlog::server::{Reader, RunFile, Service};
use reqlog::store::{OpenError, Options, Store};
use reqlog_core::plan;
use reqlog_core::retention::Retention;
use reqlog_core::settings::Given;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use ureq::config::AutoHeaderValue;
use ureq::{Agent, SendBody};

/// Answers requests of reqlog's own API.
pub enum Backend {
    /// A server.
    Remote(Remote),
    /// Nobody serves the directory; it is open here until the command ends.
    Local(Arc<Service>),
}

/// A server and how to get in.
pub struct Remote {
    agent: Agent,
    base: String,
    key: Option<HeaderValue>,
}

/// What happens to a directory that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// It is made.
    Make,
    /// That is an error.
    Refuse,
}

impl Backend {
    /// The place that flags, environment and settings name, in this order.
    pub fn of(place: &Place, settings: &Settings, absent: Absent) -> Result<Self, Problem> {
        let key = place.key.as_deref().or(settings.key.as_deref());
        if let Some(url) = &place.url {
            return Remote::new(url, key).map(Self::Remote);
        }
        match (&place.data, &settings.url) {
            (None, Some(url)) => Remote::new(url, key).map(Self::Remote),
            (data, _) => Self::of_directory(&settings.data(data.as_deref()), settings, absent),
        }
    }

    /// The server of the place that flags, environment and settings name; a directory that nobody serves has none.
    pub fn server(place: &Place, settings: &Settings) -> Result<Option<Remote>, Problem> {
        let key = place.key.as_deref().or(settings.key.as_deref());
        match (&place.url, &place.data, &settings.url) {
            (Some(url), ..) | (None, None, Some(url)) => Remote::new(url, key).map(Some),
            (None, data, _) => Ok(served(&settings.data(data.as_deref()))),
        }
    }

    fn of_directory(data: &Path, settings: &Settings, absent: Absent) -> Result<Self, Problem> {
        if let Some(served) = served(data) {
            return Ok(Self::Remote(served));
        }
        if absent == Absent::Refuse && !data.is_dir() {
            let data = data.display();
            return Err(Problem::Failed(format!(
                "{data} does not exist; `reqlog import` or `reqlog serve` makes it, --data or --url names another"
            )));
        }
        let store = match open(data, settings.retention(None, None)?) {
            // a server that has just started has not left its address yet
            Err(OpenError::Locked(path)) => match wait_until_served(data) {
                Some(served) => return Ok(Self::Remote(served)),
                None => Err(OpenError::Locked(path)),
            },
            opened => opened,
        };
        let store = store.map_err(|error| Problem::Failed(error.to_string()))?;
        let service = Service::new(store, plan::Settings::default(), redact_key(settings));
        Ok(Self::Local(Arc::new(service.map_err(|fault| Problem::Failed(fault.to_string()))?)))
    }

    /// Sends a request whose URI is a path; an answer of any status is an answer.
    pub fn send(&self, mut request: Request<Reader>) -> Result<Response<Reader>, Problem> {
        match self {
            Self::Remote(remote) => remote.send(request),
            Self::Local(service) => {
                request.headers_mut().insert(header::AUTHORIZATION, bearer(service.local_key())?);
                Ok(service.answer(request))
            }
        }
    }

    /// Whether others may write while this command runs.
    pub fn is_shared(&self) -> bool {
        matches!(self, Self::Remote(_))
    }
}

/// Opens a data directory as a server does.
pub fn open(data: &Path, retention: Retention) -> Result<Store, OpenError> {
    Store::open(data, Options { retention, ..Options::default() })
}

/// The key that redacted values are hashed with, where it was given: what a hash of a given text is.
pub fn redact_key(settings: &Settings) -> Option<[u8; 32]> {
    Given { redact_key: settings.redact_key.clone(), ..Given::default() }.redact_key()
}

/// The server of a directory, if there is one that answers.
pub fn served(data: &Path) -> Option<Remote> {
    let run = RunFile::read(data)?;
    let remote = Remote::new(&run.url, Some(&run.key)).ok()?;
    remote.is_there().then_some(remote)
}

fn wait_until_served(data: &Path) -> Option<Remote> {
    (0..20).find_map(|_| {
        std::thread::sleep(Duration::from_millis(100));
        served(data)
    })
}

impl Remote {
    fn new(url: &str, key: Option<&str>) -> Result<Self, Problem> {
        let base = url.trim_end_matches('/');
        let uri: Uri = base.parse().map_err(|_| Problem::Usage(format!("'{url}' is no URL")))?;
        if uri.scheme_str() != Some("http") {
            return Err(Problem::Usage(format!("'{url}' does not begin with http://")));
        }
        let key = key.map(bearer).transpose()?;
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(10)))
            .accept_encoding(AutoHeaderValue::None)
            .user_agent(concat!("reqlog/", env!("CARGO_PKG_VERSION")));
        Ok(Self { agent: config.build().new_agent(), base: base.to_owned(), key })
    }

    /// Base URL, without a slash at its end.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// What `Authorization` says.
    pub fn key(&self) -> Option<&HeaderValue> {
        self.key.as_ref()
    }

    /// Whether something listens at the address.
    fn is_there(&self) -> bool {
        let Some(authority) = self.base.strip_prefix("http://").and_then(|rest| rest.split('/').next()) else {
            return false;
        };
        let addresses = std::net::ToSocketAddrs::to_socket_addrs(authority);
        addresses.is_ok_and(|mut found| {
            found.any(|address| std::net::TcpStream::connect_timeout(&address, Duration::from_secs(2)).is_ok())
        })
    }

    fn send(&self, request: Request<Reader>) -> Result<Response<Reader>, Problem> {
        let (mut head, body) = request.into_parts();
        let uri = format!("{}{}", self.base, head.uri);
        head.uri = uri.parse().map_err(|_| Problem::Usage(format!("'{uri}' is no URL")))?;
        if let Some(key) = &self.key {
            head.headers.insert(header::AUTHORIZATION, key.clone());
        }
        let body = if head.method == http::Method::POST { SendBody::from_owned_reader(body) } else { SendBody::none() };
        let response = self
            .agent
            .run(Request::from_parts(head, body))
            .map_err(|error| Problem::Failed(format!("{}: {error}", self.base)))?;
        // whatever its length: an export is as long as the store
        Ok(response.map(|body| Box::new(body.into_with_config().limit(u64::MAX).reader()) as Reader))
    }
}

fn bearer(key: &str) -> Result<HeaderValue, Problem> {
    let mut value = HeaderValue::try_from(format!("Bearer {key}"))
        .map_err(|_| Problem::Usage("the key holds characters that no header field can carry".into()))?;
    value.set_sensitive(true);
    Ok(value)
}
