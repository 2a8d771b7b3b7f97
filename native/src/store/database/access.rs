//! Rows of projects, environments and keys.

use super::Database;
use super::sources::all;
use crate::store::Fault;
use reqlog_core::auth::{Key, KeyHash, Keyring, NewKey, Role, Scope};
use reqlog_core::plan::Projects;
use reqlog_core::timestamp::Timestamp;
use rusqlite::{OptionalExtension, Transaction};

impl Database {
    pub(in crate::store) fn projects(&self) -> Result<Projects, Fault> {
        let mut projects = Projects::default();
        for name in all(&self.connection, "SELECT name FROM projects", |row| row.get::<_, String>(0))? {
            projects.declare(&name, None);
        }
        let pairs = all(&self.connection, "SELECT project, name FROM environments", |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })?;
        for (project, environment) in pairs {
            projects.declare(&project, Some(&environment));
        }
        Ok(projects)
    }

    /// Numbers of keys that open nothing.
    pub(in crate::store) fn useless_keys(&self) -> Result<Vec<u64>, Fault> {
        let rows = all(&self.connection, "SELECT id, role, length(hash) FROM keys ORDER BY id", |row| {
            Ok((row.get::<_, i64>(0)? as u64, row.get::<_, String>(1)?, row.get::<_, i64>(2)?))
        })?;
        let useless = |(id, role, len): (u64, String, i64)| (Role::parse(&role).is_none() || len != 32).then_some(id);
        Ok(rows.into_iter().filter_map(useless).collect())
    }

    pub(in crate::store) fn keyring(&self) -> Result<Keyring, Fault> {
        let sql = "SELECT id, hash, name, role, project, created_ns, expires_ns FROM keys ORDER BY id";
        let rows = all(&self.connection, sql, |row| {
            let role: String = row.get(3)?;
            Ok(Role::parse(&role).map(|role| -> rusqlite::Result<Key> {
                Ok(Key {
                    id: row.get::<_, i64>(0)? as u64,
                    hash: KeyHash(row.get(1)?),
                    name: row.get(2)?,
                    role,
                    scope: row.get::<_, Option<String>>(4)?.map_or(Scope::Organisation, Scope::Project),
                    created: Timestamp::from_nanos(row.get(5)?),
                    expires: row.get::<_, Option<i64>>(6)?.map(Timestamp::from_nanos),
                })
            }))
        })?;
        // a role this build does not know opens nothing
        Ok(Keyring::new(rows.into_iter().flatten().collect::<rusqlite::Result<_>>()?))
    }
}

/// Makes a project known, and an environment of it.
pub(in crate::store) fn declare(tx: &Transaction<'_>, project: &str, environment: Option<&str>) -> Result<(), Fault> {
    tx.prepare_cached("INSERT OR IGNORE INTO projects VALUES (?1)")?.execute([project])?;
    if let Some(environment) = environment {
        tx.prepare_cached("INSERT OR IGNORE INTO environments VALUES (?1, ?2)")?.execute([project, environment])?;
    }
    Ok(())
}

/// Forgets a project, its environments and its keys; `Missing` when it is unknown.
pub(in crate::store) fn drop_project(tx: &Transaction<'_>, project: &str) -> Result<(), Fault> {
    if tx.execute("DELETE FROM projects WHERE name = ?1", [project])? == 0 {
        return Err(Fault::Missing);
    }
    tx.execute("DELETE FROM environments WHERE project = ?1", [project])?;
    tx.execute("DELETE FROM keys WHERE project = ?1", [project])?;
    Ok(())
}

/// Adds a key; `Exists` when its secret is in use.
pub(in crate::store) fn put_key(
    tx: &Transaction<'_>,
    new: &NewKey,
    hash: KeyHash,
    created: Timestamp,
) -> Result<Key, Fault> {
    let taken = tx.query_row("SELECT 1 FROM keys WHERE hash = ?1", [hash.0], |_| Ok(())).optional()?;
    if taken.is_some() {
        return Err(Fault::Exists);
    }
    tx.execute(
        "INSERT INTO keys (hash, name, role, project, created_ns, expires_ns) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        (
            hash.0,
            &new.name,
            new.role.name(),
            new.scope.project(),
            created.as_nanos(),
            new.expires.map(Timestamp::as_nanos),
        ),
    )?;
    Ok(Key {
        id: tx.last_insert_rowid() as u64,
        hash,
        name: new.name.clone(),
        role: new.role,
        scope: new.scope.clone(),
        created,
        expires: new.expires,
    })
}

/// Removes a key; `Missing` when there is none of this number.
pub(in crate::store) fn drop_key(tx: &Transaction<'_>, id: u64) -> Result<(), Fault> {
    if tx.execute("DELETE FROM keys WHERE id = ?1", [id as i64])? == 0 { Err(Fault::Missing) } else { Ok(()) }
}
