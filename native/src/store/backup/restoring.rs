//! A data directory made of a backup.

use super::super::data_dir::{DataDir, RESTORING, make_root};
use super::super::database::{self, Creation, Database, Head};
use super::super::{Fault, OpenError, Options};
use super::{BackupError, CATALOG, Listed, Manifest, directory};
use std::io::ErrorKind;
use std::path::Path;

/// By how much a restored store goes ahead: records that were stored after the backup was taken have sequences that
/// must not name others. **Ours**: a store that took more than this many records since then may give one out again;
/// with its arrival, which is part of every id, it names another record all the same.
pub(in crate::store) const MARGIN: u64 = 1 << 20;

/// Makes a data directory at `root`, which must be absent, empty, or what an earlier restore left that did not come to
/// its end.
///
/// Every checksum is verified before anything is written. A crash leaves a directory that no store opens and that can
/// be restored into again.
pub fn restore(backup: &Path, root: &Path, options: &Options) -> Result<Manifest, BackupError> {
    let manifest = directory::manifest(backup)?;
    for listed in &manifest.files {
        directory::read(backup, listed, |_| Ok(()))?;
    }
    let disk = &options.disk;
    let names = disk.list(root).or_else(|error| match error.kind() {
        ErrorKind::NotFound => Ok(Vec::new()),
        _ => Err(BackupError::Failed(root.to_owned(), error)),
    })?;
    let marker = root.join(RESTORING);
    if names.iter().any(|name| name == RESTORING) {
        disk.sync_file(&marker).map_err(BackupError::failed(&marker))?;
    } else if names.is_empty() {
        // before anything else: a directory without it is either nothing or whole
        make_root(root, &**disk).map_err(BackupError::failed(root))?;
        disk.create(&marker, b"").and_then(|()| disk.sync_file(&marker)).map_err(BackupError::failed(&marker))?;
    } else {
        return Err(BackupError::NotEmpty(root.to_owned()));
    }
    disk.sync_dir(root).map_err(BackupError::failed(root))?;
    let dir = DataDir::claim(root, disk.clone()).map_err(BackupError::Store)?;
    clear(&dir, root).map_err(BackupError::store(root))?;
    if dir.free().map_err(BackupError::store(root))? < manifest.bytes().saturating_add(options.reserve) {
        return Err(BackupError::Store(OpenError::Failed(root.to_owned(), Fault::DiskFull)));
    }
    for listed in &manifest.files {
        copy(backup, listed, root, options)?;
    }
    disk.sync_dir(&dir.segments()).map_err(BackupError::failed(root))?;
    advance(root, options).map_err(BackupError::Store)?;
    let finished = || {
        let draft = root.join(draft(CATALOG));
        disk.sync_file(&draft)?;
        disk.sync_dir(root)?;
        disk.rename(&draft, &dir.catalog())?;
        disk.sync_dir(root)?;
        disk.remove(&marker)?;
        disk.sync_dir(root)
    };
    finished().map_err(BackupError::failed(root))?;
    Ok(manifest)
}

// what an earlier restore wrote
fn clear(dir: &DataDir, root: &Path) -> Result<(), Fault> {
    let disk = dir.disk();
    for name in disk.list(root)?.iter().filter(|name| name.starts_with(CATALOG)) {
        disk.remove(&root.join(name))?;
    }
    for (name, _) in dir.files()? {
        disk.remove(&dir.segments().join(name))?;
    }
    Ok(())
}

fn copy(backup: &Path, listed: &Listed, root: &Path, options: &Options) -> Result<(), BackupError> {
    let disk = &options.disk;
    let path = root.join(draft(&listed.name));
    disk.create(&path, b"").map_err(BackupError::failed(&path))?;
    directory::read(backup, listed, |piece| disk.append(&path, piece).map_err(BackupError::failed(&path)))?;
    disk.sync_file(&path).map_err(BackupError::failed(&path))
}

// the catalog has its name when everything else is in place
fn draft(name: &str) -> String {
    if name == CATALOG { format!("{CATALOG}.new") } else { name.to_owned() }
}

fn advance(root: &Path, options: &Options) -> Result<(), OpenError> {
    let path = root.join(draft(CATALOG));
    let failed = |fault| OpenError::Failed(path.clone(), fault);
    let mut database = Database::open(&path, options.vfs.as_deref(), Creation::Refused)?;
    let head = database.head().map_err(failed)?;
    let ahead = Head { next: head.next.saturating_add(MARGIN), ..head };
    database.write(|tx| database::put_head(tx, ahead)).map_err(failed)?;
    // leaves no log beside it
    database.close().map_err(failed)
}
