//! Reading a backup that lies in a directory.

use super::super::data_dir::MANIFEST;
use super::super::{Disk, OsDisk};
use super::{BackupError, Listed, Manifest, hex};
use sha2::{Digest, Sha256};
use std::io::ErrorKind;
use std::path::Path;

const CHUNK: u64 = 1 << 20;

/// What a directory says that it has.
pub(super) fn manifest(backup: &Path) -> Result<Manifest, BackupError> {
    let path = backup.join(MANIFEST);
    let read = OsDisk.len(&path).and_then(|size| OsDisk.read(&path, 0..size.min(Manifest::MOST)));
    match read {
        Ok(bytes) => Manifest::parse(&bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(BackupError::NoBackup(backup.to_owned())),
        Err(error) => Err(BackupError::Failed(path, error)),
    }
}

/// Hands over the bytes of a file piece by piece, then fails if they were not those that the manifest lists.
pub(super) fn read(
    backup: &Path,
    listed: &Listed,
    mut piece: impl FnMut(&[u8]) -> Result<(), BackupError>,
) -> Result<(), BackupError> {
    let path = backup.join(&listed.name);
    let wrong = |what: &str| BackupError::Damaged(format!("{} {what}", listed.name));
    let size = OsDisk.len(&path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => wrong("is missing"),
        _ => BackupError::Failed(path.clone(), error),
    })?;
    if size != listed.size {
        return Err(wrong(&format!("has {size} bytes instead of {}", listed.size)));
    }
    let mut hash = Sha256::new();
    let mut at = 0;
    while at < size {
        let to = size.min(at + CHUNK);
        let bytes = OsDisk.read(&path, at..to).map_err(BackupError::failed(&path))?;
        hash.update(&bytes);
        piece(&bytes)?;
        at = to;
    }
    if hex(&hash.finalize()) == listed.sha256 { Ok(()) } else { Err(wrong("has another checksum than the manifest")) }
}

/// Everything that is wrong with the files of a backup.
pub(in crate::store) fn verify(backup: &Path) -> Vec<BackupError> {
    match manifest(backup) {
        Ok(manifest) => manifest.files.iter().filter_map(|listed| read(backup, listed, |_| Ok(())).err()).collect(),
        Err(error) => vec![error],
    }
}
