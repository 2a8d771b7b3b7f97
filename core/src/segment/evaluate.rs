//! A predicate over columns, a block of rows at a time.

mod lazy;
mod shown;

pub(crate) use shown::DerivedColumns;

use super::ints::BLOCK;
use super::part::PartId;
use super::reader::{Columns, Need};
use super::rows::ROWS;
use crate::catalog::contains;
use crate::filter::{Number, Predicate, TextKey, TextMatcher};
use crate::query::Detail;
use crate::record::{Field, Record};
use crate::sort;
use crate::timestamp::Timestamp;
use lazy::Lazy;

/// One bit a row of a block.
pub(crate) type Mask = [u64; BLOCK / 64];

/// A predicate made ready for the columns of one source: text tests are already done over distinct values.
#[derive(Debug)]
pub(crate) struct Evaluator {
    root: Node,
}

#[derive(Debug)]
enum Node {
    Const(bool),
    Not(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
    Number(Number, Vec<(i64, i64)>),
    // rows of a text column whose code is in the range
    Codes(Field, u64, u64),
    // rows of a text column whose code has its bit set
    Set(Field, Vec<u64>),
    // a text column with so many values that only those of candidate rows are tested
    Each(Field, TextMatcher),
    // a text column with so many values that a needle is searched where it is needed
    Lazy(Lazy),
    // path and query of a row together
    Url(TextMatcher),
    // what a row shows that has no message
    Derived(TextMatcher),
    // what only a row's details tell; the bodies too, with Detail::Whole
    Row(Predicate, Detail),
}

/// Whether `predicate` looks at what is only in details and bodies.
pub(crate) fn is_cold(predicate: &Predicate) -> bool {
    match predicate {
        Predicate::Const(_) | Predicate::Number(..) => false,
        Predicate::Not(inner) => is_cold(inner),
        Predicate::And(inner) | Predicate::Or(inner) => inner.iter().any(is_cold),
        Predicate::Text(key, _) => match key {
            TextKey::Field(_) | TextKey::Url | TextKey::Shown | TextKey::Search | TextKey::QueryParam(_) => false,
            TextKey::ReqHeader(_) | TextKey::ResHeader(_) | TextKey::Attr(_) | TextKey::Type => true,
            TextKey::ReqBody | TextKey::ResBody | TextKey::Body | TextKey::ReqJson(_) | TextKey::ResJson(_) => true,
        },
    }
}

/// The columns that `predicate` looks at and that are not at hand. A text column whose gram filter rules the needle
/// out is not asked for; so call again with what was asked until nothing is.
pub(crate) fn want(predicate: &Predicate, columns: &Columns, need: &mut Need) {
    match predicate {
        Predicate::Const(_) => {}
        Predicate::Not(inner) => want(inner, columns, need),
        Predicate::And(inner) | Predicate::Or(inner) => inner.iter().for_each(|inner| want(inner, columns, need)),
        Predicate::Number(number, _) => want_number(*number, columns, need),
        Predicate::Text(TextKey::Shown, matcher) => shown::want(matcher, columns, need),
        Predicate::Text(key, matcher) => {
            for &field in fields_of(key) {
                let may_match = want_text(field, matcher, columns, need);
                // a query counts behind a path only, whatever that is
                if may_match && field == Field::Query && matches!(key, TextKey::Url | TextKey::Search) {
                    columns.want(PartId::Text(Field::Path), need);
                }
            }
        }
    }
}

pub(crate) fn want_number(number: Number, columns: &Columns, need: &mut Need) {
    match number {
        Number::Size => {
            columns.want(PartId::Number(Number::ReqSize), need);
            columns.want(PartId::Number(Number::ResSize), need);
        }
        number => columns.want(PartId::of(number), need),
    }
}

// Whether it may match, as far as is known.
fn want_text(field: Field, matcher: &TextMatcher, columns: &Columns, need: &mut Need) -> bool {
    if prunable(matcher).is_some() && searched(field) {
        let grams = PartId::Grams(field);
        if columns.part(grams).is_none() {
            columns.want(grams, need);
            return false;
        }
    }
    let may_match = ranges(field, matcher, columns).is_none_or(|ranges| !ranges.is_empty());
    if may_match {
        columns.want(PartId::Text(field), need);
    }
    may_match
}

fn searched(field: Field) -> bool {
    matches!(field, Field::Message | Field::Path | Field::Query | Field::Route | Field::ErrorCode)
}

fn fields_of(key: &TextKey) -> &[Field] {
    match key {
        TextKey::Field(field) => std::slice::from_ref(field),
        TextKey::Url => &[Field::Path, Field::Query],
        TextKey::Search => &[Field::Message, Field::Path, Field::Query, Field::Route, Field::ErrorCode],
        TextKey::QueryParam(_) => &[Field::Query],
        _ => &[],
    }
}

/// The needle by which gram filters prune: one that lies within path or query, not across them.
fn prunable(matcher: &TextMatcher) -> Option<&[u8]> {
    let needle = matcher.needle().filter(|needle| needle.is_ascii())?;
    (needle.bytes().len() >= 3 && !needle.bytes().contains(&b'?')).then_some(needle.bytes())
}

fn ranges(field: Field, matcher: &TextMatcher, columns: &Columns) -> Option<Vec<(usize, usize)>> {
    Some(columns.grams(field)?.ranges(prunable(matcher)?))
}

impl Evaluator {
    /// Compiles `predicate` for these columns; every column that [`want`] asks for is at hand.
    pub(crate) fn new(predicate: &Predicate, columns: &Columns) -> Self {
        Self { root: compile(predicate, columns) }
    }

