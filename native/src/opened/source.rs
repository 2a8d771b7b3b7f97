//! Files as they are named on a command line, and the plain bytes that they hold.

use crate::decompress::{self, Limit};
use crate::store::wall_clock;
use reqlog_core::format::{Compression, SNIFF};
use reqlog_core::offline::{Input, Opening, Place};
use reqlog_core::plan::Failure;
use reqlog_core::timestamp::Timestamp;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

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
    Plain(Arc<File>),
    /// They come out of a decoder.
    Packed(Arc<File>),
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
        let known = read_at(&file, &mut start, 0).map_err(failed)?;
        let file = Arc::new(file);
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
    AsItIs(Arc<File>),
    /// In a file without a name, to which they are written as they come.
    Unpacked(Arc<File>),
}

impl Plain {
    pub(super) fn file(&self) -> &Arc<File> {
        match self {
            Self::AsItIs(file) | Self::Unpacked(file) => file,
        }
    }
}

/// Fills `buffer` from an offset on, as far as the file goes.
pub(super) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
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
    file: Arc<File>,
    at: u64,
}

impl Sequential {
    fn new(file: Arc<File>) -> Self {
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
