//! Capture: requests for the origin behind the Worker.
//!
//! Of bodies only what is captured enters the module, and nothing that is done with that is in the way of the response.

use crate::committer;
use crate::ingest::Piece;
use crate::shell::{Bindings, random};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use js_sys::{Array, JsString, Promise, Reflect};
use reqlog_core::accept::Rules;
use reqlog_core::capture::{Captured, End, Exchange, Failure, Upstream, response_headers};
use reqlog_core::plan::Settings;
use reqlog_core::record::Record;
use reqlog_core::timestamp::Timestamp;
use std::rc::Rc;
use std::time::Duration;
use wasm_bindgen::prelude::*;
use worker::wasm_bindgen_futures::JsFuture;
use worker::{Context, Request, Response, Result, console_error, web_sys};

#[wasm_bindgen(module = "/js/capture.mjs")]
extern "C" {
    #[derive(Clone)]
    type Passage;
    #[wasm_bindgen(js_name = proxy)]
    fn begin(request: &web_sys::Request, target: &str, headers: &Array, cap: f64) -> Passage;
    #[wasm_bindgen(method, getter)]
    fn started(this: &Passage) -> f64;
    #[wasm_bindgen(method, getter)]
    fn answered(this: &Passage) -> Promise;
    #[wasm_bindgen(method, getter)]
    fn status(this: &Passage) -> Option<u16>;
    #[wasm_bindgen(method, getter)]
    fn headers(this: &Passage) -> Array;
    #[wasm_bindgen(method, getter)]
    fn failure(this: &Passage) -> Option<String>;
    #[wasm_bindgen(method, catch)]
    fn respond(this: &Passage, headers: &Array) -> std::result::Result<web_sys::Response, JsValue>;
    #[wasm_bindgen(method, getter)]
    fn finished(this: &Passage) -> Promise;

    type Finished;
    #[wasm_bindgen(method, getter)]
    fn request(this: &Finished) -> Side;
    #[wasm_bindgen(method, getter)]
    fn response(this: &Finished) -> Side;
    #[wasm_bindgen(method, getter)]
    fn ended(this: &Finished) -> f64;

    type Side;
    #[wasm_bindgen(method, getter)]
    fn bytes(this: &Side) -> Vec<u8>;
    #[wasm_bindgen(method, getter)]
    fn size(this: &Side) -> f64;
    #[wasm_bindgen(method, getter, js_name = ended)]
    fn how(this: &Side) -> String;
}

/// Passes a request on to the origin, and keeps what sampling wants of the exchange.
pub async fn pass(
    bindings: Rc<Bindings>,
    request: &Request,
    upstream: &Upstream,
    context: &Context,
) -> Result<Response> {
    let (response, record) = proxy(request, upstream, &bindings.shell.settings);
    // first: it keeps the exchange alive when the client goes unanswered
    let keeping = bindings.clone();
    context.wait_until(async move {
        let kept = async { keep(&keeping, record.await?).await };
        if let Err(error) = kept.await {
            console_error!("a captured exchange is lost: {error}");
        }
    });
    response.await
}

async fn keep(bindings: &Bindings, record: Record) -> Result<()> {
    let shell = &bindings.shell;
    let lost = |failure: reqlog_core::plan::Failure| worker::Error::RustError(failure.to_string());
    let view = bindings.known_view().await.map_err(lost)?;
    let random = random()?.iter().take(8).fold(0, |random, byte| random << 8 | u64::from(*byte));
    let rules = Rules::new(&shell.redact_key(&view), &shell.settings, &shell.captured);
    let record = rules.accept_if(record, |record| shell.sampling.keeps(record, random));
    let records: Vec<Record> = record.map_err(worker::Error::RustError)?.into_iter().collect();
    if !records.is_empty() {
        let piece = Piece { records, identities: Vec::new(), import: None };
        committer::submit(bindings, &piece).await.map_err(lost)?;
    }
    Ok(())
}

/// What the client gets, and what is kept of it once both bodies have ended.
fn proxy(
    request: &Request,
    upstream: &Upstream,
    settings: &Settings,
) -> (impl Future<Output = Result<Response>> + use<>, impl Future<Output = Result<Record>> + use<>) {
    let request = request.inner();
    let (url, method) = (request.url(), request.method());
    let seen = map(&Array::from(&request.headers()));
    let client = seen.get("cf-connecting-ip").and_then(|address| address.to_str().ok()).map(str::to_owned);
    let cf = Reflect::get(request.as_ref(), &"cf".into()).and_then(|cf| Reflect::get(&cf, &"httpProtocol".into()));
    let headers = pairs(&upstream.request_headers(&seen, &url, client.as_deref()));
    let passage = begin(request, &upstream.target(&url), &headers, settings.body_cap as f64);
    let passed = passage.clone();
    let response = async move {
        JsFuture::from(passed.answered()).await?;
        Ok(passed.respond(&pairs(&response_headers(&map(&passed.headers()))))?.into())
    };
    let record = async move {
        let finished: Finished = JsFuture::from(passage.finished()).await?.unchecked_into();
        Ok(Exchange {
            method: &Method::from_bytes(method.as_bytes()).unwrap_or_default(),
            url: &url,
            protocol: cf.ok().and_then(|protocol| protocol.as_string()).as_deref(),
            client: client.as_deref(),
            request_headers: &seen,
            request_body: captured(&finished.request()),
            status: passage.status(),
            response_headers: &map(&passage.headers()),
            response_body: captured(&finished.response()),
            started: Timestamp::from_millis(passage.started() as i64),
            duration: Duration::from_millis((finished.ended() - passage.started()) as u64),
            failure: passage.failure().as_deref().map(Failure::Unreachable),
        }
        .record())
    };
    (response, record)
}

fn captured(side: &Side) -> Captured {
    let end = match side.how().as_str() {
        "aborted" => End::Aborted,
        "cancelled" => End::Cancelled,
        _ => End::Whole,
    };
    Captured { bytes: Bytes::from(side.bytes()), size: side.size() as u64, end }
}

// The conversions of `worker` panic where a value is not ASCII.
pub fn field(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_bytes(value.as_bytes()).ok()?))
}

fn map(pairs: &Array) -> HeaderMap {
    let pair = |pair: JsValue| Array::from(&pair);
    pairs.iter().map(pair).filter_map(|pair| field(&pair.get(0).as_string()?, &pair.get(1).as_string()?)).collect()
}

fn pairs(headers: &HeaderMap) -> Array {
    let pair = |(name, value): (&HeaderName, &HeaderValue)| {
        let value = std::str::from_utf8(value.as_bytes()).ok()?;
        Some(Array::of2(&JsString::from(name.as_str()), &JsString::from(value)))
    };
    headers.iter().filter_map(pair).collect()
}
