//! The JSON object of what has no field of its own.

use super::json::{Value, quote};

/// Builds the text of one JSON object, members in the order they come.
#[derive(Clone, Debug, Default)]
pub(super) struct Attributes {
    members: String,
}

impl Attributes {
    pub(super) fn push(&mut self, key: &str, value: Value<'_>) {
        self.key(key);
        value.write(&mut self.members);
    }

    /// Appends a string member unless `text` is empty.
    pub(super) fn push_text(&mut self, key: &str, text: &str) {
        if !text.is_empty() {
            self.push(key, Value::Plain(text));
        }
    }

    /// Appends every member of a JSON object's text as it stands.
    pub(super) fn extend(&mut self, object: &str) {
        let inner = object.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or_default();
        if !inner.trim_ascii().is_empty() {
            let mut whole = String::new();
            Value::Json(object).write(&mut whole);
            // an object too deep to keep comes back as a string
            match whole.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                Some(inner) => {
                    self.separate();
                    self.members.push_str(inner);
                }
                None => self.push("attributes", Value::Json(&whole)),
            }
        }
    }

    /// Appends what is left of a nested object, under its own key.
    pub(super) fn nest(&mut self, key: &str, rest: Self) {
        if let Some(object) = rest.finish() {
            self.push(key, Value::Json(&object));
        }
    }

    /// The object's text, or nothing when it has no member.
    pub(super) fn finish(mut self) -> Option<String> {
        if self.members.is_empty() {
            return None;
        }
        self.members.insert(0, '{');
        self.members.push('}');
        Some(self.members)
    }

    fn separate(&mut self) {
        if !self.members.is_empty() {
            self.members.push(',');
        }
    }

    fn key(&mut self, key: &str) {
        self.separate();
        quote(key, &mut self.members);
        self.members.push(':');
    }
}
