//! One request: plan, run, reply.

use crate::shell::{Bindings, Shell, now, random};
use crate::view::{Reader, View, failed};
use crate::{capture, committer, export, ingest};
use bytes::Bytes;
use futures_util::StreamExt;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, ETAG, IF_NONE_MATCH, VARY};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use reqlog_core::auth::{Keyring, Secret};
use reqlog_core::catalog::{Catalog, Erasure};
use reqlog_core::filter::Predicate;
use reqlog_core::id::{EntryId, Seq};
use reqlog_core::neighbours::{Neighbours, Side};
use reqlog_core::plan::{BodyUse, Context, Failure, Operation, Outcome, Plan, Projects, plan, ui_file};
use reqlog_core::query::{Detail, Query, Unit};
use reqlog_core::scan::Scan;
use std::rc::Rc;
use std::time::Duration;
use worker::js_sys::Reflect;
use worker::{Body, Headers, Method, Request, RequestInit, Response, ResponseBuilder};

/// Answers a request.
pub async fn answer(request: Request, bindings: Rc<Bindings>) -> worker::Result<Response> {
    let Some((head, body)) = open(&request) else { return Response::error("The URL or the method is none.", 400) };
    if let Some(name) = ui_file(&head, &bindings.shell.settings)
        && let Some(file) = file(name, &head, &bindings).await
    {
        return file.try_into();
    }
    let view = match bindings.shell.view(&bindings.database).await {
        Ok(view) => view,
        Err(fault) => {
            worker::console_error!("the catalog cannot be read: {fault:?}");
            return Ok(whole(&head.headers, without_catalog(&head, &bindings.shell)));
        }
    };
    let mut planned = plan(&head, &bindings.shell.context(&view));
    if let Some(charge) = planned.charge() {
        planned = match committer::charge(&bindings, charge).await {
            Ok(verdict) => planned.admit(verdict),
            Err(failure) => return Ok(whole(&head.headers, planned.reply(Outcome::Failed(failure)))),
        };
    }
    if let BodyUse::Collect { limit } = planned.body() {
        planned = match collect(body, limit).await {
            Ok(bytes) => planned.with_body(&bytes, &bindings.shell.context(&view)),
            Err(failure) => return Ok(whole(&head.headers, planned.reply(Outcome::Failed(failure)))),
        };
        let outcome = run(&bindings, view, &planned).await.unwrap_or_else(Outcome::Failed);
        return Ok(whole(&head.headers, planned.reply(outcome)));
    }
    let outcome = match planned.operation() {
        Operation::Export(_) => return export::answer(bindings, planned, &head.headers).await,
        Operation::Tail { .. } => match committer::follow(&bindings, &head).await {
            Ok(response) => return Ok(response),
            Err(failure) => Outcome::Failed(failure),
        },
        Operation::Page { wait: Some(wait), .. } => {
            let wait = *wait;
            poll(&bindings, view, &mut planned, wait).await.unwrap_or_else(Outcome::Failed)
        }
        Operation::Ingest(request) => {
            let taken = ingest::run(&bindings, &view, request, body).await;
            taken.map_or_else(Outcome::Failed, Outcome::Ingested)
        }
        _ => run(&bindings, view, &planned).await.unwrap_or_else(Outcome::Failed),
    };
    Ok(whole(&head.headers, planned.reply(outcome)))
}

/// A file of the web UI as the platform serves it; `None` where it has none of this name.
async fn file(name: &str, head: &Parts, bindings: &Bindings) -> Option<http::Response<Body>> {
    let headers = Headers::new();
    if let Some(known) = head.headers.get(IF_NONE_MATCH).and_then(|known| known.to_str().ok()) {
        headers.set(IF_NONE_MATCH.as_str(), known).ok()?;
    }
    let mut init = RequestInit::new();
    init.with_method(if head.method == http::Method::HEAD { Method::Head } else { Method::Get }).with_headers(headers);
    // of the URL, only the path is looked at
    let answer = bindings.assets()?.fetch(format!("https://assets/{name}"), Some(init)).await.ok()?;
    let is_there = answer.status().is_success() || answer.status() == StatusCode::NOT_MODIFIED;
    is_there.then_some(answer)
}

// what needs no key is answered all the same
fn without_catalog(head: &Parts, shell: &Shell) -> http::Response<Bytes> {
    let (keyring, projects) = (Keyring::default(), Projects::default());
    let (settings, secret) = (&shell.settings, &[0; 32]);
    let context = Context { keyring: &keyring, projects: &projects, head: None, now: now(), secret, settings };
    let answer = plan(head, &context).reply(Outcome::Nothing);
    if answer.status().is_success() {
        return answer;
    }
    plan(head, &context).reply(Outcome::Failed(Failure::Busy { retry_after: Duration::from_secs(1) }))
}

