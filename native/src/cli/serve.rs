//! `reqlog serve`: the API and the UI over a data directory, or over files without keeping anything.

use super::api::{self, Path as Route};
use super::backend::{self, Backend};
use super::limits::LimitFlags;
use super::settings::Settings;
use super::{Problem, Verdict, browser, import};
use clap::Args;
use reqlog::server::{self, RunFile, Service};
use reqlog::store::Store;
use reqlog_core::auth::Secret;
use reqlog_core::plan::{self, FanOut};
use reqlog_core::settings::Given;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Serves the API and the web UI over a data directory, or over files
#[derive(Args, Debug)]
pub struct Serve {
    /// Files to serve; nothing is kept when the command ends
    #[arg(value_name = "FILE", conflicts_with = "data")]
    files: Vec<PathBuf>,
    /// Data directory; made if it is not there [default: ./reqlog-data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Address and port; port 0 takes a free one [default: 127.0.0.1:7070]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Path that a reverse proxy puts before every route, as /logs
    #[arg(long, value_name = "P")]
    base_path: Option<String>,
    /// Web origins whose pages may call the API, with commas between them, or * for all
    #[arg(long, value_name = "O")]
    origins: Option<String>,
    #[command(flatten)]
    limits: LimitFlags,
    #[command(flatten)]
    fan_out: FanOutFlags,
    /// How long after its arrival a record is kept, as 30d; of one project, as 30d,shop=90d,audit=none [default: for ever]
    #[arg(long, value_name = "AGE")]
    retention_age: Option<String>,
    /// How much of each project is kept on disk, the oldest going first, as 10GB or 10GB,shop=50GB [default: everything]
    #[arg(long, value_name = "BYTES")]
    retention_bytes: Option<String>,
    /// Open the web UI in the browser, with a key of this run
    #[arg(long)]
    open: bool,
}

/// Hoody's fan-out
#[derive(Args, Debug)]
struct FanOutFlags {
    /// Give admin keys of the organisation the rows of all projects as one stream, at Hoody's list
    #[arg(long)]
    admin_fanout: bool,
    /// Seconds after which the cursors of such a sweep expire [default: a day]
    #[arg(long, value_name = "SECONDS")]
    fanout_age: Option<u64>,
    /// Seconds after which one answer of it stops and hands out a cursor [default: 300]
    #[arg(long, value_name = "SECONDS")]
    fanout_deadline: Option<u64>,
}

impl FanOutFlags {
    fn over(&self, settings: &Settings) -> Option<FanOut> {
        let given = Given {
            admin_fanout: self.admin_fanout.then_some(true).or(settings.admin_fanout),
            fanout_age: seconds(self.fanout_age, settings.fanout_age),
            fanout_deadline: seconds(self.fanout_deadline, settings.fanout_deadline),
            ..Given::default()
        };
        given.fan_out()
    }
}

fn seconds(flag: Option<u64>, setting: Option<Duration>) -> Option<Duration> {
    flag.map(Duration::from_secs).or(setting)
}

const LISTEN: &str = "127.0.0.1:7070";

impl Serve {
    pub fn run(self, settings: &Settings) -> Result<Verdict, Problem> {
        let over_files = !self.files.is_empty();
        let origins = settings.origins(self.origins.as_deref())?;
        let limits = self.limits.resolve(settings)?;
        let retention = settings.retention(self.retention_age.as_deref(), self.retention_bytes.as_deref())?;
        few_arenas();
        // lives as long as the server, and takes everything with it
        let scratch = if over_files { Some(tempfile::Builder::new().prefix("reqlog-").tempdir()?) } else { None };
        let data = match &scratch {
            Some(scratch) => scratch.path().to_owned(),
            None => settings.data(self.data.as_deref()),
        };
        if let Some(run) = RunFile::read(&data).filter(|_| backend::served(&data).is_some()) {
            return Err(Problem::Failed(format!("{} is already served at {}", data.display(), run.url)));
        }
        let store = backend::open(&data, retention).map_err(|error| Problem::Failed(error.to_string()))?;
        let failed = |fault: reqlog::store::Fault| Problem::Failed(fault.to_string());
        let given = settings.admin_key.clone().map(Secret::given);
        if let Some(secret) = store.ensure_admin(given).map_err(failed)? {
            eprintln!("admin key: {}", secret.expose());
        }
        let base_path = self.base_path.or_else(|| settings.base_path.clone());
        let base_path = Given { base_path, ..Given::default() }.base_path();
        let fan_out = self.fan_out.over(settings);
        let ui = reqlog::ui::embedded().map_err(|error| Problem::Failed(error.to_string()))?;
        let plan = plan::Settings { base_path: base_path.clone(), origins, limits, fan_out, ui, ..Default::default() };
        let service = Service::new(store.clone(), plan, backend::redact_key(settings)).map_err(failed)?;
        let service = Arc::new(service);
        import(&self.files, &service)?;
        let listen = self.listen.as_deref().or(settings.listen.as_deref()).unwrap_or(LISTEN);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let served = runtime.block_on(listen_and_serve(service, &base_path, listen, &data, self.open));
        // what was acknowledged is durable; closing only tidies up
        close(&store);
        served.map(|()| Verdict::Fine)
    }
}

/// Has all threads allocate from as many arenas as there are processors. By default glibc makes eight times as many, and
/// each keeps what was freed in it: with 200 streams under load that were 220 KiB a stream instead of 37.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn few_arenas() {
    let most = std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2));
    // SAFETY: it sets a number, before any thread is started
    unsafe { libc::mallopt(libc::M_ARENA_MAX, i32::try_from(most).unwrap_or(i32::MAX)) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn few_arenas() {}

fn close(store: &Store) {
    if let Err(fault) = store.close() {
        tracing::error!("closing the store: {fault}");
    }
}

/// Imports the files that are served.
fn import(files: &[PathBuf], service: &Arc<Service>) -> Result<(), Problem> {
    let backend = Backend::Local(service.clone());
    for path in files {
        let (name, input) = import::watched(path)?;
        let report = api::ingest(&backend, import::route(Route::new("ingest"), &name, None), input)?;
        eprintln!("{name}: {} records, {} not understood", report.accepted, report.rejected);
        if let Some(first) = report.errors.first() {
            eprintln!("{name}: line {}: {}", first.line, first.reason);
        }
    }
    Ok(())
}

async fn listen_and_serve(
    service: Arc<Service>,
    base_path: &str,
    listen: &str,
    data: &Path,
    open: bool,
) -> Result<(), Problem> {
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|error| Problem::Failed(format!("cannot listen on {listen}: {error}")))?;
    let address = listener.local_addr()?;
    let url = format!("http://{address}");
    let key = service.local_key().to_owned();
    let run = RunFile { pid: std::process::id(), url: format!("{}{base_path}", reachable(address)), key };
    let _guard = run.write(data)?;
    // before anybody is told that it is ready
    let stop = stop()?;
    println!("listening on {url}");
    std::io::stdout().flush()?;
    let _opened = if open { browser::show(&format!("{}/", run.url), Some(&run.key), data)? } else { None };
    Ok(server::serve(service, listener, stop).await?)
}

/// Where this machine reaches a listener: one on every address answers on the loopback.
fn reachable(mut address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        let loopback: std::net::IpAddr = match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        };
        address.set_ip(loopback);
    }
    format!("http://{address}")
}

/// Done at the first SIGTERM or SIGINT; a second one ends the process at once.
fn stop() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("finishing what is under way");
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            std::process::exit(1);
        });
    })
}
