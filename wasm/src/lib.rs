//! reqlog for JavaScript: the machines of [`reqlog_core::offline`] and the query language, one class or function each.
//!
//! What is read, when, and by which worker is the business of `wasm/js`. Positions in queries are UTF-16 code units, offsets
//! in files are numbers (exact up to 2^53), times are `BigInt` nanoseconds. What is refused is thrown as an `Error` with a
//! `code`.
//!
//! **Architecture invariant.** No rule of a format, a query or a wire is here.

mod answer;
mod input;
mod store;

use reqlog_core::filter::editor;
use wasm_bindgen::JsValue;
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

/// Reads a query: JSON of `Parsed` in `api.ts`.
#[wasm_bindgen]
pub fn parse(query: &str, caret: Option<u32>) -> String {
    editor::parse(query, caret.map(|caret| caret as usize)).to_string()
}

/// What can be written at `caret`: JSON of `Completions` in `api.ts`.
#[wasm_bindgen]
pub fn complete(query: &str, caret: u32) -> String {
    editor::complete(query, caret as usize).to_string()
}

/// What is thrown, with a code of `EngineError`.
fn refuse(code: &str, why: impl std::fmt::Display) -> JsValue {
    let error = js_sys::Error::new(&why.to_string());
    // fails for sealed objects only
    let _ = js_sys::Reflect::set(&error, &"code".into(), &code.into());
    error.into()
}

/// The 32 bytes that hashes of replaced secrets are keyed with.
fn key(bytes: &[u8]) -> Result<[u8; 32], JsValue> {
    bytes.try_into().map_err(|_| refuse("query", "a redaction key has 32 bytes"))
}