/// The request as core takes it. The conversions of `worker` panic or give up where a header field is not ASCII.
pub fn open(request: &Request) -> Option<(Parts, Body)> {
    let request = request.inner();
    let mut head =
        http::Request::builder().method(request.method().as_str()).uri(request.url()).body(()).ok()?.into_parts().0;
    let fields = worker::Headers(request.headers());
    head.headers.extend(
        fields
            .entries()
            .filter_map(|(name, value)| capture::field(&name, &value))
            .map(|(name, value)| (Some(name), value)),
    );
    // the platform asks for what it likes itself, and says elsewhere what the client takes
    let cf = Reflect::get(request, &"cf".into()).and_then(|cf| Reflect::get(&cf, &"clientAcceptEncoding".into()));
    if let Some(taken) = cf.ok().and_then(|taken| taken.as_string()) {
        head.headers.insert(ACCEPT_ENCODING, HeaderValue::from_str(&taken).ok()?);
    }
    Some((head, request.body().map_or_else(Body::empty, Body::new)))
}

async fn collect(mut body: Body, limit: usize) -> Result<Bytes, Failure> {
    let mut bytes = Vec::new();
    while let Some(piece) = body.next().await {
        bytes.extend_from_slice(&piece.map_err(|_| Failure::Body("The request's body broke off.".into()))?);
        if bytes.len() > limit {
            return Err(Failure::TooLarge { limit: limit as u64 });
        }
    }
    Ok(bytes.into())
}

/// Runs a page again whenever something was committed, until it has a row or the time is over.
async fn poll(bindings: &Bindings, mut view: Rc<View>, plan: &mut Plan, wait: Duration) -> Result<Outcome, Failure> {
    let deadline = now().plus_nanos(wait.as_nanos() as i64);
    loop {
        plan.advance(view.head().map(EntryId::seq));
        let outcome = run(bindings, view.clone(), plan).await?;
        let left = deadline.as_millis() - now().as_millis();
        if left <= 0 || !matches!(&outcome, Outcome::Page(page) if page.rows.is_empty()) {
            return Ok(outcome);
        }
        committer::wait(bindings, view.head().map(EntryId::seq), left as u64).await?;
        view = bindings.view().await?;
    }
}

async fn run(bindings: &Bindings, view: Rc<View>, plan: &Plan) -> Result<Outcome, Failure> {
    let reader = bindings.reader(view);
    let database = &bindings.database;
    Ok(match plan.operation() {
        Operation::Nothing | Operation::Export(_) | Operation::Tail { .. } | Operation::Ingest(_) => Outcome::Nothing,
        Operation::Page { query, .. } => {
            Outcome::Page(reader.scan(|catalog| Scan::page(query.clone(), catalog)).await?.finish())
        }
        Operation::Get { seq, arrival, filter, detail } => {
            let rows =
                reader.scan(|catalog| Scan::page(Query::one(*seq, filter, *detail), catalog)).await?.finish().rows;
            let row =
                rows.into_iter().next().filter(|row| arrival.is_none_or(|arrival| arrival == row.id.arrival_ms()));
            Outcome::Record(row.map(Box::new))
        }
        Operation::Neighbours { seq, arrival, filter, count } => {
            Outcome::Neighbours(neighbours(&reader, *seq, *arrival, filter, *count).await?.map(Box::new))
        }
        Operation::Stats { filter, bound, unit } => {
            Outcome::Stats(reader.scan(|catalog| Scan::stats(filter, *bound, *unit, catalog)).await?.finish_stats())
        }
        Operation::Histogram(query) => {
            Outcome::Histogram(reader.scan(|catalog| Scan::histogram(query, catalog)).await?.finish_histogram())
        }
        Operation::Facets(query) => {
            Outcome::Facets(reader.scan(|catalog| Scan::facets(query, catalog)).await?.finish_facets(query))
        }
        Operation::Endpoints(query) => {
            Outcome::Endpoints(reader.scan(|catalog| Scan::endpoints(query, catalog)).await?.finish_endpoints(query))
        }
        Operation::Delete { filter, now, project } => {
            let erasure = Erasure::new(filter, *now, project.as_deref()).map_err(Failure::Body)?;
            Outcome::Deleted(delete(bindings, &erasure, None).await?)
        }
        Operation::DeleteProject { name } => {
            reader.view.projects.environments(name).ok_or(Failure::Missing)?;
            let everything = reqlog_core::filter::Filter::All;
            let erasure = Erasure::new(&everything, now(), Some(name)).map_err(Failure::Body)?;
            delete(bindings, &erasure, Some(name)).await?;
            Outcome::Done
        }
        Operation::CreateProject { name, environments } => {
            database.declare(name, environments).await.map_err(failed)?;
            Outcome::Done
        }
        Operation::CreateKey(new) => {
            let secret = Secret::mint(random().map_err(|_| Failure::Internal)?);
            let row = database.create_key(new, secret.hash(), now()).await.map_err(failed)?;
            Outcome::Key { key: row.decode().ok_or(Failure::Internal)?, secret }
        }
        Operation::RevokeKey { id } => {
            if !database.revoke_key(*id).await.map_err(failed)? {
                return Err(Failure::Missing);
            }
            committer::look(bindings).await?;
            Outcome::Done
        }
        Operation::Ready => Outcome::Ready(Ok(())),
        // not offered: the plan has refused them
        Operation::Metrics | Operation::Backup => return Err(Failure::Internal),
    })
}

