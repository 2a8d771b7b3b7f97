//! A database with a condition, in memory.

use super::super::{Commit, Head, Loaded};
use super::Plain;
use crate::batch;
use crate::identity::StoredIdentities;
use crate::record::Stored;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a database may lack; each must be caught by the laws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lacking {
    Nothing,
    /// A commit is written whatever the head is.
    Condition,
    /// What a commit left behind is not told from what another left.
    Tokens,
    /// What others remembered is not loaded.
    Identities,
    /// The head is not loaded: it is what the machine expects.
    Reload,
}

pub(super) struct Database {
    lacking: Lacking,
    pub(super) commits: Vec<Arc<Commit>>,
    // first sequences of batches whose tokens are gone
    sealed: BTreeSet<u64>,
    pub(super) identities: BTreeMap<u64, StoredIdentities>,
    // number of blocks, and token; a source is the place + 1
    pub(super) imports: Vec<(u64, u64)>,
}

impl Database {
    pub(super) fn new(lacking: Lacking) -> Self {
        let (identities, imports) = (BTreeMap::new(), Vec::new());
        Self { lacking, commits: Vec::new(), sealed: BTreeSet::new(), identities, imports }
    }

    pub(super) fn head(&self) -> Head {
        self.commits.last().map_or(Head { next: 1, arrival: 0 }, |commit| commit.head())
    }

    /// The source of the import; `Err` where a condition did not hold.
    pub(super) fn apply(&mut self, commit: &Arc<Commit>) -> Result<Option<u64>, ()> {
        if self.head().next != commit.expected.next && self.lacking != Lacking::Condition {
            return Err(());
        }
        let source = match &commit.import {
            None => None,
            Some(import) => {
                let progress = &import.progress;
                let source = progress.source.unwrap_or(self.imports.len() as u64 + 1);
                let known = self.imports.get(source as usize - 1).map_or(0, |(blocks, _)| *blocks);
                if progress.from != known {
                    return Err(());
                }
                self.imports.resize(self.imports.len().max(source as usize), (0, 0));
                self.imports[source as usize - 1] = (known + progress.blocks.len() as u64, commit.token);
                Some(source)
            }
        };
        if let Some(outdated) = commit.outdated {
            self.identities.retain(|id, _| *id > outdated);
        }
        if !commit.identities.is_empty() {
            let (id, at_ms) = (commit.expected.next, commit.arrival);
            self.identities.insert(id, StoredIdentities { id, at_ms, hashes: commit.identities.clone() });
        }
        if !commit.batches.is_empty() {
            self.commits.push(commit.clone());
        }
        Ok(source)
    }

    pub(super) fn seal(&mut self) {
        self.sealed.extend(self.commits.iter().map(|commit| commit.expected.next));
    }

    pub(super) fn load(&self, attempt: Option<&Commit>, identities_after: u64) -> Loaded {
        let token = |first| {
            let there =
                self.commits.iter().find(|commit| commit.expected.next == first && !self.sealed.contains(&first));
            there.map(|commit| if self.lacking == Lacking::Tokens { 0 } else { commit.token })
        };
        let (head, token) = match attempt {
            Some(attempt) if self.lacking == Lacking::Reload => (attempt.expected, None),
            attempt => (self.head(), attempt.and_then(|attempt| token(attempt.expected.next))),
        };
        let import = attempt.filter(|attempt| attempt.import.is_some() && self.lacking == Lacking::Nothing);
        let place = import.and_then(|import| self.imports.iter().position(|(_, token)| *token == import.token));
        let identities = self.identities.range(identities_after + 1..).map(|(_, row)| row.clone());
        let identities = if self.lacking == Lacking::Identities { Vec::new() } else { identities.collect() };
        Loaded { head, token, source: place.map(|place| place as u64 + 1), identities }
    }

    /// Every record, in the order of commits.
    pub(super) fn rows(&self) -> Vec<Stored> {
        self.commits.iter().flat_map(|commit| rows(commit)).collect()
    }
}

pub(super) fn rows(commit: &Commit) -> Vec<Stored> {
    let decode = |(summary, blob): &(crate::catalog::Summary, bytes::Bytes)| {
        let rows = batch::decode(blob, summary.seq.0, summary.arrival.0, &Plain).unwrap();
        assert_eq!((rows.len() as u64, rows.last().unwrap().id.seq()), (summary.rows, summary.seq.1));
        assert_eq!(summary.arrival, (commit.arrival, commit.arrival));
        rows
    };
    commit.batches.iter().flat_map(decode).collect()
}
