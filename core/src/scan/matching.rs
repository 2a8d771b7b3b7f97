//! Finding and counting the matching rows of one source, block by block, best blocks first.

use super::collect::Collector;
use super::measure::Counted;
use super::task::{Hit, Partial, Search};
use crate::filter::Number;
use crate::query::Unit;
use crate::record::Kind;
use crate::segment::evaluate::{Evaluator, Mask, all_rows, want, want_number};
use crate::segment::{BLOCK, Columns, Need};

#[derive(Debug)]
pub(super) struct Matching {
    evaluator: Option<Evaluator>,
    // in the order they are visited
    blocks: Vec<usize>,
    at: usize,
    // where rows are wanted, not only counts
    collector: Option<Collector>,
    // where matches are added up
    counted: Option<Counted>,
    // with `whole`
    matched: Option<u64>,
    scanned: u64,
}

impl Matching {
    pub(super) fn new(search: &Search) -> Self {
        Self {
            evaluator: None,
            blocks: Vec::new(),
            at: 0,
            collector: (search.wanted > 0).then(|| Collector::new(&search.sorting, search.wanted)),
            counted: None,
            matched: search.whole.then_some(0),
            scanned: 0,
        }
    }

    /// Goes on; returns what is missing, or `None` when all blocks are done.
    pub(super) fn step(&mut self, search: &Search, columns: &Columns) -> Option<Need> {
        if self.evaluator.is_none() {
            let mut need = Need::new();
            want(&search.predicate, columns, &mut need);
            if let Some(collector) = &self.collector {
                collector.want(columns, &mut need);
            }
            if search.unit == Unit::Half {
                want_number(Number::Kind, columns, &mut need);
            }
            if let Some(measure) = &search.measure {
                measure.want(columns, &mut need);
            }
            if !need.is_empty() {
                return Some(need);
            }
            let evaluator = Evaluator::new(&search.predicate, columns);
            if !evaluator.is_never() {
                self.blocks = match &mut self.collector {
                    Some(collector) => collector.blocks(columns),
                    None => (0..columns.rows().div_ceil(BLOCK)).collect(),
                };
            }
            self.evaluator = Some(evaluator);
            self.counted = search.measure.as_ref().map(|measure| measure.start(columns));
        }
        while let Some(&block) = self.blocks.get(self.at) {
            let collector = self.collector.as_mut().filter(|collector| !collector.is_useless(block));
            if collector.is_none() && !search.whole {
                self.at += 1;
                continue;
            }
            let mut need = Need::new();
            let evaluator = self.evaluator.as_ref()?;
            let mask = evaluator.mask(columns, block, &all_rows(columns, block), &mut need);
            if let Some(measure) = search.measure.as_ref().filter(|_| need.is_empty()) {
                measure.want_block(columns, block, &mask, &mut need);
            }
            if !need.is_empty() {
                return Some(need);
            }
            self.scanned += BLOCK.min(columns.rows() - block * BLOCK) as u64;
            let exchanges = exchanges(columns, block, &mask, search.unit);
            for mask in [Some(&mask), exchanges.as_ref()].into_iter().flatten() {
                if let Some(matched) = &mut self.matched {
                    *matched += mask.iter().map(|word| u64::from(word.count_ones())).sum::<u64>();
                }
                if let (Some(measure), Some(counted)) = (&search.measure, &mut self.counted) {
                    counted.add(measure, columns, block, mask);
                }
            }
            if let Some(collector) = collector {
                collector.collect(columns, block, &mask);
            }
            self.at += 1;
        }
        None
    }

    pub(super) fn finish(&mut self, search: &Search, columns: &Columns, at: usize) -> Partial {
        let kind = |row: u32| columns.number(Number::Kind, row as usize).and_then(|kind| Kind::ALL.get(kind as usize));
        let units = |row| kind(row).map_or(1, |kind| search.unit.of(*kind) as u8);
        let hits = self.collector.as_mut().map(Collector::finish).unwrap_or_default();
        let counted = self.counted.take().zip(search.measure.as_ref());
        Partial {
            at,
            hits: hits.into_iter().map(|(place, row)| Hit { place, row, units: units(row) }).collect(),
            matched: self.matched,
            scanned: self.scanned,
            counted: counted.into_iter().map(|(counted, measure)| counted.finish(measure)).collect(),
            ..Partial::default()
        }
    }
}

// the rows that are counted once more, where a row may be two units
fn exchanges(columns: &Columns, block: usize, mask: &Mask, unit: Unit) -> Option<Mask> {
    let kinds = columns.ints(Number::Kind).filter(|_| unit == Unit::Half)?;
    let exchange = Kind::Exchange as i64;
    let mut exchanges = [0; BLOCK / 64];
    kinds.mark(block, &[(exchange, exchange)], &mut exchanges);
    exchanges.iter_mut().zip(mask).for_each(|(both, word)| *both &= word);
    Some(exchanges)
}
