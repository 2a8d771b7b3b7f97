//! The catalog in D1: what is asked of it and how it is changed. No statement looks into records.
//!
//! A commit is conditional: its first row must continue the newest one. Where it does not, a column that may not be null
//! is, and the whole batch of statements is undone.

use crate::rows::{self, BatchRow, DeletionRow, Everything, IdentityRow, ImportRow, KeyRow, StoreRow, text};
use reqlog_core::auth::{KeyHash, NewKey};
use reqlog_core::catalog::{Erasure, Replacement, Summary};
use reqlog_core::identity::Progress;
use reqlog_core::retention::Retained;
use reqlog_core::sequencer::{Commit, Head, Loaded};
use reqlog_core::timestamp::Timestamp;
use serde::de::DeserializeOwned;
use worker::wasm_bindgen::JsValue;
use worker::{D1Database, D1PreparedStatement, D1Result, Env};

/// The binding.
pub struct Database(D1Database);

/// Why nothing was changed, or why that is not known.
#[derive(Debug)]
pub enum Fault {
    /// The catalog is not what the change was made for.
    Refused,
    /// Something else; of a change, it may have been made all the same.
    Failed(String),
}

/// A segment whose values are written.
pub struct Sealed<'a> {
    pub id: u64,
    pub size: u64,
    pub summary: &'a Summary,
}

// what the next commit continues
const HEAD: &str = "max(store.next, coalesce((SELECT next FROM batches ORDER BY first DESC LIMIT 1), 1))";
const LATEST: &str = "max(store.arrival, coalesce((SELECT arrival FROM batches ORDER BY first DESC LIMIT 1), 0))";
const CHANGED: &str = "UPDATE store SET generation = generation + 1";

impl From<worker::Error> for Fault {
    fn from(error: worker::Error) -> Self {
        let told = error.to_string();
        let refused = |table| told.contains(&format!("constraint failed: {table}."));
        if ["batches", "imports", "replacements"].into_iter().any(refused) { Self::Refused } else { Self::Failed(told) }
    }
}

impl Database {
    pub fn of(env: &Env) -> worker::Result<Self> {
        env.d1("DB").map(Self)
    }

    fn ask(&self, sql: &str, values: &[JsValue]) -> Result<D1PreparedStatement, Fault> {
        Ok(self.0.prepare(sql).bind(values)?)
    }

    async fn all(&self, statements: Vec<D1PreparedStatement>) -> Result<Vec<D1Result>, Fault> {
        Ok(self.0.batch(statements).await?)
    }

    /// The one row, and the batches from a sequence on.
    pub async fn look(&self, from: u64) -> Result<(Option<StoreRow>, Vec<BatchRow>), Fault> {
        let statements = vec![self.ask("SELECT * FROM store", &[])?, self.batches(from, from)?];
        let results = self.all(statements).await?;
        Ok((read(&results[0])?.pop(), read(&results[1])?))
    }

    // those below `known` without their contents
    fn batches(&self, from: u64, known: u64) -> Result<D1PreparedStatement, Fault> {
        // what a segment stands for is seldom read again
        let sql = "SELECT first, next, arrival, length(rows) / 4 * 3 AS size, CASE WHEN first >= ?2 THEN summary END AS summary,
            CASE WHEN first >= max(?2, (SELECT sealed FROM store)) AND length(rows) <= ?3 THEN rows END AS rows
            FROM batches WHERE first >= ?1 ORDER BY first";
        self.ask(sql, &[number(from), number(known), number(crate::limits::INLINE as u64)])
    }