    /// Whether no row can match.
    pub(crate) fn is_never(&self) -> bool {
        matches!(self.root, Node::Const(false))
    }

    /// The rows of `block` among `candidates` that match. Blocks of details that are not at hand are added to `need`;
    /// then the mask is not final.
    pub(crate) fn mask(&self, columns: &Columns, block: usize, candidates: &Mask, need: &mut Need) -> Mask {
        self.root.mask(columns, block, candidates, need)
    }
}

/// All rows that `block` has.
pub(crate) fn all_rows(columns: &Columns, block: usize) -> Mask {
    let rows = columns.rows().saturating_sub(block * BLOCK).min(BLOCK);
    std::array::from_fn(|word| match rows.saturating_sub(word * 64) {
        0 => 0,
        left @ 1..64 => (1 << left) - 1,
        _ => u64::MAX,
    })
}

fn compile(predicate: &Predicate, columns: &Columns) -> Node {
    match predicate {
        Predicate::Const(value) => Node::Const(*value),
        Predicate::Not(inner) => not(compile(inner, columns)),
        Predicate::And(inner) => join(inner.iter().map(|inner| compile(inner, columns)), false, Node::And),
        Predicate::Or(inner) => join(inner.iter().map(|inner| compile(inner, columns)), true, Node::Or),
        Predicate::Number(number, ranges) => Node::Number(*number, ranges.clone()),
        Predicate::Text(key, matcher) => match key {
            TextKey::Field(field) => codes(*field, matcher, columns),
            TextKey::Url => url(matcher, columns),
            TextKey::Shown => shown::compile(matcher, columns),
            TextKey::Search => join(
                [Field::Message, Field::Route, Field::ErrorCode]
                    .into_iter()
                    .map(|field| codes(field, matcher, columns))
                    .chain([url(matcher, columns)]),
                true,
                Node::Or,
            ),
            TextKey::QueryParam(_) => each_value(Field::Query, columns, |query| {
                let mut record = Record::new(Timestamp::from_nanos(0));
                record.texts.set(Field::Query, query);
                predicate.matches(&record)
            }),
            TextKey::ReqHeader(_) | TextKey::ResHeader(_) | TextKey::Attr(_) | TextKey::Type => {
                Node::Row(predicate.clone(), Detail::Preview)
            }
            TextKey::ReqBody | TextKey::ResBody | TextKey::Body | TextKey::ReqJson(_) | TextKey::ResJson(_) => {
                Node::Row(predicate.clone(), Detail::Whole)
            }
        },
    }
}

fn not(node: Node) -> Node {
    match node {
        Node::Const(value) => Node::Const(!value),
        node => Node::Not(Box::new(node)),
    }
}

// Joins nodes, cheap ones first, without the constants that do not decide.
fn join(nodes: impl Iterator<Item = Node>, decisive: bool, make: fn(Vec<Node>) -> Node) -> Node {
    let mut kept = Vec::new();
    for node in nodes {
        match node {
            Node::Const(value) if value == decisive => return Node::Const(decisive),
            Node::Const(_) => {}
            node => kept.push(node),
        }
    }
    sort::by_key(&mut kept, Node::cost);
    match kept.len() {
        0 => Node::Const(!decisive),
        1 => kept.remove(0),
        _ => make(kept),
    }
}

fn codes(field: Field, matcher: &TextMatcher, columns: &Columns) -> Node {
    let pruned = ranges(field, matcher, columns);
    if pruned.as_ref().is_some_and(Vec::is_empty) {
        return Node::Const(false);
    }
    let Some(text) = columns.text(field) else { return Node::Const(false) };
    let values = &text.values;
    if matcher.is_present() {
        return Node::Codes(field, 1, values.len() as u64);
    }
    let mut found = Found::new(values.len());
    if let Some(exact) = matcher.exact().filter(|exact| exact.is_ascii()) {
        values.candidates(exact).filter(|&at| matcher.matches(values.get(at))).for_each(|at| found.add(at));
    } else if let Some(needle) = matcher.needle().filter(|needle| needle.is_ascii() && !needle.bytes().is_empty()) {
        let ranges = pruned.unwrap_or_else(|| vec![(0, values.len())]);
        if let Some(lazy) = Lazy::of(field, needle.bytes(), &ranges, values.len()) {
            return Node::Lazy(lazy);
        }
        for (from, to) in ranges {
            values.search(needle.bytes(), from, to, |at| found.add(at));
        }
    } else if values.len() > columns.rows() / FEW_ROWS_A_VALUE {
        return Node::Each(field, matcher.clone());
    } else {
        values.iter().enumerate().filter(|(_, value)| matcher.matches(value)).for_each(|(at, _)| found.add(at));
    }
    found.node(field)
}

// Where fewer rows than this share a value, testing all values before any row is not worth it: the page or the other
// terms may need few of them.
const FEW_ROWS_A_VALUE: usize = 8;

fn each_value(field: Field, columns: &Columns, test: impl Fn(&str) -> bool) -> Node {
    let Some(text) = columns.text(field) else { return Node::Const(false) };
    let mut found = Found::new(text.values.len());
    text.values.iter().enumerate().filter(|(_, value)| test(value)).for_each(|(at, _)| found.add(at));
    found.node(field)
}

fn url(matcher: &TextMatcher, columns: &Columns) -> Node {
    let present =
        |field| columns.text(field).map_or(Node::Const(false), |text| Node::Codes(field, 1, text.values.len() as u64));
    let within = matcher.needle().is_some_and(|needle| !needle.bytes().contains(&b'?') && !needle.bytes().is_empty());
    if matcher.is_present() {
        present(Field::Path)
    } else if within {
        let query = join([present(Field::Path), codes(Field::Query, matcher, columns)].into_iter(), false, Node::And);
        join([codes(Field::Path, matcher, columns), query].into_iter(), true, Node::Or)
    } else {
        Node::Url(matcher.clone())
    }
}

// Which of a column's values match: none, one run, or a set.
struct Found {
    set: Vec<u64>,
    values: usize,
    count: usize,
    first: usize,
    last: usize,
}

impl Found {
    fn new(values: usize) -> Self {
        // code 0 is absent and never set
        Self { set: vec![0; values / 64 + 1], values, count: 0, first: usize::MAX, last: 0 }
    }

