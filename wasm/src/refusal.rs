//! What is thrown: an `Error` with a code of `EngineError`.

use js_sys::{Error, Reflect};
use reqlog_core::codec::Corrupt;
use reqlog_core::format::InflateError;
use reqlog_core::plan::Failure;
use wasm_bindgen::JsValue;

pub fn refuse(code: &str, message: &str) -> JsValue {
    let error = Error::new(message);
    // fails for sealed objects only
    let _ = Reflect::set(&error, &"code".into(), &code.into());
    error.into()
}

/// An argument cannot be understood.
pub fn query(what: impl std::fmt::Display) -> JsValue {
    refuse("query", &what.to_string())
}

/// What an engine made, another does not read.
pub fn crashed(corrupt: Corrupt) -> JsValue {
    refuse("crashed", &corrupt.to_string())
}

/// Why a file is not opened.
pub fn format(failure: Failure) -> JsValue {
    match failure {
        Failure::Body(message) => refuse("format", &message),
        other => refuse("format", &format!("{other:?}")),
    }
}

pub fn corrupt(error: InflateError) -> JsValue {
    refuse("corrupt", &error.to_string())
}
