//! Windows, bounds, pauses and answers, step by step.

use super::super::{
    Commit, Committed, DEADLINE, Failure, Head, Loaded, Refusal, Room, Sequencer, Step, Submission, Ticket, Window,
};
use super::database::{Database, Lacking, rows};
use super::{Plain, at, record};
use crate::batch;
use crate::body::Body;
use crate::id::Seq;
use crate::identity::{Imported, Progress};
use crate::record::{Field, Message, Record};
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Duration;

const AT_ONCE: Window = Window { time: Duration::ZERO, bytes: 0 };

struct Rig {
    sequencer: Sequencer,
    database: Database,
    now: i64,
}

impl Rig {
    /// A machine that has loaded its empty database, at 1 s.
    fn new(window: Window, room: Room) -> Self {
        let sequencer = Sequencer::new(window, room, Arc::new(Plain), 7);
        let mut rig = Self { sequencer, database: Database::new(Lacking::Nothing), now: 1_000 };
        rig.load();
        rig
    }

    fn submit(&mut self, submission: Submission) -> Ticket {
        self.sequencer.submit(submission, at(self.now)).unwrap()
    }

    fn next(&mut self) -> Step {
        self.sequencer.next(at(self.now))
    }

    fn load(&mut self) {
        let Step::Load { attempt, identities_after } = self.next() else { panic!("nothing to load") };
        let loaded = self.database.load(attempt.as_deref(), identities_after);
        self.sequencer.loaded(loaded, at(self.now));
    }

    fn commit(&mut self) -> Arc<Commit> {
        match self.next() {
            Step::Commit(commit) => commit,
            step => panic!("nothing to commit: {step:?}"),
        }
    }

    /// The records of the next commit, which succeeds or is refused.
    fn write(&mut self) -> Vec<String> {
        let commit = self.commit();
        match self.database.apply(&commit) {
            Ok(source) => self.sequencer.committed(source),
            Err(()) => self.sequencer.refused(),
        }
        names(&commit)
    }

    fn unknown(&mut self) {
        self.sequencer.unknown(at(self.now));
    }

    fn answers(&mut self) -> Vec<(Ticket, Result<Committed, Failure>)> {
        std::iter::from_fn(|| self.sequencer.settled()).flat_map(|settled| settled.answers).collect()
    }
}

fn some(names: &[&str]) -> Submission {
    sized(names, 0)
}

fn sized(names: &[&str], bytes: usize) -> Submission {
    Submission { records: names.iter().map(|name| record(name, bytes)).collect(), ..Submission::default() }
}

fn known(names: &[&str], identities: &[u64]) -> Submission {
    Submission { identities: identities.to_vec(), ..some(names) }
}

fn part(names: &[&str], source: Option<u64>, from: u64) -> Submission {
    let progress = Progress { source, from, blocks: vec![5], tail: Vec::new() };
    Submission { import: Some(Imported { scope: 3, progress }), ..some(names) }
}

fn names(commit: &Commit) -> Vec<String> {
    rows(commit).iter().map(|row| row.record.text(Field::Message).unwrap().to_owned()).collect()
}

fn until(millis: i64) -> Step {
    Step::Wait(Some(at(millis)))
}

#[test]
fn a_window_ends_so_long_after_its_first_record() {
    let mut rig = Rig::new(Window::default(), Room::default());
    assert_eq!(rig.next(), Step::Wait(None));
    rig.submit(some(&["a"]));
    rig.now = 1_100;
    rig.submit(some(&["b", "c"]));
    rig.now = 1_249;
    assert_eq!(rig.next(), until(1_250));
    rig.now = 1_250;
    let commit = rig.commit();
    assert_eq!(names(&commit), ["a", "b", "c"]);
    rig.submit(some(&["d"]));
    rig.now = 1_600;
    assert_eq!(rig.next(), until(31_250), "one at a time");
    let source = rig.database.apply(&commit).unwrap();
    rig.sequencer.committed(source);
    let committed =
        |first, rows| Ok(Committed { first: Seq::new(first), rows, duplicates: 0, arrival_ms: 1_250, source: None });
    assert_eq!(rig.answers(), [(Ticket(0), committed(1, 1)), (Ticket(1), committed(2, 2))]);
    assert_eq!(rig.write(), ["d"]);
}

#[test]
fn a_window_ends_when_enough_bytes_wait() {
    let mut rig = Rig::new(Window::default(), Room::default());
    rig.submit(sized(&["a"], 40 << 10));
    assert_eq!(rig.next(), until(1_250));
    rig.submit(sized(&["b"], 30 << 10));
    assert_eq!(rig.write(), ["a", "b"]);
}

