//! The catalog database: one `SQLite` file, one connection, every commit durable.

mod access;
mod image;
mod remembered;
mod retained;
mod salvage;
mod sources;

pub(super) use access::{declare, drop_key, drop_project, put_key};
pub(super) use remembered::{ImportedRows, drop_identities, drop_import, put_identities, put_import};
pub(super) use retained::put_retained;
pub(super) use sources::{
    Head, RawBatch, RawSegment, StoredBatch, StoredDeletion, StoredSegment, drop_batch, drop_deletion, drop_leftover,
    drop_segment, pass_segment, put_batch, put_deletion, put_head, put_secret, put_segment, reserve_segment,
};

use super::{Fault, OpenError};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};
use std::path::Path;

const APPLICATION: i32 = 0x7265_716c; // "reql"
const VERSION: i32 = 1;

// `leftovers` names segment files that hold nothing the catalog needs: still being written, or replaced and not yet
// unlinked. They are removed at the next start; any other unknown file is someone's data and moves to `lost/`.
const SCHEMA: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE batches (first_seq INTEGER PRIMARY KEY, rows INTEGER NOT NULL, arrival_ms INTEGER NOT NULL,
    summary BLOB NOT NULL, blob BLOB NOT NULL) STRICT;
CREATE TABLE segments (id INTEGER PRIMARY KEY, size INTEGER NOT NULL, erased INTEGER NOT NULL, summary BLOB NOT NULL) STRICT;
CREATE TABLE leftovers (segment INTEGER PRIMARY KEY) STRICT;
CREATE TABLE deletions (id INTEGER PRIMARY KEY AUTOINCREMENT, query TEXT NOT NULL, now_ns INTEGER NOT NULL,
    project TEXT, head INTEGER NOT NULL) STRICT;
CREATE TABLE projects (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE environments (project TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (project, name)) STRICT, WITHOUT ROWID;
CREATE TABLE keys (id INTEGER PRIMARY KEY AUTOINCREMENT, hash BLOB NOT NULL UNIQUE, name TEXT NOT NULL, role TEXT NOT NULL,
    project TEXT, created_ns INTEGER NOT NULL, expires_ns INTEGER) STRICT;
CREATE TABLE identities (id INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, hashes BLOB NOT NULL) STRICT;
CREATE TABLE imports (id INTEGER PRIMARY KEY AUTOINCREMENT, scope INTEGER NOT NULL, tail BLOB NOT NULL) STRICT;
CREATE INDEX imports_by_scope ON imports (scope);
CREATE TABLE import_blocks (source INTEGER NOT NULL, first INTEGER NOT NULL, links BLOB NOT NULL,
    PRIMARY KEY (source, first)) STRICT, WITHOUT ROWID;
";

// later than the first catalogs of this version, which lack it
const IMPORT_ROWS: &str = "
CREATE TABLE IF NOT EXISTS import_rows (source INTEGER NOT NULL, last INTEGER NOT NULL, first INTEGER NOT NULL,
    PRIMARY KEY (source, last)) STRICT, WITHOUT ROWID;
";

/// Whether a database may be made where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Creation {
    Allowed,
    Refused,
}

/// The one connection; owned by the committer.
pub(super) struct Database {
    connection: Connection,
}

