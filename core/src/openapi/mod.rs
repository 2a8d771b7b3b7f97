//! The `OpenAPI` 3.1 document, made from the tables by which requests are understood.

mod page;

pub use page::page;

use crate::dialect::{About, Absent, Access, Answer, BUSY, Endpoint, LIMITED, Media, Param, Refusal, Shape, tables};
use http::Method;
use serde_json::{Map, Value, json};
use std::fmt::Debug;

/// The API of a server that is reached below `base_path`: all six dialects.
pub fn document(base_path: &str) -> Value {
    let mut described = Described::default();
    tables(&mut described);
    let Described { tags, paths, schemas } = described;
    let server = if base_path.is_empty() { "/" } else { base_path };
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "reqlog",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Captured HTTP traffic by five published log APIs and reqlog's own, over one store.",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": server}],
        "tags": tags,
        "security": [{"bearer": []}, {"header": []}, {"basic": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "basic": {"type": "http", "scheme": "basic", "description": "The key is the password."},
            },
            "schemas": schemas,
        },
    })
}

/// Takes in every dialect's table.
pub(crate) trait Visitor {
    /// One dialect.
    fn dialect<A: Debug>(&mut self, about: &About, endpoints: &'static [Endpoint<A>]);
}

#[derive(Default)]
struct Described {
    tags: Vec<Value>,
    paths: Map<String, Value>,
    schemas: Map<String, Value>,
}

impl Visitor for Described {
    fn dialect<A: Debug>(&mut self, about: &About, endpoints: &'static [Endpoint<A>]) {
        self.tags.push(json!({"name": about.name, "description": about.doc}));
        self.schemas.extend((about.schemas)().into_iter().map(|(name, schema)| (name.to_owned(), schema)));
        let envelope = format!("{}Error", about.name);
        self.schemas.insert(envelope.clone(), (about.envelope.schema)());
        for (place, mount) in about.mounts.iter().enumerate() {
            for endpoint in endpoints {
                let mut operation = operation(about, &envelope, endpoint);
                let suffix = if place > 0 { format!("_{}", place + 1) } else { String::new() };
                operation["operationId"] = json!(format!("{}_{:?}{suffix}", about.name, endpoint.action));
                self.add(&format!("{mount}{}", endpoint.path), &endpoint.method, operation);
            }
        }
    }
}

impl Described {
    /// Where two dialects share a path and a method, the operation is what either answers.
    fn add(&mut self, path: &str, method: &Method, operation: Value) {
        let same = |known: &String| known.split('/').map(kind).eq(path.split('/').map(kind));
        let known = self.paths.keys().find(|known| same(known)).cloned();
        let item = self.paths.entry(known.clone().unwrap_or_else(|| path.to_owned())).or_insert_with(|| json!({}));
        let method = method.as_str().to_ascii_lowercase();
        match item.get_mut(&method) {
            None => item[&method] = operation,
            Some(other) => merge(other, &operation),
        }
    }
}

// path templates that differ by the names of their captures alone are one path
fn kind(segment: &str) -> &str {
    if segment.starts_with('{') { "{}" } else { segment }
}

fn merge(operation: &mut Value, other: &Value) {
    let of = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    operation["description"] = json!(format!("{} Or: {}", of(operation, "description"), of(other, "description")));
    if let (Value::Array(tags), Value::Array(more)) = (&mut operation["tags"], &other["tags"]) {
        tags.extend(more.iter().cloned());
    }
    if let (Value::Array(params), Value::Array(more)) = (&mut operation["parameters"], &other["parameters"]) {
        let known: Vec<_> = params.iter().map(|param| of(param, "name")).collect();
        let fresh = |param: &&Value| param["in"] != "path" && !known.contains(&of(param, "name"));
        params.extend(more.iter().filter(fresh).cloned());
    }
    let Value::Object(more) = &other["responses"] else { return };
    for (status, response) in more {
        match operation["responses"].get_mut(status) {
            None => operation["responses"][status] = response.clone(),
            Some(known) => {
                for (media, content) in response["content"].as_object().into_iter().flatten() {
                    known["content"][media] = content.clone();
                }
            }
        }
    }
}

fn operation<A>(about: &About, envelope: &str, endpoint: &Endpoint<A>) -> Value {
    let mut parameters: Vec<Value> = captures(endpoint.path)
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string", "minLength": 1}}))
        .collect();
    parameters.extend(endpoint.params.iter().map(|param| parameter(param)));
    let mut responses = Map::new();
    for answer in endpoint.answers {
        responses.insert(answer.status.to_string(), success(about, answer));
    }
    let mut refusal = json!({"schema": {"$ref": format!("#/components/schemas/{envelope}")}});
    if let Some(example) = about.envelope.example {
        refusal["example"] = example();
    }
    for Refusal(status, doc) in endpoint.refusals {
        let mut response = json!({"description": doc, "content": {about.envelope.name: refusal}});
        let retry_after = [LIMITED, BUSY].iter().any(|Refusal(known, _)| known == status);
        describe(about.fields.iter().chain(retry_after.then_some(&"retry-after")), &mut response);
        responses.insert(status.to_string(), response);
    }
    let mut operation = json!({
        "tags": [about.name],
        "description": endpoint.doc,
        "parameters": parameters,
        "responses": responses,
    });
    if endpoint.access == Access::Public {
        operation["security"] = json!([]);
    }
    if !endpoint.takes.is_empty() {
        operation["requestBody"] = json!({"required": true, "content": content(endpoint.takes)});
    }
    operation
}

fn captures(path: &'static str) -> impl Iterator<Item = &'static str> {
    path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

fn success(about: &About, answer: &Answer) -> Value {
    let mut response = json!({"description": answer.doc});
    if !answer.media.is_empty() {
        response["content"] = content(answer.media);
    }
    describe(answer.fields.iter().chain(about.fields), &mut response);
    response
}

/// Names the header fields of a response.
fn describe<'f>(fields: impl Iterator<Item = &'f &'static str>, response: &mut Value) {
    let fields: Map<_, _> = fields.map(|name| ((*name).to_owned(), json!({"schema": {"type": "string"}}))).collect();
    if !fields.is_empty() {
        response["headers"] = Value::Object(fields);
    }
}

fn content(media: &[Media]) -> Value {
    let one = |media: &Media| {
        let mut content = json!({"schema": (media.schema)()});
        if let Some(example) = media.example {
            content["example"] = example();
        }
        (media.name.to_owned(), content)
    };
    Value::Object(media.iter().map(one).collect())
}

fn parameter(param: &Param) -> Value {
    let mut parameter = json!({
        "name": param.name,
        "in": "query",
        "description": param.doc,
        "required": param.absent == Absent::Refused,
        "schema": schema(param.shape),
    });
    if let Absent::Means(default) = param.absent {
        parameter["schema"]["default"] = match param.shape {
            Shape::Integer { .. } => default.parse::<u64>().map_or(Value::Null, Value::from),
            Shape::Words(_) => default.split(',').collect(),
            _ => json!(default),
        };
    }
    if matches!(param.shape, Shape::Words(_)) {
        parameter["explode"] = json!(false);
    }
    parameter
}

fn schema(shape: Shape) -> Value {
    match shape {
        Shape::Text => json!({"type": "string"}),
        Shape::Name => json!({"type": "string", "minLength": 1}),
        Shape::Integer { least, most } => json!({"type": "integer", "minimum": least, "maximum": most}),
        Shape::Choice(words) => json!({"type": "string", "enum": words}),
        Shape::AnyCase(words) => {
            json!({"type": "string", "enum": words, "description": format!("{shape}, in upper or lower case")})
        }
        Shape::Words(words) | Shape::Array(words) => {
            json!({"type": "array", "items": {"type": "string", "enum": words}, "minItems": 1})
        }
        Shape::Flag => json!({"type": "string", "enum": ["true", "false", "1", "0"]}),
        Shape::Wait { most } => {
            let accepted = format!("{shape}");
            json!({"type": "string", "pattern": "^[0-9]{1,2}s?$", "description": accepted, "x-most-seconds": most.as_secs()})
        }
        Shape::Time => json!({"type": "string", "format": "date-time", "description": format!("{shape}")}),
        Shape::Interval => {
            json!({"type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$", "description": format!("{shape}")})
        }
    }
}

#[cfg(test)]
mod tests;