    fn add(&mut self, at: usize) {
        let code = at + 1;
        self.set[code / 64] |= 1 << (code % 64);
        self.count += 1;
        (self.first, self.last) = (self.first.min(code), self.last.max(code));
    }

    fn node(self, field: Field) -> Node {
        debug_assert!(self.count <= self.values, "a value is found once");
        match self.count {
            0 => Node::Const(false),
            count if self.last - self.first + 1 == count => Node::Codes(field, self.first as u64, self.last as u64),
            _ => Node::Set(field, self.set),
        }
    }
}

impl Node {
    fn cost(&self) -> u8 {
        match self {
            Self::Const(_) => 0,
            Self::Number(Number::Size, _) | Self::Lazy(_) => 3,
            Self::Number(..) | Self::Codes(..) => 1,
            Self::Set(..) => 2,
            Self::Not(inner) => inner.cost(),
            Self::And(inner) | Self::Or(inner) => inner.iter().map(Self::cost).max().unwrap_or(0),
            Self::Each(..) | Self::Url(_) | Self::Derived(_) => 4,
            Self::Row(_, Detail::Columns(_) | Detail::Preview) => 5,
            Self::Row(_, Detail::Whole) => 6,
        }
    }

    fn mask(&self, columns: &Columns, block: usize, candidates: &Mask, need: &mut Need) -> Mask {
        let mut mask = [0; BLOCK / 64];
        match self {
            Self::Const(false) => return mask,
            Self::Const(true) => return *candidates,
            Self::Not(inner) => {
                let hit = inner.mask(columns, block, candidates, need);
                return std::array::from_fn(|word| candidates[word] & !hit[word]);
            }
            Self::And(all) => {
                mask = *candidates;
                for inner in all {
                    mask = inner.mask(columns, block, &mask, need);
                    if mask.iter().all(|&word| word == 0) {
                        break;
                    }
                }
                return mask;
            }
            Self::Or(any) => {
                let mut rest = *candidates;
                for inner in any {
                    let hit = inner.mask(columns, block, &rest, need);
                    for (word, hit) in hit.into_iter().enumerate() {
                        mask[word] |= hit;
                        rest[word] &= !hit;
                    }
                }
                return mask;
            }
            Self::Number(Number::Size, ranges) => {
                let hit = |row| columns.number(Number::Size, row).is_some_and(|size| contains(ranges, size));
                return filter_rows(block, candidates, hit);
            }
            Self::Number(number, ranges) => {
                if let Some(ints) = columns.ints(*number) {
                    ints.mark(block, ranges, &mut mask);
                }
            }
            Self::Codes(field, low, high) => {
                if let Some(text) = columns.text(*field) {
                    text.codes.mark(block * BLOCK, *low, *high, &mut mask);
                }
            }
            Self::Set(field, set) => {
                if let Some(text) = columns.text(*field) {
                    text.codes.mark_set(block * BLOCK, set, &mut mask);
                }
            }
            Self::Each(field, matcher) => {
                let Some(text) = columns.text(*field) else { return mask };
                return filter_rows(block, candidates, |row| text.get(row).is_some_and(|value| matcher.matches(value)));
            }
            Self::Lazy(lazy) => {
                return lazy
                    .mask(columns, block, candidates, |node| node.mask(columns, block, candidates, &mut Need::new()));
            }
            Self::Url(matcher) => {
                let text = |field, row| columns.text(field).and_then(|text| text.get(row));
                return filter_rows(block, candidates, |row| match (text(Field::Path, row), text(Field::Query, row)) {
                    (None, _) => false,
                    (Some(path), None) => matcher.matches(path),
                    (Some(path), Some(query)) => matcher.matches(&format!("{path}?{query}")),
                });
            }
            Self::Derived(matcher) => {
                let (derived, mut text) = (DerivedColumns::new(columns), String::new());
                return filter_rows(block, candidates, |row| {
                    let derived = derived.get(row);
                    if derived.is_empty() || matcher.is_present() {
                        return !derived.is_empty();
                    }
                    text.clear();
                    derived.write(&mut text);
                    matcher.matches(&text)
                });
            }
            Self::Row(predicate, detail) => {
                let mut record = Record::new(Timestamp::from_nanos(0));
                return filter_rows(block, candidates, |row| {
                    let before = need.len();
                    let at = (row / ROWS) as u32;
                    columns.want(PartId::Details(at), need);
                    if *detail == Detail::Whole {
                        columns.want(PartId::Bodies(at), need);
                    }
                    if need.len() > before || columns.details(row).is_none() {
                        return false;
                    }
                    (record.request, record.response) = Default::default();
                    columns.fill(row, *detail, &mut record).is_ok() && predicate.matches(&record)
                });
            }
        }
        std::array::from_fn(|word| mask[word] & candidates[word])
    }
}

fn filter_rows(block: usize, candidates: &Mask, mut test: impl FnMut(usize) -> bool) -> Mask {
    let mut mask = *candidates;
    for (word, bits) in mask.iter_mut().enumerate() {
        let mut left = *bits;
        while left != 0 {
            let bit = left.trailing_zeros();
            left &= left - 1;
            if !test(block * BLOCK + word * 64 + bit as usize) {
                *bits &= !(1 << bit);
            }
        }
    }
    mask
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{EntryId, Seq};
    use crate::record::Stored;
    use crate::segment::grams::Grams;
    use crate::segment::{Part, columns};
    use std::sync::Arc;

    /// The rows that match, where only what is wanted is at hand; and what that was.
    fn matching(predicate: &Predicate, rows: &[Stored]) -> (Vec<usize>, Vec<PartId>) {
        let mut parts = columns(rows);
        let grams = |(id, part): &(PartId, Part)| match (id, part) {
            (PartId::Text(field), Part::Text(text)) => {
                Some((PartId::Grams(*field), Part::Grams(Grams::of(&text.values)?)))
            }
            _ => None,
        };
        parts.extend(parts.iter().filter_map(grams).collect::<Vec<_>>());
        let (mut source, mut wanted) = (Columns::new(rows.len() as u64), Vec::new());
        loop {
            let mut need = Need::new();
            want(predicate, &source, &mut need);
            if need.is_empty() {
                break;
            }
            for id in need {
                let part = parts.iter().find(|(known, _)| *known == id).map_or(Part::Absent, |(_, part)| part.clone());
                source.insert(id, Arc::new(part));
                wanted.push(id);
            }
        }
        let evaluator = Evaluator::new(predicate, &source);
        let mask = |block| evaluator.mask(&source, block, &all_rows(&source, block), &mut Need::new());
        let masks: Vec<Mask> = (0..rows.len().div_ceil(BLOCK)).map(mask).collect();
        let is_set = |row: &usize| masks[row / BLOCK][row % BLOCK / 64] >> (row % 64) & 1 != 0;
        ((0..rows.len()).filter(is_set).collect(), wanted)
    }

    #[test]
    fn a_word_of_a_query_is_found_where_the_gram_filter_of_the_paths_rules_it_out() {
        let rows: Vec<Stored> = (0..6000)
            .map(|row| {
                let mut record = Record::new(Timestamp::from_nanos(row));
                if row % 5 != 3 {
                    record.texts.set(Field::Path, &format!("/v1/documents/{row}"));
                }
                let word = if row % 1000 == 7 || row == 8 { "lagoon" } else { "ocean" };
                record.texts.set(Field::Query, &format!("q=lake+{word}&page={row}"));
                Stored { id: EntryId::new(1, Seq::new(row as u64 + 1).unwrap()), record }
            })
            .collect();
        for key in [TextKey::Search, TextKey::Url] {
            let predicate = Predicate::Text(key, TextMatcher::contains("Lagoon"));
            let expected: Vec<usize> = (0..rows.len()).filter(|row| predicate.matches_stored(&rows[*row])).collect();
            assert_eq!(expected.len(), 6, "without a path there is no URL");
            let (found, wanted) = matching(&predicate, &rows);
            assert_eq!(found, expected);
            assert!(wanted.contains(&PartId::Grams(Field::Path)) && wanted.contains(&PartId::Grams(Field::Query)));
        }
        let nowhere = Predicate::Text(TextKey::Search, TextMatcher::contains("xylofoon"));
        let (found, wanted) = matching(&nowhere, &rows);
        assert!(found.is_empty() && !wanted.contains(&PartId::Text(Field::Path)), "{wanted:?}");
    }
}
