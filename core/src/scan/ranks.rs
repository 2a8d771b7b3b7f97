//! How the ranks of matching rows are spread: a sample of them, and how many lie between given ones.
//!
//! Rows are told apart by the sort value alone as far as that goes, which costs a comparison of packed values; only those
//! near the given ranks are ranked one by one.

use super::order::{Rank, Ranking};
use crate::filter::Number;
use crate::segment::evaluate::{Mask, want_number};
use crate::segment::{BLOCK, Columns, Need};
use std::sync::Arc;

/// Every so manieth rank between two.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sampling {
    pub(super) ranking: Ranking,
    /// Those at or before this one are left out.
    pub(super) low: Option<Rank>,
    /// Those after this one are left out.
    pub(super) high: Option<Rank>,
    pub(super) stride: u64,
    /// So many are left out before the first.
    pub(super) first: u64,
}

/// Ranks that part others.
#[derive(Clone, Debug)]
pub(super) struct Division {
    pub(super) ranking: Ranking,
    /// Ascending.
    pub(super) pivots: Arc<[Rank]>,
}

/// A sample in the making.
#[derive(Debug)]
pub(super) struct Sample {
    // matches until the next one that is taken
    due: u64,
    ranks: Vec<Rank>,
}

impl Sampling {
    pub(super) fn want(&self, columns: &Columns, need: &mut Need) {
        want(self.ranking, columns, need);
    }

    pub(super) fn start(&self) -> Sample {
        Sample { due: self.first, ranks: Vec::new() }
    }
}

impl Sample {
    pub(super) fn add(&mut self, sampling: &Sampling, columns: &Columns, block: usize, mask: &Mask) {
        let Sampling { ranking, low, high, stride, .. } = *sampling;
        let (best, worst) = ranking.of_block(columns, block);
        if low.is_some_and(|low| worst <= low) || high.is_some_and(|high| best > high) {
            return;
        }
        let passed = low.and_then(|low| ranking.better(columns, block, low.0)).unwrap_or([0; BLOCK / 64]);
        let reached = high.and_then(|high| ranking.better(columns, block, high.0.checked_add(1)?));
        let reached = reached.unwrap_or([u64::MAX; BLOCK / 64]);
        for (word, bits) in mask.iter().enumerate() {
            let mut left = bits & !passed[word] & reached[word];
            while u64::from(left.count_ones()) > self.due {
                (0..self.due).for_each(|_| left &= left - 1);
                let rank = ranking.row(columns, block * BLOCK + word * 64 + left.trailing_zeros() as usize);
                left &= left - 1;
                self.due = stride - 1;
                if low.is_none_or(|low| rank > low) && high.is_none_or(|high| rank <= high) {
                    self.ranks.push(rank);
                }
            }
            self.due -= u64::from(left.count_ones());
        }
    }

    pub(super) fn finish(self) -> Vec<Rank> {
        self.ranks
    }
}

impl Division {
    pub(super) fn want(&self, columns: &Columns, need: &mut Need) {
        want(self.ranking, columns, need);
    }

    /// No rows yet at or before the first pivot, between each two, and after the last.
    pub(super) fn start(&self) -> Vec<u64> {
        vec![0; self.pivots.len() + 1]
    }

    /// Counts the rows of a block whose bits are set.
    pub(super) fn add(&self, counts: &mut [u64], columns: &Columns, block: usize, mask: &Mask) {
        let gap = |rank: &Rank| self.pivots.partition_point(|pivot| pivot < rank);
        let (best, worst) = self.ranking.of_block(columns, block);
        let (first, last) = (gap(&best), gap(&worst));
        if first == last {
            counts[first] += ones(mask);
            return;
        }
        let Some((least, greatest)) = self.pivots.first().zip(self.pivots.last()) else { return };
        let before = self.ranking.better(columns, block, least.0).unwrap_or([0; BLOCK / 64]);
        let reached = greatest.0.checked_add(1).and_then(|bound| self.ranking.better(columns, block, bound));
        let reached = reached.unwrap_or([u64::MAX; BLOCK / 64]);
        counts[0] += ones(&std::array::from_fn(|word| mask[word] & before[word]));
        counts[self.pivots.len()] += ones(&std::array::from_fn(|word| mask[word] & !reached[word]));
        for (word, bits) in mask.iter().enumerate() {
            let mut left = bits & !before[word] & reached[word];
            while left != 0 {
                let row = block * BLOCK + word * 64 + left.trailing_zeros() as usize;
                left &= left - 1;
                counts[gap(&self.ranking.row(columns, row))] += 1;
            }
        }
    }
}

fn want(ranking: Ranking, columns: &Columns, need: &mut Need) {
    want_number(Number::Seq, columns, need);
    want_number(ranking.number(), columns, need);
}

fn ones(mask: &Mask) -> u64 {
    mask.iter().map(|word| u64::from(word.count_ones())).sum()
}
