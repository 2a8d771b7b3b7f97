//! From a request to an operation and from its outcome to a response.
//!
//! ```text
//! request ─ plan(&head, &context) ─► Plan ─ operation() ─► the shell runs it ─► Outcome ─ reply(outcome) ─► response
//! ```
//! Before it runs anything, the shell has a limited request paid for: [`Plan::charge`], then [`Plan::admit`].
//!
//! In scope: routing, authorisation, parameters, cursors, negotiation, rendering, error envelopes, CORS, `HEAD`, the files
//! of the web UI.
//! Out of scope: sockets, compression of responses, reading bodies, running the operation.

mod allowance;
mod context;
mod edge;
mod exporter;
mod host;
mod operation;
mod outcome;
mod ui;

pub use context::{Context, FanOut, Offer, Offers, Origins, Projects, Settings};
pub use exporter::Exporter;
pub use host::refuse_foreign_host;
pub use operation::{BodyUse, IngestMode, IngestRequest, Operation};
pub use outcome::{Failure, Outcome};
pub(crate) use ui::is_document;
pub use ui::{Ui, UiError, ui_file};
// the answer of an ingestion is part of this interface
pub use crate::format::{Rejection, Report};

use crate::dialect::{self, Address, Asked, Change, Dialect, Planned, Render};
use crate::error::Error;
use crate::id::Seq;
use crate::limit::{Admission, Charge, Verdict};
use crate::live::Tail;
use allowance::Allowance;
use bytes::Bytes;
use edge::Edge;
use http::{Method, Response};

/// One request, understood.
#[derive(Debug)]
pub struct Plan {
    operation: Operation,
    stage: Stage,
    address: Address,
    edge: Edge,
    allowance: Option<Allowance>,
}

#[derive(Debug)]
enum Stage {
    /// The answer is known, unless reading the body fails.
    Answered(Response<Bytes>),
    /// The body says what to do.
    Awaits(Change),
    /// The outcome says what to answer.
    Runs(Render),
}

/// Understands the head of a request: routing, authorisation, parameters, cursor; everything but the body.
///
/// Never fails: what cannot be understood is a plan whose reply says so.
pub fn plan(head: &http::request::Parts, context: &Context<'_>) -> Plan {
    let edge = Edge::of(head, &context.settings.origins);
    let address = |dialect| Address { dialect, path: head.uri.path().to_owned(), at: context.now };
    let Some(path) = context.settings.below_base(head.uri.path()) else {
        return Plan::new(address(Dialect::Reqlog), Err(Error::Route), edge);
    };
    if let Some(file) = ui::answer(head, context.settings) {
        return Plan::new(address(Dialect::Reqlog), Ok(Planned::Ready(file)), edge);
    }
    let dialect = Dialect::of(path);
    let query = head.uri.query().unwrap_or_default();
    let key = context.keyring.identify(&head.headers, context.now);
    let asked = Asked { method: &head.method, path, query, headers: &head.headers, key, context };
    let answer = if head.method == Method::OPTIONS {
        dialect.allow(path).map(|allow| Planned::Ready(edge.options(&allow))).ok_or(Error::Route)
    } else {
        dialect.plan(&asked)
    };
    let allowance = dialect.limited(&asked).map(Allowance::new);
    Plan { allowance, ..Plan::new(address(dialect), offered(answer, context), edge) }
}

/// Refuses what this deployment does not have, to who might have used it.
fn offered(planned: Result<Planned, Error>, context: &Context<'_>) -> Result<Planned, Error> {
    let needed = match &planned {
        Ok(Planned::Run(operation, _)) => operation.needs(),
        _ => None,
    };
    match needed {
        Some(offer) if !context.settings.offers.has(offer) => Err(Failure::NotOffered(offer).into()),
        _ => planned,
    }
}

impl Plan {
    fn new(address: Address, planned: Result<Planned, Error>, edge: Edge) -> Self {
        let (operation, stage) = match planned {
            Ok(Planned::Ready(response)) => (Operation::Nothing, Stage::Answered(response)),
            Ok(Planned::Collect(change)) => (Operation::Nothing, Stage::Awaits(change)),
            Ok(Planned::Run(operation, render)) => (*operation, Stage::Runs(render)),
            Err(error) => (Operation::Nothing, Stage::Answered(address.refuse(&error))),
        };
        Self { operation, stage, address, edge, allowance: None }
    }

