//! What a proxy passes on to an origin and back (RFC 9110, 7.6.1).
//!
//! **Ours**, where proxies differ:
//! - `X-Forwarded-For` gets the client's address appended, unless it is the last in it already (a platform wrote it).
//! - `X-Forwarded-Proto` and `X-Forwarded-Host` say what the client asked this proxy; where they are there, the proxy
//!   before this one said what its client asked, and they stay.
//! - `Forwarded` stays as it is: origins that read both would count one hop twice.
//! - No `Via`: servers leave out compression for requests that have it, and capture is not to change answers.
//! - `Host` is the upstream's.
//! - `Expect`, `Accept-Encoding` and framing (`Content-Length`) are passed on; the shell's client does with them what
//!   its platform does.

use super::exchange::text;
use crate::format::url::{Url, address};
use crate::plan::Settings;
use http::header::{
    CONNECTION, HOST, HeaderName, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderValue, Uri};
use std::fmt;

/// The origin behind a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    origin: String,
    host: HeaderValue,
}

/// Why a setting names no origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpstreamError {
    /// It is no absolute URL of http or https.
    NotAUrl {
        /// The setting.
        given: String,
    },
    /// It has more than scheme, host and port.
    NotAnOrigin {
        /// What of it could stay.
        origin: String,
    },
    /// Nothing tells requests for the API from those for the origin.
    NoBasePath,
}

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

// RFC 9110, 7.6.1, and what RFC 2616, 13.5.1, named before
const HOP: [HeaderName; 10] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    PROXY_AUTHENTICATE,
    HeaderName::from_static("proxy-authentication-info"),
    PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-connection"),
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

impl Upstream {
    /// Reads `https://origin.example:8443`; a slash may follow, nothing else.
    pub fn parse(given: &str) -> Result<Self, UpstreamError> {
        let unread = || UpstreamError::NotAUrl { given: given.to_owned() };
        let uri: Uri = given.trim().parse().map_err(|_| unread())?;
        let (Some(scheme @ ("http" | "https")), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(unread());
        };
        let bare = &authority.as_str()[authority.as_str().rfind('@').map_or(0, |at| at + 1)..];
        let origin = format!("{scheme}://{bare}");
        let host = HeaderValue::from_str(bare).map_err(|_| unread())?;
        if authority.host().is_empty() {
            return Err(unread());
        }
        if bare.len() < authority.as_str().len() || uri.path() != "/" || uri.query().is_some() || given.contains('#') {
            return Err(UpstreamError::NotAnOrigin { origin });
        }
        Ok(Self { origin, host })
    }

    /// As [`Self::parse`], for a proxy that answers the API too, below the base path.
    pub fn beside_api(given: &str, settings: &Settings) -> Result<Self, UpstreamError> {
        let upstream = Self::parse(given)?;
        if settings.base_path.is_empty() { Err(UpstreamError::NoBasePath) } else { Ok(upstream) }
    }

