//! A request target taken apart as sent, nothing normalised.

use crate::record::{Field, Record};

/// The pieces of an absolute URL or of a path with query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Url<'a> {
    pub(crate) scheme: Option<&'a str>,
    pub(crate) host: Option<&'a str>,
    pub(crate) path: &'a str,
    pub(crate) query: Option<&'a str>,
    pub(crate) fragment: Option<&'a str>,
    /// Whether `user:password@` stood before the host and was dropped.
    pub(crate) userinfo: bool,
}

impl<'a> Url<'a> {
    pub(crate) fn split(url: &'a str) -> Self {
        let mut out = Self::default();
        let rest = match url.split_once("://") {
            Some((scheme, rest)) if is_scheme(scheme) => {
                out.scheme = Some(scheme);
                let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
                let (userinfo, host) = authority.rsplit_once('@').unwrap_or(("", authority));
                out.userinfo = !userinfo.is_empty();
                out.host = Some(host).filter(|host| !host.is_empty());
                path
            }
            _ => url,
        };
        let (rest, fragment) = match rest.split_once('#') {
            Some((rest, fragment)) => (rest, Some(fragment)),
            None => (rest, None),
        };
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (rest, None),
        };
        out.path = if path.is_empty() && out.host.is_some() { "/" } else { path };
        (out.query, out.fragment) = (query, fragment);
        out
    }

    /// Fills what `record` does not have yet.
    pub(crate) fn fill(&self, record: &mut Record) {
        let pieces = [
            (Field::Scheme, self.scheme),
            (Field::Host, self.host),
            (Field::Path, Some(self.path).filter(|path| !path.is_empty())),
            (Field::Query, self.query),
        ];
        for (field, piece) in pieces {
            if let Some(piece) = piece {
                record.texts.set_default(field, piece);
            }
        }
        record.redacted |= self.userinfo;
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

/// A protocol as reqlog names it: `HTTP/1.1`, `HTTP/2`, `HTTP/3`; others as they are.
pub(crate) fn protocol(name: &str) -> &str {
    match name.to_ascii_lowercase().as_str() {
        "h2" | "h2c" | "http/2" | "http/2.0" | "http2" | "2" | "2.0" => "HTTP/2",
        "h3" | "http/3" | "http/3.0" | "http3" | "3" | "3.0" => "HTTP/3",
        "http/1.1" | "1.1" | "http11" => "HTTP/1.1",
        "http/1.0" | "1.0" | "http10" => "HTTP/1.0",
        _ => name,
    }
}

/// An address without the port that Go servers print after it: `192.0.2.1:443` and `[::1]:443`.
pub(crate) fn address(text: &str) -> &str {
    if let Some((inner, _)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return inner;
    }
    match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') && port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_split_as_sent() {
        let check = |url, scheme, host, path, query| {
            let split = Url::split(url);
            assert_eq!((split.scheme, split.host, split.path, split.query), (scheme, host, path, query), "{url}");
        };
        check("/a/b?x=1?y", None, None, "/a/b", Some("x=1?y"));
        check("https://api.test:8443/a#top", Some("https"), Some("api.test:8443"), "/a", None);
        check("http://api.test", Some("http"), Some("api.test"), "/", None);
        check("http://api.test?q=1", Some("http"), Some("api.test"), "/", Some("q=1"));
        check("/go?to=http://x.test/", None, None, "/go", Some("to=http://x.test/"));
        check("*", None, None, "*", None);
        check("data:text/plain,x", None, None, "data:text/plain,x", None);
        assert!(Url::split("https://ann:pw@api.test/").userinfo);
        assert_eq!(Url::split("https://ann:p@w@api.test/").host, Some("api.test"));
    }

    #[test]
    fn ports_leave_addresses() {
        for (text, bare) in [("192.0.2.1:80", "192.0.2.1"), ("[::1]:80", "::1"), ("::1", "::1"), ("host", "host")] {
            assert_eq!(address(text), bare);
        }
    }
}