    /// The whole catalog as it is at one moment; batches below `known` without their contents.
    pub async fn load(&self, known: u64) -> Result<Everything, Fault> {
        let statements = vec![
            self.ask("SELECT * FROM store", &[])?,
            self.batches(0, known)?,
            self.ask("SELECT id, size, erased, summary FROM segments ORDER BY id", &[])?,
            self.ask("SELECT id, at, removed, added FROM replacements ORDER BY id", &[])?,
            self.ask("SELECT id, query, now_ns, project, head FROM deletions ORDER BY id", &[])?,
            self.ask("SELECT project, environment FROM places", &[])?,
            self.ask("SELECT id, hash, name, role, project, created_ns, expires_ns FROM keys ORDER BY id", &[])?,
        ];
        let results = self.all(statements).await?;
        Ok(Everything {
            store: read(&results[0])?.pop(),
            batches: read(&results[1])?,
            segments: read(&results[2])?,
            replacements: read(&results[3])?,
            deletions: read(&results[4])?,
            places: read(&results[5])?,
            keys: read(&results[6])?,
        })
    }

    /// The contents of the batches of a stretch of first sequences, both ends included.
    pub async fn contents(&self, least: u64, greatest: u64) -> Result<Vec<(u64, String)>, Fault> {
        let sql = "SELECT first, rows FROM batches WHERE first >= ?1 AND first <= ?2";
        let rows: Vec<rows::ContentRow> = read(&self.ask(sql, &[number(least), number(greatest)])?.all().await?)?;
        Ok(rows.into_iter().map(|row| (row.first, row.rows)).collect())
    }

    /// Makes a new catalog, unless somebody else has.
    pub async fn found(&self, secret: &str, redact_key: &str) -> Result<(), Fault> {
        let found = "INSERT OR IGNORE INTO store VALUES (1, 1, 1, 0, 0, 0, ?1, ?2, '{}')";
        self.ask(found, &[text(secret), text(redact_key)])?.run().await?;
        Ok(())
    }

    /// Has a key administrate that is not among the others.
    pub async fn admit(&self, admin: KeyHash, now: Timestamp) -> Result<(), Fault> {
        let sql = "INSERT OR IGNORE INTO keys (hash, name, role, created_ns) VALUES (?1, 'admin', 'admin', ?2)";
        let values = [text(&rows::encode(&admin.0)), nanos(now)];
        self.all(vec![self.ask(sql, &values)?, self.ask(CHANGED, &[])?]).await.map(|_| ())
    }

    /// Where the next commit continues, what became of an attempt, and identities after a row.
    pub async fn head(&self, attempt: Option<&Commit>, after: u64) -> Result<Loaded, Fault> {
        let first = attempt.map_or(JsValue::NULL, |commit| number(commit.expected.next));
        let token = attempt.map_or(JsValue::NULL, |commit| number(commit.token));
        let statements = vec![
            self.ask(&format!("SELECT {HEAD} AS next, {LATEST} AS arrival FROM store"), &[])?,
            self.ask("SELECT token FROM batches WHERE first = ?1", &[first])?,
            self.ask("SELECT id FROM imports WHERE token = ?1", &[token])?,
            self.ask("SELECT id, at, hashes FROM identities WHERE id > ?1 ORDER BY id", &[number(after)])?,
        ];
        let results = self.all(statements).await?;
        let head =
            read::<rows::HeadRow>(&results[0])?.pop().ok_or_else(|| Fault::Failed("there is no catalog".into()))?;
        Ok(Loaded {
            head: Head { next: head.next, arrival: head.arrival },
            token: read::<rows::TokenRow>(&results[1])?.pop().map(|row| row.token),
            source: read::<rows::IdRow>(&results[2])?.pop().map(|row| row.id),
            identities: read::<IdentityRow>(&results[3])?.iter().map(IdentityRow::decode).collect(),
        })
    }

