//! Every wire vector against the engine as WebAssembly. Without Node, a built package or Chromium this says so and passes;
//! `REQLOG_BROWSER=required` makes their absence a failure.

use reqlog_tests::browser::Browser;
use reqlog_tests::wire::{control, run_all};

/// Whether the module can be run there.
fn is_here(browser: Browser) -> bool {
    let Some(missing) = browser.missing() else { return true };
    assert!(std::env::var("REQLOG_BROWSER").as_deref() != Ok("required"), "{missing}");
    println!("the module is left out: {missing}");
    false
}

fn every_vector_holds(browser: Browser) {
    if is_here(browser) {
        run_all(&browser).unwrap_or_else(|failures| panic!("\n{failures}"));
    }
}

#[test]
fn every_vector_holds_in_node() {
    every_vector_holds(Browser::Node);
}

#[test]
fn every_vector_holds_in_chromium() {
    every_vector_holds(Browser::Chromium);
}

#[test]
fn no_file_holds_when_every_answer_is_a_little_wrong() {
    if is_here(Browser::Node) {
        control(Browser::Node).unwrap();
    }
}
