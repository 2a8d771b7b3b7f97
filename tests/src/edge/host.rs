//! The one Node process of a test binary that runs Workers.

use crate::node::{self, Host};
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::LazyLock;

static HOST: LazyLock<Host> =
    LazyLock::new(|| Host::spawn("worker/test/host.mjs").expect("Node runs worker/test/host.mjs"));

/// What is missing to run the Worker here, if something is.
pub fn missing() -> Option<String> {
    node::missing(&["worker/node_modules/miniflare", "target/worker/entry.mjs"], "worker")
}

/// Starts a Worker; its number and where it listens.
pub(super) fn start(mut what: Value) -> Result<(u64, SocketAddr), String> {
    let id = HOST.number();
    what["op"] = "start".into();
    what["id"] = id.into();
    let started = command(what)?;
    let address = started["url"].as_str().and_then(|url| url.trim_matches(['/', ':']).strip_prefix("http://"));
    let address = address.and_then(|address| address.parse().ok()).ok_or_else(|| format!("no address: {started}"))?;
    Ok((id, address))
}

/// Sends a command; what it came to.
pub(super) fn command(command: Value) -> Result<Value, String> {
    HOST.command(command)
}
