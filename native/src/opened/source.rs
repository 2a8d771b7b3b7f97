//! Files as they are named on a command line, and the plain bytes that they hold.

use crate::decompress::{self, Limit};
use crate::store::wall_clock;
use reqlog_core::format::{Compression, SNIFF};
use reqlog_core::offline::{Input, Opening, Place};
use reqlog_core::plan::Failure;
use reqlog_core::timestamp::Timestamp;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A file that can be served, of which nothing was indexed yet.
#[derive(Debug)]
pub struct Named {
    /// As it was named.
    pub name: String,
    /// Bytes of it as it lies on the disk, where that is known.
    pub length: Option<u64>,
    /// When it was changed last; of a stream, now.
    pub(super) modified: Timestamp,
    pub(super) kind: Kind,
}

/// How the plain bytes are got at.
#[derive(Debug)]
pub(super) enum Kind {
    /// They are those of the file.
    Plain(Arc<Original>),
    /// They come out of a decoder.
    Packed(Arc<Original>),
    /// They come once: standard input, a pipe.
    Stream(Option<File>),
}

impl Named {
    /// Looks at a file; `-` is standard input. Fails with what is wrong with it and what would be right: a stream that
    /// cannot be read is told of later.
    pub fn find(path: &Path) -> Result<Self, String> {
        let name = path.display().to_string();
        if path.as_os_str() == "-" {
            return Ok(Self { name, length: None, modified: wall_clock(), kind: Kind::Stream(None) });
        }
        let failed = |error: io::Error| format!("{name}: {error}");
        let file = File::open(path).map_err(failed)?;
        let about = file.metadata().map_err(failed)?;
        if about.is_dir() {
            return Err(format!("{name} is a directory; name the files in it"));
        }
        if !about.is_file() {
            return Ok(Self { name, length: None, modified: wall_clock(), kind: Kind::Stream(Some(file)) });
        }
        let since = about.modified().ok().and_then(|modified| modified.duration_since(UNIX_EPOCH).ok());
        let modified = Timestamp::from_nanos(since.and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or(0));
        let mut start = [0; Compression::MAGIC];
        let file = Arc::new(Original::new(file, &about).map_err(failed)?);
        let known = file.read_at(&mut start, 0).map_err(failed)?;
        let named = Compression::parse_name(&name);
        let is_packed = Compression::detect(&start[..known], named).is_some();
        // what is in no format is told before anything is served
        let mut first = Vec::new();
        let plain = decompress::plain(Sequential::new(file.clone()), named, Limit::Unlimited).map_err(failed)?;
        plain.take(SNIFF as u64).read_to_end(&mut first).map_err(failed)?;
        let kind = if is_packed { Kind::Packed(file) } else { Kind::Plain(file) };
        let found = Self { name, length: Some(about.len()), modified, kind };
        found.input(Place::new(0), &first, [0; 32])?;
        Ok(found)
    }

    /// The input that begins with `first`; `None` where there is nothing in it.
    pub(super) fn input(&self, place: Place, first: &[u8], redact_key: [u8; 32]) -> Result<Option<Input>, String> {
        let opening = Opening { name: Some(self.name.clone()), ..Opening::new(self.modified, Some(redact_key)) };
        Input::open(place, first, &opening).map_err(|failure| match failure {
            Failure::Body(reason) => format!("{}: {reason}", self.name),
            other => format!("{}: {other}", self.name),
        })
    }

    /// Whether it is what it was when it was found; a stream always is.
    pub(super) fn is_same(&self) -> io::Result<bool> {
        match &self.kind {
            Kind::Plain(file) | Kind::Packed(file) => file.is_same(),
            Kind::Stream(_) => Ok(true),
        }
    }

