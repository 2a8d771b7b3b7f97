//! Refusals: `{"type","title","status","detail","instance","code","traceId","details"}`.
//!
//! `code` is the documented number: 1000 a missing argument, 1005 an invalid one, 1002 not found, 1013 a method that is
//! not allowed, 1008 the server's failure; 401, 403 and 429 are their status. **Ours:** what has no documented code
//! bears its status, 406 too, but 422 (more work than is allowed) is 1005.
//! `details` names the parameter where it is one. `instance` is the path as sent, and `traceId` 32 hexadecimal digits
//! of a hash of the path and the time, because nothing here is random. Refusals are JSON whatever `Accept` says.

use super::accept::Representation;
use crate::dialect::{Address, json};
use crate::error::Error;
use bytes::Bytes;
use http::header::VARY;
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const MISSING_ARGUMENT: u16 = 1000;
const NOT_FOUND: u16 = 1002;
const INVALID_ARGUMENT: u16 = 1005;
const INTERNAL: u16 = 1008;
const NOT_ALLOWED: u16 = 1013;
const NOT_ACCEPTABLE: u16 = 406;

/// The envelope of an error.
pub(in crate::dialect) fn refuse(error: &Error, address: &Address) -> Response<Bytes> {
    use crate::dialect::ParamError;
    let bad = StatusCode::BAD_REQUEST;
    let (status, code) = match error {
        Error::Route | Error::Missing(_) => (StatusCode::NOT_FOUND, NOT_FOUND),
        Error::Method { .. } => (StatusCode::METHOD_NOT_ALLOWED, NOT_ALLOWED),
        Error::Unauthorized => (StatusCode::UNAUTHORIZED, 401),
        Error::Role { .. } | Error::Organisation | Error::OtherProject { .. } => (StatusCode::FORBIDDEN, 403),
        Error::Param(ParamError::Missing { .. }) | Error::ProjectRequired | Error::EnvironmentRequired { .. } => {
            (bad, MISSING_ARGUMENT)
        }
        Error::Param(_) | Error::Path | Error::Cursor { .. } | Error::Query { .. } | Error::Body(_) => {
            (bad, INVALID_ARGUMENT)
        }
        Error::Range { .. } => (StatusCode::RANGE_NOT_SATISFIABLE, INVALID_ARGUMENT),
        Error::Failed(failure) => match failure.status() {
            status @ StatusCode::INTERNAL_SERVER_ERROR => (status, INTERNAL),
            status @ StatusCode::NOT_FOUND => (status, NOT_FOUND),
            status @ StatusCode::UNPROCESSABLE_ENTITY => (status, INVALID_ARGUMENT),
            status => (status, status.as_u16()),
        },
    };
    let parameter = match error {
        Error::Param(error) => error.name(),
        Error::Cursor { name, .. } => Some(*name),
        _ => None,
    };
    let details = parameter.map_or(json!({}), |name| json!({"parameter": name}));
    envelope(status, code, &error.to_string(), &details, address)
}

/// The client accepts none of the representations.
pub(super) fn not_acceptable(address: &Address) -> Response<Bytes> {
    let offered = Representation::ALL.map(Representation::media_type);
    let detail = format!("Accept allows none of {}.", offered.join(", "));
    let details = json!({"accepted": offered});
    let mut response = envelope(StatusCode::NOT_ACCEPTABLE, NOT_ACCEPTABLE, &detail, &details, address);
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
    response
}

fn envelope(status: StatusCode, code: u16, detail: &str, details: &Value, address: &Address) -> Response<Bytes> {
    let kind = status.canonical_reason().unwrap_or("Error");
    let title = if kind.ends_with("Error") { kind.to_owned() } else { format!("{kind} Error") };
    let body = json!({
        "type": kind,
        "title": title,
        "status": status.as_u16(),
        "detail": detail,
        "instance": address.path,
        "code": code,
        "traceId": trace_id(address),
        "details": details,
    });
    json(status, &body)
}

fn trace_id(address: &Address) -> String {
    let hash = Sha256::new()
        .chain_update(b"reqlog cognigy trace")
        .chain_update(address.at.as_nanos().to_be_bytes())
        .chain_update(address.path.as_bytes())
        .finalize();
    hash[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}
