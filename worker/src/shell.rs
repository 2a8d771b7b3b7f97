//! What an isolate has: bindings, settings, and the view it keeps.

use crate::cache::Parts;
use crate::database::{Database, Fault};
use crate::limits;
use crate::rows;
use crate::view::{Reader, View, failed};
use futures_util::lock::Mutex;
use reqlog_core::auth::{Scope, Secret};
use reqlog_core::capture::{self, Sampling, Upstream};
use reqlog_core::plan::{Context, Failure, IngestMode, IngestRequest, Offers, Settings};
use reqlog_core::retention::Retention;
use reqlog_core::sequencer::Window;
use reqlog_core::settings;
use reqlog_core::timestamp::Timestamp;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;
use worker::{Env, Fetcher, KvStore, Request, Stub, js_sys};

/// Shared by the requests of an isolate. Only values are shared: what waits for a binding belongs to one request.
pub struct Shell {
    pub settings: Settings,
    pub retention: Retention,
    pub window: Window,
    /// What of captured traffic is kept, and what its records are said to be of.
    pub sampling: Sampling,
    pub captured: IngestRequest,
    upstream: Option<Upstream>,
    redact_key: Option<[u8; 32]>,
    // given, and not looked for yet
    admin: RefCell<Option<Secret>>,
    known: RefCell<Option<Rc<View>>>,
    pub parts: Parts,
}

thread_local! {
    static SHELL: OnceCell<Rc<Shell>> = const { OnceCell::new() };
}

/// The wall clock; it stands still while a request computes.
pub fn now() -> Timestamp {
    Timestamp::from_millis(js_sys::Date::now() as i64)
}

/// 256 random bits.
pub fn random() -> worker::Result<[u8; 32]> {
    let mut bits = [0; 32];
    getrandom::fill(&mut bits).map_err(|error| worker::Error::RustError(error.to_string()))?;
    Ok(bits)
}

impl Shell {
    /// The shell of this isolate; settings that cannot be read are an error that names them.
    pub fn of(env: &Env) -> worker::Result<Rc<Self>> {
        SHELL.with(|shell| {
            if let Some(shell) = shell.get() {
                return Ok(shell.clone());
            }
            let made = Rc::new(Self::read(env).map_err(worker::Error::RustError)?);
            Ok(shell.get_or_init(|| made).clone())
        })
    }

    fn read(env: &Env) -> Result<Self, String> {
        let variable = |name: &str| env.var(name).ok().map(|text| text.to_string()).filter(|text| !text.is_empty());
        let configured = settings::read(variable)?;
        let settings = Settings { request_limit: limits::REQUEST, offers: Offers::EDGE, ..configured.plan };
        let window = match variable("REQLOG_COMMIT_WINDOW") {
            None => Window::default(),
            Some(text) => {
                let ms = text.strip_suffix("ms").and_then(|ms| ms.parse().ok()).filter(|ms| *ms <= 250);
                let ms = ms.ok_or_else(|| format!("REQLOG_COMMIT_WINDOW is '{text}'; it takes 0ms to 250ms"))?;
                Window { time: Duration::from_millis(ms), ..Window::default() }
            }
        };
        let upstream = variable("UPSTREAM")
            .map(|given| Upstream::beside_api(&given, &settings).map_err(|error| error.to_string()));
        Ok(Self {
            settings,
            retention: configured.retention,
            window,
            sampling: Sampling::parse(&variable("REQLOG_SAMPLE").unwrap_or_default(), now())
                .map_err(|error| error.to_string())?,
            captured: IngestRequest {
                scope: Scope::Organisation,
                project: variable("REQLOG_PROJECT"),
                environment: variable("REQLOG_ENVIRONMENT"),
                session: None,
                service: variable("REQLOG_SERVICE"),
                format: None,
                encodings: Vec::new(),
                mode: IngestMode::Live,
                idempotency_key: None,
                limit: limits::REQUEST,
            },
            upstream: upstream.transpose()?,
            redact_key: configured.redact_key,
            admin: RefCell::new(variable("REQLOG_ADMIN_KEY").map(Secret::given)),
            known: RefCell::new(None),
            parts: Parts::default(),
        })
    }

