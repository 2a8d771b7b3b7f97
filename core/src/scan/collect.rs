//! The best rows of one source in the order of the page.

use super::order::{Rank, Ranking};
use super::sorting::{Place, Sorting};
use super::texts::Texts;
use crate::filter::Number;
use crate::segment::evaluate::{Mask, want_number};
use crate::segment::{BLOCK, Columns, Need};
use crate::sort;
use std::collections::BinaryHeap;

/// Keeps the `wanted` best rows, at least one, among those it is shown.
#[derive(Debug)]
pub(super) enum Collector {
    Numbers(Numbers),
    Texts(Texts),
}

impl Collector {
    pub(super) fn new(sorting: &Sorting, wanted: usize) -> Self {
        match sorting {
            Sorting::Numbers(ranking) => {
                Self::Numbers(Numbers { ranking: *ranking, wanted, extents: Vec::new(), hits: BinaryHeap::new() })
            }
            Sorting::Texts { spelling, direction, after, before } => {
                Self::Texts(Texts::new(*spelling, *direction, [after, before].map(Clone::clone), wanted))
            }
        }
    }

    pub(super) fn want(&self, columns: &Columns, need: &mut Need) {
        want_number(Number::Seq, columns, need);
        match self {
            Self::Numbers(numbers) => want_number(numbers.ranking.number(), columns, need),
            Self::Texts(texts) => texts.want(columns, need),
        }
    }

    /// The blocks of a source in the order in which to show them, best first where that is known.
    pub(super) fn blocks(&mut self, columns: &Columns) -> Vec<usize> {
        let blocks = 0..columns.rows().div_ceil(BLOCK);
        match self {
            Self::Numbers(numbers) => {
                numbers.extents = blocks.map(|block| numbers.ranking.of_block(columns, block)).collect();
                let mut blocks: Vec<usize> = (0..numbers.extents.len()).collect();
                sort::by_key(&mut blocks, |&block| numbers.extents[block]);
                blocks
            }
            Self::Texts(_) => blocks.collect(),
        }
    }

    /// Whether no row of the block can be kept.
    pub(super) fn is_useless(&self, block: usize) -> bool {
        match self {
            Self::Numbers(numbers) => {
                let (best, worst) = numbers.extents[block];
                numbers.ranking.is_passed(worst) || numbers.is_late(best)
            }
            Self::Texts(_) => false,
        }
    }

    /// Shows the rows of a block whose bits are set.
    pub(super) fn collect(&mut self, columns: &Columns, block: usize, mask: &Mask) {
        match self {
            Self::Numbers(numbers) => numbers.collect(columns, block, mask),
            Self::Texts(texts) => texts.collect(columns, block, mask),
        }
    }

    /// The rows that were kept, best first.
    pub(super) fn finish(&mut self) -> Vec<(Place, u32)> {
        match self {
            Self::Numbers(numbers) => {
                let hits = std::mem::take(&mut numbers.hits).into_sorted_vec();
                hits.into_iter().map(|(rank, row)| (Place::Number(rank), row)).collect()
            }
            Self::Texts(texts) => texts.finish(),
        }
    }
}

#[derive(Debug)]
pub(super) struct Numbers {
    ranking: Ranking,
    wanted: usize,
    // best and worst rank by block
    extents: Vec<(Rank, Rank)>,
    // the worst kept hit on top
    hits: BinaryHeap<(Rank, u32)>,
}

impl Numbers {
    // Whether enough rows come before this rank.
    fn is_late(&self, rank: Rank) -> bool {
        self.last().is_some_and(|last| last < rank)
    }

    // The rank after which no row is kept.
    fn last(&self) -> Option<Rank> {
        let worst = self.hits.peek().filter(|_| self.hits.len() >= self.wanted).map(|(rank, _)| *rank);
        worst.into_iter().chain(self.ranking.end()).min()
    }

    // Without rows of which columns say that they are passed or too late: most of them, once enough are kept.
    fn within_reach(&self, columns: &Columns, block: usize, mask: &Mask) -> Mask {
        let reached = |rank| self.ranking.reached(columns, block, rank);
        let passed = self.ranking.start().and_then(reached).unwrap_or([0; BLOCK / 64]);
        let reached = self.last().and_then(reached).unwrap_or([u64::MAX; BLOCK / 64]);
        std::array::from_fn(|word| mask[word] & !passed[word] & reached[word])
    }

    fn collect(&mut self, columns: &Columns, block: usize, mask: &Mask) {
        // Rows in stored order can stop at the first that is too late.
        let (sorted, descending) = (self.ranking.is_stored_order(), self.ranking.is_descending());
        let mask = if sorted { *mask } else { self.within_reach(columns, block, mask) };
        for step in 0..mask.len() {
            let word = if descending { mask.len() - 1 - step } else { step };
            let mut left = mask[word];
            while left != 0 {
                let bit = if descending { left.ilog2() } else { left.trailing_zeros() };
                left &= !(1 << bit);
                let row = block * BLOCK + word * 64 + bit as usize;
                let rank = self.ranking.row(columns, row);
                if self.ranking.is_passed(rank) {
                    continue;
                }
                if self.is_late(rank) {
                    if sorted {
                        return;
                    }
                    continue;
                }
                self.hits.push((rank, row as u32));
                if self.hits.len() > self.wanted {
                    self.hits.pop();
                }
            }
        }
    }
}
