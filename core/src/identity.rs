//! What is recognised as already stored: retried requests, and files imported again.
//!
//! Only keyed 8-byte hashes are remembered. Two equal requests are two requests; what makes a record a duplicate is
//! an identity that its source gave it, or its place in the common beginning of two imports of one file.

mod memory;

pub use memory::{Fresh, Memory, StoredIdentities};

use hashbrown::HashTable;
use std::collections::VecDeque;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Records of one link in the chain that an import leaves behind.
pub const BLOCK: usize = 64;

/// The seed of all hashes of one store.
#[derive(Clone, Copy, Debug)]
pub struct Seed(u64);

impl Seed {
    /// Derives the seed from a secret of the store.
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(xxh3_64_with_seed(secret, 0x5265_716c_6f67_4964))
    }

    /// The hash of the bytes a record was read from: a line, a row, an entry.
    pub fn unit(self, bytes: &[u8]) -> u64 {
        xxh3_64_with_seed(bytes, self.0)
    }

    /// The hash of the identity of the record at `position` of a request with an `Idempotency-Key`.
    pub fn retry(self, project: &str, key: &str, position: u64) -> u64 {
        let bytes = [project.as_bytes(), &[0], key.as_bytes(), &[0], &position.to_le_bytes()].concat();
        xxh3_64_with_seed(&bytes, self.0 ^ 1)
    }

    /// The hash of a scope within which imports are compared: each part of it counts.
    pub fn scope(self, parts: &[&str]) -> u64 {
        let mut bytes = Vec::new();
        for part in parts {
            bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        xxh3_64_with_seed(&bytes, self.0 ^ 2)
    }

    fn link(self, last: u64, unit: u64) -> u64 {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&last.to_le_bytes());
        bytes[8..].copy_from_slice(&unit.to_le_bytes());
        xxh3_64_with_seed(&bytes, self.0 ^ 3)
    }
}

/// Identities seen within a window of time and number.
#[derive(Debug)]
pub struct Remembered {
    // identity and when it was last seen; an identity is its own hash
    known: HashTable<(u64, u64)>,
    order: VecDeque<(u64, u64)>,
    room: usize,
}

impl Default for Remembered {
    fn default() -> Self {
        Self::new(Self::COUNT)
    }
}

impl Remembered {
    /// How long an identity is remembered, in ms.
    pub const AGE_MS: u64 = 24 * 60 * 60 * 1000;
    /// How many are remembered where there is no reason for fewer; about 40 bytes of memory each.
    pub const COUNT: usize = 4_000_000;

    /// Remembers `room` identities at most.
    pub fn new(room: usize) -> Self {
        Self { known: HashTable::new(), order: VecDeque::new(), room }
    }

    /// How many it remembers at most.
    pub fn room(&self) -> usize {
        self.room
    }

    /// Whether `identity` was seen within the window that ends at `now_ms`.
    pub fn contains(&self, identity: u64, now_ms: u64) -> bool {
        self.seen(identity).is_some_and(|at| at + Self::AGE_MS > now_ms)
    }

    /// Remembers an identity seen at `now_ms` and returns those that fall out of the window.
    pub fn insert(&mut self, identity: u64, now_ms: u64) -> Vec<u64> {
        match self.known.find_mut(identity, |(known, _)| *known == identity) {
            Some((_, at)) if *at == now_ms => {}
            known => {
                match known {
                    Some((_, at)) => *at = now_ms,
                    None => {
                        self.known.insert_unique(identity, (identity, now_ms), |(known, _)| *known);
                    }
                }
                self.order.push_back((identity, now_ms));
            }
        }
        let mut forgotten = Vec::new();
        while let Some(&(identity, at)) = self.order.front() {
            if at + Self::AGE_MS > now_ms && self.known.len() <= self.room {
                break;
            }
            self.order.pop_front();
            // seen again later: the later entry counts
            if let Ok(known) = self.known.find_entry(identity, |known| *known == (identity, at)) {
                known.remove();
                forgotten.push(identity);
            }
        }
        forgotten
    }

    fn seen(&self, identity: u64) -> Option<u64> {
        self.known.find(identity, |(known, _)| *known == identity).map(|(_, at)| *at)
    }

    /// How many are remembered now.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}

/// What an earlier import left behind: the chain after each block of [`BLOCK`] records, and after each record since.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// The chain after each full block.
    pub blocks: Vec<u64>,
    /// The chain after each record past the last full block; fewer than [`BLOCK`].
    pub tail: Vec<u64>,
}

impl Chain {
    /// How many records it covers.
    pub fn records(&self) -> u64 {
        (self.blocks.len() * BLOCK + self.tail.len()) as u64
    }

    fn last(&self) -> u64 {
        self.tail.last().or(self.blocks.last()).copied().unwrap_or(0)
    }

