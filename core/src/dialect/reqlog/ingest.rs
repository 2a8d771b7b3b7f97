//! `POST /ingest`: records in any supported format.

use super::parameters::{ENVIRONMENT, IMPORT, INGEST_FORMAT, INGEST_PROJECT, SERVICE, SESSION};
use super::{Render, problem};
use crate::auth::Key;
use crate::dialect::params::{Param, ParamError, Params};
use crate::dialect::{Asked, Planned, json};
use crate::error::Error;
use crate::format::Compression;
use crate::plan::{Failure, IngestMode, IngestRequest, Operation, Report};
use bytes::Bytes;
use http::header::CONTENT_ENCODING;
use http::{Response, StatusCode};
use serde_json::{Value, json};

const ENCODINGS: &[&str] = &["gzip", "x-gzip", "zstd", "deflate", "br"];
// each may need memory for a window
const MOST_ENCODINGS: usize = 4;
const LONGEST_KEY: usize = 255;

pub(super) fn plan(asked: &Asked<'_>, key: &Key, params: &Params) -> Result<Planned, Error> {
    let default = |param: &'static Param, header: &'static str| match params.text(param) {
        Some(value) => Ok::<_, Error>(Some(value.to_owned())),
        None => Ok(field(asked, header)?.filter(|value| !value.is_empty())),
    };
    let project = default(&INGEST_PROJECT, "x-reqlog-project")?;
    let request = IngestRequest {
        scope: key.scope.clone(),
        project: Asked::project(key, project.as_deref())?,
        environment: default(&ENVIRONMENT, "x-reqlog-environment")?,
        session: default(&SESSION, "x-reqlog-session")?,
        service: default(&SERVICE, "x-reqlog-service")?,
        format: params.word(&INGEST_FORMAT).map(str::to_owned),
        encodings: encodings(asked)?,
        mode: if params.flag(&IMPORT) { IngestMode::Import } else { IngestMode::Live },
        idempotency_key: idempotency_key(asked)?,
        limit: asked.context.settings.request_limit,
    };
    Ok(Planned::run(Operation::Ingest(request), Render::Ingested))
}

/// The value of a header field that may be sent once.
fn field(asked: &Asked<'_>, name: &'static str) -> Result<Option<String>, Error> {
    let mut values = asked.headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(ParamError::Repeated { name }.into());
    }
    first
        .map(|value| {
            std::str::from_utf8(value.as_bytes()).map(|text| text.trim().to_owned()).map_err(|_| {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                ParamError::Value { name, value, accepted: "UTF-8".to_owned() }.into()
            })
        })
        .transpose()
}

/// **Ours:** at most [`MOST_ENCODINGS`] encodings, one in another.
fn encodings(asked: &Asked<'_>) -> Result<Vec<Compression>, Error> {
    let mut encodings = Vec::new();
    for value in asked.headers.get_all(CONTENT_ENCODING) {
        let value = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
        for encoding in value.split(',').map(str::trim).filter(|encoding| !["", "identity"].contains(encoding)) {
            let known = Some(encoding).filter(|encoding| ENCODINGS.contains(encoding));
            let Some(compression) = known.and_then(Compression::parse_name) else {
                let known = ENCODINGS.join(", ");
                return Err(Failure::Encoding(format!("The Content-Encoding is not one of {known}.")).into());
            };
            if encodings.len() == MOST_ENCODINGS {
                let detail = format!("The Content-Encoding names more than {MOST_ENCODINGS} encodings.");
                return Err(Failure::Encoding(detail).into());
            }
            encodings.push(compression);
        }
    }
    Ok(encodings)
}

fn idempotency_key(asked: &Asked<'_>) -> Result<Option<String>, Error> {
    let name = "idempotency-key";
    match field(asked, name)? {
        Some(value) if value.is_empty() || value.len() > LONGEST_KEY => {
            let accepted = format!("1 to {LONGEST_KEY} bytes");
            Err(ParamError::Value { name, value, accepted }.into())
        }
        key => Ok(key),
    }
}

/// What became of the records. A 200 says that all were taken, a 207 that some were, a 422 that none could be.
pub(super) fn reply(report: &Report) -> Response<Bytes> {
    let status = match (report.rejected, report.accepted + report.duplicates) {
        (0, _) => StatusCode::OK,
        (_, 0) => return problem::all_rejected(report),
        _ => StatusCode::MULTI_STATUS,
    };
    let body: serde_json::Map<String, Value> =
        members(report).into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    json(status, &Value::Object(body))
}

/// The report as JSON members.
pub(super) fn members(report: &Report) -> [(&'static str, Value); 4] {
    let errors: Vec<_> = report
        .errors
        .iter()
        .map(|error| json!({"line": error.line, "reason": error.reason, "excerpt": error.excerpt}))
        .collect();
    [
        ("accepted", json!(report.accepted)),
        ("duplicates", json!(report.duplicates)),
        ("rejected", json!(report.rejected)),
        ("errors", json!(errors)),
    ]
}
