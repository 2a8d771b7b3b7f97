//! A disk in memory that loses on power failure what a real one may lose.
//!
//! Every file has two contents, the one that programs read and the one that is on the platter, and every
//! directory has two listings. A write or truncation reaches the platter when its *file* is synced; a creation,
//! renaming or removal when its *directory* is synced, and not with the file, which is less than most file
//! systems promise. Power fails at a chosen step, and [`SimDisk::restart`] gives the disk that the next start
//! finds.
//!
//! ```
//! use reqlog_tests::simdisk::{Loss, SimDisk};
//! let disk = SimDisk::new();
//! let file = disk.create("a".as_ref())?;
//! disk.write(file, 0, b"kept")?;
//! disk.sync(file)?;
//! disk.sync_directory("".as_ref())?;
//! disk.write(file, 0, b"lost")?;
//! let disk = disk.restart(Loss::Unsynced);
//! let file = disk.open("a".as_ref())?;
//! assert_eq!(disk.read_all(file)?, b"kept");
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! **Steps.** Operations that change the disk or sync it are numbered from 1. Reading is no step: between two
//! steps the platter does not change, so a failure at a read leaves the image that a failure at the next step
//! leaves. The step at which power fails is in flight: its write may survive like any unsynced one, its sync has
//! not happened, and its caller gets an error, like every later call.

mod claims;
mod disk;
mod files;
mod loss;
mod power;

pub use claims::{Claim, Holder};
pub use files::Ino;
pub use loss::Loss;
pub use power::Fault;

use claims::Claims;
use files::Files;
use power::{Power, Step};
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, Weak};

/// A handle on a simulated disk; clones share it, and every thread may use it.
///
/// Paths are relative to the disk's root, which is the empty path. [`Self::root`] names the same place for
/// programs that want an absolute path; it is unique in the process, so that `SQLite`, which knows only paths,
/// finds the disk by it ([`crate::vfs`]).
#[derive(Clone, Debug)]
pub struct SimDisk {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    number: u64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    files: Files,
    claims: Claims,
    power: Power,
    syncs: Syncs,
    capacity: Option<u64>,
}

/// What a sync does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syncs {
    /// What was asked: the platter has everything written before.
    Kept,
    /// Nothing, and reports success: the negative control of tests that count on syncs.
    Ignored,
}

/// The folder of absolute paths that stand for simulated disks.
const ROOTS: &str = "/simulated";

static NEXT: AtomicU64 = AtomicU64::new(1);
static MOUNTED: LazyLock<Mutex<HashMap<u64, Weak<Shared>>>> = LazyLock::new(Mutex::default);

impl Default for SimDisk {
    fn default() -> Self {
        Self::new()
    }
}

impl SimDisk {
    /// An empty disk whose power stays on.
    pub fn new() -> Self {
        Self::mount(Files::default())
    }

