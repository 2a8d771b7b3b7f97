//! Answers that are read bit by bit.

use super::{Ask, Law, Who, World};
use http::Response;
use reqlog::server::Reader;
use reqlog_core::live::{Step, Tail};
use reqlog_core::plan::Outcome;

impl World {
    /// Takes what was committed into the ring.
    pub fn feed(&mut self) -> Law {
        self.fed = self.head();
        self.store().feed().map_err(|fault| fault.to_string())
    }

    /// A subscription.
    pub fn tail(&mut self, ask: &Ask) -> Law<Tail> {
        self.tell();
        let (head, _) = ask.with(self.key(ask.who, 0)).into_parts();
        let plan = self.service.as_ref().expect("a store is open between two actions").plan(&head);
        match plan.tail() {
            Ok((head, tail)) if head.status() == 200 => Ok(tail),
            Ok((head, _)) => Err(format!("{}: {}", ask.target, head.status())),
            Err(plan) => Err(format!("{}: {:?}", ask.target, plan.reply(Outcome::Nothing))),
        }
    }

    /// What a subscription has to do now.
    pub fn poll(&mut self, tail: &mut Tail) -> Step {
        self.tell();
        self.store().poll(tail)
    }

    /// Both are asked what time it is: nothing arrives earlier at either.
    pub fn tell(&mut self) {
        self.store().now();
        self.naive(&Ask::get(Who::Admin, "/healthz"));
    }

    /// A request whose answer is read bit by bit; both begin to answer the same.
    pub fn connect(&mut self, ask: &Ask) -> Law<Response<Reader>> {
        let (head, reader) = self.stream(ask).into_parts();
        let naive = self.naive(ask);
        if (head.status, &head.headers) == (naive.status, &naive.headers) {
            return Ok(Response::from_parts(head, reader));
        }
        Err(format!("{}: the store and the naive one begin differently:\n{head:?}\n{naive:?}", ask.target))
    }
}
