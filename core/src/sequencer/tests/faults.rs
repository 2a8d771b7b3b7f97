//! Whatever fails, and whenever: the laws hold; and they do not hold where something of the design is left out.

use super::database::Lacking;
use super::world::{Fault, Op, Tally, World};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::cell::Cell;

fn op() -> impl Strategy<Value = Op> {
    let machine = || prop_oneof![3 => Just(0), 1 => Just(1)];
    let bytes = || prop_oneof![4 => 0..80usize, 1 => 500..1700usize];
    let fault = || {
        prop_oneof![
            8 => Just(Fault::None), 1 => Just(Fault::Before), 2 => Just(Fault::After),
            2 => (1..30usize).prop_map(Fault::Late)
        ]
    };
    let submit = (machine(), prop::option::of(vec(0..60u64, 1..5)), 0..5usize, bytes());
    let import = (machine(), any::<bool>(), prop::bool::weighted(0.2), 0..3usize, 0..2usize);
    prop_oneof![
        12 => submit.prop_map(|(machine, identities, rows, bytes)| Op::Submit { machine, identities, rows, bytes }),
        2 => import.prop_map(|(machine, goes_on, is_out_of_step, rows, blocks)| {
            Op::Import { machine, goes_on, is_out_of_step, rows, blocks }
        }),
        16 => machine().prop_map(Op::Begin),
        14 => (machine(), fault()).prop_map(|(machine, fault)| Op::Finish(machine, fault)),
        8 => (1..400i64).prop_map(Op::Pass),
        1 => (5_000..31_000i64).prop_map(Op::Pass),
        1 => (1..5_000i64).prop_map(Op::SetBack),
        1 => (machine(), 0..1_000i64).prop_map(|(machine, ahead)| Op::Tell(machine, ahead)),
        1 => (machine(), prop::option::of(1..30usize)).prop_map(|(machine, later)| Op::Restart(machine, later)),
        1 => Just(Op::Seal),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    fn what_is_acknowledged_is_stored_once_whatever_fails(ops in vec(op(), 1..160)) {
        World::new(Lacking::Nothing).run(&ops).map_err(TestCaseError::fail)?;
    }
}

fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 0, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

#[test]
fn the_laws_notice_a_database_without_what_they_need() {
    for lacking in [Lacking::Condition, Lacking::Tokens, Lacking::Identities, Lacking::Reload] {
        let run = |ops: Vec<Op>| World::new(lacking).run(&ops).map(drop).map_err(TestCaseError::fail);
        assert!(runner(600).run(&vec(op(), 1..160), run).is_err(), "nobody noticed: {lacking:?}");
    }
}

#[test]
fn the_runs_come_across_every_answer() {
    let sum = Cell::new(Tally::default());
    let run = |ops: Vec<Op>| {
        let (all, one) = (sum.get(), World::new(Lacking::Nothing).run(&ops).map_err(TestCaseError::fail)?);
        sum.set(Tally {
            committed: all.committed + one.committed,
            duplicates: all.duplicates + one.duplicates,
            unknown: all.unknown + one.unknown,
            appeared: all.appeared + one.appeared,
            failed: all.failed + one.failed,
        });
        Ok(())
    };
    runner(200).run(&vec(op(), 100..160), run).unwrap();
    let all = sum.get();
    assert!(all.committed > 1_000 && all.duplicates > 500 && all.failed > 100, "{all:?}");
    assert!(all.appeared > 20 && all.unknown > all.appeared + 20, "{all:?}");
}
