//! What every response gets, whatever the dialect: conditional requests, `HEAD`, CORS, safe defaults.

use super::context::Origins;
use crate::dialect::EVENT_STREAM;
use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_TYPE, ETAG, IF_NONE_MATCH, ORIGIN, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

/// What of a request decides about the response's frame.
#[derive(Debug)]
pub(super) struct Edge {
    body: Body,
    known: Vec<String>,
    origin: Option<HeaderValue>,
    varies: Varies,
}

/// Whether the response has its body.
#[derive(Debug, PartialEq, Eq)]
enum Body {
    Sent,
    LeftOut,
}

/// Whether another origin would get another answer.
#[derive(Debug, PartialEq, Eq)]
enum Varies {
    ByOrigin,
    No,
}

const REQUEST_FIELDS: &str = "authorization, content-encoding, content-type, idempotency-key, if-none-match, if-range, \
     last-event-id, range, x-api-key, x-reqlog-environment, x-reqlog-project, x-reqlog-service, x-reqlog-session";
const RESPONSE_FIELDS: &str = "accept-ranges, content-disposition, content-range, etag, link, retry-after, \
     x-body-content-type, x-body-encoding, x-body-size, x-body-truncated, x-ratelimit-limit, x-ratelimit-remaining, \
     x-ratelimit-reset, x-reqlog-cursor, x-total-count";

impl Edge {
    pub(super) fn of(head: &Parts, origins: &Origins) -> Self {
        let texts = |name| head.headers.get_all(name).iter().filter_map(|value: &HeaderValue| value.to_str().ok());
        let origin = texts(ORIGIN).next().and_then(|origin| origins.allow(origin));
        Self {
            body: if head.method == Method::HEAD { Body::LeftOut } else { Body::Sent },
            known: texts(IF_NONE_MATCH).map(str::to_owned).collect(),
            origin: origin.and_then(|origin| HeaderValue::from_str(origin).ok()),
            varies: if matches!(origins, Origins::Listed(_)) { Varies::ByOrigin } else { Varies::No },
        }
    }

    /// The answer to `OPTIONS`.
    pub(super) fn options(&self, allow: &str) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        if let Ok(allow) = HeaderValue::from_str(allow) {
            if self.origin.is_some() {
                headers.insert(ACCESS_CONTROL_ALLOW_METHODS, allow.clone());
                headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(REQUEST_FIELDS));
                headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
            }
            headers.insert(ALLOW, allow);
        }
        response
    }

    /// Turns a rendered answer into the response that is sent.
    pub(super) fn finish(&self, mut response: Response<Bytes>) -> Response<Bytes> {
        if self.has(&response) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            *response.body_mut() = Bytes::new();
            response.headers_mut().remove(CONTENT_TYPE);
            response.headers_mut().remove(CONTENT_RANGE);
        } else if response.status() != StatusCode::NO_CONTENT && !self.unknown_length(&response) {
            let length = response.body().len();
            response.headers_mut().insert(CONTENT_LENGTH, length.into());
        }
        if self.body == Body::LeftOut {
            *response.body_mut() = Bytes::new();
        }
        self.dress(response.headers_mut());
        response
    }

    /// The header fields that every response has.
    pub(super) fn dress(&self, headers: &mut HeaderMap) {
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        // what a key may see is nobody else's; an entity tag makes asking again cheap
        let cache = match headers.get(CONTENT_TYPE) {
            // as documented for streams
            Some(name) if name == EVENT_STREAM => "no-cache",
            _ if headers.contains_key(ETAG) => "private, no-cache",
            _ => "no-store",
        };
        // the files of the UI are everybody's, and say for how long
        headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static(cache));
        if self.varies == Varies::ByOrigin {
            // beside what a dialect's answer varies by
            headers.append(VARY, HeaderValue::from_static("origin"));
        }
        if let Some(origin) = &self.origin {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(RESPONSE_FIELDS));
        }
    }

    // the answer to HEAD of something that is streamed to GET
    fn unknown_length(&self, response: &Response<Bytes>) -> bool {
        self.body == Body::LeftOut && response.body().is_empty()
    }

    // RFC 9110, 13.1.2: weak comparison
    fn has(&self, response: &Response<Bytes>) -> bool {
        let fresh = [StatusCode::OK, StatusCode::PARTIAL_CONTENT].contains(&response.status());
        let Some(tag) = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok()).filter(|_| fresh) else {
            return false;
        };
        let tags = self.known.iter().flat_map(|list| list.split(',')).map(str::trim);
        tags.map(|known| known.strip_prefix("W/").unwrap_or(known)).any(|known| known == "*" || known == tag)
    }
}
