//! The wire vectors: one harness, one adapter a frontend. `tests/vectors/README.md` has the format.
//!
//! A frontend is given a [`Setting`] (encoded batches, keys' secrets, a clock) and answers requests; everything else is
//! done here, so that another frontend adds an implementation of [`Frontend`] and nothing else.

mod documented;
mod seed;
mod step;
mod streamed;
mod template;
mod vector;
mod wrong;

pub use seed::Setting;
pub use wrong::control;

use bytes::Bytes;
use http::{Request, Response};
use reqlog_core::plan::Offers;
use std::ops::AddAssign;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use step::Step;
use template::Captured;
use vector::Vector;

/// A kind of server.
pub trait Frontend: Sync {
    /// One of them, running.
    type Server: Server;
    /// How many of them vectors run against at a time. A server waits for its disk more than for a processor.
    const AT_ONCE: usize = 8;
    /// What reports call it.
    fn name(&self) -> &'static str;
    /// What it has of what not every deployment has; steps that need the rest, or its absence, are left out.
    fn offers(&self) -> Offers {
        Offers::ALL
    }
    /// Whether it serves the web UI; where it does not, whoever hosts it does.
    fn serves_ui(&self) -> bool {
        true
    }
    /// Starts a server of its own with the given contents.
    fn start(&self, setting: &Setting) -> Self::Server;
}

/// A server under test.
pub trait Server {
    /// Lets a millisecond pass on the server's clock, then asks it; the answer is read to its end. Fails where no whole
    /// answer came.
    fn answer(&mut self, request: Request<Bytes>) -> Result<Response<Bytes>, String>;
    /// The same for a step that is only for deployments without something: of a server that has others do what it cannot
    /// do, the answer is its own.
    fn answer_itself(&mut self, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
        self.answer(request)
    }
    /// Lets more time pass on the server's clock; streams notice.
    fn wait(&mut self, time: Duration);
    /// Like [`Self::answer`], but of Server-Sent Events only the head: the stream stays open under `name`.
    fn open(&mut self, name: &str, request: Request<Bytes>) -> Result<Response<Bytes>, String>;
    /// What a stream has sent since it was read last, whole events and comments: so many at least, unless it ends before.
    /// Fails where they do not come.
    fn read(&mut self, name: &str, least: usize) -> Result<Came, String>;
    /// Leaves a stream.
    fn disconnect(&mut self, name: &str);
}

/// What came of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Came {
    /// Events and comments, each with the empty line that ends it.
    pub bytes: Bytes,
    /// Whether the server has closed it.
    pub is_over: bool,
}

/// What vectors hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Vector files.
    pub files: usize,
    /// Requests with their answers.
    pub steps: usize,
    /// Steps whose answer must be a 4xx.
    pub refusals: usize,
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.files += other.files;
        self.steps += other.steps;
        self.refusals += other.refusals;
    }
}

/// The folders of vectors, one a dialect, by name: those that hold `.http` files.
pub fn folders(vectors: &Path) -> Result<Vec<PathBuf>, String> {
    let mut folders = list(vectors)?;
    folders.retain(|folder| folder.is_dir() && files(folder).is_ok_and(|files| !files.is_empty()));
    Ok(folders)
}

/// What the files of a folder hold, whether it is true or not.
pub fn count(folder: &Path) -> Result<Count, String> {
    let mut count = Count::default();
    for file in files(folder)? {
        let text = read(&file)?;
        count += Vector::parse(&text).map_err(|error| format!("{}: {error}", file.display()))?.count();
    }
    Ok(count)
}

/// The folder of the vectors.
pub fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

/// Runs every vector file, each against a server of its own, several at a time; says what did not hold, file by file.
pub fn run_all<F: Frontend>(frontend: &F) -> Result<Count, String> {
    let (vectors, mut files) = (vectors(), Vec::new());
    for folder in folders(&vectors)? {
        files.extend(self::files(&folder)?);
    }
    files.retain(|file| frontend.serves_ui() || file.file_name().is_none_or(|name| name != "ui.http"));
    let seeds = vectors.join("seeds");
    let (next, ran) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            let result = read(file).and_then(|text| run(&text, &seeds, frontend));
            let result = result.map_err(|failure| format!("{}: {failure}", file.display()));
            ran.lock().unwrap_or_else(PoisonError::into_inner).push((file, result));
        }
    };
    std::thread::scope(|scope| (0..F::AT_ONCE.min(files.len())).for_each(|_| drop(scope.spawn(work))));
    let mut ran = ran.into_inner().unwrap_or_else(PoisonError::into_inner);
    ran.sort_by_key(|(file, _)| *file);
    let (mut count, mut failures) = (Count::default(), Vec::new());
    for (_, result) in ran {
        match result {
            Ok(held) => count += held,
            Err(failure) => failures.push(failure),
        }
    }
    if failures.is_empty() { Ok(count) } else { Err(failures.join("\n\n")) }
}

/// Runs one vector file, whose seeds are files in `seeds`; tells every step that does not hold.
pub fn run(text: &str, seeds: &Path, frontend: &impl Frontend) -> Result<Count, String> {
    let vector = Vector::parse(text)?;
    let mut setting = Setting::read(seeds, vector.seed, vector.now)?;
    setting.settings.limits = vector.limits;
    setting.settings.fan_out = vector.fan_out;
    let mut captured = Captured::from([("admin".to_owned(), setting.admin.expose().as_bytes().to_vec())]);
    let mut server = frontend.start(&setting);
    let mut failures = Vec::new();
    let offers = frontend.offers();
    let is_here = |step: &&Step<'_>| step.place.is_none_or(|(offer, is_offered)| offers.has(offer) == is_offered);
    for step in vector.steps.iter().filter(is_here) {
        if let Err(failure) = step.run(&mut server, &mut captured) {
            failures.push(format!("line {}, {}\n{failure}", step.line, step.name));
        }
    }
    if failures.is_empty() {
        failures.extend(streamed::silence(&vector.left_open(), &mut server).err());
    }
    if failures.is_empty() {
        return Ok(vector.count());
    }
    let of = vector.steps.len();
    Err(format!("{}: {} of {of} steps do not hold\n{}", frontend.name(), failures.len(), failures.join("\n")))
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut files = list(folder)?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "http"));
    Ok(files)
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    Ok(paths)
}

fn read(file: &Path) -> Result<String, String> {
    std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))
}