impl Database {
    /// Opens or makes the database at `path`; a foreign one or one of another version is left as it is.
    pub(super) fn open(path: &Path, vfs: Option<&str>, creation: Creation) -> Result<Self, OpenError> {
        let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        flags.set(OpenFlags::SQLITE_OPEN_CREATE, creation == Creation::Allowed);
        let connection = match vfs {
            Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs),
            None => Connection::open_with_flags(path, flags),
        };
        let refuse = |error: rusqlite::Error| match error.sqlite_error_code() {
            Some(ErrorCode::CannotOpen) if creation == Creation::Refused => OpenError::NoCatalog(path.to_owned()),
            Some(ErrorCode::NotADatabase) => OpenError::Foreign(path.to_owned()),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => OpenError::Locked(path.to_owned()),
            _ => OpenError::Failed(path.to_owned(), error.into()),
        };
        let mut database = Self { connection: connection.map_err(refuse)? };
        // before the first access to the file, so that WAL mode needs no shared memory
        database.connection.pragma_update(None, "locking_mode", "EXCLUSIVE").map_err(refuse)?;
        let fresh = database.recognise(path, refuse)?;
        if fresh && creation == Creation::Refused {
            return Err(OpenError::NoCatalog(path.to_owned()));
        }
        database.configure(fresh).map_err(refuse)?;
        if fresh {
            database.found().map_err(|fault| OpenError::Failed(path.to_owned(), fault))?;
        } else {
            database.connection.execute_batch(IMPORT_ROWS).map_err(refuse)?;
        }
        Ok(database)
    }

    /// Opens a catalog of a backup, of which not a byte is changed.
    pub(super) fn open_backup(path: &Path, vfs: Option<&str>) -> Result<Self, OpenError> {
        let name = utf8_percent_encode(&path.to_string_lossy(), NON_ALPHANUMERIC).to_string();
        let uri = format!("file:{name}?immutable=1");
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let connection = match vfs {
            Some(vfs) => Connection::open_with_flags_and_vfs(uri, flags, vfs),
            None => Connection::open_with_flags(uri, flags),
        };
        let refuse = |error: rusqlite::Error| match error.sqlite_error_code() {
            Some(ErrorCode::CannotOpen) => OpenError::NoCatalog(path.to_owned()),
            Some(ErrorCode::NotADatabase) => OpenError::Foreign(path.to_owned()),
            _ => OpenError::Failed(path.to_owned(), error.into()),
        };
        let database = Self { connection: connection.map_err(refuse)? };
        if database.recognise(path, refuse)? { Err(OpenError::Foreign(path.to_owned())) } else { Ok(database) }
    }

    // whether the database is new
    fn recognise(&self, path: &Path, refuse: impl Fn(rusqlite::Error) -> OpenError) -> Result<bool, OpenError> {
        let number = |pragma| self.connection.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
        let application = number("application_id").map_err(&refuse)?;
        let version = number("user_version").map_err(&refuse)?;
        let tables = self
            .connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))
            .map_err(&refuse)?;
        match (application, version, tables) {
            (0, 0, 0) => Ok(true),
            (APPLICATION, VERSION, _) => Ok(false),
            (APPLICATION, found, _) => Err(OpenError::Version { path: path.to_owned(), found, known: VERSION }),
            _ => Err(OpenError::Foreign(path.to_owned())),
        }
    }

    fn configure(&self, fresh: bool) -> rusqlite::Result<()> {
        let connection = &self.connection;
        if fresh {
            // batches come and go: their pages go back to the file system in `tidy`
            connection.execute_batch("PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL;")?;
        }
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;
             PRAGMA wal_autocheckpoint = 2048; PRAGMA journal_size_limit = 16777216; PRAGMA cache_size = -8192;",
        )?;
        let journal: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
        let synchronous: i32 = connection.pragma_query_value(None, "synchronous", |row| row.get(0))?;
        let locking: String = connection.pragma_query_value(None, "locking_mode", |row| row.get(0))?;
        if (journal.as_str(), synchronous, locking.as_str()) == ("wal", 2, "exclusive") {
            return Ok(());
        }
        let found = format!("journal_mode {journal}, synchronous {synchronous}, locking_mode {locking}");
        Err(rusqlite::Error::ToSqlConversionFailure(format!("a commit would not be durable: {found}").into()))
    }

    // all in one transaction: a database is either nothing or a whole catalog
    fn found(&mut self) -> Result<(), Fault> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|error| Fault::Failed(error.to_string()))?;
        self.write(|tx| {
            tx.execute_batch(SCHEMA)?;
            tx.execute_batch(IMPORT_ROWS)?;
            tx.execute_batch(&format!("PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION};"))?;
            let mut put = tx.prepare("INSERT INTO meta VALUES (?1, ?2)")?;
            put.execute(("cursor_secret", secret))?;
            for (key, value) in [("next_seq", 1), ("arrival_ms", 0), ("next_segment", 1)] {
                put.execute((key, value))?;
            }
            Ok(())
        })
    }

    /// The key that signs cursors: part of the data, so that a walk survives a restart.
    pub(super) fn secret(&self) -> Result<[u8; 32], Fault> {
        Ok(self.connection.query_row("SELECT value FROM meta WHERE key = 'cursor_secret'", [], |row| row.get(0))?)
    }

    /// Runs `work` in one transaction, durable when this returns well, undone when it fails.
    pub(super) fn write<T>(&mut self, work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = work(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }

    /// Gives pages that deleted batches left, and the log, back to the file system, if they are worth it.
    pub(super) fn tidy(&self) -> Result<(), Fault> {
        const WORTH: i64 = 128;
        let free: i64 = self.connection.pragma_query_value(None, "freelist_count", |row| row.get(0))?;
        if free >= WORTH {
            // each row of the pragma is one step of its work
            let mut vacuum = self.connection.prepare("PRAGMA incremental_vacuum")?;
            let mut steps = vacuum.query([])?;
            while steps.next()?.is_some() {}
            drop(steps);
            self.checkpoint()?;
        }
        Ok(())
    }

    /// Moves the log into the database file and empties it.
    pub(super) fn checkpoint(&self) -> Result<(), Fault> {
        Ok(self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }

    /// Moves the log into the database file and removes it.
    pub(super) fn close(self) -> Result<(), Fault> {
        self.checkpoint()?;
        self.connection.close().map_err(|(_, error)| error.into())
    }

    /// `SQLite`'s own findings about the file; empty when it is sound.
    pub(super) fn integrity(&self) -> Result<Vec<String>, Fault> {
        let mut check = self.connection.prepare("PRAGMA integrity_check")?;
        let lines = check.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(lines.into_iter().filter(|line| line != "ok").collect())
    }
}
