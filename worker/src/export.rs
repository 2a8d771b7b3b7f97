//! Answers that are streamed page by page.
//!
//! **Ours.** A format that can be resumed has no end but that of its rows: where something fails, the stream is aborted.
//! Others are held until they are whole, up to [`WHOLE_EXPORT`]; what is longer is refused before a byte was sent.

use crate::limits::{LOOK, WHOLE_EXPORT};
use crate::service::{code, headers, takes_gzip, whole};
use crate::shell::{Bindings, now};
use crate::view::View;
use bytes::Bytes;
use futures_util::stream::try_unfold;
use http::HeaderMap;
use reqlog_core::plan::{Exporter, Failure, Outcome, Plan};
use reqlog_core::scan::Scan;
use reqlog_core::timestamp::Timestamp;
use std::rc::Rc;
use worker::{Response, ResponseBuilder};

/// Answers an export.
pub async fn answer(bindings: Rc<Bindings>, plan: Plan, asked: &HeaderMap) -> worker::Result<Response> {
    let exporter = match plan.export() {
        Ok(exporter) => exporter,
        Err(plan) => return Ok(whole(asked, plan.reply(Outcome::Failed(Failure::Internal)))),
    };
    let head = exporter.head();
    let mut walk = Walk { bindings, exporter: Some(exporter), view: None };
    if !walk.is_resumable() {
        let mut bytes = Vec::new();
        loop {
            let failure = match walk.next().await {
                Ok(None) => return Ok(whole(asked, head.map(|()| bytes.into()))),
                Ok(Some(chunk)) if bytes.len() + chunk.len() <= WHOLE_EXPORT => {
                    bytes.extend_from_slice(&chunk);
                    continue;
                }
                Ok(Some(_)) => Failure::TooMuchWork,
                Err(failure) => failure,
            };
            let Some(exporter) = walk.exporter.take() else { return Err("an export went on after its end".into()) };
            return Ok(whole(asked, exporter.refuse(failure)));
        }
    }
    let chunks = try_unfold(walk, async |mut walk| match walk.next().await {
        Ok(chunk) => Ok(chunk.map(|chunk| (chunk.to_vec(), walk))),
        Err(failure) => Err(worker::Error::RustError(failure.to_string())),
    });
    let (mut head, ()) = head.into_parts();
    if takes_gzip(asked) {
        code(&mut head.headers);
    }
    let builder = ResponseBuilder::new().with_status(head.status.as_u16());
    builder.with_headers(headers(&head.headers)).from_stream(chunks)
}

struct Walk {
    bindings: Rc<Bindings>,
    exporter: Option<Exporter>,
    view: Option<(Rc<View>, Timestamp)>,
}

impl Walk {
    fn is_resumable(&self) -> bool {
        self.exporter.as_ref().is_some_and(Exporter::is_resumable)
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        let Some(exporter) = &mut self.exporter else { return Ok(None) };
        loop {
            if let Some(chunk) = exporter.chunk() {
                return Ok(Some(chunk));
            }
            let Some(query) = exporter.next().cloned() else { break };
            // looked at again now and then: each look is queries, and a walk is bound to its beginning anyway
            if self.view.as_ref().is_none_or(|(_, at)| now() >= at.plus_nanos(LOOK.as_nanos() as i64)) {
                self.view = Some((self.bindings.view().await?, now()));
            }
            let Some((view, _)) = &self.view else { break };
            let reader = self.bindings.reader(view.clone());
            let page = reader.scan(|catalog| Scan::page(query.clone(), catalog)).await?.finish();
            exporter.supply(page, now(), &reader.view.retained.expired());
        }
        Ok(self.exporter.take().map(Exporter::end))
    }
}