    /// Writes a commit, all of it or, where it does not continue the head, nothing; the number of the import it is part of.
    /// `places` are those of its projects and environments that may not be known yet.
    pub async fn commit(&self, commit: &Commit, places: &[(&str, &str)]) -> Result<Option<u64>, Fault> {
        let mut statements = Vec::new();
        let token = number(commit.token);
        if let Some(import) = &commit.import {
            // a source that was forgotten cannot be continued: as with a head that has moved, nothing is written
            let there = "INSERT INTO imports (scope, blocks, tail, rows, token) SELECT NULL, '', '', '', 0
                WHERE ?1 IS NOT NULL AND NOT EXISTS (SELECT 1 FROM imports WHERE id = ?1)";
            statements.push(self.ask(there, &[import.progress.source.map_or(JsValue::NULL, number)])?);
            statements.push(self.import(import.scope, &import.progress, commit)?);
        }
        let put =
            format!("INSERT INTO batches SELECT ?1, CASE WHEN ?1 = {HEAD} THEN ?2 END, ?3, ?4, ?5, ?6 FROM store");
        for (summary, blob) in &commit.batches {
            let (first, last) = (summary.seq.0.get(), summary.seq.1.get());
            let [first, next, arrival] = [first, last + 1, commit.arrival].map(number);
            let summary = text(&rows::encode(&summary.encode()));
            let blob = text(&rows::encode(blob));
            statements.push(self.ask(&put, &[first, next, arrival, token.clone(), summary, blob])?);
        }
        if !commit.identities.is_empty() {
            let [id, at] = [commit.expected.next, commit.arrival].map(number);
            let sql = "INSERT INTO identities VALUES (?1, ?2, ?3)";
            statements.push(self.ask(sql, &[id, at, text(&rows::identities(&commit.identities))])?);
        }
        if let Some(outdated) = commit.outdated {
            statements.push(self.ask("DELETE FROM identities WHERE id <= ?1", &[number(outdated)])?);
        }
        if !places.is_empty() {
            statements.push(self.places(places)?);
            statements.push(self.ask("UPDATE store SET generation = generation + 1 WHERE changes() > 0", &[])?);
        }
        let results = if statements.is_empty() { Vec::new() } else { self.all(statements).await? };
        match (&commit.import, results.get(1)) {
            (Some(_), Some(result)) => Ok(Some(only::<rows::IdRow>(result)?.id)),
            _ => Ok(None),
        }
    }

    // appended to what is remembered of the source, where that is as long as the progress was made for
    fn import(&self, scope: u64, progress: &Progress, commit: &Commit) -> Result<D1PreparedStatement, Fault> {
        let [blocks, tail] = [&progress.blocks, &progress.tail].map(|links| text(&rows::hashes(links)));
        let (first, last) = (commit.expected.next, commit.next - 1);
        let rows = if first <= last { format!("{first}-{last},") } else { String::new() };
        let values = [text(&scope.to_string()), blocks, tail, text(&rows), number(commit.token), number(first)];
        let Some(source) = progress.source else {
            let sql = format!(
                "INSERT INTO imports (scope, blocks, tail, rows, token)
                 SELECT ?1, CASE WHEN {HEAD} = ?6 THEN ?2 END, ?3, ?4, ?5 FROM store RETURNING id"
            );
            return self.ask(&sql, &values);
        };
        let sql = format!(
            "UPDATE imports SET blocks = (SELECT CASE WHEN {HEAD} = ?6 AND scope = ?1 AND length(blocks) = ?7 THEN blocks || ?2 END FROM store),
             tail = ?3, rows = rows || ?4, token = ?5 WHERE id = ?8 RETURNING id"
        );
        let length = number(progress.from * rows::HASH_CHARS as u64);
        self.ask(&sql, &[values.as_slice(), &[length, number(source)]].concat())
    }

    /// What is remembered of imports of one scope, or of all which rows they stored.
    pub async fn imports(&self, scope: Option<u64>) -> Result<Vec<ImportRow>, Fault> {
        let scope = scope.map_or(JsValue::NULL, |scope| text(&scope.to_string()));
        let sql =
            "SELECT id, iif(?1 IS NULL, '', blocks) AS blocks, iif(?1 IS NULL, '', tail) AS tail, rows FROM imports
            WHERE ?1 IS NULL OR scope = ?1 ORDER BY id";
        read(&self.ask(sql, &[scope])?.all().await?)
    }

    /// Forgets an import, unless it has stored more since.
    pub async fn forget(&self, import: &ImportRow) -> Result<(), Fault> {
        let sql = "DELETE FROM imports WHERE id = ?1 AND rows = ?2";
        self.ask(sql, &[number(import.id), text(&import.rows)])?.run().await?;
        Ok(())
    }

