//! Whether an answer is one that the `OpenAPI` document tells of.

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{Method, Response, StatusCode};
use jsonschema::Validator;
use reqlog_core::openapi;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| openapi::document(""));
// by the place of the schema in the document
static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// Status, content type and, of JSON, the content: what of it is not documented. Paths that nothing is at, and methods
/// that a path does not have, are documented by their absence.
pub(super) fn check(method: &Method, path: &str, answer: &Response<Bytes>) -> Result<(), String> {
    let Some((template, item)) = find(path) else {
        // the files of the UI are named by its build, and are no API
        if crate::ui::stub().paths().any(|file| file == path) {
            return Ok(());
        }
        let none = [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED].contains(&answer.status());
        return if none { Ok(()) } else { Err(format!("  {path} is not documented")) };
    };
    let wanted = if method == Method::HEAD { "get".to_owned() } else { method.as_str().to_ascii_lowercase() };
    let Some(operation) = item.get(&wanted) else {
        let refused = answer.status() == StatusCode::METHOD_NOT_ALLOWED && answer.headers().contains_key(ALLOW);
        return if refused || method == Method::OPTIONS {
            Ok(())
        } else {
            Err(format!("  {method} {path} is not documented"))
        };
    };
    let status = answer.status();
    let status = status.as_str();
    let response =
        operation["responses"].get(status).ok_or_else(|| format!("  {status} of {template} is not documented"))?;
    let known = response["content"].as_object();
    let essence =
        answer.headers().get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let essence = essence.as_deref().map(|text| text.split(';').next().unwrap_or_default().trim());
    let (Some(known), Some(essence)) = (known, essence) else {
        return if known.is_none() && answer.body().is_empty() {
            Ok(())
        } else {
            Err(format!("  {status} of {template} has a body where none is documented, or the other way round"))
        };
    };
    let Some(media) = [essence, "*/*"].into_iter().find(|media| known.contains_key(*media)) else {
        return Err(format!("  {essence} is not documented for {status} of {template}"));
    };
    if essence == "text/event-stream" {
        let fields = response["headers"].as_object().into_iter().flatten();
        let lacking: Vec<_> = fields.filter(|(name, _)| !answer.headers().contains_key(*name)).collect();
        return if lacking.is_empty() { Ok(()) } else { Err(format!("  a stream without {lacking:?}")) };
    }
    // records of reqlog's own are documented as text
    let text = known[media]["schema"].is_boolean();
    if method == Method::HEAD || !essence.ends_with("json") || text {
        return Ok(());
    }
    let parse = |json: &[u8]| serde_json::from_slice(json).map_err(|error| format!("  the body is not JSON: {error}"));
    let values: Vec<Value> = if essence.ends_with("ndjson") {
        answer.body().trim_ascii_end().split(|byte| *byte == b'\n').map(parse).collect::<Result<_, _>>()?
    } else {
        vec![parse(answer.body())?]
    };
    let escaped = |text: &str| text.replace('~', "~0").replace('/', "~1");
    let place = format!("/paths/{}/{wanted}/responses/{status}/content/{}/schema", escaped(template), escaped(media));
    let validator = validator(&place)?;
    let errors: Vec<_> = values
        .iter()
        .flat_map(|value| validator.iter_errors(value))
        .map(|error| format!("  not as documented: {} {error}", error.instance_path()))
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(errors.join("\n")) }
}

/// The path item whose template fits; one without captures before others.
fn find(path: &str) -> Option<(&'static str, &'static Value)> {
    let fits = |template: &str| {
        let (mut template, mut path) = (template.split('/'), path.split('/'));
        loop {
            match (template.next(), path.next()) {
                (None, None) => return true,
                (Some(expected), Some(got)) if expected == got || expected.starts_with('{') && !got.is_empty() => {}
                _ => return false,
            }
        }
    };
    let paths = DOCUMENT["paths"].as_object()?;
    let captures = |template: &str| template.matches('{').count();
    let found = paths.iter().filter(|(template, _)| fits(template)).min_by_key(|(template, _)| captures(template));
    found.map(|(template, item)| (template.as_str(), item))
}

fn validator(place: &str) -> Result<Arc<Validator>, String> {
    let mut known = VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(validator) = known.get(place) {
        return Ok(validator.clone());
    }
    let schema = DOCUMENT.pointer(place).ok_or_else(|| format!("  {place} has no schema"))?;
    // references lead to the document's components, which come along
    let whole = json!({"allOf": [schema], "components": DOCUMENT["components"]});
    let validator = jsonschema::draft202012::new(&whole).map_err(|error| format!("  {place}: {error}"))?;
    Ok(known.entry(place.to_owned()).or_insert(Arc::new(validator)).clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(method: &Method, path: &str, status: u16, content_type: &str, body: &'static str) -> Result<(), String> {
        let mut answer = Response::builder().status(status);
        if !content_type.is_empty() {
            answer = answer.header(CONTENT_TYPE, content_type);
        }
        check(method, path, &answer.body(Bytes::from_static(body.as_bytes())).unwrap())
    }

    #[test]
    fn what_the_document_says_is_fine_and_nothing_else() {
        let health = |status, content_type, body| told(&Method::GET, "/healthz", status, content_type, body);
        assert_eq!(health(200, "application/json", "{\"status\":\"ok\"}"), Ok(()));
        assert_eq!(told(&Method::HEAD, "/healthz", 200, "application/json", ""), Ok(()));
        let line = "{\"__trailer\":true,\"cursor\":null,\"stoppedReason\":\"end\"}\n";
        assert_eq!(told(&Method::GET, "/_logs", 200, "application/x-ndjson", line), Ok(()));
        for wrong in [
            health(418, "application/json", "{\"status\":\"ok\"}"),
            health(200, "text/plain", "ok"),
            health(200, "", ""),
            health(200, "application/json", "{\"status\":\"no\"}"),
            health(200, "application/json", "{"),
            health(200, "application/json", "{\"status\":\"ok\",\"more\":1}"),
            told(&Method::GET, "/nothing", 200, "application/json", "{}"),
            told(&Method::PUT, "/healthz", 200, "application/json", "{}"),
            told(&Method::GET, "/_logs", 200, "application/x-ndjson", "{\"__trailer\":true}\n"),
            told(&Method::GET, "/api/v1/logs/x", 404, "application/problem+json", "{}"),
        ] {
            assert!(wrong.is_err());
        }
        assert_eq!(told(&Method::GET, "/nothing", 404, "", ""), Ok(()));
    }

    #[test]
    fn every_example_is_what_its_schema_says() {
        let mut examples = 0;
        let escaped = |text: &str| text.replace('~', "~0").replace('/', "~1");
        for (path, item) in DOCUMENT["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                for (status, response) in operation["responses"].as_object().unwrap() {
                    for (media, content) in response["content"].as_object().into_iter().flatten() {
                        let Some(example) = content.get("example") else { continue };
                        let content = format!("{status}/content/{}", escaped(media));
                        let place = format!("/paths/{}/{method}/responses/{content}/schema", escaped(path));
                        let errors: Vec<_> =
                            validator(&place).unwrap().iter_errors(example).map(|error| error.to_string()).collect();
                        assert!(errors.is_empty(), "{place}: {errors:?}");
                        examples += 1;
                    }
                }
            }
        }
        assert!(examples > 20, "{examples}");
    }
}
