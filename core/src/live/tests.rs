//! Streams against their meaning: whatever happens, a client has what matches, each once, in order.

mod client;
mod reader;
mod world;

use super::{HEARTBEAT, Ring, Room, Step, Tail};
use crate::catalog::Deletion;
use crate::filter::{Filter, Predicate};
use crate::id::Seq;
use crate::timestamp::Timestamp;
use client::{Client, Wish};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use std::sync::Arc;
use world::{Cut, Spec, World};

const SMALL: Room = Room { records: 4, bytes: 16 << 10 };
const ENDPOINTS: [&str; 2] = ["/_logs/stream", "/api/v1/tail"];

#[derive(Clone, Debug)]
enum Op {
    Commit(Vec<Spec>),
    Feed,
    // what native's feeder does when compaction or a load was quicker: some of it is skipped
    Skip(Index),
    Clear,
    Delete(Cut),
    // while the feeder holds rows that it has read
    DeleteBeforeFeed(Cut),
    Connect(Index),
    Step(Index, usize),
    Lose(Index, Index),
    Pass(i64),
}

fn spec() -> impl Strategy<Value = Spec> {
    let bytes = prop_oneof![6 => 0..40usize, 1 => 2000..9000usize];
    (0..3u64, 0..4usize, 0..3usize, 0..3usize, any::<bool>(), bytes).prop_map(
        |(hole, kind, project, container, is_error, bytes)| Spec { hole, kind, project, container, is_error, bytes },
    )
}

fn cut() -> impl Strategy<Value = Cut> {
    prop_oneof![
        1 => Just(Cut::Everything),
        2 => (0..2usize).prop_map(Cut::Project),
        2 => (0..2usize).prop_map(Cut::Container),
        2 => (0..2usize, 0..2usize).prop_map(|(project, container)| Cut::Both(project, container)),
        3 => (0..2usize).prop_map(Cut::Errors),
        1 => (0..2usize).prop_map(Cut::Others),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => vec(spec(), 1..4).prop_map(Op::Commit),
        1 => vec(spec(), 4..90).prop_map(Op::Commit),
        6 => Just(Op::Feed),
        1 => any::<Index>().prop_map(Op::Skip),
        1 => Just(Op::Clear),
        1 => cut().prop_map(Op::Delete),
        1 => cut().prop_map(Op::DeleteBeforeFeed),
        4 => any::<Index>().prop_map(Op::Connect),
        12 => (any::<Index>(), 1..4usize).prop_map(|(client, steps)| Op::Step(client, steps)),
        3 => (any::<Index>(), any::<Index>()).prop_map(|(client, bytes)| Op::Lose(client, bytes)),
        3 => (1..20i64).prop_map(Op::Pass),
    ]
}

fn wish() -> impl Strategy<Value = Wish> {
    let one = |of: std::ops::Range<usize>| proptest::option::of(of);
    (any::<bool>(), proptest::bool::weighted(0.3), one(0..2), one(0..2), one(0..3), proptest::bool::weighted(0.3))
        .prop_map(|(is_hoody, is_scoped, project, container, kind, errors_only)| Wish {
            is_hoody,
            is_scoped,
            project: project.filter(|_| !is_scoped),
            container,
            kind: kind.filter(|_| is_hoody),
            errors_only,
        })
}