    fn push(&mut self, link: u64) {
        self.tail.push(link);
        if self.tail.len() == BLOCK {
            self.blocks.push(link);
            self.tail.clear();
        }
    }
}

/// What to remember of an import, in the transaction that stores the records it covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The remembered source that this import continues; `None` makes a new one.
    pub source: Option<u64>,
    /// The place of the first of `blocks` in the source's chain.
    pub from: u64,
    /// Chain values to append.
    pub blocks: Vec<u64>,
    /// Replaces the source's tail.
    pub tail: Vec<u64>,
}

/// How far an import has come, and within which scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Hash of what imports are compared within; see [`Seed::scope`].
    pub scope: u64,
    /// From [`Import::take`], with the records it took.
    pub progress: Progress,
}

/// Compares an import with remembered sources of its scope and lets through what follows the longest common beginning.
///
/// **Ours:** the beginning is exact to the record where a remembered source ends, as when a file has grown; where two
/// files differ or the new one is shorter, it is exact to the block of 64, and what follows is stored.
#[derive(Debug)]
pub struct Import<T> {
    seed: Seed,
    // sources that agree with every whole block so far
    candidates: Vec<(u64, Chain)>,
    chain: Chain,
    // not yet decided, with the chain after each
    held: Vec<(T, u64)>,
    ready: Vec<T>,
    skipped: u64,
    // the source to continue, and how many of its blocks are stored
    source: Option<u64>,
    stored_blocks: usize,
}

impl<T> Import<T> {
    /// An import beside `candidates`: ids and chains of the sources remembered for its scope.
    pub fn new(seed: Seed, candidates: Vec<(u64, Chain)>) -> Self {
        Self {
            seed,
            candidates,
            chain: Chain::default(),
            held: Vec::new(),
            ready: Vec::new(),
            skipped: 0,
            source: None,
            stored_blocks: 0,
        }
    }

    /// Takes the next record and the [`Seed::unit`] hash of what it was read from.
    pub fn push(&mut self, record: T, unit: u64) {
        let last = self.held.last().map_or_else(|| self.chain.last(), |(_, link)| *link);
        let link = self.seed.link(last, unit);
        if self.candidates.is_empty() && self.held.is_empty() {
            self.chain.push(link);
            return self.ready.push(record);
        }
        self.held.push((record, link));
        if self.held.len() == BLOCK {
            self.decide_block(link);
        }
    }

    fn decide_block(&mut self, link: u64) {
        let at = self.chain.blocks.len();
        if self.candidates.iter().any(|(_, chain)| chain.blocks.get(at) == Some(&link)) {
            self.candidates.retain(|(_, chain)| chain.blocks.get(at) == Some(&link));
            // A source that ends here is one that this import may continue.
            let ended = self.candidates.iter().find(|(_, chain)| chain.blocks.len() == at + 1 && chain.tail.is_empty());
            if let Some((id, chain)) = ended {
                (self.source, self.stored_blocks) = (Some(*id), chain.blocks.len());
            }
            self.skip(BLOCK);
        } else {
            self.decide_rest();
        }
    }

    // The end of the common beginning lies within the held records.
    fn decide_rest(&mut self) {
        if self.candidates.is_empty() && self.held.is_empty() {
            return;
        }
        let at = self.chain.blocks.len();
        let common =
            |chain: &Chain| self.held.iter().zip(&chain.tail).take_while(|((_, ours), theirs)| ours == *theirs).count();
        let ends = self.candidates.iter().filter(|(_, chain)| chain.blocks.len() == at);
        if let Some((id, chain)) = ends.max_by_key(|(_, chain)| common(chain)) {
            let (common, whole) = (common(chain), common(chain) == chain.tail.len());
            if whole {
                (self.source, self.stored_blocks) = (Some(*id), chain.blocks.len());
            }
            self.skip(common);
        }
        // A source that ended earlier cannot be continued: what it continues with is remembered elsewhere.
        if self.source.is_some() && self.stored_blocks != at {
            (self.source, self.stored_blocks) = (None, 0);
        }
        self.candidates.clear();
        for (record, link) in self.held.drain(..) {
            self.chain.push(link);
            self.ready.push(record);
        }
    }

    fn skip(&mut self, records: usize) {
        self.skipped += records as u64;
        self.held.drain(..records).for_each(|(_, link)| self.chain.push(link));
    }

    /// Decides about the last records: the input has ended.
    pub fn finish(&mut self) {
        self.decide_rest();
    }

    /// Takes the records that are to be stored, in order, and what to remember with them.
    pub fn take(&mut self) -> (Vec<T>, Progress) {
        let blocks = self.chain.blocks[self.stored_blocks..].to_vec();
        let progress =
            Progress { source: self.source, from: self.stored_blocks as u64, blocks, tail: self.chain.tail.clone() };
        (std::mem::take(&mut self.ready), progress)
    }