#[test]
fn an_import_is_committed_alone_and_at_once() {
    let mut rig = Rig::new(Window::default(), Room::default());
    for submission in [some(&["a"]), part(&["i"], None, 0), part(&[], Some(1), 1), some(&["b"])] {
        rig.submit(submission);
    }
    assert_eq!([rig.write(), rig.write(), rig.write()], [vec!["a"], vec!["i"], vec![]]);
    assert_eq!(rig.next(), until(1_250));
    assert_eq!((rig.database.head().next, rig.database.imports[0].0), (3, 2));
    let sources: Vec<_> = rig.answers().iter().map(|(_, answer)| answer.unwrap().source).collect();
    assert_eq!(sources, [None, Some(1), Some(1)]);
}

#[test]
fn a_part_of_an_import_that_does_not_follow_is_overtaken() {
    let mut rig = Rig::new(AT_ONCE, Room::default());
    rig.submit(part(&["i"], None, 0));
    rig.write();
    for from in [0, 2] {
        rig.submit(part(&["j"], Some(1), from));
        rig.write();
        rig.load();
    }
    assert_eq!(rig.answers()[1..], [(Ticket(1), Err(Failure::Overtaken)), (Ticket(2), Err(Failure::Overtaken))]);
    // it was written, and only the answer got lost: with records or without
    for (names, from) in [(&["k"][..], 1), (&[], 2)] {
        rig.submit(part(names, Some(1), from));
        let commit = rig.commit();
        rig.database.apply(&commit).unwrap();
        rig.unknown();
        rig.load();
        assert_eq!(rig.answers()[0].1.unwrap().source, Some(1));
    }
    // and another import has continued it since
    rig.submit(part(&["l"], Some(1), 3));
    let commit = rig.commit();
    rig.database.apply(&commit).unwrap();
    rig.database.imports[0].1 = 0;
    rig.unknown();
    rig.load();
    assert_eq!(rig.answers(), [(Ticket(5), Err(Failure::Unknown))]);
}

#[test]
fn what_does_not_fit_waits_or_is_refused() {
    let room = Room { row: 1_000, rows: 2, backlog: 5_000, identities: 100 };
    let mut rig = Rig::new(AT_ONCE, room);
    let submit = |rig: &mut Rig, submission| rig.sequencer.submit(submission, at(1_000)).err();
    assert_eq!(submit(&mut rig, sized(&["a"], 1_000)), Some(Refusal::TooLarge));
    assert_eq!(submit(&mut rig, sized(&["a", "b", "c"], 700)), Some(Refusal::TooLarge));
    for name in ["a", "b", "c", "d", "e"] {
        assert_eq!(submit(&mut rig, sized(&[name], 700)), None);
    }
    assert_eq!(submit(&mut rig, sized(&["f"], 700)), Some(Refusal::Busy));
    let commit = rig.commit();
    assert_eq!((names(&commit).len(), commit.batches.len()), (2, 2));
    assert_eq!(submit(&mut rig, sized(&["f"], 700)), Some(Refusal::Busy), "what is under way counts too");
    rig.sequencer.committed(None);
    assert_eq!(submit(&mut rig, sized(&["f"], 700)), None);
    rig.database.commits.push(commit);
    assert_eq!([rig.write(), rig.write()], [["c", "d"], ["e", "f"]]);
}

#[test]
fn a_commit_without_an_answer_is_made_again_and_given_up_in_the_end() {
    let mut rig = Rig::new(AT_ONCE, Room::default());
    rig.submit(some(&["a"]));
    let first = rig.commit();
    let mut pauses = Vec::new();
    loop {
        rig.unknown();
        rig.load();
        match rig.next() {
            Step::Wait(Some(end)) => {
                pauses.push(end.as_millis() - rig.now);
                rig.now = end.as_millis();
                assert_eq!(*rig.commit(), *first, "byte for byte");
            }
            step => break assert_eq!(step, Step::Wait(None)),
        }
    }
    assert_eq!(pauses[..8], [50, 100, 200, 400, 800, 1_600, 2_000, 2_000]);
    assert!(rig.now >= 31_000 && rig.now < 33_000, "{}", rig.now);
    assert_eq!(rig.answers(), [(Ticket(0), Err(Failure::Unknown))]);
    // the first try is applied after all, under sequences that the next commit wanted
    rig.submit(some(&["b", "c"]));
    let second = rig.commit();
    rig.submit(some(&["d"]));
    rig.database.apply(&first).unwrap();
    assert!(rig.database.apply(&second).is_err());
    rig.sequencer.refused();
    rig.load();
    assert_eq!(rig.write(), ["b", "c", "d"], "in their order");
    let firsts: Vec<_> = rig.answers().iter().map(|(_, answer)| answer.unwrap().first.unwrap().get()).collect();
    assert_eq!(firsts, [2, 4]);
}