    fn mount(files: Files) -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let state =
            State { files, claims: Claims::default(), power: Power::default(), syncs: Syncs::Kept, capacity: None };
        let shared = Arc::new(Shared { number, state: Mutex::new(state) });
        locked(&MOUNTED).insert(number, Arc::downgrade(&shared));
        Self { shared }
    }

    /// The disk that an absolute path under some [`Self::root`] lies on, and the path on it.
    pub fn of(path: &Path) -> Option<(Self, PathBuf)> {
        let mut parts = path.strip_prefix(ROOTS).ok()?.components();
        let number = parts.next()?.as_os_str().to_str()?.parse().ok()?;
        let shared = locked(&MOUNTED).get(&number)?.upgrade()?;
        Some((Self { shared }, parts.as_path().to_path_buf()))
    }

    /// The absolute path that stands for the disk's root.
    pub fn root(&self) -> PathBuf {
        Path::new(ROOTS).join(self.shared.number.to_string())
    }

    /// Lets power fail at the step of this number, counted from the disk's first.
    pub fn fail_at(&self, step: u64) {
        self.state().power.fail_at(step);
    }

    /// Lets only the step of this number fail, and power stay on.
    pub fn fault_at(&self, step: u64, fault: Fault) {
        self.state().power.fault_at(step, fault);
    }

    /// Lets the disk lie about syncs from now on.
    pub fn set_syncs(&self, syncs: Syncs) {
        self.state().syncs = syncs;
    }

    /// Limits what fits on the disk; `None` for no limit. A write past it gives [`io::ErrorKind::StorageFull`].
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.state().capacity = bytes;
    }

    /// Bytes that still fit on the disk.
    pub fn free(&self) -> u64 {
        let state = self.state();
        state.capacity.map_or(u64::MAX, |capacity| capacity.saturating_sub(state.files.used()))
    }

    /// How many steps were taken.
    pub fn steps(&self) -> u64 {
        self.state().power.steps()
    }

    /// Whether power is on.
    pub fn is_on(&self) -> bool {
        self.state().power.is_on()
    }

    /// Turns power off, if it is not yet, and gives the disk that is found when it is back.
    ///
    /// This disk stays off, so that what still runs on it cannot touch the new one; asking again gives another
    /// copy. The new one has a root of its own.
    #[must_use]
    pub fn restart(&self, loss: Loss) -> Self {
        let mut state = self.state();
        state.power.turn_off();
        Self::mount(state.files.after(loss))
    }

    /// Opens a file.
    pub fn open(&self, path: &Path) -> io::Result<Ino> {
        self.read(|files| files.lookup(path))
    }

    /// Makes an empty file; fails where the name is taken.
    pub fn create(&self, path: &Path) -> io::Result<Ino> {
        self.change(|files| files.create(path))
    }

    /// A file without a name, which no restart finds.
    pub fn create_unnamed(&self) -> io::Result<Ino> {
        self.read(|files| Ok(files.create_unnamed()))
    }

    /// Reads from an offset on; fewer bytes than asked at the end of the file.
    pub fn read_at(&self, file: Ino, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        self.read(|files| Ok(files.read(file, offset, out)))
    }

    /// The whole file.
    pub fn read_all(&self, file: Ino) -> io::Result<Vec<u8>> {
        self.read(|files| Ok(files.contents(file).to_vec()))
    }

    /// Bytes in the file.
    pub fn len(&self, file: Ino) -> io::Result<u64> {
        self.read(|files| Ok(files.contents(file).len() as u64))
    }

    /// Writes at an offset; a gap before it reads as zeros.
    pub fn write(&self, file: Ino, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let end = offset + bytes.len() as u64;
        let grows = end.saturating_sub(self.len(file)?);
        if grows > self.free() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.change(|files| {
            files.write(file, offset, bytes);
            Ok(())
        })
    }

    /// Cuts or extends the file with zeros.
    pub fn truncate(&self, file: Ino, len: u64) -> io::Result<()> {
        self.change(|files| {
            files.truncate(file, len);
            Ok(())
        })
    }

    /// Makes every write and truncation of the file durable, but not its name.
    pub fn sync(&self, file: Ino) -> io::Result<()> {
        self.settle(|files| files.sync(file), |files| files.forget(file))
    }

    /// Makes every creation, renaming and removal in a directory durable, but no content.
    pub fn sync_directory(&self, path: &Path) -> io::Result<()> {
        self.read(|files| files.require_directory(path))?;
        self.settle(|files| files.sync_directory(path), |_| ())
    }

    /// Makes a directory; fails where the name is taken.
    pub fn create_directory(&self, path: &Path) -> io::Result<()> {
        self.change(|files| files.create_directory(path))
    }

    /// Renames a file, over another one if the name is taken.
    pub fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change(|files| files.rename(from, to))
    }

    /// Removes a file's name; who has it open keeps it.
    pub fn remove(&self, path: &Path) -> io::Result<()> {
        self.change(|files| files.remove(path))
    }

    /// Whether there is a file or directory of this name.
    pub fn exists(&self, path: &Path) -> io::Result<bool> {
        self.read(|files| Ok(files.exists(path)))
    }

    /// Whether there is a directory of this name.
    pub fn is_directory(&self, path: &Path) -> io::Result<bool> {
        self.read(|files| Ok(files.require_directory(path).is_ok()))
    }

    /// The names in a directory, sorted.
    pub fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        self.read(|files| files.list(path))
    }

    /// A new holder of files, whose claims end with [`Self::lower`] to none or with the power.
    pub fn holder(&self) -> Holder {
        Holder(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// Raises a claim; what the holder has afterwards, which is less than wanted when others are in the way.
    pub fn raise(&self, file: Ino, holder: Holder, wanted: Claim) -> io::Result<Claim> {
        let mut state = self.state();
        state.power.require()?;
        Ok(state.claims.raise(file, holder, wanted))
    }

    /// Lowers a claim.
    pub fn lower(&self, file: Ino, holder: Holder, wanted: Claim) {
        self.state().claims.lower(file, holder, wanted);
    }

    /// The strongest claim of any other holder.
    pub fn strongest_other(&self, file: Ino, holder: Holder) -> Claim {
        self.state().claims.strongest_other(file, holder)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.shared.state)
    }

    fn read<T>(&self, work: impl FnOnce(&mut Files) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.state();
        state.power.require()?;
        work(&mut state.files)
    }

    fn change<T>(&self, work: impl FnOnce(&mut Files) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.state();
        match state.power.step()? {
            Step::Whole => work(&mut state.files),
            Step::InFlight => {
                // the answer is lost with the power, whatever it was
                let _ = work(&mut state.files);
                Err(power::off())
            }
            Step::Fault(Fault::Undone) => Err(power::fault()),
            Step::Fault(Fault::Done) => work(&mut state.files).and(Err(power::fault())),
        }
    }

    fn settle(&self, sync: impl FnOnce(&mut Files), forget: impl FnOnce(&mut Files)) -> io::Result<()> {
        let mut state = self.state();
        let step = state.power.step()?;
        match step {
            Step::Whole | Step::Fault(Fault::Done) if state.syncs == Syncs::Kept => sync(&mut state.files),
            Step::Fault(Fault::Undone) => forget(&mut state.files),
            Step::Whole | Step::Fault(Fault::Done) | Step::InFlight => {}
        }
        match step {
            Step::Whole => Ok(()),
            Step::InFlight => Err(power::off()),
            Step::Fault(_) => Err(power::fault()),
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        locked(&MOUNTED).remove(&self.number);
    }
}

// A panic of a test under a lock leaves a disk that nobody looks at again.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
