//! A backup as a stream of bytes.

use super::super::data_dir::{DataDir, MANIFEST, SegmentFile};
use super::super::{Fault, Store};
use super::{CATALOG, Listed, Manifest, hex};
use bytes::Bytes;
use reqlog_core::catalog::SourceId;
use reqlog_core::id::EntryId;
use sha2::{Digest, Sha256};
use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tar::{EntryType, Header};

const CHUNK: u64 = 1 << 20;
const BLOCK: usize = 512;

/// A backup under way: the chunks of its stream, one of them in memory at a time. While it is there, so are the files
/// that it still has to send.
pub struct Backup {
    files: VecDeque<Source>,
    open: Option<Open>,
    // whole after the last chunk, which is gone with it
    manifest: Option<Manifest>,
    mtime: u64,
}

struct Open {
    source: Source,
    size: u64,
    at: u64,
    hash: Sha256,
}

enum Source {
    Catalog(CatalogCopy),
    Segment(Arc<SegmentFile>),
}

/// The catalog's copy, removed with this.
struct CatalogCopy {
    dir: Arc<DataDir>,
    path: PathBuf,
}

impl Drop for CatalogCopy {
    fn drop(&mut self) {
        // else the next start does
        let _ = self.dir.disk().remove(&self.path);
    }
}

impl Store {
    /// Begins a backup of this moment: writers go on, and what they write is not in it.
    ///
    /// Blocks while the catalog is copied; [`Fault::DiskFull`] where the copy would touch the reserve.
    pub fn backup(&self) -> Result<Backup, Fault> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let shared = &self.inner.shared;
        // nothing is committed between the two
        let (image, snapshot) =
            self.run(|committer| Ok((committer.database.image()?, committer.shared.snapshot.get())))?;
        let size = snapshot.backlog().saturating_add(image.bytes());
        if self.free()? < shared.options.reserve.saturating_add(size) {
            return Err(Fault::DiskFull);
        }
        let path = shared.dir.copy(NUMBER.fetch_add(1, Ordering::Relaxed));
        let copy = CatalogCopy { dir: shared.dir.clone(), path };
        let batches = snapshot.catalog().entries.iter().filter_map(|entry| match entry.id {
            SourceId::Batch(first) => Some((&*entry.summary, snapshot.batch(first)?)),
            SourceId::Segment(_) => None,
        });
        image.write(&copy.path, shared.options.vfs.as_deref(), batches)?;
        let now = self.now();
        let manifest = Manifest {
            format: Manifest::FORMAT,
            reqlog: env!("CARGO_PKG_VERSION").to_owned(),
            taken: now.to_string(),
            head: snapshot.catalog().head.map_or(0, |head: EntryId| head.seq().get()),
            files: Vec::new(),
        };
        let segments = snapshot.files().iter().cloned().map(Source::Segment);
        let files = std::iter::once(Source::Catalog(copy)).chain(segments).collect();
        let mtime = (now.as_millis() / 1000).max(0) as u64;
        Ok(Backup { files, open: None, manifest: Some(manifest), mtime })
    }
}

impl Source {
    fn name(&self) -> String {
        match self {
            Self::Catalog(_) => CATALOG.to_owned(),
            Self::Segment(file) => format!("segments/{}.seg", file.id()),
        }
    }

    fn size(&self) -> io::Result<u64> {
        match self {
            Self::Catalog(copy) => copy.dir.disk().len(&copy.path),
            Self::Segment(file) => Ok(file.size()),
        }
    }

    fn read(&self, from: u64, to: u64) -> io::Result<Vec<u8>> {
        match self {
            Self::Catalog(copy) => copy.dir.disk().read(&copy.path, from..to),
            Self::Segment(file) => file.read(from..to).map_err(io::Error::other),
        }
    }
}

/// A file that cannot be read ends the stream with an error, and without its manifest.
impl Iterator for Backup {
    type Item = io::Result<Bytes>;

    fn next(&mut self) -> Option<io::Result<Bytes>> {
        let chunk = self.chunk().transpose()?;
        if chunk.is_err() {
            (self.open, self.manifest) = (None, None);
            self.files.clear();
        }
        Some(chunk)
    }
}

impl Backup {
    fn chunk(&mut self) -> io::Result<Option<Bytes>> {
        let Some(manifest) = &mut self.manifest else { return Ok(None) };
        if let Some(open) = &mut self.open {
            let to = open.size.min(open.at + CHUNK);
            let mut bytes = open.source.read(open.at, to)?;
            open.hash.update(&bytes);
            open.at = to;
            if to == open.size {
                pad(&mut bytes, open.size);
                let sha256 = hex(&open.hash.finalize_reset());
                manifest.files.push(Listed { name: open.source.name(), size: open.size, sha256 });
                self.open = None;
            }
            return Ok(Some(bytes.into()));
        }
        if let Some(source) = self.files.pop_front() {
            let size = source.size()?;
            let header = header(&source.name(), size, self.mtime)?;
            self.open = Some(Open { source, size, at: 0, hash: Sha256::new() });
            return Ok(Some(header.into()));
        }
        let json = serde_json::to_vec_pretty(manifest)?;
        let mut bytes = header(MANIFEST, json.len() as u64, self.mtime)?;
        bytes.extend_from_slice(&json);
        pad(&mut bytes, json.len() as u64);
        bytes.resize(bytes.len() + 2 * BLOCK, 0);
        self.manifest = None;
        Ok(Some(bytes.into()))
    }
}

fn header(name: &str, size: u64, mtime: u64) -> io::Result<Vec<u8>> {
    let mut header = Header::new_ustar();
    header.set_path(name)?;
    header.set_entry_type(EntryType::Regular);
    header.set_size(size);
    header.set_mode(0o600);
    header.set_mtime(mtime);
    header.set_cksum();
    Ok(header.as_bytes().to_vec())
}

fn pad(bytes: &mut Vec<u8>, size: u64) {
    let over = (size % BLOCK as u64) as usize;
    bytes.resize(bytes.len() + (BLOCK - over) % BLOCK, 0);
}