fn run(ops: Vec<Op>, wishes: Vec<Wish>) {
    let mut world = World::new(SMALL);
    let mut clients: Vec<Client> = wishes.into_iter().map(Client::new).collect();
    for op in ops {
        match op {
            Op::Commit(specs) => world.commit(&specs),
            Op::Feed => world.feed(),
            Op::Skip(some) => {
                let behind = world.head - world.ring.head();
                let to = world.ring.head() + some.index(behind as usize + 1) as u64;
                world.ring.skip(Seq::new(to));
            }
            Op::Clear => world.ring.clear(),
            Op::Delete(cut) => {
                clients.iter_mut().filter(|_| world.head > 0).for_each(|client| client.destroyed(&cut));
                world.delete(cut.filter());
            }
            Op::DeleteBeforeFeed(cut) => {
                clients.iter_mut().filter(|_| world.head > 0).for_each(|client| client.destroyed(&cut));
                let (read, head) = (world.unfed(), world.head);
                world.delete(cut.filter());
                world.push(read, head);
            }
            Op::Connect(at) => at.get_mut(&mut clients).connect(&world),
            Op::Step(at, steps) => {
                let client = at.get_mut(&mut clients);
                (0..steps).for_each(|_| _ = client.step(&world));
            }
            Op::Lose(at, bytes) => at.get_mut(&mut clients).lose(&world, bytes.index(20_000)),
            Op::Pass(seconds) => world.pass(seconds),
        }
        assert!(world.ring.len() <= SMALL.records && world.ring.head() <= world.head);
    }
    world.feed();
    clients.iter_mut().for_each(|client| client.finish(&world));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_a_client_has_what_matches_each_once_in_order(
        ops in vec(op(), 1..120),
        wishes in vec(wish(), 1..4),
    ) {
        run(ops, wishes);
    }
}

fn plain(count: usize) -> Vec<Spec> {
    vec![Spec { hole: 0, kind: 0, project: 0, container: 0, is_error: false, bytes: 0 }; count]
}