    /// The present view; a database without a catalog gets one.
    pub async fn view(&self, database: &Database) -> Result<Rc<View>, Fault> {
        let known = self.known.borrow().clone();
        let mut loaded = View::load(database, known.as_ref()).await?;
        if loaded.is_none() {
            let [secret, redact_key] = [random()?, random()?].map(|bits| rows::encode(&bits));
            database.found(&secret, &redact_key).await?;
            loaded = View::load(database, None).await?;
        }
        let mut view = loaded.ok_or_else(|| Fault::Failed("there is no catalog".into()))?;
        // once in the life of an isolate: a key that is revoked stays so until then
        let admin = self.admin.borrow().as_ref().map(Secret::hash);
        if let Some(admin) = admin {
            if !view.keyring.keys().iter().any(|key| key.hash == admin) {
                database.admit(admin, now()).await?;
                view = View::load(database, None).await?.unwrap_or(view);
            }
            self.admin.take();
        }
        // another request may have been answered later and come first
        let mut known = self.known.borrow_mut();
        if known.as_ref().is_none_or(|known| !known.is_later_than(&view)) {
            *known = Some(view.clone());
        }
        Ok(view)
    }

    /// Where a request is passed on to; `None` where it is for the API.
    pub fn upstream_of(&self, request: &Request) -> Option<&Upstream> {
        let upstream = self.upstream.as_ref()?;
        (!self.settings.is_own(capture::path(&request.inner().url()))).then_some(upstream)
    }

    /// Key of the hashes that stand for redacted values.
    pub fn redact_key(&self, view: &View) -> [u8; 32] {
        self.redact_key.unwrap_or(view.redact_key)
    }

    /// What requests are planned against.
    pub fn context<'a>(&'a self, view: &'a View) -> Context<'a> {
        Context {
            keyring: &view.keyring,
            projects: &view.projects,
            head: view.head(),
            now: now(),
            secret: &view.secret,
            settings: &self.settings,
        }
    }
}

/// The bindings of one invocation.
pub struct Bindings {
    pub shell: Rc<Shell>,
    pub database: Database,
    pub segments: KvStore,
    env: Env,
}

impl Bindings {
    pub fn of(env: Env) -> worker::Result<Self> {
        Ok(Self { shell: Shell::of(&env)?, database: Database::of(&env)?, segments: env.kv("SEGMENTS")?, env })
    }

    /// The one writer.
    pub fn committer(&self) -> worker::Result<Stub> {
        self.env.durable_object("COMMITTER")?.get_by_name("committer")
    }

    /// The files of the web UI; `None` in a deployment without them.
    pub fn assets(&self) -> Option<Fetcher> {
        self.env.assets("ASSETS").ok()
    }

    /// The one that seals.
    pub fn compactor(&self) -> worker::Result<Stub> {
        self.env.durable_object("COMPACTOR")?.get_by_name("compactor")
    }

    /// The present view.
    pub async fn view(&self) -> Result<Rc<View>, Failure> {
        self.shell.view(&self.database).await.map_err(failed)
    }

    /// A view whose secrets are the present ones, whatever else has changed since.
    pub async fn known_view(&self) -> Result<Rc<View>, Failure> {
        let known = self.shell.known.borrow().clone();
        match known {
            Some(view) => Ok(view),
            None => self.view().await,
        }
    }

    /// Reads the sources of a view.
    pub fn reader(&self, view: Rc<View>) -> Reader<'_> {
        Reader {
            view,
            retention: &self.shell.retention,
            database: &self.database,
            segments: &self.segments,
            parts: &self.shell.parts,
            unread: RefCell::new(BTreeSet::new()),
            reads: Cell::new(0),
            queries: Cell::new(0),
            fetched: RefCell::default(),
            fetching: Mutex::default(),
        }
    }
}
