//! Every wire vector against the real Worker on workerd. Without Node or a built Worker this says so and passes;
//! `REQLOG_EDGE=required` makes their absence a failure.

use reqlog_tests::edge::{Edge, Restart, missing};
use reqlog_tests::wire::{control, run_all};

/// Whether the Worker can be run here.
fn is_here() -> bool {
    let Some(missing) = missing() else { return true };
    assert!(std::env::var("REQLOG_EDGE").as_deref() != Ok("required"), "{missing}");
    println!("the Worker is left out: {missing}");
    false
}

fn every_vector_holds(edge: Edge) {
    if is_here() {
        run_all(&edge).unwrap_or_else(|failures| panic!("\n{failures}"));
    }
}

#[test]
fn every_vector_holds_from_batches() {
    every_vector_holds(Edge::Batches(Restart::Never));
}

#[test]
fn every_vector_holds_from_segments() {
    every_vector_holds(Edge::Segments(Restart::Never));
}

#[test]
fn every_vector_holds_from_batches_when_the_runtime_restarts_between_requests() {
    every_vector_holds(Edge::Batches(Restart::BetweenRequests));
}

#[test]
fn every_vector_holds_from_segments_when_the_runtime_restarts_between_requests() {
    every_vector_holds(Edge::Segments(Restart::BetweenRequests));
}

#[test]
fn no_file_holds_when_every_answer_is_a_little_wrong() {
    if is_here() {
        control(Edge::Batches(Restart::Never)).unwrap();
        control(Edge::Segments(Restart::Never)).unwrap();
    }
}
