//! The HTTP server: sockets, limits, draining. What a request means is the core's business.

mod handler;
mod metrics;
mod opened;
mod run_file;
mod service;
mod stream;
mod tails;

pub use opened::Hosts;
pub use run_file::{Guard, RunFile};
pub(crate) use service::failure;
pub use service::{Export, Reader, Service};

use crate::opened::Opened;
use axum::Router;
use axum::body::Body;
use axum::http::header::{CONTENT_ENCODING, ETAG};
use axum::http::{HeaderValue, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower_http::compression::CompressionLayer;

// a client that needs longer to send a request's head is none
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
// room for a long query and cursor; hyper answers 431 beyond
const HEAD_BYTES: usize = 64 << 10;
const HEAD_FIELDS: usize = 128;
// what is under way at a shutdown may take this long
const DRAIN: Duration = Duration::from_secs(25);
// when the process is out of file descriptors
const BREATH: Duration = Duration::from_millis(50);

// a strong entity tag names bytes, and compressed ones are others (RFC 9110, 8.8.3.3)
async fn coded(mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    if headers.contains_key(CONTENT_ENCODING)
        && let Some(tag) = headers.get(ETAG).and_then(|tag| tag.to_str().ok()).filter(|tag| tag.starts_with('"'))
        && let Ok(weak) = HeaderValue::from_str(&format!("W/{tag}"))
    {
        headers.insert(ETAG, weak);
    }
    response
}

/// Answers on `listener` until `stop` is done, then finishes what is under way.
///
/// Fails only when the listener cannot tell its address; a connection that fails concerns nobody else.
pub async fn serve(service: Arc<Service>, listener: TcpListener, stop: impl Future<Output = ()>) -> io::Result<()> {
    let (closing, closed) = watch::channel(false);
    tokio::spawn(tails::feed(service.clone(), closed.clone()));
    let app = Router::new().fallback(handler::answer).with_state(handler::State::new(service, closed));
    listen(app, listener, stop, closing).await
}

/// As [`serve`], over opened files.
pub async fn serve_opened(
    opened: Arc<Opened>,
    hosts: Hosts,
    listener: TcpListener,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let (closing, closed) = watch::channel(false);
    let app = Router::new().fallback(opened::answer).with_state(opened::State::new(opened, hosts, closed));
    listen(app, listener, stop, closing).await
}

async fn listen(
    app: Router,
    listener: TcpListener,
    stop: impl Future<Output = ()>,
    closing: watch::Sender<bool>,
) -> io::Result<()> {
    let app = app.layer(CompressionLayer::new()).layer(axum::middleware::map_response(coded));
    let app = TowerToHyperService::new(app);
    let connections = GracefulShutdown::new();
    let builder = builder();
    tokio::pin!(stop);
    loop {
        let socket = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => socket,
                Err(error) => {
                    tracing::warn!("accept: {error}");
                    tokio::time::sleep(BREATH).await;
                    continue;
                }
            },
            () = &mut stop => break,
        };
        // answers are written whole; waiting to fill packets only delays them
        let _ = socket.set_nodelay(true);
        let connection = builder.serve_connection(TokioIo::new(socket), app.clone()).into_owned();
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!("connection: {error}");
            }
        });
    }
    drop(listener);
    // long polls answer with what they have, streams end
    closing.send_replace(true);
    if tokio::time::timeout(DRAIN, connections.shutdown()).await.is_err() {
        tracing::warn!("some requests were still under way after {} s", DRAIN.as_secs());
    }
    Ok(())
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_headers(HEAD_FIELDS)
        .max_buf_size(HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(HEAD_BYTES as u32)
        .max_concurrent_streams(128)
        .keep_alive_interval(Duration::from_secs(30));
    builder
}