    /// Records that wait in [`Self::take`].
    pub fn ready(&self) -> usize {
        self.ready.len()
    }

    /// After the transaction of [`Self::take`]'s progress: later progress continues `source`.
    pub fn stored(&mut self, source: u64, progress: &Progress) {
        self.source = Some(source);
        self.stored_blocks = progress.from as usize + progress.blocks.len();
    }

    /// Records that were stored before.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // What a store remembers, and one import after another over it.
    #[derive(Default)]
    struct Memory(Vec<(u64, Chain)>);

    impl Memory {
        fn import(&mut self, units: &[u8], commit_every: usize) -> Vec<u8> {
            let seed = Seed::new(&[7; 32]);
            let mut import = Import::new(seed, self.0.clone());
            let mut stored = Vec::new();
            let mut commit = |import: &mut Import<u8>, memory: &mut Self| {
                let (records, progress) = import.take();
                stored.extend(records);
                let id = progress.source.unwrap_or(memory.0.len() as u64);
                if progress.source.is_none() {
                    memory.0.push((id, Chain::default()));
                }
                let chain = &mut memory.0[id as usize].1;
                assert_eq!(chain.blocks.len() as u64, progress.from, "progress appends");
                chain.blocks.extend(&progress.blocks);
                chain.tail.clone_from(&progress.tail);
                import.stored(id, &progress);
            };
            for &unit in units {
                import.push(unit, seed.unit(&[unit]));
                if import.ready() >= commit_every {
                    commit(&mut import, self);
                }
            }
            import.finish();
            commit(&mut import, self);
            assert_eq!(stored.len() as u64 + import.skipped(), units.len() as u64);
            stored
        }
    }

    #[test]
    fn equal_lines_are_kept_and_only_a_common_beginning_is_skipped() {
        let mut memory = Memory::default();
        let file: Vec<u8> = (0..200).map(|at| (at % 17) as u8).collect();
        assert_eq!(memory.import(&file, 10), file);
        assert!(memory.import(&file, 10).is_empty());
        let grown: Vec<u8> = file.iter().copied().chain(100..110).collect();
        assert_eq!(memory.import(&grown, 10), (100..110).collect::<Vec<u8>>());
        assert!(memory.import(&grown, 10).is_empty());
        let other: Vec<u8> = file.iter().rev().copied().collect();
        assert_eq!(memory.import(&other, 10), other);
        assert!(memory.import(&grown, 10).is_empty());
        let doubled = [file.clone(), file.clone()].concat();
        assert_eq!(
            memory.import(&doubled, 1000)[..],
            file[..],
            "the second half of the file is no repetition of an import"
        );
    }

    proptest! {
        #[test]
        fn growth_adds_what_is_new_and_repetition_nothing(
            units in proptest::collection::vec(0u8..3, 0..300), cuts in proptest::collection::vec(any::<prop::sample::Index>(), 1..6),
            commit_every in 1usize..90
        ) {
            let mut memory = Memory::default();
            let mut lengths: Vec<usize> = cuts.iter().map(|cut| cut.index(units.len() + 1)).collect();
            lengths.sort_unstable();
            let mut length = 0;
            for next in lengths {
                prop_assert_eq!(memory.import(&units[..next], commit_every), &units[length..next]);
                prop_assert_eq!(memory.import(&units[..next], commit_every), &units[next..next]);
                length = next;
            }
        }

        #[test]
        fn what_differs_is_never_skipped(
            a in proptest::collection::vec(0u8..2, 0..200), b in proptest::collection::vec(0u8..2, 0..200)
        ) {
            let mut memory = Memory::default();
            memory.import(&a, 50);
            let stored = memory.import(&b, 50);
            let common = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
            let skipped = b.len() - stored.len();
            prop_assert!(skipped <= common, "{} skipped of {} common", skipped, common);
            prop_assert!(skipped >= common / BLOCK * BLOCK);
            prop_assert_eq!(&stored[..], &b[skipped..]);
        }

        #[test]
        fn the_window_forgets_in_order(steps in proptest::collection::vec((0u64..20, 0u64..Remembered::AGE_MS), 1..60)) {
            let mut remembered = Remembered::default();
            let mut last = std::collections::BTreeMap::new();
            let mut now = 0;
            for (identity, later) in steps {
                now += later / 4;
                let expected = last.get(&identity).is_some_and(|at| at + Remembered::AGE_MS > now);
                prop_assert_eq!(remembered.contains(identity, now), expected);
                remembered.insert(identity, now);
                last.insert(identity, now);
            }
        }
    }
}
