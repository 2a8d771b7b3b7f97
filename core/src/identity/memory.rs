//! The window of identities as commits remember it: one row a commit, the oldest rows forgotten first.

use super::Remembered;
use hashbrown::HashTable;
use std::collections::VecDeque;

/// What one commit remembered, as a database holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredIdentities {
    /// Number of the row; a later commit has a higher one.
    pub id: u64,
    /// Arrival of the commit, in ms since 1970.
    pub at_ms: u64,
    /// The identities of its records.
    pub hashes: Vec<u64>,
}

/// What a writer remembers, in step with the rows of its database.
#[derive(Debug, Default)]
pub struct Memory {
    remembered: Remembered,
    // number, time, how many
    rows: VecDeque<(u64, u64, usize)>,
}

/// Identities of one commit that are new, until it is durable.
#[derive(Debug, Default)]
pub struct Fresh {
    seen: HashTable<u64>,
    order: Vec<u64>,
}

impl Fresh {
    // whether it is the first of its kind
    fn take(&mut self, identity: u64) -> bool {
        let is_first = self.seen.find(identity, |known| *known == identity).is_none();
        if is_first {
            self.seen.insert_unique(identity, identity, |known| *known);
            self.order.push(identity);
        }
        is_first
    }

    /// The identities, in the order of their records.
    pub fn hashes(&self) -> &[u64] {
        &self.order
    }
}

impl Memory {
    /// Remembers `count` identities at most, and the newest row whole.
    pub fn new(count: usize) -> Self {
        Self { remembered: Remembered::new(count), rows: VecDeque::new() }
    }

    /// How many identities are remembered.
    pub fn len(&self) -> usize {
        self.remembered.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.remembered.is_empty()
    }

    /// The newest row; 0 before the first.
    pub fn newest(&self) -> u64 {
        self.rows.back().map_or(0, |(id, ..)| *id)
    }

    /// Which records of a request are new, by their identities: not remembered, and not in `fresh`, which takes them.
    pub fn sift(&self, identities: &[u64], fresh: &mut Fresh, now_ms: u64) -> Vec<bool> {
        let is_new = |&identity: &u64| !self.remembered.contains(identity, now_ms) && fresh.take(identity);
        identities.iter().map(is_new).collect()
    }

    /// The last row that has left the window, by age or because so many came after: it and those before it can go.
    pub fn outdated(&self, now_ms: u64) -> Option<u64> {
        self.left_the_window(now_ms).last().map(|(id, ..)| *id)
    }

    /// Takes over a row that was written at `now_ms`, when what was [`outdated`](Self::outdated) went.
    pub fn adopt(&mut self, id: u64, hashes: &[u64], now_ms: u64) {
        let outdated = self.left_the_window(now_ms).count();
        self.rows.drain(..outdated);
        self.keep(id, now_ms, hashes);
    }

    /// Takes in a row of the database, the next by number.
    pub fn keep(&mut self, id: u64, at_ms: u64, hashes: &[u64]) {
        self.rows.push_back((id, at_ms, hashes.len()));
        for &hash in hashes {
            self.remembered.insert(hash, at_ms);
        }
    }

    fn left_the_window(&self, now_ms: u64) -> impl Iterator<Item = &(u64, u64, usize)> {
        let mut total: usize = self.rows.iter().map(|(_, _, count)| count).sum();
        self.rows.iter().take_while(move |(_, at_ms, count)| {
            total -= count;
            at_ms + Remembered::AGE_MS <= now_ms || total >= self.remembered.room()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_leaves_the_window_by_age_or_by_what_came_after() {
        let mut memory = Memory::new(4);
        let mut write = |id: u64, identities: &[u64], now: u64| {
            let mut fresh = Fresh::default();
            let new = memory.sift(identities, &mut fresh, now);
            let outdated = memory.outdated(now);
            memory.adopt(id, fresh.hashes(), now);
            (new.into_iter().filter(|new| *new).count(), outdated, memory.len(), memory.newest())
        };
        assert_eq!(write(1, &[1, 2, 1], 10), (2, None, 2, 1), "twice within one request is once");
        assert_eq!(write(2, &[2, 3], 20), (1, None, 3, 2));
        assert_eq!(write(5, &[4, 5, 6], 30), (3, None, 4, 5), "two of the first row do not count any more");
        assert_eq!(write(6, &[3, 1], 40), (1, Some(1), 4, 6));
        assert_eq!(write(7, &[4], Remembered::AGE_MS + 30), (1, Some(5), 2, 7));
    }
}