fn text(step: Step) -> String {
    match step {
        Step::Send(bytes) => String::from_utf8(bytes.into()).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn poll(world: &World, tail: &mut Tail) -> Step {
    tail.poll(&world.ring, &world.keyring, world.now)
}

/// A stream whose opening was sent.
fn opened(world: &World, target: &str, key: &str) -> Tail {
    let mut tail = world.tail(target, key, "");
    assert!(text(poll(world, &mut tail)).starts_with(":\nid: "));
    tail
}

#[test]
fn an_id_that_was_never_issued_is_answered_by_reset_and_the_end() {
    let check = |committed: usize, target: &str, id: &str, is_issued: bool| {
        let mut world = World::new(SMALL);
        world.commit(&plain(committed));
        let mut tail = world.tail(target, "all", id);
        let opening = text(poll(&world, &mut tail));
        if is_issued {
            assert_eq!(opening, ":\n\n", "{target} {id}");
            assert!(!matches!(poll(&world, &mut tail), Step::End));
        } else {
            assert_eq!(opening, ":\n\nid:\nevent: reset\ndata: {}\n\n", "{target} {id}");
            assert!(matches!(poll(&world, &mut tail), Step::End));
        }
    };
    let [hoody, own] = ENDPOINTS;
    for id in ["0", "1", "9", "10"] {
        check(5, hoody, id, true);
    }
    for id in ["0", "1", "5"] {
        check(5, own, id, true);
    }
    check(5, hoody, "11", false);
    check(5, own, "6", false);
    for target in ENDPOINTS {
        check(0, target, "0", true);
        check(0, target, "1", false);
        for id in
            ["-1", "+5", "05", "00", "1e0", "0x1", "5.0", "5,5", "id", "18446744073709551616", "9223372036854775808"]
        {
            check(5, target, id, false);
        }
    }
}

#[test]
fn who_loses_a_stream_before_its_first_record_resumes_where_it_began() {
    for (target, id) in ENDPOINTS.into_iter().zip(["6", "3"]) {
        let mut world = World::new(SMALL);
        world.commit(&plain(3));
        let opening = text(poll(&world, &mut world.tail(target, "all", "")));
        assert_eq!(opening, format!(":\nid: {id}\n\n"));
        world.commit(&plain(1));
        world.feed();
        let mut tail = world.tail(target, "all", id);
        assert_eq!(text(poll(&world, &mut tail)), ":\n\n", "who has an id is given none");
        assert!(text(poll(&world, &mut tail)).contains("data: {"), "{target}");
    }
}

#[test]
fn a_stream_is_never_silent_for_longer_than_15_s() {
    for (target, heartbeat) in
        ENDPOINTS.into_iter().zip([":\n\n", "id: 2\nevent: heartbeat\ndata: {\"delivered\":1,\"filtered\":1}\n\n"])
    {
        let mut world = World::new(SMALL);
        let filter = if target == ENDPOINTS[0] { "?level=info" } else { "?q=level:info" };
        let mut tail = opened(&world, &format!("{target}{filter}"), "all");
        world.pass(14);
        let mut specs = plain(2);
        specs[1].is_error = true;
        world.commit(&specs);
        world.feed();
        assert!(text(poll(&world, &mut tail)).contains("data: "));
        world.pass(14);
        let due = world.now.plus_nanos(1_000_000_000);
        assert!(matches!(poll(&world, &mut tail), Step::Wait(at) if at == due), "15 s after what was sent");
        world.now = due.plus_nanos(-1);
        assert!(matches!(poll(&world, &mut tail), Step::Wait(_)));
        world.now = due;
        assert_eq!(text(poll(&world, &mut tail)), heartbeat);
        // a clock that is set back
        world.pass(-3600);
        assert_eq!(text(poll(&world, &mut tail)), heartbeat);
        assert!(matches!(poll(&world, &mut tail), Step::Wait(_)));
    }
}

#[test]
fn heartbeats_come_while_the_store_is_read_without_a_match() {
    let mut world = World::new(SMALL);
    let mut tail = opened(&world, "/api/v1/tail?q=level:error", "all");
    for second in 1..=31 {
        world.pass(1);
        world.commit(&plain(1));
        world.ring.skip(Seq::new(world.head));
        if second % 15 == 0 {
            // up to where it was looked
            let last = second - 1;
            let heartbeat = format!("id: {last}\nevent: heartbeat\ndata: {{\"delivered\":0,\"filtered\":0}}\n\n");
            assert_eq!(text(poll(&world, &mut tail)), heartbeat);
        }
        let Step::Read(query) = poll(&world, &mut tail) else { panic!("second {second}") };
        assert_eq!(tail.absorb(&query, &world.page(&query), world.now), None);
    }
}

#[test]
fn a_stream_ends_with_its_key() {
    let mut world = World::new(SMALL);
    let mut tails = [opened(&world, ENDPOINTS[0], "all"), opened(&world, ENDPOINTS[1], "a")];
    assert!(world.keyring.revoke(2));
    let ended: Vec<_> = tails.iter_mut().map(|tail| matches!(poll(&world, tail), Step::End)).collect();
    assert_eq!(ended, [false, true]);

    // one that goes with its project hears of that first
    world.commit(&plain(1));
    let mut last = opened(&world, ENDPOINTS[0], "a-too");
    world.delete(Predicate::project("a"));
    assert!(world.keyring.revoke(4));
    assert_eq!(text(poll(&world, &mut last)), "event: scope-destroyed\ndata: {}\n\n");
    assert!(matches!(poll(&world, &mut last), Step::End));

    // the key lives for 40 s: two heartbeats and 10 s
    let mut brief = opened(&world, ENDPOINTS[0], "brief");
    let end = world.now.plus_nanos(40_000_000_000);
    for _ in 0..2 {
        world.pass(15);
        assert_eq!(text(poll(&world, &mut brief)), ":\n\n");
    }
    assert!(matches!(poll(&world, &mut brief), Step::Wait(until) if until == end), "no later than the key");
    world.now = end;
    world.commit(&plain(1));
    world.feed();
    assert!(matches!(poll(&world, &mut brief), Step::End), "and nothing after it");
}

#[test]
fn the_scope_is_destroyed_by_what_leaves_nothing_of_it() {
    let check = |deletion: &str, stream: &str, is_destroyed: bool| {
        let mut world = World::new(SMALL);
        world.commit(&plain(1));
        let mut tail = opened(&world, stream, "all");
        world.delete(Filter::parse(deletion).unwrap().filter.resolve(world.now).unwrap());
        match poll(&world, &mut tail) {
            Step::Send(bytes) => {
                assert!(is_destroyed, "{deletion}, {stream}");
                assert_eq!(&bytes[..], b"event: scope-destroyed\ndata: {}\n\n");
                assert!(matches!(poll(&world, &mut tail), Step::End));
            }
            Step::Wait(_) => assert!(!is_destroyed, "{deletion}, {stream}"),
            other => panic!("{other:?}"),
        }
    };
    let [of_a, of_x] = ["/_logs/stream?projectId=a", "/_logs/stream?containerId=x"];
    let both = "/_logs/stream?projectId=a&containerId=x";
    for stream in [of_a, both, "/api/v1/tail?project=a"] {
        for deletion in [
            "",
            "project:a",
            "project:a OR project:b",
            "project:a*",
            "-project:b",
            "project:a OR status:200",
            "project:a -project:b",
        ] {
            check(deletion, stream, true);
        }
        for deletion in [
            "project:b",
            "-project:a",
            "project:a status:200",
            "status:200",
            "-status:200",
            "seq:<9",
            "project:a -container:x",
        ] {
            check(deletion, stream, false);
        }
    }
    for stream in [of_x, both] {
        check("container:x", stream, true);
        check("container:x level:info", stream, false);
        check("container:y", stream, false);
    }
    check("project:a container:x", both, true);
    check("project:b container:x", both, false);
    check("project:a container:x", of_x, false);
    check("project:a container:x", of_a, false);
    check("container:x", of_a, false);
    // it is confined to nothing
    check("", "/_logs/stream", false);
    check("container:x", "/api/v1/tail?q=container:x", false);
}

#[test]
fn who_missed_more_deletions_than_are_remembered_comes_again() {
    let mut world = World::new(SMALL);
    world.commit(&plain(1));
    let mut tails = [opened(&world, ENDPOINTS[0], "all"), opened(&world, ENDPOINTS[1], "all")];
    let narrow = || Filter::parse("project:b").unwrap().filter.resolve(Timestamp::from_nanos(0)).unwrap();
    (0..256).for_each(|_| world.delete(narrow()));
    assert!(matches!(poll(&world, &mut tails[0]), Step::Wait(_)), "so many are remembered");
    world.delete(narrow());
    assert!(matches!(poll(&world, &mut tails[0]), Step::Wait(_)));
    assert!(matches!(poll(&world, &mut tails[1]), Step::End));
}

#[test]
fn the_ring_holds_so_many_records_and_so_many_bytes() {
    let mut world = World::new(Room::default());
    let spec = Spec { bytes: 1000, ..plain(1)[0].clone() };
    world.commit(&vec![spec; 9]);
    let rows = world.unfed();
    let weight = rows[0].record.weight();
    let held = |room: Room| {
        let mut ring = Ring::new(room, None);
        for row in &rows {
            ring.push([row.clone()], row.id.seq());
        }
        let from = (0..=9).find(|at| ring.after(*at).is_some()).unwrap();
        assert!(ring.after(from).unwrap().map(|row| row.id.seq().get()).eq(from + 1..=9));
        ring.len()
    };
    assert_eq!(held(Room { records: 100, bytes: 100 * weight }), 9);
    assert_eq!(held(Room { records: 4, bytes: 100 * weight }), 4);
    assert_eq!(held(Room { records: 100, bytes: 3 * weight }), 3);
    assert_eq!(held(Room { records: 100, bytes: 4 * weight - 1 }), 3);
    assert_eq!(held(Room { records: 100, bytes: 1 }), 1, "one record may be more");
    assert_eq!(held(Room { records: 0, bytes: 0 }), 0);
}

#[test]
fn what_was_destroyed_does_not_come_late() {
    let mut world = World::new(SMALL);
    world.commit(&plain(2));
    let read = world.unfed();
    let deletion = |head: u64| Deletion { id: 1, filter: Predicate::project("a"), head: Seq::new(head).unwrap() };
    world.ring.erase(Arc::new(deletion(1)));
    world.push(read.clone(), 2);
    assert_eq!(world.ring.len(), 1, "the second is newer than the deletion");
    world.ring.erase(Arc::new(deletion(2)));
    assert!(world.ring.is_empty() && world.ring.after(0).is_some_and(|mut rows| rows.next().is_none()));
    world.push(read, 2);
    assert!(world.ring.is_empty(), "what it had is not taken twice");
    assert_eq!(HEARTBEAT.as_secs(), 15);
}
