//! reqlog as a Cloudflare Worker: the engine of [`reqlog_core`] over D1, KV and two Durable Objects.
//!
//! ```text
//! request ─ plan ─► reads:  catalog and batches from D1, segments from KV ─ Scan ─► reply
//!                └► writes: Committer (one commit at a time) ─► D1 ─► ring ─► streams
//! cron, size ─► Compactor ─► KV, then D1
//! ```
//! **Architecture invariant.** No wire word, no route, no SQL that filters records is here: what a request means is the
//! core's business, and D1 finds rows by their key.
//!
//! **Ours:** `/metrics` and backups are not offered, the plan says what to use instead.

mod cache;
mod capture;
mod committer;
mod compactor;
mod database;
mod export;
mod follow;
mod ingest;
mod limits;
mod rows;
mod service;
mod shell;
mod signal;
mod view;

use shell::Bindings;
use std::rc::Rc;
use worker::{Context, Env, Request, Response, ScheduleContext, ScheduledEvent, event};

#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> worker::Result<Response> {
    let bindings = Rc::new(Bindings::of(env)?);
    match bindings.shell.upstream_of(&request) {
        Some(upstream) => capture::pass(bindings.clone(), &request, upstream, &context).await,
        None => service::answer(request, bindings).await,
    }
}

#[event(scheduled)]
async fn scheduled(_event: ScheduledEvent, env: Env, _context: ScheduleContext) {
    let tick = async { committer::post(&Bindings::of(env)?.compactor()?, "tick", &[]).await };
    if let Err(error) = tick.await {
        worker::console_error!("the compactor was not told: {error}");
    }
}
