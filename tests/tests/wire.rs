//! Every folder of wire vectors against every frontend.

use reqlog_tests::memory::InMemory;
use reqlog_tests::native::Native;
use reqlog_tests::wire::{Count, Frontend, count, folders, run, run_folder};
use std::path::{Path, PathBuf};

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

fn holds_over(frontend: &impl Frontend) {
    let mut failures = Vec::new();
    for folder in folders(&vectors()).unwrap() {
        match run_folder(&folder, frontend) {
            Ok(held) => assert_eq!(held, count(&folder).unwrap()),
            Err(failure) => failures.push(failure),
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n\n"));
}

#[test]
fn every_vector_holds_in_memory() {
    holds_over(&InMemory);
}

#[test]
fn every_vector_holds_over_a_socket_from_batches() {
    holds_over(&Native::Batches);
}

#[test]
fn every_vector_holds_over_a_socket_from_segments() {
    holds_over(&Native::Segments);
}

#[test]
fn every_dialect_has_steps_and_refusals_enough() {
    let folders = folders(&vectors()).unwrap();
    assert!(folders.len() >= 2);
    for folder in folders {
        let Count { files, steps, refusals } = count(&folder).unwrap();
        let dialect = folder.file_name().unwrap_or_default().to_string_lossy();
        println!("{dialect}: {steps} steps in {files} files, {refusals} of them refusals");
        assert!(steps >= 25 && refusals >= 10, "{dialect}: {steps} steps, {refusals} refusals");
    }
}
