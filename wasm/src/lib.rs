//! reqlog for JavaScript: the machines of [`reqlog_core::offline`] and the query language, one class or function each.
//!
//! What is read, when, and by which worker is the business of `wasm/js`. Positions in queries are UTF-16 code units here,
//! offsets in files are numbers (exact up to 2^53), times are `BigInt` nanoseconds. What is refused is thrown as an
//! `Error` with a `code`.
//!
//! **Architecture invariant.** No rule of a format, a query or a wire is here.

mod answer;
mod input;
mod language;
mod refusal;
mod store;

use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console, js_name = error)]
    fn report(message: &str);
}

/// What a trap says of itself goes to the console; the trap reaches the caller.
#[wasm_bindgen(start)]
pub fn start() {
    std::panic::set_hook(Box::new(|panic| report(&panic.to_string())));
}
