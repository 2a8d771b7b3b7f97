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
use worker::{Context, Env, HttpRequest, Response, ScheduleContext, ScheduledEvent, event};

#[event(fetch)]
async fn fetch(request: HttpRequest, env: Env, _context: Context) -> worker::Result<Response> {
    service::answer(request, env).await
}

#[event(scheduled)]
async fn scheduled(_event: ScheduledEvent, env: Env, _context: ScheduleContext) {
    let tick = async { committer::post(&Bindings::of(env)?.compactor()?, "tick", &[]).await };
    if let Err(error) = tick.await {
        worker::console_error!("the compactor was not told: {error}");
    }
}
