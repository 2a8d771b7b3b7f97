//! The one way in which the store touches files; `SQLite` goes through a VFS of its own (see `Options::vfs`).
//!
//! Each method is one step that can be lost or fail on its own, so that a simulated disk can drop what was not synced:
//! `create` without `sync_file` may lose the bytes, without `sync_dir` the name; the same holds for `rename` and
//! `remove`.

use std::any::Any;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::Path;

/// Files and directories of one data directory.
pub trait Disk: Send + Sync {
    /// Makes a directory for its owner only, with its parents; one that exists is fine. Durable after `sync_dir` of
    /// the parent.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;

    /// Names of what is directly in `dir`, in no order.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// Makes a file for its owner only that holds `bytes`; `AlreadyExists` if the name is taken.
    fn create(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// Adds `bytes` to the end of a file; `NotFound` without it.
    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// The bytes of `range`; `UnexpectedEof` when the file is shorter, `NotFound` without the file.
    fn read(&self, path: &Path, range: Range<u64>) -> io::Result<Vec<u8>>;

    /// Length of a file in bytes.
    fn len(&self, path: &Path) -> io::Result<u64>;

    /// Makes the file's bytes durable.
    fn sync_file(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in `dir` durable, and that removed ones are gone.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Renames within the same file system; what has the new name is replaced.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Bytes that this user can still write to the file system of `dir`.
    fn free(&self, dir: &Path) -> io::Result<u64>;

    /// Takes the exclusive lock on `path`, which is made if missing, until the answer is dropped or the process dies;
    /// `WouldBlock` when someone else holds it.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Any + Send + Sync>>;
}

/// The operating system's files.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsDisk;

impl Disk for OsDisk {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        fs::read_dir(dir)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    fn create(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(bytes)
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        OpenOptions::new().append(true).open(path)?.write_all(bytes)
    }

    fn read(&self, path: &Path, range: Range<u64>) -> io::Result<Vec<u8>> {
        let file = File::open(path)?;
        // a damaged directory may name any range: look before allocating
        if range.start > range.end || range.end > file.metadata()?.len() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let mut bytes = vec![0; usize::try_from(range.end - range.start).map_err(io::Error::other)?];
        file.read_exact_at(&mut bytes, range.start)?;
        Ok(bytes)
    }

    fn len(&self, path: &Path) -> io::Result<u64> {
        Ok(fs::metadata(path)?.len())
    }

    fn sync_file(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn free(&self, dir: &Path) -> io::Result<u64> {
        let space = rustix::fs::statvfs(dir)?;
        Ok(space.f_bavail.saturating_mul(space.f_frsize))
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Any + Send + Sync>> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(file)),
            Err(TryLockError::WouldBlock) => Err(ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_created_once_and_read_within_its_length() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        OsDisk.create(&path, b"hello").unwrap();
        assert_eq!(OsDisk.create(&path, b"again").unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(OsDisk.read(&path, 1..4).unwrap(), b"ell");
        assert_eq!(OsDisk.read(&path, 1..6).unwrap_err().kind(), ErrorKind::UnexpectedEof);
        assert_eq!(OsDisk.list(dir.path()).unwrap(), ["a"]);
    }

    #[test]
    fn one_holder_of_a_lock_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let held = OsDisk.lock(&path).unwrap();
        assert_eq!(OsDisk.lock(&path).err().unwrap().kind(), ErrorKind::WouldBlock);
        drop(held);
        OsDisk.lock(&path).unwrap();
    }
}