    /// Stores a deletion of what is there now; its number and the head it applies to, unless nothing is there.
    pub async fn erase(&self, erasure: &Erasure, forgotten: Option<&str>) -> Result<Option<DeletionRow>, Fault> {
        let put = format!(
            "INSERT INTO deletions (query, now_ns, project, head) SELECT ?1, ?2, ?3, {HEAD} - 1 FROM store WHERE {HEAD} > 1
             RETURNING id, query, now_ns, project, head"
        );
        let project = erasure.project().map_or(JsValue::NULL, text);
        let mut statements = vec![self.ask(&put, &[text(erasure.query()), nanos(erasure.now()), project])?];
        if let Some(name) = forgotten {
            statements.push(self.ask("DELETE FROM places WHERE project = ?1", &[text(name)])?);
            statements.push(self.ask("DELETE FROM keys WHERE project = ?1", &[text(name)])?);
        }
        statements.push(self.ask(CHANGED, &[])?);
        read(&self.all(statements).await?[0]).map(|mut rows| rows.pop())
    }

    /// Makes a project and environments of it known.
    pub async fn declare(&self, project: &str, environments: &[String]) -> Result<(), Fault> {
        let places = environments.iter().map(String::as_str).chain([""]).map(|environment| (project, environment));
        let places: Vec<_> = places.collect();
        self.all(vec![self.places(&places)?, self.ask(CHANGED, &[])?]).await.map(|_| ())
    }

    // one statement, however many they are
    fn places(&self, places: &[(&str, &str)]) -> Result<D1PreparedStatement, Fault> {
        let sql = "INSERT OR IGNORE INTO places SELECT value ->> 0, value ->> 1 FROM json_each(?1)";
        let places = serde_json::to_string(places).map_err(|error| Fault::Failed(error.to_string()))?;
        self.ask(sql, &[text(&places)])
    }

    /// Adds a key.
    pub async fn create_key(&self, new: &NewKey, hash: KeyHash, now: Timestamp) -> Result<KeyRow, Fault> {
        let sql = "INSERT INTO keys (hash, name, role, project, created_ns, expires_ns) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            RETURNING id, hash, name, role, project, created_ns, expires_ns";
        let project = new.scope.project().map_or(JsValue::NULL, text);
        let values = [
            text(&rows::encode(&hash.0)),
            text(&new.name),
            text(new.role.name()),
            project,
            nanos(now),
            new.expires.map_or(JsValue::NULL, nanos),
        ];
        only(&self.all(vec![self.ask(sql, &values)?, self.ask(CHANGED, &[])?]).await?[0])
    }

    /// Removes a key; whether it was there.
    pub async fn revoke_key(&self, id: u64) -> Result<bool, Fault> {
        let sql = "DELETE FROM keys WHERE id = ?1 RETURNING id";
        let results = self.all(vec![self.ask(sql, &[number(id)])?, self.ask(CHANGED, &[])?]).await?;
        Ok(!read::<rows::IdRow>(&results[0])?.is_empty())
    }

    /// Numbers for segments of so many volumes each; until [`Self::replace`] names them they are nobody's.
    pub async fn reserve(&self, volumes: &[usize], now: Timestamp) -> Result<Vec<u64>, Fault> {
        let sql = "INSERT INTO written (at, volumes) VALUES (?1, ?2) RETURNING segment AS id";
        let at = number(now.as_millis() as u64);
        let put = |volumes: &usize| self.ask(sql, &[at.clone(), number(*volumes as u64)]);
        let statements = volumes.iter().map(put).collect::<Result<Vec<_>, _>>()?;
        let results = if statements.is_empty() { Vec::new() } else { self.all(statements).await? };
        results.iter().map(|result| Ok(only::<rows::IdRow>(result)?.id)).collect()
    }

