//! Counting rows by the usual dimensions.

use crate::catalog::{Summary, class_of};
use crate::filter::Number;
use crate::level::Level;
use crate::query::{Counts, Stats};
use crate::record::{Field, Kind};
use crate::segment::evaluate::Mask;
use crate::segment::{BLOCK, Columns, Need, PartId};

const FIELDS: [Field; 4] = [Field::Method, Field::Project, Field::Container, Field::Service];

/// The counts of one source, by stored codes; names are looked up once at the end.
#[derive(Debug, Default)]
pub(super) struct Tally {
    total: u64,
    levels: [u64; 8],
    kinds: [u64; 4],
    classes: [u64; 9],
    codes: [Vec<u64>; 4],
    names: [Vec<String>; 4],
}

impl Tally {
    pub(super) fn want(columns: &Columns, need: &mut Need) {
        for number in [Number::Level, Number::Kind, Number::Status] {
            columns.want(PartId::Number(number), need);
        }
        for field in FIELDS {
            columns.want(PartId::Text(field), need);
        }
    }

    pub(super) fn add(&mut self, columns: &Columns, block: usize, mask: &Mask) {
        let rows = || {
            mask.iter()
                .enumerate()
                .flat_map(move |(word, &bits)| Bits(bits).map(move |bit| block * BLOCK + word * 64 + bit))
        };
        self.total += mask.iter().map(|word| u64::from(word.count_ones())).sum::<u64>();
        if let Some(levels) = columns.ints(Number::Level) {
            rows().filter_map(|row| levels.get(row)).for_each(|level| self.levels[level as usize & 7] += 1);
        }
        if let Some(kinds) = columns.ints(Number::Kind) {
            rows().filter_map(|row| kinds.get(row)).for_each(|kind| self.kinds[kind as usize & 3] += 1);
        }
        if let Some(statuses) = columns.ints(Number::Status) {
            let classes = rows().filter_map(|row| class_of(statuses.get(row)? as u16));
            classes.for_each(|class| self.classes[class] += 1);
        }
        for (at, field) in FIELDS.into_iter().enumerate() {
            let Some(text) = columns.text(field) else { continue };
            if self.codes[at].is_empty() {
                self.codes[at] = vec![0; text.values.len() + 1];
                self.names[at] = text.values.iter().map(str::to_owned).collect();
            }
            let counts = &mut self.codes[at];
            rows().for_each(|row| counts[text.codes.get(row) as usize] += 1);
        }
    }

    pub(super) fn finish(self) -> Stats {
        let mut stats = Stats { total: self.total, ..Stats::default() };
        for level in Level::ALL {
            count(&mut stats.levels, level.name(), self.levels[level as usize]);
        }
        add_kinds_and_classes(&mut stats, &self.kinds, &self.classes);
        let maps = [&mut stats.methods, &mut stats.projects, &mut stats.containers, &mut stats.services];
        for ((map, codes), names) in maps.into_iter().zip(&self.codes).zip(&self.names) {
            names.iter().zip(codes.iter().skip(1)).for_each(|(name, &n)| count(map, name, n));
        }
        stats
    }
}

/// Adds all rows of a source from its summary; false, and nothing added, where the summary lacks a dimension.
pub(super) fn add_summary(stats: &mut Stats, summary: &Summary) -> bool {
    let (Some(methods), Some(projects), Some(containers), Some(services)) =
        (&summary.methods, &summary.projects, &summary.containers, &summary.services)
    else {
        return false;
    };
    stats.total += summary.rows;
    Level::ALL.iter().zip(summary.levels).for_each(|(level, n)| count(&mut stats.levels, level.name(), n));
    add_kinds_and_classes(stats, &summary.kinds, &summary.classes);
    for (to, from) in [
        (&mut stats.methods, methods),
        (&mut stats.projects, projects),
        (&mut stats.containers, containers),
        (&mut stats.services, services),
    ] {
        from.iter().for_each(|(name, &n)| count(to, name, n));
    }
    true
}

/// Adds `from` to `to`.
pub(super) fn merge(to: &mut Stats, from: Stats) {
    to.total += from.total;
    for (to, from) in [
        (&mut to.levels, from.levels),
        (&mut to.kinds, from.kinds),
        (&mut to.classes, from.classes),
        (&mut to.methods, from.methods),
        (&mut to.projects, from.projects),
        (&mut to.containers, from.containers),
        (&mut to.services, from.services),
    ] {
        from.into_iter().for_each(|(name, n)| count(to, &name, n));
    }
}

fn add_kinds_and_classes(stats: &mut Stats, kinds: &[u64; 4], classes: &[u64; 9]) {
    Kind::ALL.iter().zip(kinds).for_each(|(kind, &n)| count(&mut stats.kinds, kind.name(), n));
    for (class, &n) in (1..).zip(classes) {
        count(&mut stats.classes, &format!("{class}xx"), n);
    }
}

fn count(counts: &mut Counts, name: &str, n: u64) {
    if n == 0 {
        return;
    }
    match counts.get_mut(name) {
        Some(count) => *count += n,
        None => {
            counts.insert(name.to_owned(), n);
        }
    }
}

// The places of the set bits of a word.
struct Bits(u64);

impl Iterator for Bits {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let bit = self.0.trailing_zeros();
        self.0 &= self.0.wrapping_sub(1);
        (bit < 64).then_some(bit as usize)
    }
}
