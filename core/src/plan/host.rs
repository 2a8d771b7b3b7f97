//! Who may be asked for by name, where everyone may enter.

use super::Origins;
use super::edge::Edge;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use serde_json::json;
use std::net::IpAddr;

/// The refusal of a request that was not sent to this machine by one of its own names, for a listener on the loopback
/// that asks for no key. `None` where it was.
///
/// A page of another site can have its own name resolve to the loopback (DNS rebinding) and would be let in by its browser
/// as being of the same origin; it cannot change what `Host` says. **Ours:** status 421.
pub fn refuse_foreign_host(head: &Parts) -> Option<Response<Bytes>> {
    let told = head.uri.authority().map(http::uri::Authority::as_str);
    let hosts: Vec<_> = head.headers.get_all(HOST).iter().map(|host| host.to_str().unwrap_or_default()).collect();
    let named = match (told, hosts.as_slice()) {
        (Some(authority), []) => Some(authority),
        (None, [host]) => Some(*host),
        // as HTTP/2 has it, or a proxy's form in HTTP/1
        (Some(authority), [host]) if authority == *host => Some(authority),
        _ => None,
    };
    if named.is_some_and(is_loopback) {
        return None;
    }
    let detail = "Without a key, only requests to this machine's loopback are answered: write 127.0.0.1 or localhost.";
    let body = json!({"type": "urn:reqlog:problem:host", "title": "Another host", "status": 421, "detail": detail});
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = StatusCode::MISDIRECTED_REQUEST;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    Some(Edge::of(head, &Origins::Own).finish(response))
}

/// Whether a `Host` is of the loopback, whatever its port.
fn is_loopback(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) => (address, port),
            None => return false,
        },
        None => host.find(':').map_or((host, ""), |colon| host.split_at(colon)),
    };
    let is_port =
        port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()));
    let name = name.to_ascii_lowercase();
    let is_named = name == "localhost" || name.ends_with(".localhost");
    is_port && (is_named || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn is_refused(target: &str, hosts: &[&str]) -> bool {
        let request = hosts.iter().fold(Request::get(target), |request, host| request.header(HOST, *host));
        let refused = refuse_foreign_host(&request.body(()).unwrap().into_parts().0);
        refused.is_some_and(|response| response.status() == 421)
    }

    #[test]
    fn only_the_names_of_the_loopback_are_let_in() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:7070",
            "127.3.2.1:1",
            "localhost",
            "LOCALHOST:80",
            "a.localhost:80",
            "[::1]",
            "[::1]:7070",
        ] {
            assert!(!is_refused("/", &[host]), "{host}");
        }
        for host in [
            "",
            "evil.test",
            "evil.test:7070",
            "127.0.0.1.evil.test",
            "localhost.evil.test",
            "notlocalhost",
            "127.0.0.1:x",
            "192.168.0.1",
            "0.0.0.0",
            "[::]",
            "[::1",
            "[::1]x",
            "[::ffff:192.168.0.1]",
            "127.0.0.1@evil.test",
            "localhost evil",
        ] {
            assert!(is_refused("/", &[host]), "{host}");
        }
        assert!(is_refused("/", &[]), "none");
        assert!(is_refused("/", &["localhost", "evil.test"]), "two");
        // HTTP/2, where the target has it
        assert!(!is_refused("http://127.0.0.1:7070/", &[]));
        assert!(is_refused("http://evil.test/", &[]) && is_refused("http://evil.test/", &["localhost"]));
        assert!(is_refused("http://localhost/", &["evil.test"]));
    }
}