    /// Whose path it is.
    pub fn dialect(&self) -> Dialect {
        self.address.dialect
    }

    /// What the request costs, where it is limited and nobody has paid yet: take it from the bucket, then
    /// [`Self::admit`]. Requests without a valid key and those of admin keys cost nothing.
    pub fn charge(&self) -> Option<Charge> {
        self.allowance.as_ref()?.charge()
    }

    /// Goes on with what came of [`Self::charge`]: a refused request becomes the dialect's 429 and runs nothing.
    #[must_use]
    pub fn admit(mut self, verdict: Verdict) -> Self {
        let Some(allowance) = &mut self.allowance else { return self };
        allowance.settle(verdict);
        if let Admission::Refused { retry_after } = verdict.admission {
            self.operation = Operation::Nothing;
            self.stage = Stage::Answered(self.address.refuse(&Failure::Limited { retry_after }.into()));
        }
        self
    }

    /// What is wanted of the request's body.
    pub fn body(&self) -> BodyUse {
        match (&self.stage, &self.operation) {
            (Stage::Awaits(_), _) => BodyUse::Collect { limit: Change::LIMIT },
            (Stage::Runs(_), Operation::Ingest(_)) => BodyUse::Stream,
            _ => BodyUse::Ignore,
        }
    }

    /// Goes on with the collected body; only after [`BodyUse::Collect`], else nothing changes.
    #[must_use]
    pub fn with_body(self, body: &Bytes, context: &Context<'_>) -> Self {
        match self.stage {
            Stage::Awaits(change) => {
                let allowance = self.allowance;
                let planned = offered(change.read(body, context), context);
                Self { allowance, ..Self::new(self.address, planned, self.edge) }
            }
            _ => self,
        }
    }

    /// What to run.
    pub fn operation(&self) -> &Operation {
        &self.operation
    }

    /// Lets a waiting page see records up to a new head, before it is run again.
    pub fn advance(&mut self, head: Option<Seq>) {
        if let (Operation::Page { query, .. }, Stage::Runs(render), Some(bound)) =
            (&mut self.operation, &mut self.stage, head)
        {
            query.bound = bound;
            render.advance(head);
        }
    }

    /// The response to what came of the operation.
    pub fn reply(self, outcome: Outcome) -> Response<Bytes> {
        let mut response = match (self.stage, outcome) {
            (Stage::Runs(render), outcome) => {
                render.reply(&self.operation, outcome).unwrap_or_else(|error| self.address.refuse(&error))
            }
            (_, Outcome::Failed(failure)) => self.address.refuse(&failure.into()),
            (Stage::Answered(response), _) => response,
            (Stage::Awaits(_), _) => self.address.refuse(&Failure::Internal.into()),
        };
        if let Some(allowance) = &self.allowance {
            allowance.tell(self.address.dialect, self.address.at, response.headers_mut());
        }
        self.edge.finish(response)
    }

    /// The streamed answer of [`Operation::Export`]; the plan comes back where the operation is another.
    pub fn export(self) -> Result<Exporter, Box<Self>> {
        match (self.operation, self.stage) {
            (Operation::Export(query), Stage::Runs(Render::Streamed(streamed))) => {
                Ok(Exporter::new(streamed, query, self.address, self.edge))
            }
            (operation, stage) => Err(Box::new(Self { operation, stage, ..self })),
        }
    }

    /// Status and header fields of the stream of [`Operation::Tail`] and the subscription behind it; the plan comes
    /// back where the operation is another.
    pub fn tail(self) -> Result<(Response<()>, Tail), Box<Self>> {
        match (self.operation, self.stage) {
            (Operation::Tail { .. }, Stage::Runs(Render::Tail(tail))) => {
                let mut head = dialect::stream_head();
                self.edge.dress(head.headers_mut());
                Ok((head, *tail))
            }
            (operation, stage) => Err(Box::new(Self { operation, stage, ..self })),
        }
    }

    /// Status and header fields of the streamed answer of [`Operation::Backup`], once the shell has begun one; `None`
    /// where the operation is another. When the stream cannot be ended, break the connection off.
    pub fn backup(&self) -> Option<Response<()>> {
        let mut head = matches!(self.operation, Operation::Backup).then(crate::dialect::backup_head)?;
        self.edge.dress(head.headers_mut());
        Some(head)
    }
}

#[cfg(test)]
mod tests;