#[test]
fn what_was_never_tried_is_answered_as_not_stored() {
    let mut rig = Rig::new(AT_ONCE, Room::default());
    rig.submit(some(&["a"]));
    let commit = rig.commit();
    rig.now += 10_000;
    rig.submit(some(&["b"]));
    rig.now += DEADLINE.as_millis() as i64;
    rig.next();
    assert_eq!(rig.answers(), [(Ticket(1), Err(Failure::Unavailable))], "nothing is said of what is under way");
    rig.unknown();
    assert!(rig.answers().is_empty(), "nor before the head was asked for");
    assert!(matches!(rig.next(), Step::Load { attempt: Some(attempt), .. } if attempt == commit));
    rig.unknown();
    assert_eq!(rig.answers(), [(Ticket(0), Err(Failure::Unknown))]);
    assert_eq!(rig.next(), until(rig.now + 100));
}

#[test]
fn what_is_sealed_already_does_not_tell_who_wrote_it() {
    let mut rig = Rig::new(AT_ONCE, Room::default());
    rig.submit(some(&["a"]));
    let commit = rig.commit();
    rig.database.apply(&commit).unwrap();
    rig.database.seal();
    rig.unknown();
    rig.load();
    assert_eq!(rig.answers(), [(Ticket(0), Err(Failure::Unknown))]);
    assert_eq!(rig.sequencer.head().unwrap().seq().get(), 1);
}

#[test]
fn nothing_but_duplicates_needs_no_commit() {
    let mut rig = Rig::new(AT_ONCE, Room { identities: 2, ..Room::default() });
    rig.submit(known(&["a", "b"], &[1, 2]));
    assert_eq!(rig.write(), ["a", "b"]);
    rig.submit(known(&["b"], &[2]));
    rig.submit(some(&[]));
    assert_eq!(rig.next(), Step::Wait(None));
    let answer = |rows, duplicates| Committed { first: None, rows, duplicates, arrival_ms: 1_001, source: None };
    assert_eq!(rig.answers()[1..], [(Ticket(1), Ok(answer(0, 1))), (Ticket(2), Ok(answer(0, 0)))]);
    rig.submit(known(&["c", "b", "d", "c"], &[3, 2, 4, 3]));
    assert_eq!(rig.write(), ["c", "d"]);
    let committed = rig.answers()[0].1.unwrap();
    assert_eq!((committed.first, committed.duplicates, committed.arrival_ms), (Seq::new(3), 2, 1_002));
    rig.submit(known(&["e"], &[5]));
    let commit = rig.commit();
    assert_eq!((commit.outdated, &commit.identities[..]), (Some(1), &[5][..]), "two came after the first row");
}

#[test]
fn a_record_that_is_not_stored_again_brings_its_project_not_back() {
    let mut rig = Rig::new(AT_ONCE, Room::default());
    let mut elsewhere = record("a", 0);
    elsewhere.texts.set(Field::Project, "q");
    elsewhere.texts.set(Field::Environment, "test");
    let place = |project: &str, environment: Option<&str>| (project.to_owned(), environment.map(str::to_owned));
    for (records, places) in [
        (vec![elsewhere.clone(), record("b", 0)], vec![place("p", None), place("q", Some("test"))]),
        (vec![elsewhere, record("b", 0), record("c", 0)], vec![place("p", None)]),
    ] {
        let identities = (1..=records.len() as u64).collect();
        rig.submit(Submission { records, identities, import: None });
        let commit = rig.commit();
        assert_eq!(commit.places.iter().cloned().collect::<Vec<_>>(), places);
        rig.sequencer.committed(None);
    }
}

#[test]
fn arrival_is_not_before_what_was_told_and_the_clock_may_go_back() {
    let mut rig = Rig::new(Window::default(), Room::default());
    rig.sequencer.tell(at(5_000));
    rig.submit(some(&["a"]));
    rig.now = 1_300;
    assert_eq!((rig.write(), rig.database.head().arrival), (vec!["a".to_owned()], 5_000));
    rig.submit(some(&["b"]));
    rig.now = 100;
    assert_eq!(rig.next(), until(350), "nobody waits for a clock that was set back");
    rig.now = 350;
    assert_eq!((rig.write(), rig.database.head().arrival), (vec!["b".to_owned()], 5_001));
    // also after what others wrote
    let sequencer = Sequencer::new(AT_ONCE, Room::default(), Arc::new(Plain), 8);
    let mut other = Rig { sequencer, database: rig.database, now: 400 };
    other.load();
    other.submit(some(&["c"]));
    other.write();
    assert_eq!(other.database.head(), Head { next: 4, arrival: 5_002 });
}

