//! JSON Schemas of answers, for the documentation.

use serde_json::{Map, Value, json};

/// An object that has these members, all of them, and no others.
pub(super) fn object(members: &[(&str, Value)]) -> Value {
    let properties: Map<String, Value> =
        members.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    let required: Vec<_> = members.iter().map(|(name, _)| *name).collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

/// An object that may have these members, beside those it must have.
pub(super) fn with_optional(mut object: Value, members: &[(&str, Value)]) -> Value {
    for (name, schema) in members {
        object["properties"][*name] = schema.clone();
    }
    object
}

/// A value of a type, or `null`.
pub(super) fn nullable(kind: &str) -> Value {
    json!({"type": [kind, "null"]})
}

/// The schema of a component.
pub(super) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}
