//! The stream of a backup as a directory.

use super::super::data_dir::MANIFEST;
use super::super::{Disk, OsDisk};
use super::{BackupError, CATALOG, Listed, Manifest, hex, segment_of};
use sha2::{Digest, Sha256};
use std::fs::{self, DirBuilder};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use tar::{Archive, Entry, EntryType};

const CHUNK: usize = 1 << 20;

/// Unpacks the stream of a backup into `dir`, which must be absent or empty. It is written beside it as `{dir}.partial`,
/// and when this returns well it is whole and durable; else nothing is left, unless the process died.
pub fn receive(stream: impl Read, dir: &Path) -> Result<Manifest, BackupError> {
    // `.`, or a link, as the name that a draft can be put in the place of
    let dir = &*fs::canonicalize(dir).or_else(|error| match error.kind() {
        ErrorKind::NotFound => Ok(dir.components().as_path().to_owned()),
        _ => Err(BackupError::Failed(dir.to_owned(), error)),
    })?;
    if fs::read_dir(dir).is_ok_and(|mut names| names.next().is_some()) {
        return Err(BackupError::NotEmpty(dir.to_owned()));
    }
    let draft = Draft::make(dir)?;
    let manifest = draft.fill(stream)?;
    draft.keep(dir)?;
    Ok(manifest)
}

/// A directory that is removed again unless it is kept.
struct Draft(PathBuf);

impl Draft {
    fn make(dir: &Path) -> Result<Self, BackupError> {
        let path = dir.with_added_extension("partial");
        if let Some(above) = path.parent().filter(|above| !above.as_os_str().is_empty()) {
            OsDisk.create_dir(above).map_err(BackupError::failed(above))?;
        }
        match DirBuilder::new().mode(0o700).create(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(BackupError::Unfinished(path)),
            made => made.map_err(BackupError::failed(&path))?,
        }
        let draft = Self(path);
        let segments = draft.0.join("segments");
        OsDisk.create_dir(&segments).map_err(BackupError::failed(&segments))?;
        Ok(draft)
    }

    fn fill(&self, stream: impl Read) -> Result<Manifest, BackupError> {
        let mut archive = Archive::new(stream);
        // raw: extensions that rename what follows are entries like others, and refused as such
        let entries = archive.entries().map_err(BackupError::cut_off)?.raw(true);
        let mut received: Vec<Listed> = Vec::new();
        let mut manifest = None;
        for entry in entries {
            let mut entry = entry.map_err(BackupError::cut_off)?;
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let stranger = || BackupError::Damaged(format!("{name:?} is no part of one"));
            if manifest.is_some() || entry.header().entry_type() != EntryType::Regular {
                return Err(stranger());
            }
            if name == MANIFEST {
                manifest = Some(self.conclude(&mut entry, &received)?);
                continue;
            }
            // what is written is one of these two forms, whatever the stream says
            let in_place = match received.last() {
                None => name == CATALOG,
                Some(last) => segment_of(&name).is_some_and(|number| Some(number) > segment_of(&last.name)),
            };
            if !in_place {
                return Err(stranger());
            }
            received.push(self.store(name, &mut entry)?);
        }
        manifest.ok_or_else(|| BackupError::CutOff(format!("it ends without {MANIFEST}")))
    }

    fn store(&self, name: String, entry: &mut Entry<'_, impl Read>) -> Result<Listed, BackupError> {
        let path = self.0.join(&name);
        let size = entry.size();
        OsDisk.create(&path, b"").map_err(BackupError::failed(&path))?;
        let (mut hash, mut rest) = (Sha256::new(), size);
        let mut buffer = vec![0; CHUNK.min(usize::try_from(size).unwrap_or(CHUNK))];
        while rest > 0 {
            let wanted = CHUNK.min(usize::try_from(rest).unwrap_or(CHUNK));
            entry.read_exact(&mut buffer[..wanted]).map_err(BackupError::cut_off)?;
            hash.update(&buffer[..wanted]);
            OsDisk.append(&path, &buffer[..wanted]).map_err(BackupError::failed(&path))?;
            rest -= wanted as u64;
        }
        OsDisk.sync_file(&path).map_err(BackupError::failed(&path))?;
        Ok(Listed { name, size, sha256: hex(&hash.finalize()) })
    }

    // the manifest, which has to list what came
    fn conclude(&self, entry: &mut Entry<'_, impl Read>, received: &[Listed]) -> Result<Manifest, BackupError> {
        let mut bytes = Vec::new();
        entry.take(Manifest::MOST).read_to_end(&mut bytes).map_err(BackupError::cut_off)?;
        if bytes.len() as u64 != entry.size() {
            return Err(BackupError::CutOff(format!("it ends within {MANIFEST}")));
        }
        let manifest = Manifest::parse(&bytes)?;
        if let Some((listed, _)) = manifest.files.iter().zip(received).find(|(listed, came)| listed != came) {
            return Err(BackupError::Damaged(format!("{} is not as it was sent", listed.name)));
        }
        if manifest.files.len() != received.len() {
            return Err(BackupError::Damaged(format!("{} of {} files came", received.len(), manifest.files.len())));
        }
        let path = self.0.join(MANIFEST);
        OsDisk.create(&path, &bytes).and_then(|()| OsDisk.sync_file(&path)).map_err(BackupError::failed(&path))?;
        Ok(manifest)
    }

    fn keep(self, dir: &Path) -> Result<(), BackupError> {
        let above = match dir.parent() {
            Some(above) if !above.as_os_str().is_empty() => above,
            _ => Path::new("."),
        };
        for synced in [&*self.0.join("segments"), &self.0] {
            OsDisk.sync_dir(synced).map_err(BackupError::failed(synced))?;
        }
        // an empty directory of the name is replaced; one that is no longer empty is not
        OsDisk.rename(&self.0, dir).map_err(|error| match error.kind() {
            ErrorKind::DirectoryNotEmpty => BackupError::NotEmpty(dir.to_owned()),
            _ => BackupError::Failed(dir.to_owned(), error),
        })?;
        OsDisk.sync_dir(above).map_err(BackupError::failed(above))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // nothing is there under this name once it is kept
        let _ = fs::remove_dir_all(&self.0);
    }
}
