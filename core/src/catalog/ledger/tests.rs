use super::*;
use crate::catalog::Summary;
use crate::id::Seq;
use crate::record::Record;
use crate::timestamp::Timestamp;
use proptest::prelude::*;
use proptest::sample::Index;
use std::sync::Arc;

fn entry(id: SourceId, first: u64, rows: usize) -> Entry {
    let record = Record::new(Timestamp::from_nanos(0));
    let draft = Summary::draft(std::iter::repeat_n(&record, rows)).unwrap();
    Entry { id, summary: Arc::new(draft.place(Seq::new(first).unwrap(), 1).unwrap()) }
}

fn batch(first: u64, rows: usize) -> Entry {
    entry(SourceId::Batch(first), first, rows)
}

fn segment(number: u64) -> Entry {
    entry(SourceId::Segment(number), 1, 1)
}

fn replacement(id: u64, removed: &str, added: &[u64]) -> Replacement {
    Replacement { id, at_ms: id, removed: removed.parse().unwrap(), added: added.to_vec() }
}

fn used(entries: &[Entry], replacements: &[Replacement], unread: &[u64]) -> Result<String, u64> {
    let live = live(entries, replacements, &unread.iter().copied().collect())?;
    let ids: Vec<SourceId> = live.iter().map(|entry| entry.id).collect();
    Ok(Sources::of(&ids, entries).to_string())
}

#[test]
fn what_was_merged_on_is_undone_with_the_sibling_that_is_missing() {
    let entries: Vec<Entry> = [batch(1, 4), batch(5, 4), batch(9, 1)].into_iter().chain((1..=5).map(segment)).collect();
    // one segment a project; the first of them and that of another merge are merged on
    let replacements = [
        replacement(1, "b1-5", &[1, 2]),
        replacement(2, "b5-9", &[3]),
        replacement(3, "s1,s3", &[4]),
        replacement(4, "s4", &[5]),
    ];
    assert_eq!(used(&entries, &replacements, &[]), Ok("b9-10,s2,s5".to_owned()));
    assert_eq!(used(&entries, &replacements, &[5]), Ok("b9-10,s2,s4".to_owned()));
    assert_eq!(used(&entries, &replacements, &[4, 5]), Ok("b9-10,s1-4".to_owned()));
    // 3 is shown again, 1 is not: its rows are in the first batch
    assert_eq!(used(&entries, &replacements, &[2]), Ok("b1-5,b9-10,s3".to_owned()));
    assert_eq!(used(&entries, &replacements, &[2, 3]), Ok("b1-10".to_owned()));
    assert_eq!(used(&entries, &replacements, &[3, 5]), Ok("b9-10,s2,s4".to_owned()));
    // not used, so not missed
    assert_eq!(used(&entries, &replacements, &[1, 3, 4]), Ok("b9-10,s2,s5".to_owned()));
}

#[test]
fn a_segment_is_lost_when_what_it_replaced_is_gone() {
    let entries = [batch(1, 4), batch(9, 2), segment(1), segment(2)];
    let known = [replacement(1, "b1-9", &[1]), replacement(2, "s1", &[2])];
    assert_eq!(used(&entries, &known, &[2]), Ok("b9-11,s1".to_owned()));
    assert_eq!(used(&entries, &known, &[1, 2]), Err(2), "a batch of the first merge is not there");
    assert_eq!(used(&entries[..2], &[], &[7]), Ok("b1-5,b9-11".to_owned()), "it is of no concern");
    assert_eq!(used(&entries[3..], &[], &[2]), Err(2), "nothing is known of it");
    assert_eq!(used(&entries[3..], &known[1..], &[2]), Err(2), "what it replaced is gone, without a trace");
}

#[test]
fn a_replacement_waits_for_those_that_it_builds_upon() {
    let replacements = [
        Replacement { at_ms: 40, ..replacement(3, "s3", &[4]) },
        Replacement { at_ms: 50, ..replacement(1, "b1-5", &[1, 2]) },
        // the clock was set back
        Replacement { at_ms: 10, ..replacement(2, "s2", &[3]) },
        Replacement { at_ms: 20, ..replacement(4, "b5-9", &[]) },
    ];
    let ids = |now, grace| due(&replacements, now, grace).map(|replacement| replacement.id).collect::<Vec<_>>();
    assert_eq!(ids(100, 60), [4], "2 and 3 are old enough, but not what they build upon");
    assert_eq!(ids(109, 60), [4]);
    assert_eq!(ids(110, 60), [1, 2, 3, 4]);
    assert_eq!(ids(5, 60), [0; 0]);
}

