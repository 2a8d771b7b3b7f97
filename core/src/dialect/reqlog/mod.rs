//! reqlog's own API, below `/api/v1`, and the paths of the server itself.

mod admin;
mod backup;
mod body;
mod documented;
mod endpoints;
mod entry;
mod export;
mod facets;
mod histogram;
mod index;
mod ingest;
mod logs;
mod parameters;
mod problem;
mod range;
mod records;
mod replay;
mod selection;
mod stats;
pub(super) mod tail;

pub(crate) use admin::Change;
pub(crate) use backup::head as backup_head;
pub(super) use documented::ABOUT;
pub(super) use problem::refuse;

use super::endpoint::{self, Access, Endpoint, Match};
use super::params::Params;
use super::{Asked, Planned, json, respond};
use crate::auth::{Key, Role};
use crate::error::{Error, Thing};
use crate::id::Seq;
use crate::plan::{Failure, Operation, Outcome};
use crate::query::Detail;
use bytes::Bytes;
use documented as d;
use http::{Method, Response, StatusCode};
use parameters as p;
use serde_json::json;

/// What the endpoints do.
#[derive(Clone, Copy, Debug)]
pub enum Action {
    /// The web UI, or where the API is.
    Index,
    /// The API's description.
    OpenApi,
    /// The API's description to read.
    Docs,
    /// Whether the process answers.
    Health,
    /// Whether the store can be written.
    Ready,
    /// Prometheus text.
    Metrics,
    /// A page of records.
    List,
    /// Destroys records.
    Destroy,
    /// One record.
    Entry,
    /// A captured body.
    Body,
    /// One exchange as a command, a HAR or text.
    Replay,
    /// Counts.
    Stats,
    /// Counts by time.
    Histogram,
    /// Counts by value.
    Facets,
    /// Counts by method and route.
    Endpoints,
    /// All records that match.
    Export,
    /// Records as they come.
    Tail,
    /// Takes records in.
    Ingest,
    /// Lists projects.
    Projects,
    /// Declares a project.
    DeclareProject,
    /// Forgets a project.
    ForgetProject,
    /// Lists keys.
    Keys,
    /// Makes a key.
    MakeKey,
    /// Revokes a key.
    RevokeKey,
    /// Everything, to be restored elsewhere.
    Backup,
}

const READ: Access = Access::Role(Role::Read);
const ADMIN: Access = Access::Role(Role::Admin);

macro_rules! endpoints {
    ($($method:ident $path:literal $access:expr, $action:ident [$($param:ident),*] $doc:literal
        $(takes $takes:expr,)? => $answers:expr; $refusals:expr;)*) => {
        /// Every endpoint of reqlog's own API.
        pub static ENDPOINTS: &[Endpoint<Action>] = &[$(Endpoint {
            method: Method::$method,
            path: $path,
            access: $access,
            params: &[$(&p::$param),*],
            action: Action::$action,
            doc: $doc,
            takes: endpoints!(@takes $($takes)?),
            answers: $answers,
            refusals: $refusals,
        },)*];
    };
    (@takes) => { &[] };
    (@takes $takes:expr) => { $takes };
}