async fn neighbours(
    reader: &Reader<'_>,
    seq: Seq,
    arrival: Option<u64>,
    filter: &Predicate,
    count: usize,
) -> Result<Option<Neighbours>, Failure> {
    let page = async |query: Query| {
        reader.scan(|catalog| Scan::page(query.clone(), catalog)).await.map(|scan| scan.finish().rows)
    };
    let row = page(Query::one(seq, filter, Detail::Preview)).await?.pop();
    let Some(row) = row.filter(|row| arrival.is_none_or(|arrival| arrival == row.id.arrival_ms())) else {
        return Ok(None);
    };
    let before = page(Side::Before.query(&row, filter, count)).await?;
    let after = page(Side::After.query(&row, filter, count)).await?;
    Ok(Some(Neighbours { row, before, after }))
}

/// Hides what matches, and a project with it; says how many rows that were.
async fn delete(bindings: &Bindings, erasure: &Erasure, project: Option<&str>) -> Result<u64, Failure> {
    let stored = bindings.database.erase(erasure, project).await.map_err(failed)?;
    // it is stored: streams hear of it at their next look at the latest
    if committer::look(bindings).await.is_err() {
        worker::console_error!("the committer was not told of a deletion");
    }
    let Some(deletion) = stored.and_then(|row| row.decode()) else { return Ok(0) };
    // what it alone has hidden
    let reader = bindings.reader(bindings.view().await?);
    let before = |catalog: &Catalog| {
        let mut catalog = catalog.clone();
        catalog.deletions.retain(|other| other.id != deletion.id);
        Scan::stats(&deletion.filter, deletion.head, Unit::Record, &catalog)
    };
    Ok(reader.scan(before).await?.finish_stats().total)
}

/// A whole answer, which the runtime compresses for who takes that.
pub fn whole(asked: &HeaderMap, mut answer: http::Response<Bytes>) -> Response {
    if takes_gzip(asked) && !answer.body().is_empty() && !answer.headers().contains_key(CONTENT_ENCODING) {
        code(answer.headers_mut());
    }
    let (head, body) = answer.into_parts();
    let response = ResponseBuilder::new().with_status(head.status.as_u16()).with_headers(headers(&head.headers));
    match head.status {
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED => response.empty(),
        _ if body.is_empty() => response.empty(),
        _ => response.fixed(body.into()),
    }
}

/// Header fields for the runtime. The conversion of `worker` panics where a value is not ASCII; one that is no text at all
/// is left out.
pub fn headers(fields: &HeaderMap) -> Headers {
    let headers = Headers::new();
    for (name, value) in fields {
        if let Ok(value) = std::str::from_utf8(value.as_bytes()) {
            let _ = headers.append(name.as_str(), value);
        }
    }
    headers
}

/// Whether the client takes gzip.
pub fn takes_gzip(asked: &HeaderMap) -> bool {
    let codings = asked.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    codings.flat_map(|list| list.split(',')).any(|coding| coding.trim().eq_ignore_ascii_case("gzip"))
}

/// Has the runtime compress what follows.
pub fn code(headers: &mut HeaderMap) {
    headers.remove(CONTENT_LENGTH);
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    headers.append(VARY, HeaderValue::from_static("accept-encoding"));
    // a strong entity tag names bytes, and compressed ones are others (RFC 9110, 8.8.3.3)
    let weak = headers.get(ETAG).and_then(|tag| tag.to_str().ok()).filter(|tag| tag.starts_with('"'));
    if let Some(weak) = weak.and_then(|tag| HeaderValue::from_str(&format!("W/{tag}")).ok()) {
        headers.insert(ETAG, weak);
    }
}