#[test]
fn ranges_end_where_a_sequence_is_missing() {
    let entries = [batch(1, 4), batch(5, 4), batch(10, 1), batch(11, 9), batch(20, 1)];
    let ids = [20, 1, 10, 5, 11].map(SourceId::Batch).into_iter().chain([9, 6, 3, 8, 7].map(SourceId::Segment));
    let sources = Sources::of(&ids.collect::<Vec<_>>(), &entries);
    assert_eq!(sources.to_string(), "b1-9,b10-21,s3,s6-10");
    assert_eq!(sources.segments().collect::<Vec<_>>(), [3, 6, 7, 8, 9]);
    assert_eq!(Sources::of(&[SourceId::Batch(1), SourceId::Batch(10)], &entries).to_string(), "b1-5,b10-11");
}

#[test]
fn only_one_spelling_is_read() {
    for text in ["", "b1-2", "s1", "s1-3", "b1-2049,s5,s7-10", "b1-5,b6-7", "s0,s18446744073709551614"] {
        assert_eq!(text.parse::<Sources>().map(|sources| sources.to_string()), Ok(text.to_owned()));
    }
    for text in [
        ",",
        "b1-2,",
        ",s1",
        "b1",
        "b",
        "s",
        "x1",
        "é1",
        "b1-1",
        "b2-1",
        "s5-6",
        "s01",
        "s+1",
        "b-1-2",
        "s1,s2",
        "s1-3,s3",
        "b1-5,b5-7",
        "s3,s1",
        "s1,s1",
        "s1,b1-2",
        "b1-2, s1",
        " s1",
        "s18446744073709551615",
        "s18446744073709551616",
    ] {
        assert_eq!(text.parse::<Sources>(), Err(NotSources(text.to_owned())));
    }
}

/// A store and all that ever happened in it.
#[derive(Default)]
struct Store {
    entries: Vec<Entry>,
    // with the rows of each source that ever was
    rows: BTreeMap<SourceId, BTreeSet<u64>>,
    replacements: Vec<Replacement>,
    // removed and added; of those that are forgotten, too
    history: Vec<(u64, Vec<SourceId>, Vec<u64>)>,
    head: u64,
    segments: u64,
    now: u64,
}

#[derive(Clone, Debug)]
enum Event {
    // rows, and how many sequences are left out before them
    Commit(usize, u64),
    // of live sources, into one segment for each of so many projects
    Merge(Vec<Index>, u64),
    // the clock goes on, or back
    Time(i64),
    // so many of what is due
    Forget(u64, usize),
}

const PROJECTS: u64 = 12;

impl Store {
    fn live(&self) -> Vec<SourceId> {
        let none = BTreeSet::new();
        live(&self.entries, &self.replacements, &none).unwrap().into_iter().map(|entry| entry.id).collect()
    }

    fn play(&mut self, event: &Event) {
        match event {
            Event::Commit(rows, hole) => {
                let first = self.head + 1 + hole;
                self.head = first + *rows as u64 - 1;
                self.entries.push(batch(first, *rows));
                self.rows.insert(SourceId::Batch(first), (first..=self.head).collect());
            }
            Event::Merge(places, projects) => self.merge(places, *projects),
            Event::Time(passed) => self.now = self.now.saturating_add_signed(*passed),
            Event::Forget(grace, most) => {
                let due: Vec<Replacement> = due(&self.replacements, self.now, *grace).take(*most).cloned().collect();
                for forgotten in due {
                    self.entries.retain(|entry| !forgotten.removed.contains(entry.id));
                    self.replacements.retain(|replacement| replacement.id != forgotten.id);
                }
            }
        }
    }

    fn merge(&mut self, places: &[Index], projects: u64) {
        let live = self.live();
        if live.is_empty() {
            return;
        }
        let inputs: BTreeSet<SourceId> = places.iter().map(|place| *place.get(&live)).collect();
        let inputs: Vec<SourceId> = inputs.into_iter().collect();
        let mut split: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
        for row in inputs.iter().flat_map(|id| &self.rows[id]) {
            split.entry(row % PROJECTS % projects).or_default().insert(*row);
        }
        let mut added = Vec::new();
        for rows in split.into_values() {
            self.segments += 1;
            added.push(self.segments);
            self.entries.push(segment(self.segments));
            self.rows.insert(SourceId::Segment(self.segments), rows);
        }
        let id = self.history.len() as u64 + 1;
        let removed = Sources::of(&inputs, &self.entries);
        assert!(self.rows.keys().all(|id| removed.contains(*id) == inputs.contains(id)));
        assert_eq!(removed.to_string().parse(), Ok(removed.clone()));
        self.replacements.push(Replacement { id, at_ms: self.now, removed, added: added.clone() });
        self.history.push((id, inputs, added));
    }