endpoints! {
    GET "/" Access::Public, Index []
        "The web UI, whose other files are beside it; with an Accept that names application/json and not text/html, \
         where the API is." => d::INDEX; &[];
    GET "/openapi.json" Access::Public, OpenApi [] "This document." => d::OPENAPI; &[];
    GET "/docs" Access::Public, Docs [] "The document as a page to read." => d::DOCS; &[];
    GET "/healthz" Access::Public, Health [] "Answers while the process runs." => d::HEALTH; &[];
    GET "/readyz" Access::Public, Ready [] "Whether the store can be written, or opened files are indexed."
        => d::READINESS; &[];
    GET "/metrics" ADMIN, Metrics [] "Metrics as Prometheus text, for an organisation-wide key." => d::METRICS; d::COUNTED;
    GET "/api/v1/logs" READ, List [Q, PROJECT, LIMIT, CURSOR, OFFSET, SORT, DIR, FIELDS, TOTAL, WAIT]
        "Records that match, page by page." => d::PAGE; d::SEARCH;
    DELETE "/api/v1/logs" ADMIN, Destroy [Q, PROJECT] "Destroys the records that match among those that exist now."
        => d::DELETED; d::WRITE;
    GET "/api/v1/logs/{id}" READ, Entry [CONTEXT] "One record." => d::ENTRY; d::ONE;
    GET "/api/v1/logs/{id}/body" READ, Body [SIDE, VIEW] "The captured bytes of one body." => d::BODY; d::RANGE;
    GET "/api/v1/logs/{id}/export" READ, Replay [AS] "One exchange in a form that can be replayed or shared."
        => d::REPLAY; d::FORM;
    GET "/api/v1/stats" READ, Stats [Q, PROJECT] "How many records match, by their usual dimensions."
        => d::STATS; d::SEARCH;
    GET "/api/v1/histogram" READ, Histogram [Q, PROJECT, BUCKETS, INTERVAL]
        "How many records match in each interval of time, by status class." => d::HISTOGRAM; d::SEARCH;
    GET "/api/v1/facets" READ, Facets [Q, PROJECT, FACET_FIELDS, TOP]
        "How many records match by each value of fields." => d::FACETS; d::SEARCH;
    GET "/api/v1/endpoints" READ, Endpoints [Q, PROJECT, ENDPOINT_SORT, ENDPOINT_LIMIT]
        "Calls that match by method and route: how many, how many failed, how long they took. Percentiles are by nearest \
         rank: exact for up to 512 durations of an endpoint, within 1 % beyond." => d::ENDPOINTS; d::SEARCH;
    GET "/api/v1/export" READ, Export [Q, PROJECT, EXPORT_FORMAT, EXPORT_CURSOR]
        "All records that match, in arrival order, streamed." => d::EXPORT; d::SEARCH;
    GET "/api/v1/tail" READ, Tail [Q, PROJECT]
        "Records that match as they are committed, as Server-Sent Events whose ids are places in arrival order. With \
         Last-Event-ID it goes on after that place: from memory, else from the store." => d::STREAM; d::STREAMED;
    POST "/api/v1/ingest" Access::Role(Role::Ingest), Ingest
        [INGEST_PROJECT, ENVIRONMENT, SESSION, SERVICE, INGEST_FORMAT, IMPORT] "Takes records in."
        takes d::RECORDS, => d::REPORT; d::INGEST;
    GET "/api/v1/projects" READ, Projects [] "The projects that the key may see." => d::PROJECTS; d::KEYED;
    POST "/api/v1/projects" ADMIN, DeclareProject [] "Declares a project or more environments of one."
        takes d::NEW_PROJECT, => d::PROJECT; d::CHANGE;
    DELETE "/api/v1/projects/{name}" ADMIN, ForgetProject []
        "Forgets a project, revokes its keys and destroys its records." => d::GONE; d::REMOVE;
    GET "/api/v1/keys" ADMIN, Keys [] "Keys without their secrets." => d::KEYS; d::KEYED;
    POST "/api/v1/keys" ADMIN, MakeKey [] "Makes a key; its secret is shown this once."
        takes d::NEW_KEY, => d::KEY; d::CHANGE;
    DELETE "/api/v1/keys/{id}" ADMIN, RevokeKey [] "Revokes a key at once." => d::GONE; d::REMOVE;
    GET "/api/v1/backup" ADMIN, Backup []
        "Everything as it is now, for `reqlog restore` and an organisation-wide key." => d::BACKUP; d::COPY;
}

/// Understands a request to a path of reqlog's own.
pub(super) fn plan(asked: &Asked<'_>) -> Result<Planned, Error> {
    let (endpoint, captures) = match endpoint::find(ENDPOINTS, asked.path, asked.method) {
        Match::Nothing => return Err(Error::Route),
        Match::Method(allow) => return Err(Error::Method { allow }),
        Match::Found(endpoint, captures) => (endpoint, captures),
    };
    let key = asked.admit(endpoint)?;
    let params = Params::read(asked.query, endpoint.params)?;
    let Some(key) = key else { return Ok(public(asked, endpoint.action)) };
    match endpoint.action {
        Action::List => logs::plan(asked, key, &params),
        Action::Destroy => destroy(asked, key, &params),
        Action::Entry => match params.integer(&p::CONTEXT) {
            Some(count) => entry::neighbours(&captures.text(0)?, key, count as usize),
            None => entry::get(&captures.text(0)?, key, Detail::Preview, Render::Entry),
        },
        Action::Body => {
            let view = body::View::read(asked, &params);
            entry::get(&captures.text(0)?, key, Detail::Whole, Render::Body(view))
        }
        Action::Replay => {
            let form = entry::Form::read(&params);
            entry::get(&captures.text(0)?, key, Detail::Whole, Render::Replay(form))
        }
        Action::Stats => stats::plan(asked, key, &params),
        Action::Histogram => histogram::plan(asked, key, &params),
        Action::Facets => facets::plan(asked, key, &params),
        Action::Endpoints => endpoints::plan(asked, key, &params),
        Action::Export => export::plan(asked, key, &params),
        Action::Tail => tail::plan(asked, key, &params),
        Action::Ingest => ingest::plan(asked, key, &params),
        Action::Projects => Ok(admin::projects(asked, key)),
        Action::DeclareProject => {
            admin::organisation(key)?;
            Ok(Planned::Collect(Change::Project))
        }
        Action::ForgetProject => admin::forget(asked, key, captures.text(0)?),
        Action::Keys => Ok(admin::keys(asked, key)),
        Action::MakeKey => Ok(Planned::Collect(Change::Key { within: key.scope.clone() })),
        Action::RevokeKey => admin::revoke(asked, key, &captures.text(0)?),
        Action::Backup => backup::plan(asked, key),
        Action::Metrics => {
            admin::organisation(key)?;
            Ok(Planned::run(Operation::Metrics, Render::Metrics))
        }
        Action::Index | Action::OpenApi | Action::Docs | Action::Health | Action::Ready => {
            Ok(public(asked, endpoint.action))
        }
    }
}

