//! `GET /` where no web UI is: where the API is, as a page or as JSON.

use crate::dialect::{Asked, json, respond};
use crate::plan::is_document;
use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::json;

pub(super) fn page(asked: &Asked<'_>) -> Response<Bytes> {
    let api = format!("{}/api/v1", asked.context.settings.base_path);
    if !is_document(asked.headers) {
        return json(StatusCode::OK, &json!({"name": "reqlog", "version": env!("CARGO_PKG_VERSION"), "api": api}));
    }
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>reqlog</title>\
         <h1>reqlog</h1><p>This build has no web UI: <code>make ui</code> builds it, and what is built after that has \
         it.</p><p>The API is at <code>{api}</code>. Send a key as <code>Authorization: Bearer …</code>, \
         for example to <code>{api}/logs?q=status:5xx</code>. <a href=\"{docs}\">It is documented here</a>.</p></html>\n",
        docs = escape(&format!("{}/docs", asked.context.settings.base_path)),
        api = escape(&api)
    );
    respond(StatusCode::OK, "text/html; charset=utf-8", page)
}

/// The whole API in `OpenAPI`'s words.
pub(super) fn openapi(asked: &Asked<'_>) -> Response<Bytes> {
    json(StatusCode::OK, &crate::openapi::document(&asked.context.settings.base_path))
}

/// The same as a page.
pub(super) fn docs(asked: &Asked<'_>) -> Response<Bytes> {
    let page = crate::openapi::page(&crate::openapi::document(&asked.context.settings.base_path));
    respond(StatusCode::OK, "text/html; charset=utf-8", page)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