    /// What would be used had these replacements not happened; `None` if others could not have happened without them.
    fn without(&self, undone: &BTreeSet<u64>) -> Option<BTreeSet<SourceId>> {
        let mut used: BTreeSet<SourceId> =
            self.rows.keys().copied().filter(|id| matches!(id, SourceId::Batch(_))).collect();
        for (_, removed, added) in self.history.iter().filter(|(id, ..)| !undone.contains(id)) {
            if !removed.iter().all(|id| used.remove(id)) {
                return None;
            }
            used.extend(added.iter().copied().map(SourceId::Segment));
        }
        Some(used)
    }

    /// Whether the rows of all sources are still there in some way: the least that has to be undone, by trying everything.
    fn least(&self, unread: &BTreeSet<u64>) -> Option<BTreeSet<SourceId>> {
        let known: Vec<u64> = self.replacements.iter().map(|replacement| replacement.id).collect();
        let stored: BTreeSet<SourceId> = self.entries.iter().map(|entry| entry.id).collect();
        let is_read = |id: &SourceId| !matches!(id, SourceId::Segment(segment) if unread.contains(segment));
        let mut sets: Vec<u32> = (0..1 << known.len()).collect();
        sets.sort_by_key(|set| set.count_ones());
        sets.into_iter().find_map(|set| {
            let undone = known.iter().enumerate().filter(|(at, _)| set >> at & 1 == 1).map(|(_, id)| *id).collect();
            self.without(&undone).filter(|used| used.iter().all(|id| stored.contains(id) && is_read(id)))
        })
    }
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => (1usize..6, prop_oneof![4 => Just(0u64), 1 => 1u64..9]).prop_map(|(rows, hole)| Event::Commit(rows, hole)),
        4 => (prop::collection::vec(any::<Index>(), 1..4), 1u64..=4).prop_map(|(places, projects)| Event::Merge(places, projects)),
        3 => (-40i64..50).prop_map(Event::Time),
        3 => (0u64..40, 0usize..4).prop_map(|(grace, most)| Event::Forget(grace, most)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_row_is_shown_once_unless_it_is_gone(
        events in prop::collection::vec(event(), 1..24), unread in prop::collection::vec(prop::collection::vec(any::<Index>(), 0..5), 4)
    ) {
        let mut store = Store::default();
        for event in &events {
            // every set of replacements is tried below
            if matches!(event, Event::Merge(..)) && store.replacements.len() >= 8 {
                continue;
            }
            store.play(event);
        }
        let all: Vec<u64> = store.rows.iter().filter(|(id, _)| matches!(id, SourceId::Batch(_))).flat_map(|(_, rows)| rows.iter().copied()).collect();
        for unread in unread {
            // lately written segments are missed more often
            let unread: BTreeSet<u64> = if store.segments == 0 { BTreeSet::new() } else {
                unread.iter().map(|at| store.segments - at.index(store.segments.min(6) as usize) as u64).collect()
            };
            let least = store.least(&unread);
            match live(&store.entries, &store.replacements, &unread) {
                Ok(live) => {
                    let ids: BTreeSet<SourceId> = live.iter().map(|entry| entry.id).collect();
                    let mut shown: Vec<u64> = live.iter().flat_map(|entry| store.rows[&entry.id].iter().copied()).collect();
                    shown.sort_unstable();
                    prop_assert_eq!(&shown, &all);
                    // and no more is undone than has to be
                    prop_assert_eq!(Some(ids), least);
                }
                Err(lost) => {
                    prop_assert!(unread.contains(&lost));
                    prop_assert_eq!(least, None, "{} is said to be lost", lost);
                }
            }
        }
        prop_assert_eq!(store.least(&BTreeSet::new()), Some(store.live().into_iter().collect()));
    }

    #[test]
    fn any_text_is_refused_or_canonical(text in "([bs][0-9]{1,2}(-[0-9]{1,2})?,?){0,4}") {
        match text.parse::<Sources>() {
            Ok(sources) => prop_assert_eq!(sources.to_string(), text),
            Err(error) => prop_assert_eq!(error, NotSources(text)),
        }
    }
}
