//! What a request is planned against: who may enter, what exists, what time it is, how the server is set up.

use super::Ui;
use crate::auth::Keyring;
use crate::id::EntryId;
use crate::limit::Limits;
use crate::timestamp::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Everything [`plan`](super::plan) reads beside the request; the shell takes it from its snapshot of the store.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Who may enter.
    pub keyring: &'a Keyring,
    /// Projects and their environments.
    pub projects: &'a Projects,
    /// The highest sequence given out and the arrival of the newest commit; `None` in an empty store.
    pub head: Option<EntryId>,
    /// The wall clock.
    pub now: Timestamp,
    /// Signs cursors; belongs to the store's data, so that a walk survives a restart.
    pub secret: &'a [u8; 32],
    /// How the server is set up.
    pub settings: &'a Settings,
}

/// Every project that was declared or named by a record, with its environments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Projects {
    environments: BTreeMap<String, BTreeSet<String>>,
}

impl Projects {
    /// Makes a project known, and an environment of it; says whether either is new.
    pub fn declare(&mut self, project: &str, environment: Option<&str>) -> bool {
        let fresh = !self.environments.contains_key(project);
        let known = self.environments.entry(project.to_owned()).or_default();
        environment.is_some_and(|name| !known.contains(name) && known.insert(name.to_owned())) || fresh
    }

    /// Forgets a project; says whether it was there.
    pub fn remove(&mut self, project: &str) -> bool {
        self.environments.remove(project).is_some()
    }

    /// The environments of a project; `None` when the project is unknown.
    pub fn environments(&self, project: &str) -> Option<&BTreeSet<String>> {
        self.environments.get(project)
    }

    /// Every project with its environments, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &BTreeSet<String>)> {
        self.environments.iter().map(|(name, environments)| (name.as_str(), environments))
    }
}

/// What an operator may set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Path under which the API is reached, as `/logs`; empty at the root.
    pub base_path: String,
    /// At most this many bytes of one ingestion request after decompression.
    pub request_limit: u64,
    /// At most this many bytes are kept of each captured body.
    pub body_cap: usize,
    /// Which web origins may call the API.
    pub origins: Origins,
    /// How much keys may ask for.
    pub limits: Limits,
    /// Whether Hoody's dialect streams the rows of all projects to admin keys.
    pub fan_out: Option<FanOut>,
    /// What this deployment has of what not every one can have.
    pub offers: Offers,
    /// The web UI, where its files are at hand; `None` is a build without it, or a platform that serves them by itself.
    pub ui: Option<Arc<Ui>>,
}

impl Settings {
    /// A request's path as the API knows it, without the base path; `None` where the request is not the API's but, in a
    /// proxy, the origin's.
    pub fn below_base<'a>(&self, path: &'a str) -> Option<&'a str> {
        match path.strip_prefix(self.base_path.as_str())? {
            "" => Some("/"),
            below if below.starts_with('/') => Some(below),
            _ => None,
        }
    }

    /// Whether a request for `path` is the API's.
    pub fn is_own(&self, path: &str) -> bool {
        self.below_base(path).is_some()
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            base_path: String::new(),
            request_limit: 64 << 20,
            body_cap: 256 << 10,
            origins: Origins::default(),
            limits: Limits::default(),
            fan_out: None,
            offers: Offers::ALL,
            ui: None,
        }
    }
}

/// What only some deployments have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// `GET /metrics`: counters of one process.
    Metrics,
    /// `GET /api/v1/backup`: the files of a store.
    Backup,
    /// Whatever changes the store: records taken in or destroyed, projects, keys.
    Write,
    /// Live streams of what is committed.
    Tail,
}

/// What a deployment has. **Ours:** the rest is answered with 501 and what to use instead, to who might have used it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offers(&'static [Offer]);

impl Offers {
    /// A process with files of its own.
    pub const ALL: Self = Self(&[Offer::Metrics, Offer::Backup, Offer::Write, Offer::Tail]);
    /// A Worker: many short-lived processes over databases of the platform.
    pub const EDGE: Self = Self(&[Offer::Write, Offer::Tail]);
    /// Opened files, which are only read.
    pub const OPENED: Self = Self(&[]);

    /// Whether it is there.
    pub fn has(self, offer: Offer) -> bool {
        self.0.contains(&offer)
    }
}

/// How long a sweep over the rows of all projects may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FanOut {
    /// A cursor of a sweep that began longer ago is refused as expired.
    pub cursor_age: Duration,
    /// After this time an answer stops and hands out a cursor.
    pub deadline: Duration,
}

impl Default for FanOut {
    /// A day, and five minutes.
    fn default() -> Self {
        Self { cursor_age: Duration::from_hours(24), deadline: Duration::from_mins(5) }
    }
}

/// Web origins that may read answers (CORS). Keys travel in headers, never in cookies, so no credentials mode is offered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origins {
    /// Only pages served by this server.
    #[default]
    Own,
    /// Any page.
    Any,
    /// Pages of these origins, spelt as browsers do: `https://app.example.test`.
    Listed(Vec<String>),
}

impl Origins {
    /// The `Access-Control-Allow-Origin` for a request that names its origin.
    pub fn allow<'a>(&self, origin: &'a str) -> Option<&'a str> {
        match self {
            Self::Own => None,
            Self::Any => Some("*"),
            Self::Listed(known) => known.iter().any(|known| known == origin).then_some(origin),
        }
    }
}