    /// Its plain bytes from the first on, and the file in which they can be found again once they were read; one that they
    /// have to be written to is `Unpacked`.
    pub(super) fn open(&self) -> io::Result<(Box<dyn Read + Send>, Plain)> {
        let named = Compression::parse_name(&self.name);
        let packed: Box<dyn Read + Send> = match &self.kind {
            Kind::Plain(file) => return Ok((Box::new(Sequential::new(file.clone())), Plain::AsItIs(file.clone()))),
            Kind::Packed(file) => Box::new(Sequential::new(file.clone())),
            Kind::Stream(Some(file)) => Box::new(file.try_clone()?),
            Kind::Stream(None) => Box::new(io::stdin()),
        };
        Ok((decompress::plain(packed, named, Limit::Unlimited)?, Plain::Unpacked(Arc::new(tempfile::tempfile()?))))
    }
}

/// Where plain bytes are.
#[derive(Clone, Debug)]
pub(super) enum Plain {
    /// In the file that was named.
    AsItIs(Arc<Original>),
    /// In a file without a name, to which they are written as they come.
    Unpacked(Arc<File>),
}

impl Plain {
    /// Fills `buffer` from an offset on, as far as they go.
    pub(super) fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match self {
            Self::AsItIs(file) => file.read_at(buffer, offset),
            Self::Unpacked(file) => read_at(file, buffer, offset),
        }
    }

    /// Whether they are what they were when they were indexed.
    pub(super) fn is_same(&self) -> io::Result<bool> {
        match self {
            Self::AsItIs(file) => file.is_same(),
            Self::Unpacked(_) => Ok(true),
        }
    }
}

/// A file on the disk with the bytes that it had when it was opened: what is appended to it is no part of it.
#[derive(Debug)]
pub(super) struct Original {
    file: File,
    length: u64,
    // of these bytes, the first and the last ones
    edges: [Vec<u8>; 2],
    // length and last modification at which it was the same
    seen: Mutex<(u64, SystemTime)>,
}

/// Bytes at each end of a file that are compared after it has grown.
const EDGE: u64 = 4 << 10;
/// How often a file is looked at before it counts as changed: while it is appended to, its time goes ahead of its length.
const LOOKS: usize = 3;
/// The time between two looks.
const PAUSE: Duration = Duration::from_millis(1);

impl Original {
    fn new(file: File, about: &Metadata) -> io::Result<Self> {
        let length = about.len();
        let edges = edges(&file, length)?;
        Ok(Self { file, length, edges, seen: Mutex::new((length, about.modified()?)) })
    }

    /// Bytes that it had.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Fills `buffer` from an offset on, as far as it went.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let size = buffer.len().min(left);
        read_at(&self.file, &mut buffer[..size], offset)
    }

    /// Whether the bytes that it had are still there: nothing was written since, or the file has grown and its edges are the
    /// same. Asked after bytes were read, it is about these.
    fn is_same(&self) -> io::Result<bool> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for look in 0..LOOKS {
            if look > 0 {
                thread::sleep(PAUSE);
            }
            let about = self.file.metadata()?;
            let now = (about.len(), about.modified()?);
            if now == *seen {
                return Ok(true);
            }
            if now.0 > seen.0 {
                let is_same = edges(&self.file, self.length)? == self.edges;
                if is_same {
                    *seen = now;
                }
                return Ok(is_same);
            }
        }
        Ok(false)
    }
}

/// The first and the last of the bytes up to `length`.
fn edges(file: &File, length: u64) -> io::Result<[Vec<u8>; 2]> {
    let edge = |start: u64| -> io::Result<_> {
        let mut bytes = vec![0; (length - start).min(EDGE) as usize];
        let filled = read_at(file, &mut bytes, start)?;
        bytes.truncate(filled);
        Ok(bytes)
    };
    Ok([edge(0)?, edge(length.saturating_sub(EDGE))?])
}

/// Fills `buffer` from an offset on, as far as the file goes.
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Reads a file from its beginning, whoever else reads it.
struct Sequential {
    file: Arc<Original>,
    at: u64,
}

impl Sequential {
    fn new(file: Arc<Original>) -> Self {
        Self { file, at: 0 }
    }
}

impl Read for Sequential {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}
