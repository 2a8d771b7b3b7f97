//! Rows of the catalog, and what they mean.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqlog_core::auth::{Key, KeyHash, Role, Scope};
use reqlog_core::catalog::{Deletion, Erasure, Replacement, Summary};
use reqlog_core::id::Seq;
use reqlog_core::identity::{Chain, StoredIdentities};
use reqlog_core::retention::Retained;
use reqlog_core::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use worker::wasm_bindgen::JsValue;

/// The one row of `store`.
#[derive(Clone, Debug, Deserialize)]
pub struct StoreRow {
    pub generation: u64,
    pub next: u64,
    pub arrival: u64,
    pub replaced: u64,
    pub secret: String,
    pub redact_key: String,
    pub retained: String,
}

/// A batch; what is known already, or long, is left out.
#[derive(Clone, Debug, Deserialize)]
pub struct BatchRow {
    pub first: u64,
    pub next: u64,
    pub arrival: u64,
    pub size: u64,
    pub summary: Option<String>,
    pub rows: Option<String>,
}

/// The contents of a batch.
#[derive(Debug, Deserialize)]
pub struct ContentRow {
    pub first: u64,
    pub rows: String,
}

#[derive(Debug, Deserialize)]
pub struct SegmentRow {
    pub id: u64,
    pub size: u64,
    pub erased: u64,
    pub summary: String,
}

#[derive(Debug, Deserialize)]
pub struct ReplacementRow {
    id: u64,
    at: u64,
    removed: String,
    added: String,
}

#[derive(Debug, Deserialize)]
pub struct WrittenRow {
    pub segment: u64,
    pub at: u64,
    pub volumes: u64,
    pub used: u8,
}

#[derive(Debug, Deserialize)]
pub struct DeletionRow {
    id: u64,
    query: String,
    now_ns: String,
    project: Option<String>,
    head: u64,
}

#[derive(Debug, Deserialize)]
pub struct PlaceRow {
    pub project: String,
    pub environment: String,
}

#[derive(Debug, Deserialize)]
pub struct KeyRow {
    id: u64,
    hash: String,
    name: String,
    role: String,
    project: Option<String>,
    created_ns: String,
    expires_ns: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct IdentityRow {
    id: u64,
    at: u64,
    hashes: String,
}

/// What is remembered of an import.
#[derive(Debug, Deserialize)]
pub struct ImportRow {
    pub id: u64,
    blocks: String,
    tail: String,
    pub rows: String,
}

#[derive(Debug, Deserialize)]
pub struct IdRow {
    pub id: u64,
}

#[derive(Debug, Deserialize)]
pub struct TokenRow {
    pub token: u64,
}

#[derive(Debug, Deserialize)]
pub struct HeadRow {
    pub next: u64,
    pub arrival: u64,
}

/// All rows but those that only writers need.
#[derive(Debug)]
pub struct Everything {
    pub store: Option<StoreRow>,
    pub batches: Vec<BatchRow>,
    pub segments: Vec<SegmentRow>,
    pub replacements: Vec<ReplacementRow>,
    pub deletions: Vec<DeletionRow>,
    pub places: Vec<PlaceRow>,
    pub keys: Vec<KeyRow>,
}

/// What retention has hidden, and the time for which ages were counted last.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Horizon {
    /// In ms since 1970.
    pub at: u64,
    retained: String,
}

impl Horizon {
    pub fn read(text: &str) -> Option<(u64, Retained)> {
        let horizon: Self = serde_json::from_str(text).ok()?;
        if horizon.retained.is_empty() {
            return Some((horizon.at, Retained::default()));
        }
        Some((horizon.at, Retained::from_json(&horizon.retained).ok()?))
    }

    pub fn write(retained: &Retained, now: Timestamp) -> String {
        let horizon = Self { at: now.as_millis() as u64, retained: retained.to_json() };
        serde_json::to_string(&horizon).unwrap_or_default()
    }
}

impl ReplacementRow {
    pub fn decode(&self) -> Option<Replacement> {
        let added = self.added.split_terminator(',').map(|id| id.parse().ok()).collect::<Option<_>>()?;
        Some(Replacement { id: self.id, at_ms: self.at, removed: self.removed.parse().ok()?, added })
    }
}

impl DeletionRow {
    pub fn decode(&self) -> Option<Arc<Deletion>> {
        let now = Timestamp::from_nanos(self.now_ns.parse().ok()?);
        let erasure = Erasure::restore(&self.query, now, self.project.as_deref()).ok()?;
        Some(Arc::new(erasure.deletion(self.id, Seq::new(self.head)?)))
    }
}

impl KeyRow {
    /// `None` of a role that this build does not know: it opens nothing.
    pub fn decode(self) -> Option<Key> {
        let time = |text: &str| text.parse().ok().map(Timestamp::from_nanos);
        Some(Key {
            id: self.id,
            hash: KeyHash(decode(&self.hash)?.try_into().ok()?),
            name: self.name,
            role: Role::parse(&self.role)?,
            scope: self.project.map_or(Scope::Organisation, Scope::Project),
            created: time(&self.created_ns)?,
            expires: match self.expires_ns {
                Some(text) => Some(time(&text)?),
                None => None,
            },
        })
    }
}

impl IdentityRow {
    pub fn decode(&self) -> StoredIdentities {
        StoredIdentities { id: self.id, at_ms: self.at, hashes: unidentities(&self.hashes) }
    }
}

impl ImportRow {
    pub fn chain(&self) -> (u64, Chain) {
        (self.id, Chain { blocks: unhash(&self.blocks), tail: unhash(&self.tail) })
    }

    /// Inclusive ranges of the sequences that it stored.
    pub fn ranges(&self) -> Vec<(i64, i64)> {
        let range =
            |text: &str| text.split_once('-').and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
        self.rows.split_terminator(',').filter_map(range).collect()
    }
}

pub fn summary(text: &str) -> Option<Summary> {
    Summary::decode(&decode(text)?).ok()
}

/// Bytes cross the binding as text: as bytes they would be arrays of numbers.
pub fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Reads [`encode`].
pub fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Characters of one hash, so that the length of a text tells how many there are.
pub const HASH_CHARS: usize = 16;

/// Hashes in text that can be appended to.
pub fn hashes(hashes: &[u64]) -> String {
    hashes.iter().map(|hash| format!("{hash:016x}")).collect()
}

/// Reads [`hashes`].
pub fn unhash(text: &str) -> Vec<u64> {
    let chunks = text.as_bytes().chunks(HASH_CHARS);
    chunks.filter_map(|hash| u64::from_str_radix(std::str::from_utf8(hash).ok()?, 16).ok()).collect()
}

/// Hashes in a text that stays as it is: a third shorter.
pub fn identities(hashes: &[u64]) -> String {
    encode(&hashes.iter().flat_map(|hash| hash.to_le_bytes()).collect::<Vec<u8>>())
}

fn unidentities(text: &str) -> Vec<u64> {
    decode(text).unwrap_or_default().as_chunks().0.iter().map(|chunk| u64::from_le_bytes(*chunk)).collect()
}

/// A text value of a statement.
pub fn text(value: &str) -> JsValue {
    JsValue::from_str(value)
}
