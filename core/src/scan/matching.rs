//! Finding and counting the matching rows of one source, block by block, best blocks first.

use super::order::{Rank, Ranking};
use super::tally::Tally;
use super::task::{Goal, Hit, Partial, Search};
use crate::filter::Number;
use crate::query::Unit;
use crate::record::Kind;
use crate::segment::evaluate::{Evaluator, Mask, all_rows, want, want_number};
use crate::segment::{BLOCK, Columns, Need};
use std::collections::BinaryHeap;

#[derive(Debug)]
pub(super) struct Matching {
    goal: Goal,
    evaluator: Option<Evaluator>,
    // blocks in the order they are visited, with the best and worst rank of each
    blocks: Vec<(Rank, Rank, usize)>,
    at: usize,
    // the worst kept hit on top
    hits: BinaryHeap<(Rank, u32)>,
    tally: Tally,
    matched: u64,
    scanned: u64,
}

impl Matching {
    pub(super) fn new(goal: Goal) -> Self {
        Self {
            goal,
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
    pub(super) fn step(&mut self, search: &Search, columns: &Columns) -> Option<Need> {
        let Search { ranking, wanted, whole, .. } = *search;
        if self.evaluator.is_none() {
            let mut need = Need::new();
            want(&search.predicate, columns, &mut need);
            want_number(ranking.number(), columns, &mut need);
            want_number(Number::Seq, columns, &mut need);
            if search.unit == Unit::Half {
                want_number(Number::Kind, columns, &mut need);
            }
            if self.goal == Goal::Stats {
                Tally::want(columns, &mut need);
            }
            if !need.is_empty() {
                return Some(need);
            }
            let evaluator = Evaluator::new(&search.predicate, columns);
            if !evaluator.is_never() {
                let blocks = 0..columns.rows().div_ceil(BLOCK);
                self.blocks = blocks
                    .map(|block| {
                        let (best, worst) = ranking.of_block(columns, block);
                        (best, worst, block)
                    })
                    .collect();
                self.blocks.sort_unstable();
            }
            self.evaluator = Some(evaluator);
        }
        while let Some(&(best, worst, block)) = self.blocks.get(self.at) {
            let useless = ranking.is_passed(worst) || self.is_full_before(wanted, best);
            if useless && !whole {
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
            if whole {
                self.matched += units(columns, block, &mask, search.unit);
            }
            if self.goal == Goal::Stats {
                self.tally.add(columns, block, &mask);
            } else if !useless && wanted > 0 {
                self.collect(ranking, wanted, columns, block, &mask);
            }
            self.at += 1;
        }
        None
    }

    fn is_full_before(&self, wanted: usize, rank: Rank) -> bool {
        wanted == 0 || self.hits.len() >= wanted && self.hits.peek().is_some_and(|(worst, _)| *worst < rank)
    }

    fn collect(&mut self, ranking: Ranking, wanted: usize, columns: &Columns, block: usize, mask: &Mask) {
        // Rows in stored order can stop at the first that is too late.
        let (sorted, descending) = (ranking.is_stored_order(), ranking.is_descending());
        for step in 0..mask.len() {
            let word = if descending { mask.len() - 1 - step } else { step };
            let mut left = mask[word];
            while left != 0 {
                let bit = if descending { left.ilog2() } else { left.trailing_zeros() };
                left &= !(1 << bit);
                let row = block * BLOCK + word * 64 + bit as usize;
                let rank = ranking.row(columns, row);
                if ranking.is_passed(rank) {
                    continue;
                }
                if self.is_full_before(wanted, rank) {
                    if sorted {
                        return;
                    }
                    continue;
                }
                self.hits.push((rank, row as u32));
                if self.hits.len() > wanted {
                    self.hits.pop();
                }
            }
        }
    }

    pub(super) fn finish(&mut self, search: &Search, columns: &Columns, at: usize) -> Partial {
        let kind = |row: u32| columns.number(Number::Kind, row as usize).and_then(|kind| Kind::ALL.get(kind as usize));
        let units = |row| kind(row).map_or(1, |kind| search.unit.of(*kind) as u8);
        let hits = std::mem::take(&mut self.hits).into_sorted_vec();
        Partial {
            at,
            hits: hits.into_iter().map(|(rank, row)| Hit { rank, row, units: units(row) }).collect(),
            matched: self.matched,
            scanned: self.scanned,
            rows: Vec::new(),
            stats: std::mem::take(&mut self.tally).finish(),
        }
    }
}

fn units(columns: &Columns, block: usize, mask: &Mask, unit: Unit) -> u64 {
    let count = |mask: &Mask| mask.iter().map(|word| u64::from(word.count_ones())).sum::<u64>();
    let exchange = Kind::Exchange as i64;
    match columns.ints(Number::Kind).filter(|_| unit == Unit::Half) {
        None => count(mask),
        Some(kinds) => {
            let mut exchanges = [0; BLOCK / 64];
            kinds.mark(block, &[(exchange, exchange)], &mut exchanges);
            exchanges.iter_mut().zip(mask).for_each(|(both, word)| *both &= word);
            count(mask) + count(&exchanges)
        }
    }
}