    /// Where a request for `url` goes: path and query are those of `url`, byte for byte.
    pub fn target(&self, url: &str) -> String {
        let rest = match url.split_once("://") {
            Some((_, rest)) => &rest[rest.find(['/', '?', '#']).unwrap_or(rest.len())..],
            None => url,
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let slash = if rest.starts_with('/') { "" } else { "/" };
        format!("{}{slash}{rest}", self.origin)
    }

    /// The header fields that are passed on with a request for `url` that a client at the address `client` sent.
    pub fn request_headers(&self, seen: &HeaderMap, url: &str, client: Option<&str>) -> HeaderMap {
        let mut headers = end_to_end(seen);
        let asked = Url::split(url);
        let valued = |text: Option<&str>| text.and_then(|text| HeaderValue::from_str(text).ok());
        for (name, value) in [(PROTO, valued(asked.scheme)), (FORWARDED_HOST, valued(asked.host))] {
            if let Some(value) = value {
                headers.entry(name).or_insert(value);
            }
        }
        if let Some(list) = forwarded_for(&headers, client) {
            headers.insert(FOR, list);
        }
        headers.insert(HOST, self.host.clone());
        headers
    }
}

/// The path of an absolute URL as it is written: what tells requests for the API from others
/// ([`Settings::is_own`]), also where the URL is none that a parser takes.
pub fn path(url: &str) -> &str {
    Url::split(url).path
}

/// The header fields of an origin's answer that are passed on to the client.
pub fn response_headers(seen: &HeaderMap) -> HeaderMap {
    end_to_end(seen)
}

fn forwarded_for(headers: &HeaderMap, client: Option<&str>) -> Option<HeaderValue> {
    let client = address(client?);
    let mut list = headers.get_all(FOR).iter().map(text).collect::<Vec<_>>().join(", ");
    if list.rsplit(',').next().map(str::trim) != Some(client) {
        if !list.is_empty() {
            list.push_str(", ");
        }
        list.push_str(client);
    }
    HeaderValue::from_str(&list).ok()
}

// All but what belongs to the hop; a switch to WebSocket is one of both hops.
fn end_to_end(seen: &HeaderMap) -> HeaderMap {
    let named: Vec<String> = tokens(seen, &CONNECTION).collect();
    let websocket = tokens(seen, &UPGRADE).any(|token| token == "websocket")
        && (named.is_empty() || named.iter().any(|name| name == "upgrade"));
    let mut headers = HeaderMap::with_capacity(seen.keys_len() + 4);
    for (name, value) in seen {
        if !HOP.contains(name) && !named.iter().any(|of_hop| of_hop == name.as_str()) {
            headers.append(name, value.clone());
        }
    }
    if websocket {
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    }
    headers
}

// The members of a list field, in lower case.
fn tokens<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = String> + use<'a> {
    let values = headers.get_all(name).iter();
    values.flat_map(|value| {
        let list = text(value).to_ascii_lowercase();
        list.split(',').map(|token| token.trim().to_owned()).filter(|token| !token.is_empty()).collect::<Vec<_>>()
    })
}

impl fmt::Display for UpstreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAUrl { given } => {
                write!(f, "'{given}' is no upstream; write its scheme and host, as https://origin.example")
            }
            Self::NotAnOrigin { origin } => {
                write!(f, "an upstream is scheme, host and port; paths are the client's: write {origin}")
            }
            Self::NoBasePath => f.write_str(
                "with an upstream, a base path is needed: what is below it is reqlog's, all else the upstream's",
            ),
        }
    }
}

impl std::error::Error for UpstreamError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn map(fields: &[(&str, &str)]) -> HeaderMap {
        let field = |(name, value): &(&str, &str)| {
            (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
        };
        fields.iter().map(field).collect()
    }

    fn upstream() -> Upstream {
        Upstream::parse("https://origin.test:8443").unwrap()
    }

    #[test]
    fn an_upstream_is_an_origin() {
        for given in ["https://origin.test:8443", "https://origin.test:8443/", " https://origin.test:8443 "] {
            assert_eq!(Upstream::parse(given), Ok(upstream()), "{given}");
        }
        assert_eq!(Upstream::parse("http://[::1]:3000").unwrap().target("http://a.test/x"), "http://[::1]:3000/x");
        for given in ["", "origin.test", "/a", "ftp://origin.test", "https://", "https:///a", "https://a b"] {
            assert_eq!(Upstream::parse(given), Err(UpstreamError::NotAUrl { given: given.to_owned() }));
        }
        for given in [
            "https://origin.test/api",
            "https://origin.test?x=1",
            "https://ann:pw@origin.test",
            "https://origin.test/#a",
        ] {
            let error = Upstream::parse(given).unwrap_err();
            assert_eq!(error, UpstreamError::NotAnOrigin { origin: "https://origin.test".to_owned() }, "{given}");
            assert!(!error.to_string().contains("pw"));
        }
    }

    #[test]
    fn beside_the_api_a_base_path_is_needed() {
        let mut settings = Settings::default();
        assert_eq!(Upstream::beside_api("https://origin.test:8443", &settings), Err(UpstreamError::NoBasePath));
        settings.base_path = "/logs".to_owned();
        assert_eq!(Upstream::beside_api("https://origin.test:8443", &settings), Ok(upstream()));
    }

    #[test]
    fn a_target_has_path_and_query_as_sent() {
        let check = |url, rest| assert_eq!(upstream().target(url), format!("https://origin.test:8443{rest}"), "{url}");
        check("https://api.test/a/../b//c/%2e%2E/?q=%20+&&=://x#top", "/a/../b//c/%2e%2E/?q=%20+&&=://x");
        check("https://api.test", "/");
        check("https://api.test?q=1", "/?q=1");
        check("https://api.test/?", "/?");
        check("/a?to=http", "/a?to=http");
        assert_eq!(path("https://api.test/a/<b>?c#d"), "/a/<b>");
        assert_eq!(path("https://api.test?c"), "/");
    }

