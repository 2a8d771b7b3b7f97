//! Decoded parts of segments, within a budget of bytes.

use crate::segment::{Part, PartId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The least recently used parts go when there are too many of them.
#[derive(Debug)]
pub(super) struct Parts {
    kept: hashbrown::HashMap<(u64, PartId), Kept, Hasher>,
    budget: usize,
    bytes: usize,
    // counts uses
    clock: u64,
}

// results must not depend on a seed
type Hasher = std::hash::BuildHasherDefault<std::hash::DefaultHasher>;

#[derive(Debug)]
struct Kept {
    part: Arc<Part>,
    bytes: usize,
    used: u64,
}

impl Parts {
    pub(super) fn new(budget: usize) -> Self {
        Self { kept: hashbrown::HashMap::default(), budget, bytes: 0, clock: 0 }
    }

    pub(super) fn get(&mut self, segment: u64, id: PartId) -> Option<Arc<Part>> {
        self.clock += 1;
        let kept = self.kept.get_mut(&(segment, id))?;
        kept.used = self.clock;
        Some(kept.part.clone())
    }

    pub(super) fn insert(&mut self, segment: u64, id: PartId, part: &Arc<Part>) {
        let bytes = part.weight();
        if bytes > self.budget / 2 {
            return;
        }
        self.clock += 1;
        let kept = Kept { part: part.clone(), bytes, used: self.clock };
        self.bytes += bytes;
        if let Some(before) = self.kept.insert((segment, id), kept) {
            self.bytes -= before.bytes;
        }
        if self.bytes > self.budget {
            self.evict();
        }
    }

    // A quarter of the budget at once, so that looking for the oldest is paid for by many insertions.
    fn evict(&mut self) {
        let mut oldest: BTreeMap<u64, (u64, PartId)> = self.kept.iter().map(|(key, kept)| (kept.used, *key)).collect();
        while self.bytes > self.budget / 4 * 3
            && let Some((_, key)) = oldest.pop_first()
            && let Some(kept) = self.kept.remove(&key)
        {
            self.bytes -= kept.bytes;
        }
    }

    /// What all of them take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn clear(&mut self) {
        self.kept.clear();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::Ints;

    #[test]
    fn the_budget_holds_and_what_was_used_last_stays() {
        let part = Arc::new(Part::Ints(Ints::new(&(0..1000).map(|value| Some(value * 7919)).collect::<Vec<_>>())));
        let mut parts = Parts::new(part.weight() * 8);
        for segment in 0..100 {
            parts.insert(segment, PartId::Arrival, &part);
            assert!(parts.get(0, PartId::Arrival).is_some(), "it is used all the time");
            assert!(parts.get(segment, PartId::Arrival).is_some());
            assert!(parts.bytes <= parts.budget);
            assert_eq!(parts.bytes, parts.kept.values().map(|kept| kept.part.weight()).sum::<usize>());
        }
        assert!(parts.get(1, PartId::Arrival).is_none());
        parts.insert(99, PartId::Arrival, &part);
        assert_eq!(parts.bytes, parts.kept.len() * part.weight(), "one that is there is not counted twice");
        parts.clear();
        assert!(parts.get(0, PartId::Arrival).is_none() && parts.bytes == 0);
    }
}
