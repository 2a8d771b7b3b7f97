//! Finding and counting the matching rows of one source, block by block, best blocks first.

use super::order::{Rank, Ranking};
use super::tally::Tally;
use super::task::{Goal, Hit, Partial};
use crate::filter::{Number, Predicate};
use crate::segment::evaluate::{Evaluator, Mask, all_rows, want, want_number};
use crate::segment::{BLOCK, Columns, Need};
use std::collections::BinaryHeap;

#[derive(Debug)]
pub(super) struct Matching {
    goal: Goal,
    ranking: Ranking,
    wanted: usize,
    whole: bool,
    evaluator: Option<Evaluator>,
    // blocks in the order they are visited, with the best and worst rank of each
    blocks: Vec<(Rank, Rank, usize)>,
    at: usize,
    // the worst kept hit on top
    hits: BinaryHeap<Hit>,
    tally: Tally,
    matched: u64,
    scanned: u64,
}

impl Matching {
    pub(super) fn new(goal: Goal, ranking: Ranking, wanted: usize, whole: bool) -> Self {
        Self {
            goal,
            ranking,
            wanted,
            whole,
            evaluator: None,
            blocks: Vec::new(),
            at: 0,
            hits: BinaryHeap::new(),
            tally: Tally::default(),
            matched: 0,
            scanned: 0,
        }
    }

    /// Goes on; returns what is missing, or `None` when all blocks are done.
    pub(super) fn step(&mut self, predicate: &Predicate, columns: &Columns) -> Option<Need> {
        if self.evaluator.is_none() {
            let mut need = Need::new();
            want(predicate, columns, &mut need);
            want_number(self.ranking.number(), columns, &mut need);
            want_number(Number::Seq, columns, &mut need);
            if self.goal == Goal::Stats {
                Tally::want(columns, &mut need);
            }
            if !need.is_empty() {
                return Some(need);
            }
            let evaluator = Evaluator::new(predicate, columns);
            if !evaluator.is_never() {
                let blocks = 0..columns.rows().div_ceil(BLOCK);
                self.blocks = blocks
                    .map(|block| {
                        let (best, worst) = self.ranking.of_block(columns, block);
                        (best, worst, block)
                    })
                    .collect();
                self.blocks.sort_unstable();
            }
            self.evaluator = Some(evaluator);
        }
        while let Some(&(best, worst, block)) = self.blocks.get(self.at) {
            let useless = self.ranking.is_passed(worst) || self.is_full_before(best);
            if useless && !self.whole {
                self.at += 1;
                continue;
            }
            let mut need = Need::new();
            let evaluator = self.evaluator.as_ref()?;
            let mask = evaluator.mask(columns, block, &all_rows(columns, block), &mut need);
            if !need.is_empty() {
                return Some(need);
            }
            self.scanned += BLOCK.min(columns.rows() - block * BLOCK) as u64;
            if self.whole {
                self.matched += mask.iter().map(|word| u64::from(word.count_ones())).sum::<u64>();
            }
            if self.goal == Goal::Stats {
                self.tally.add(columns, block, &mask);
            } else if !useless && self.wanted > 0 {
                self.collect(columns, block, &mask);
            }
            self.at += 1;
        }
        None
    }

    fn is_full_before(&self, rank: Rank) -> bool {
        self.wanted == 0 || self.hits.len() >= self.wanted && self.hits.peek().is_some_and(|worst| worst.rank < rank)
    }

    fn collect(&mut self, columns: &Columns, block: usize, mask: &Mask) {
        // Rows in stored order can stop at the first that is too late.
        let (sorted, descending) = (self.ranking.is_stored_order(), self.ranking.is_descending());
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
                if self.is_full_before(rank) {
                    if sorted {
                        return;
                    }
                    continue;
                }
                self.hits.push(Hit { rank, row: row as u32 });
                if self.hits.len() > self.wanted {
                    self.hits.pop();
                }
            }
        }
    }

    pub(super) fn finish(&mut self, at: usize) -> Partial {
        Partial {
            at,
            hits: std::mem::take(&mut self.hits).into_sorted_vec(),
            matched: self.matched,
            scanned: self.scanned,
            rows: Vec::new(),
            stats: std::mem::take(&mut self.tally).finish(),
        }
    }
}
