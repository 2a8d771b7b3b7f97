//! Traffic seen by a proxy in front of an origin: what is passed on, what is kept, and as which record.
//!
//! ```
//! use reqlog_core::capture::{Captured, End, Exchange, Sampling, Upstream};
//! use reqlog_core::record::Field;
//! use reqlog_core::timestamp::Timestamp;
//! use http::{HeaderMap, Method};
//! use std::time::Duration;
//!
//! let now = Timestamp::from_millis(1_750_000_000_000);
//! let (url, seen) = ("https://api.example/v1/pay?id=7", HeaderMap::new());
//! let upstream = Upstream::parse("https://origin.example:8443").expect("it is an origin");
//! assert_eq!(upstream.target(url), "https://origin.example:8443/v1/pay?id=7");
//! let passed_on = upstream.request_headers(&seen, url, Some("192.0.2.1"));
//! assert_eq!(passed_on["x-forwarded-for"], "192.0.2.1");
//!
//! // the shell sends it, streams both bodies through and hands over what it saw
//! let record = Exchange {
//!     method: &Method::POST,
//!     url,
//!     protocol: Some("HTTP/2"),
//!     client: Some("192.0.2.1"),
//!     request_headers: &seen,
//!     request_body: Captured { bytes: "{}".into(), size: 2, end: End::Whole },
//!     status: Some(503),
//!     response_headers: &HeaderMap::new(),
//!     response_body: Captured::default(),
//!     started: now,
//!     duration: Duration::from_millis(12),
//!     failure: None,
//! }
//! .record();
//! assert_eq!(record.text(Field::Path), Some("/v1/pay"));
//!
//! let sampling = Sampling::parse("status:5xx=1, path:/health*=0, 0.1", now).expect("it is well written");
//! assert!(sampling.keeps(&record, 0));
//! ```
//!
//! **In scope:** header fields of a hop and of the ends, the target's URL, what an exchange becomes, which exchanges are
//! kept. **Out of scope:** sockets and streams; redaction and caps, which are those of every way in
//! ([`Rules`](crate::accept::Rules)).

mod exchange;
mod sampling;
mod upstream;

pub use exchange::{Captured, End, Exchange, Failure};
pub use sampling::{Sampling, SamplingError, SamplingProblem};
pub use upstream::{Upstream, UpstreamError, path, response_headers};