    /// Exchanges sources for segments that went through all deletions up to `erased`, if nothing was exchanged since the
    /// catalog was loaded. Batches below the sequence `kept` need not come with the catalog from then on.
    pub async fn replace(
        &self,
        replacement: &Replacement,
        sealed: &[Sealed<'_>],
        erased: u64,
        kept: u64,
    ) -> Result<(), Fault> {
        let [id, at] = [replacement.id, replacement.at_ms].map(number);
        let added = replacement.added.iter().map(|id| format!("{id},")).collect::<String>();
        // whoever was quicker has taken the number, be it forgotten since
        let put = "INSERT INTO replacements SELECT ?1, CASE WHEN ?1 = replaced + 1 THEN ?2 END, ?3, ?4 FROM store";
        let mut statements = vec![self.ask(put, &[id, at, text(&replacement.removed.to_string()), text(&added)])?];
        for Sealed { id, size, summary } in sealed {
            let [id, size, erased] = [*id, *size, erased].map(number);
            let summary = text(&rows::encode(&summary.encode()));
            let put = "INSERT INTO segments VALUES (?1, ?2, ?3, ?4)";
            statements.push(self.ask(put, &[id.clone(), size, erased, summary])?);
        }
        let taken = "UPDATE store SET generation = generation + 1, replaced = ?1, sealed = ?2";
        statements.push(self.ask(taken, &[number(replacement.id), number(kept)])?);
        self.all(statements).await.map(|_| ())
    }

    /// Forgets deletions that hide nothing any more.
    pub async fn settle(&self, deletions: &[u64]) -> Result<(), Fault> {
        if deletions.is_empty() {
            return Ok(());
        }
        let ids = serde_json::to_string(deletions).map_err(|error| Fault::Failed(error.to_string()))?;
        let sql = "DELETE FROM deletions WHERE id IN (SELECT value FROM json_each(?1))";
        self.all(vec![self.ask(sql, &[text(&ids)])?, self.ask(CHANGED, &[])?]).await.map(|_| ())
    }

    /// Removes what a replacement replaced, whose grace is over.
    pub async fn forget_replaced(&self, replacement: &Replacement) -> Result<(), Fault> {
        let keep = format!("UPDATE store SET generation = generation + 1, next = {HEAD}, arrival = {LATEST}");
        let mut statements = vec![self.ask(&keep, &[])?];
        for (from, to) in replacement.removed.batches() {
            let sql = "DELETE FROM batches WHERE first >= ?1 AND first < ?2";
            statements.push(self.ask(sql, &[number(*from), number(*to)])?);
        }
        for id in replacement.removed.segments() {
            statements.push(self.ask("DELETE FROM segments WHERE id = ?1", &[number(id)])?);
            statements.push(self.ask("DELETE FROM written WHERE segment = ?1", &[number(id)])?);
        }
        statements.push(self.ask("DELETE FROM replacements WHERE id = ?1", &[number(replacement.id)])?);
        self.all(statements).await.map(|_| ())
    }

    /// Segments whose values may be there, used or not.
    pub async fn written(&self) -> Result<Vec<rows::WrittenRow>, Fault> {
        let sql = "SELECT segment, at, volumes, segment IN (SELECT id FROM segments) AS used FROM written";
        read(&self.ask(sql, &[])?.all().await?)
    }

    /// Forgets a segment whose values are gone.
    pub async fn forget_written(&self, segment: u64) -> Result<(), Fault> {
        self.ask("DELETE FROM written WHERE segment = ?1", &[number(segment)])?.run().await?;
        Ok(())
    }

    /// Says what retention has hidden.
    pub async fn retain(&self, retained: &Retained, now: Timestamp) -> Result<(), Fault> {
        let sql = "UPDATE store SET generation = generation + 1, retained = ?1";
        self.ask(sql, &[text(&rows::Horizon::write(retained, now))])?.run().await?;
        Ok(())
    }
}

fn number(value: u64) -> JsValue {
    JsValue::from_f64(value as f64)
}

fn nanos(time: Timestamp) -> JsValue {
    text(&time.as_nanos().to_string())
}

fn read<T: DeserializeOwned>(result: &D1Result) -> Result<Vec<T>, Fault> {
    Ok(result.results()?)
}

fn only<T: DeserializeOwned>(result: &D1Result) -> Result<T, Fault> {
    read(result)?.pop().ok_or(Fault::Refused)
}
