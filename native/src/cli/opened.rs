//! `reqlog serve FILE…`: the API and the UI over files, storing nothing.

use super::output::{self, Bar};
use super::serve::{LISTEN, Serve, few_arenas, reachable, stop};
use super::settings::Settings;
use super::{Problem, Verdict, backend, browser};
use reqlog::opened::{Event, Named, Opened};
use reqlog::server::{self, Hosts};
use reqlog::store::wall_clock;
use reqlog_core::auth::{Key, Keyring, Role, Scope, Secret};
use reqlog_core::offline::{Place, Setup};
use reqlog_core::plan::{self, Offers, Origins};
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;

impl Serve {
    /// Serves files until it is told to stop.
    pub(super) fn files(self, settings: &Settings) -> Result<Verdict, Problem> {
        if self.files.len() > Place::COUNT {
            return Err(Problem::Usage(format!("at most {} files can be served at a time", Place::COUNT)));
        }
        if self.files.iter().filter(|path| path.as_os_str() == "-").count() > 1 {
            return Err(Problem::Usage("standard input can be read once only".into()));
        }
        let plan = plan::Settings { offers: Offers::OPENED, ..self.plan(settings)? };
        few_arenas();
        let named: Vec<_> = self.files.iter().map(|path| Named::find(path)).collect();
        let mut files = Vec::new();
        for found in named {
            match found {
                Ok(named) => files.push(named),
                // the others are none the worse for it
                Err(reason) => eprintln!("{reason}"),
            }
        }
        if files.is_empty() {
            return Err(Problem::Failed("there is nothing to serve, for the reasons above".into()));
        }
        let listen = self.listen.as_deref().or(settings.listen.as_deref()).unwrap_or(LISTEN);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(serve(files, plan, settings, listen, self.open))?;
        Ok(Verdict::Fine)
    }
}

async fn serve(
    files: Vec<Named>,
    plan: plan::Settings,
    settings: &Settings,
    listen: &str,
    open: bool,
) -> Result<(), Problem> {
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|error| Problem::Failed(format!("cannot listen on {listen}: {error}")))?;
    let address = listener.local_addr()?;
    // pages of any origin read what needs no key
    let is_ours = address.ip().is_loopback() && plan.origins != Origins::Any;
    let key = match &settings.admin_key {
        Some(given) => Some(Secret::given(given.clone())),
        None if is_ours => None,
        None => {
            let minted = Secret::mint(random()?);
            eprintln!("admin key: {}", minted.expose());
            Some(minted)
        }
    };
    let redact_key = backend::redact_key(settings).map_or_else(random, Ok)?;
    let url = format!("{}{}", reachable(address), plan.base_path);
    let setup = Setup { settings: plan, ..Setup::open(redact_key) };
    let (setup, hosts) = match &key {
        None => (setup, Hosts::Loopback),
        Some(secret) => (Setup { keyring: Keyring::new(vec![admin(secret)]), secret: random()?, ..setup }, Hosts::Any),
    };
    let opened = Arc::new(Opened::new(setup, files.len()));
    let stop = stop()?;
    println!("listening on http://{address}");
    std::io::stdout().flush()?;
    // it ends with the process
    let indexed = opened.clone();
    std::thread::spawn(move || {
        let shown = Shown::default();
        indexed.index(&files, &|event| shown.tell(event));
    });
    let _opened = if open {
        browser::show(&format!("{url}/"), key.as_ref().map(Secret::expose), &std::env::temp_dir())?
    } else {
        None
    };
    Ok(server::serve_opened(opened, hosts, listener, stop).await?)
}

fn random() -> Result<[u8; 32], Problem> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| Problem::Failed(error.to_string()))?;
    Ok(random)
}

fn admin(secret: &Secret) -> Key {
    Key {
        id: 1,
        hash: secret.hash(),
        name: "admin".into(),
        role: Role::Admin,
        scope: Scope::Organisation,
        created: wall_clock(),
        expires: None,
    }
}

/// What is said on stderr: a bar of the file that is read, a line of each that was.
#[derive(Default)]
struct Shown(Mutex<Option<Bar>>);

impl Shown {
    fn tell(&self, event: Event<'_>) {
        let mut bar = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Begun { name, length } => *bar = Some(output::bar(name, length)),
            Event::Read(bytes) => bar.iter().for_each(|bar| bar.advance(bytes)),
            Event::Done { name, rows, rejected, first } => {
                *bar = None;
                eprintln!("{name}: {rows} records, {rejected} not understood");
                if let Some(first) = first {
                    eprintln!("{name}: line {}: {}", first.line, first.reason);
                }
            }
            Event::Failed { reason } => {
                *bar = None;
                eprintln!("{reason}");
            }
        }
    }
}
