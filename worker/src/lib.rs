//! reqlog as a Cloudflare Worker.

pub mod capture;

use std::future::ready;

use futures_util::stream;
use reqlog_core::id::Seq;
use worker::{
    Context, DurableObject, Env, Error, HttpRequest, Request, Response, Result, ScheduleContext, ScheduledEvent, State,
    durable_object, event,
};

#[event(fetch)]
async fn fetch(_request: HttpRequest, env: Env, _context: Context) -> Result<Response> {
    env.durable_object("COMMITTER")?.get_by_name("committer")?.fetch_with_str("http://committer/").await
}

#[event(scheduled)]
async fn scheduled(_event: ScheduledEvent, _env: Env, _context: ScheduleContext) {}

#[durable_object]
pub struct Committer {
    _state: State,
}

impl DurableObject for Committer {
    fn new(state: State, _env: Env) -> Self {
        Self { _state: state }
    }

    async fn fetch(&self, _request: Request) -> Result<Response> {
        Response::from_stream(stream::once(ready(Ok::<_, Error>(format!("{:?}", Seq::new(1))))))
    }
}

#[durable_object]
pub struct Compactor {
    _state: State,
}

impl DurableObject for Compactor {
    fn new(state: State, _env: Env) -> Self {
        Self { _state: state }
    }

    async fn fetch(&self, _request: Request) -> Result<Response> {
        Response::ok("compactor")
    }
}