    #[test]
    fn fields_of_the_hop_end_here() {
        let seen = map(&[
            ("connection", "close, X-Secret-Hop"),
            ("connection", "te"),
            ("keep-alive", "timeout=5"),
            ("proxy-authorization", "Basic x"),
            ("proxy-connection", "close"),
            ("te", "trailers"),
            ("trailer", "x-sum"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("x-secret-hop", "1"),
            ("cookie", "a=1"),
            ("cookie", "b=2"),
            ("via", "1.1 cache"),
            ("forwarded", "for=198.51.100.7"),
        ]);
        let expected = [
            ("cookie", "a=1"),
            ("cookie", "b=2"),
            ("forwarded", "for=198.51.100.7"),
            ("host", "origin.test:8443"),
            ("via", "1.1 cache"),
            ("x-forwarded-for", "192.0.2.1"),
            ("x-forwarded-host", "api.test"),
            ("x-forwarded-proto", "https"),
        ];
        assert_eq!(upstream().request_headers(&seen, "https://api.test/", Some("192.0.2.1:5555")), map(&expected));
        let answer = map(&[("set-cookie", "a"), ("set-cookie", "b"), ("keep-alive", "x"), ("content-length", "3")]);
        assert_eq!(
            response_headers(&answer),
            map(&[("set-cookie", "a"), ("set-cookie", "b"), ("content-length", "3")])
        );
    }

    #[test]
    fn a_chain_of_proxies_grows_and_its_first_word_stays() {
        let asked = |list: &[(&str, &str)], client| {
            let headers = upstream().request_headers(&map(list), "http://inner.test/", client);
            let value = |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap().to_owned());
            (value("x-forwarded-for"), value("x-forwarded-proto"), value("x-forwarded-host"))
        };
        let all = |list: &str, proto: &str, host: &str| (Some(list.into()), Some(proto.into()), Some(host.into()));
        let before = [
            ("x-forwarded-for", "203.0.113.9"),
            ("x-forwarded-for", "198.51.100.7"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "shop.test"),
        ];
        let grown = all("203.0.113.9, 198.51.100.7, 2001:db8::1", "https", "shop.test");
        assert_eq!(asked(&before, Some("2001:db8::1")), grown);
        let known = [("x-forwarded-for", "203.0.113.9, 192.0.2.1")];
        assert_eq!(asked(&known, Some("192.0.2.1")), all("203.0.113.9, 192.0.2.1", "http", "inner.test"));
        assert_eq!(asked(&[], None), (None, Some("http".into()), Some("inner.test".into())));
    }

    #[test]
    fn a_switch_to_websocket_is_passed_on_and_no_other() {
        let upgraded = |fields: &[(&str, &str)]| {
            let headers = response_headers(&map(fields));
            headers.get("upgrade").is_some() && headers.get("connection").is_some()
        };
        assert!(upgraded(&[("connection", "keep-alive, Upgrade"), ("upgrade", "WebSocket")]));
        assert!(upgraded(&[("upgrade", "websocket")]), "a platform may take Connection away");
        assert!(!upgraded(&[("connection", "close"), ("upgrade", "websocket")]));
        assert!(!upgraded(&[("connection", "upgrade"), ("upgrade", "h2c")]));
        assert!(!upgraded(&[("connection", "upgrade")]));
    }

    proptest! {
        #[test]
        fn any_url_and_fields_are_passed_on_without_a_panic(
            url in "(https?://[a-z.]{0,5})?[/?#a:é ]{0,10}",
            connection in proptest::collection::vec(0x20u8..=0xff, 0..12),
            forwarded in proptest::collection::vec(0x20u8..=0xff, 0..12),
            client in proptest::option::of("\\PC{0,8}"),
        ) {
            let mut seen = HeaderMap::new();
            for (name, bytes) in [(CONNECTION, connection), (FOR, forwarded)] {
                if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                    seen.insert(name, value);
                }
            }
            let headers = upstream().request_headers(&seen, &url, client.as_deref());
            prop_assert!(!headers.contains_key(CONNECTION));
            let target = upstream().target(&url);
            prop_assert!(target.starts_with("https://origin.test:8443/") && !target.contains('#'));
        }
    }
}