#[test]
fn a_database_that_was_set_back_is_believed() {
    let mut rig = Rig::new(AT_ONCE, Room::default());
    for identity in 1..=2 {
        rig.submit(known(&["a"], &[identity]));
        rig.write();
    }
    rig.submit(some(&["b"]));
    rig.commit();
    rig.unknown();
    rig.database.commits.pop();
    rig.database.identities.remove(&2);
    rig.answers();
    rig.load();
    assert_eq!(rig.answers(), [(Ticket(2), Err(Failure::Unknown))]);
    assert_eq!(rig.next(), Step::Load { attempt: None, identities_after: 0 });
    let loaded = rig.database.load(None, 0);
    rig.sequencer.loaded(loaded, at(rig.now));
    assert_eq!((rig.sequencer.remembered(), rig.sequencer.head().unwrap().seq().get()), (1, 1));
    rig.submit(known(&["c", "d"], &[1, 2]));
    assert_eq!(rig.write(), ["d"]);
}

#[test]
fn sequences_end() {
    let mut rig = Rig::new(AT_ONCE, Room::default());
    rig.submit(some(&["a"]));
    rig.commit();
    rig.unknown();
    rig.next();
    let head = Head { next: Seq::MAX.get(), arrival: 5 };
    rig.sequencer.loaded(Loaded { head, token: Some(0), source: None, identities: Vec::new() }, at(rig.now));
    assert_eq!(names(&rig.commit()), ["a"]);
    rig.sequencer.committed(None);
    rig.submit(some(&["b"]));
    assert_eq!(rig.next(), Step::Wait(None));
    let answers = rig.answers();
    assert_eq!((answers[0].1.unwrap().first, answers[1].1), (Some(Seq::MAX), Err(Failure::Exhausted)));
}

#[test]
fn what_is_not_under_way_cannot_be_reported() {
    let mut rig = Rig::new(AT_ONCE, Room::default());
    rig.sequencer.committed(None);
    rig.sequencer.refused();
    rig.unknown();
    assert_eq!(rig.next(), Step::Wait(None));
    rig.submit(some(&["a"]));
    rig.commit();
    let loaded = Loaded { head: Head { next: 9, arrival: 9 }, token: None, source: None, identities: Vec::new() };
    rig.sequencer.loaded(loaded, at(rig.now));
    assert_eq!((rig.sequencer.head(), rig.answers()), (None, vec![]));
}

fn any_record() -> impl Strategy<Value = Record> {
    let texts = prop::collection::vec((prop::sample::select(Field::ALL.to_vec()), "\\PC{0,200}"), 0..22);
    let headers = || prop::collection::vec(("[a-z-]{0,9}", "\\PC{0,9}"), 0..40);
    let body = || prop::option::of((any::<u64>(), prop::collection::vec(any::<u8>(), 0..200), "[a-z/]{0,140}"));
    let numbers = (any::<i64>(), prop::option::of(any::<u16>()), prop::option::of(any::<u64>()));
    (texts, headers(), headers(), body(), body(), numbers, prop::option::of("\\PC{0,200}")).prop_map(
        |(texts, request, response, sent, answered, (time, status, duration), attributes)| {
            let message = |headers: Vec<(String, String)>, body: Option<(u64, Vec<u8>, String)>| {
                let mut message = Message::default();
                headers.iter().for_each(|(name, value)| message.headers.push(name, value));
                message.body = body.map(|(size, bytes, name)| {
                    let content_type = (!name.is_empty()).then_some(name);
                    Body { size, bytes, withheld: 0, content_type, cut: None }
                });
                message
            };
            let mut record = Record::new(crate::timestamp::Timestamp::from_nanos(time));
            texts.iter().for_each(|(field, text)| record.texts.set(*field, text));
            (record.status, record.duration, record.attributes) = (status, duration, attributes);
            (record.request, record.response) = (message(request, sent), message(response, answered));
            record
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_row_is_longer_than_it_was_taken_for(records in prop::collection::vec(any_record(), 1..4)) {
        let blob = batch::encode_each(records.iter(), &Plain).unwrap().blob;
        prop_assert!(blob.len() <= batch::FRAME + records.iter().map(batch::bound).sum::<usize>());
    }
}