fn public(asked: &Asked<'_>, action: Action) -> Planned {
    match action {
        Action::Index => Planned::Ready(index::page(asked)),
        Action::OpenApi => Planned::Ready(index::openapi(asked)),
        Action::Docs => Planned::Ready(index::docs(asked)),
        Action::Ready => Planned::run(Operation::Ready, Render::Ready),
        _ => Planned::Ready(json(StatusCode::OK, &json!({"status": "ok"}))),
    }
}

/// Destroying everything has to be said: `q` or `project` must be there, `q` may be empty.
fn destroy(asked: &Asked<'_>, key: &Key, params: &Params) -> Result<Planned, Error> {
    if params.given().next().is_none() {
        let accepted = "which records to destroy; an empty q means all in the key's scope".to_owned();
        return Err(super::ParamError::Missing { name: p::Q.name, accepted }.into());
    }
    let selection = selection::Selection::read(key, params)?;
    let now = asked.context.now;
    // what cannot be resolved is refused here, not when it is carried out
    selection.predicate(now)?;
    let selection::Selection { filter, project, .. } = selection;
    Ok(Planned::run(Operation::Delete { filter, now, project }, Render::Deleted))
}

/// How an outcome becomes an answer.
#[derive(Debug)]
pub(crate) enum Render {
    /// A page.
    List(Box<logs::Listing>),
    /// A record.
    Entry,
    /// A body.
    Body(body::View),
    /// A form of an exchange.
    Replay(entry::Form),
    /// A record and those around it.
    Neighbours,
    /// Counts.
    Stats,
    /// Counts by time; the interval as it was asked for.
    Histogram(Option<String>),
    /// Counts by value.
    Facets,
    /// Counts by method and route.
    Endpoints,
    /// A report.
    Ingested,
    /// How many were destroyed.
    Deleted,
    /// An answer that was ready before.
    Done(Response<Bytes>),
    /// A key and its secret.
    NewKey,
    /// Readiness.
    Ready,
    /// Metrics.
    Metrics,
    /// A stream of the shell's; only a failure to begin is rendered.
    Backup,
}

impl Render {
    pub(super) fn reply(self, operation: &Operation, outcome: Outcome) -> Result<Response<Bytes>, Error> {
        match (self, outcome) {
            (Self::Ready, Outcome::Ready(ready)) => Ok(readiness(ready.err().as_deref())),
            (Self::Ready, Outcome::Failed(failure)) => Ok(readiness(Some(&failure.to_string()))),
            (_, Outcome::Failed(failure)) => Err(failure.into()),
            (Self::List(listing), Outcome::Page(page)) => match operation {
                Operation::Page { query, .. } => Ok(listing.reply(query, &page)),
                _ => Err(Failure::Internal.into()),
            },
            (Self::Entry | Self::Body(_) | Self::Replay(_), Outcome::Record(None)) => Err(Error::Missing(Thing::Entry)),
            (Self::Entry, Outcome::Record(Some(row))) => Ok(entry::reply(&row)),
            (Self::Body(view), Outcome::Record(Some(row))) => view.reply(&row),
            (Self::Replay(form), Outcome::Record(Some(row))) => form.reply(&row),
            (Self::Neighbours, Outcome::Neighbours(None)) => Err(Error::Missing(Thing::Entry)),
            (Self::Neighbours, Outcome::Neighbours(Some(around))) => Ok(entry::reply_with_context(&around)),
            (Self::Stats, Outcome::Stats(stats)) => Ok(stats::reply(&stats)),
            (Self::Histogram(asked), Outcome::Histogram(histogram)) => histogram::reply(asked, histogram),
            (Self::Facets, Outcome::Facets(facets)) => Ok(facets::reply(&facets)),
            (Self::Endpoints, Outcome::Endpoints(endpoints)) => Ok(endpoints::reply(&endpoints)),
            (Self::Ingested, Outcome::Ingested(report)) => Ok(ingest::reply(&report)),
            (Self::Deleted, Outcome::Deleted(rows)) => Ok(json(StatusCode::OK, &json!({"deleted": rows}))),
            (Self::Done(answer), Outcome::Done) => Ok(answer),
            (Self::NewKey, Outcome::Key { key, secret }) => {
                let mut answer = admin::shown(&key);
                answer["secret"] = json!(secret.expose());
                Ok(json(StatusCode::CREATED, &answer))
            }
            (Self::Metrics, Outcome::Metrics(text)) => {
                Ok(respond(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text))
            }
            _ => Err(Failure::Internal.into()),
        }
    }

    pub(super) fn advance(&mut self, head: Option<Seq>) {
        if let Self::List(listing) = self {
            listing.advance(head);
        }
    }
}

fn readiness(reason: Option<&str>) -> Response<Bytes> {
    match reason {
        None => json(StatusCode::OK, &json!({"status": "ready"})),
        Some(reason) => json(StatusCode::SERVICE_UNAVAILABLE, &json!({"status": "unavailable", "reason": reason})),
    }
}
