//! The store's files on a simulated disk.

use super::{Claim, Holder, Ino, SimDisk};
use reqlog::store::Disk;
use std::any::Any;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::{Path, PathBuf};

impl SimDisk {
    fn inside(&self, path: &Path) -> io::Result<PathBuf> {
        let inside = path.strip_prefix(self.root()).map_err(|_| ErrorKind::NotFound)?;
        Ok(inside.to_path_buf())
    }
}

impl Disk for SimDisk {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        let dir = self.inside(dir)?;
        let missing: Vec<&Path> = dir.ancestors().take_while(|path| !self.is_directory(path).unwrap_or(true)).collect();
        // with power off nothing seems to be missing, and the caller still has to hear of it
        self.exists(&dir)?;
        missing.into_iter().rev().try_for_each(|path| self.create_directory(path))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let names = Self::list(self, &self.inside(dir)?)?;
        Ok(names.into_iter().map(|name| name.to_string_lossy().into_owned()).collect())
    }

    /// Three steps, as for the operating system: the name, then the bytes in two writes.
    fn create(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let file = Self::create(self, &self.inside(path)?)?;
        let (first, second) = bytes.split_at(bytes.len() / 2);
        self.write(file, 0, first)?;
        self.write(file, first.len() as u64, second)
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let file = self.open(&self.inside(path)?)?;
        self.write(file, Self::len(self, file)?, bytes)
    }

    fn read(&self, path: &Path, range: Range<u64>) -> io::Result<Vec<u8>> {
        let file = self.open(&self.inside(path)?)?;
        if range.start > range.end || range.end > Self::len(self, file)? {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let mut bytes = vec![0; (range.end - range.start) as usize];
        let len = self.read_at(file, range.start, &mut bytes)?;
        if len == bytes.len() { Ok(bytes) } else { Err(ErrorKind::UnexpectedEof.into()) }
    }

    fn len(&self, path: &Path) -> io::Result<u64> {
        Self::len(self, self.open(&self.inside(path)?)?)
    }

    fn sync_file(&self, path: &Path) -> io::Result<()> {
        self.sync(self.open(&self.inside(path)?)?)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.sync_directory(&self.inside(dir)?)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        Self::rename(self, &self.inside(from)?, &self.inside(to)?)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        Self::remove(self, &self.inside(path)?)
    }

    fn free(&self, _: &Path) -> io::Result<u64> {
        // a read: without power there is no answer
        self.exists(Path::new(""))?;
        Ok(Self::free(self))
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Any + Send + Sync>> {
        let path = self.inside(path)?;
        let file = match self.open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Self::create(self, &path)?,
            found => found?,
        };
        let lock = Lock { disk: self.clone(), file, holder: self.holder() };
        match self.raise(file, lock.holder, Claim::Exclusive)? {
            Claim::Exclusive => Ok(Box::new(lock)),
            _ => Err(ErrorKind::WouldBlock.into()),
        }
    }
}

/// The lock of a data directory while it is held.
struct Lock {
    disk: SimDisk,
    file: Ino,
    holder: Holder,
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.disk.lower(self.file, self.holder, Claim::None);
    }
}
