//! `reqlog serve`: the API and the UI over a data directory, or over files without keeping anything.

use super::backend;
use super::limits::LimitFlags;
use super::settings::Settings;
use super::{Problem, Verdict, browser};
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
///
/// With files, they are asked about where they lie: indexed on all cores while requests are already answered, and read
/// again for headers and bodies, so do not write over them; what is appended is not seen. /readyz is 503 until every file
/// is read. What is compressed, and standard input, is kept plain meanwhile in a file without a name in the directory for
/// temporary files (TMPDIR). On a loopback address no key is needed, unless `REQLOG_ADMIN_KEY` gives one or --origins is *;
/// else one is printed as `admin key: …`.
#[derive(Args, Debug)]
pub struct Serve {
    /// Files to serve instead, compressed or not, `-` for standard input; nothing is stored
    #[arg(value_name = "FILE", conflicts_with_all = ["data", "retention_age", "retention_bytes"])]
    pub(super) files: Vec<PathBuf>,
    /// Data directory; made if it is not there [default: ./reqlog-data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Address and port; port 0 takes a free one [default: 127.0.0.1:7070]
    #[arg(long, value_name = "ADDR")]
    pub(super) listen: Option<String>,
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
    pub(super) open: bool,
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

pub(super) const LISTEN: &str = "127.0.0.1:7070";

impl Serve {
    pub fn run(self, settings: &Settings) -> Result<Verdict, Problem> {
        if self.files.is_empty() { self.directory(settings) } else { self.files(settings) }
    }

    /// What requests are planned against, whatever is served.
    pub(super) fn plan(&self, settings: &Settings) -> Result<plan::Settings, Problem> {
        let base_path = self.base_path.clone().or_else(|| settings.base_path.clone());
        Ok(plan::Settings {
            base_path: Given { base_path, ..Given::default() }.base_path(),
            origins: settings.origins(self.origins.as_deref())?,
            limits: self.limits.resolve(settings)?,
            fan_out: self.fan_out.over(settings),
            ui: reqlog::ui::embedded().map_err(|error| Problem::Failed(error.to_string()))?,
            ..plan::Settings::default()
        })
    }

    fn directory(self, settings: &Settings) -> Result<Verdict, Problem> {
        let plan = self.plan(settings)?;
        let retention = settings.retention(self.retention_age.as_deref(), self.retention_bytes.as_deref())?;
        few_arenas();
        let data = settings.data(self.data.as_deref());
        if let Some(run) = RunFile::read(&data).filter(|_| backend::served(&data).is_some()) {
            return Err(Problem::Failed(format!("{} is already served at {}", data.display(), run.url)));
        }
        let store = backend::open(&data, retention).map_err(|error| Problem::Failed(error.to_string()))?;
        let failed = |fault: reqlog::store::Fault| Problem::Failed(fault.to_string());
        let given = settings.admin_key.clone().map(Secret::given);
        if let Some(secret) = store.ensure_admin(given).map_err(failed)? {
            eprintln!("admin key: {}", secret.expose());
        }
        let base_path = plan.base_path.clone();
        let service = Service::new(store.clone(), plan, backend::redact_key(settings)).map_err(failed)?;
        let listen = self.listen.as_deref().or(settings.listen.as_deref()).unwrap_or(LISTEN);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let served = runtime.block_on(listen_and_serve(Arc::new(service), &base_path, listen, &data, self.open));
        // what was acknowledged is durable; closing only tidies up
        close(&store);
        served.map(|()| Verdict::Fine)
    }
}

/// Has all threads allocate from as many arenas as there are processors. By default glibc makes eight times as many, and
/// each keeps what was freed in it: with 200 streams under load that were 220 KiB a stream instead of 37.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(super) fn few_arenas() {
    let most = std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2));
    // SAFETY: it sets a number, before any thread is started
    unsafe { libc::mallopt(libc::M_ARENA_MAX, i32::try_from(most).unwrap_or(i32::MAX)) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(super) fn few_arenas() {}

fn close(store: &Store) {
    if let Err(fault) = store.close() {
        tracing::error!("closing the store: {fault}");
    }
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
pub(super) fn reachable(mut address: SocketAddr) -> String {
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
pub(super) fn stop() -> std::io::Result<impl Future<Output = ()>> {
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
