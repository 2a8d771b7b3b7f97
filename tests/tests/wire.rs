//! Every wire vector against the plan over a list of records.

use reqlog_tests::memory::Memory;
use reqlog_tests::wire::{run, run_folder};
use std::path::Path;

fn check(dialect: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(dialect);
    match run_folder(&folder, Memory::default) {
        Ok(files) => assert!(files > 0, "no vectors in {}", folder.display()),
        Err(failures) => panic!("{failures}"),
    }
}

#[test]
fn flowmock() {
    check("flowmock");
}

#[test]
fn reqlog() {
    check("reqlog");
}

#[test]
fn a_vector_that_does_not_hold_is_told() {
    let told = |text: &str| run(text, &mut Memory::default()).unwrap_err();
    assert!(told("### a\nGET /healthz\n\nHTTP/1.1 201\n").contains("expected status 201"));
    assert!(told("### a\nGET /healthz\n\nHTTP/1.1 200\n!content-type\n").contains("expected no content-type"));
    assert!(told("### a\nGET /healthz\n\nHTTP/1.1 200\nETag: x\n").contains("expected ETag: x"));
    assert!(told("### a\nGET /healthz\n\nHTTP/1.1 200\n\n{\"status\":\"{{s}}\"}x\n").contains("expected {"));
    assert!(told("### a\nGET /{{x}}\n\nHTTP/1.1 200\n").contains("nothing was captured as x"));
}
