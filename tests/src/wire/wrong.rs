//! The control: a frontend that is a little wrong, with which no vector may hold.

use super::{Came, Frontend, Server, Setting};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use reqlog_core::plan::Offers;
use std::time::Duration;

/// Another frontend, one byte of whose answers is wrong, or the status of an answer without one.
struct Wrong<F>(F);

impl<F: Frontend> Frontend for Wrong<F> {
    type Server = Wrong<F::Server>;

    const AT_ONCE: usize = F::AT_ONCE;

    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn offers(&self) -> Offers {
        self.0.offers()
    }

    fn start(&self, setting: &Setting) -> Self::Server {
        Wrong(self.0.start(setting))
    }
}

fn flipped(mut answer: Response<Bytes>) -> Response<Bytes> {
    let mut body = answer.body().to_vec();
    match body.first_mut() {
        Some(byte) => *byte ^= 1,
        None => *answer.status_mut() = StatusCode::IM_A_TEAPOT,
    }
    *answer.body_mut() = body.into();
    answer
}

impl<S: Server> Server for Wrong<S> {
    fn answer(&mut self, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
        self.0.answer(request).map(flipped)
    }

    fn answer_itself(&mut self, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
        self.0.answer_itself(request).map(flipped)
    }

    fn wait(&mut self, time: Duration) {
        self.0.wait(time);
    }

    fn open(&mut self, name: &str, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
        self.0.open(name, request)
    }

    fn read(&mut self, name: &str, least: usize) -> Result<Came, String> {
        let mut came = self.0.read(name, least)?;
        let mut bytes = came.bytes.to_vec();
        bytes.iter_mut().take(1).for_each(|byte| *byte ^= 1);
        came.bytes = bytes.into();
        Ok(came)
    }

    fn disconnect(&mut self, name: &str) {
        self.0.disconnect(name);
    }
}

/// Runs every vector file over answers that are a little wrong; says which of them hold all the same.
pub fn control<F: Frontend>(frontend: F) -> Result<(), String> {
    let told = super::run_all(&Wrong(frontend)).err().unwrap_or_default();
    let mut files = 0;
    for folder in super::folders(&super::vectors())? {
        files += super::count(&folder)?.files;
    }
    let failed = told.matches("steps do not hold").count();
    if failed == files { Ok(()) } else { Err(format!("only {failed} of {files} files were found wrong: {told}")) }
}
