//! How the ranks of matching rows are spread: a sample of them, and how many lie between given ones.
//!
//! Rows are told apart by the columns of the sort value and of the sequence as far as that goes, which costs comparisons of
//! packed values; only those between the inner ones of many ranks are ranked one by one.

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
        let passed = low.and_then(|low| ranking.reached(columns, block, low)).unwrap_or([0; BLOCK / 64]);
        let reached = high.and_then(|high| ranking.reached(columns, block, high)).unwrap_or([u64::MAX; BLOCK / 64]);
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
        // these pivots part its rows
        let (mut low, mut high) = (first, last);
        let mut left = *mask;
        // The first and the last of all are bounds and the others stand close: most rows lie outside of those.
        for bound in [true, false] {
            if low < high && (!bound || low == 0) {
                let Some(reached) = self.ranking.reached(columns, block, self.pivots[low]) else { break };
                counts[low] += ones(&both(&left, &reached));
                left = both(&left, &reached.map(|word| !word));
                low += 1;
            }
            if low < high && (!bound || high == self.pivots.len()) {
                let Some(reached) = self.ranking.reached(columns, block, self.pivots[high - 1]) else { break };
                counts[high] += ones(&both(&left, &reached.map(|word| !word)));
                left = both(&left, &reached);
                high -= 1;
            }
        }
        if low == high {
            counts[low] += ones(&left);
            return;
        }
        for (word, mut bits) in left.into_iter().enumerate() {
            while bits != 0 {
                let row = block * BLOCK + word * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                counts[gap(&self.ranking.row(columns, row))] += 1;
            }
        }
    }
}

fn want(ranking: Ranking, columns: &Columns, need: &mut Need) {
    want_number(Number::Seq, columns, need);
    want_number(ranking.number(), columns, need);
}

fn both(some: &Mask, others: &Mask) -> Mask {
    std::array::from_fn(|word| some[word] & others[word])
}

fn ones(mask: &Mask) -> u64 {
    mask.iter().map(|word| u64::from(word.count_ones())).sum()
}
