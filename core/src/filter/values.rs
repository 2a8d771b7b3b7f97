//! The values of a text property in one record.

use super::json;
use super::predicate::TextKey;
use crate::body::Body;
use crate::record::{Field, Record};
use crate::shown::shown;
use percent_encoding::percent_decode_str;
use std::borrow::Cow;

impl TextKey {
    /// Calls `visit` with each value of this property in `record` until it returns true; returns whether it did.
    ///
    /// An absent property has no value, an empty one has the empty value. Bodies have a value where they are UTF-8.
    pub fn each(&self, record: &Record, visit: &mut dyn FnMut(&str) -> bool) -> bool {
        match self {
            Self::Field(field) => record.text(*field).is_some_and(visit),
            Self::Url => record.url().is_some_and(|url| visit(&url)),
            Self::Search => {
                [Field::Message, Field::Route, Field::ErrorCode]
                    .into_iter()
                    .filter_map(|field| record.text(field))
                    .any(&mut *visit)
                    || record.url().is_some_and(|url| visit(&url))
            }
            Self::Shown => shown(record).is_some_and(|text| visit(&text)),
            Self::QueryParam(name) => {
                record.text(Field::Query).is_some_and(|query| parameters(query, name).any(|value| visit(&value)))
            }
            Self::ReqHeader(name) => record.request.headers.get_all(name).any(visit),
            Self::ResHeader(name) => record.response.headers.get_all(name).any(visit),
            Self::ReqBody => text(record.request.body.as_ref()).is_some_and(visit),
            Self::ResBody => text(record.response.body.as_ref()).is_some_and(visit),
            Self::Body => [&record.request, &record.response]
                .into_iter()
                .filter_map(|message| text(message.body.as_ref()))
                .any(visit),
            Self::ReqJson(path) => at(text(record.request.body.as_ref()), path, visit),
            Self::ResJson(path) => at(text(record.response.body.as_ref()), path, visit),
            Self::Type => [&record.response, &record.request]
                .into_iter()
                .find_map(|message| message.body.as_ref()?.content_type.as_deref())
                .is_some_and(|full| visit(media_type(full))),
            Self::Attr(path) => at(record.attributes.as_deref(), path, visit),
        }
    }
}

/// The media type without its parameters: `text/html` of `text/html; charset=utf-8`.
fn media_type(full: &str) -> &str {
    full.split_once(';').map_or(full, |(media_type, _)| media_type).trim()
}

fn text(body: Option<&Body>) -> Option<&str> {
    std::str::from_utf8(&body?.bytes).ok()
}

fn at(json: Option<&str>, path: &str, visit: &mut dyn FnMut(&str) -> bool) -> bool {
    json.and_then(|json| json::lookup(json, path)).is_some_and(|value| visit(&value))
}

// Decoded as HTML forms are encoded: `+` is a blank, a parameter without `=` is empty.
fn parameters<'q>(query: &'q str, name: &str) -> impl Iterator<Item = Cow<'q, str>> {
    query.split('&').filter_map(move |pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(key) == name).then(|| decode(value))
    })
}

fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let spaced = text.replace('+', " ");
    Cow::Owned(percent_decode_str(&spaced).decode_utf8_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timestamp::Timestamp;

    fn values(record: &Record, key: &TextKey) -> Vec<String> {
        let mut all = Vec::new();
        key.each(record, &mut |value| {
            all.push(value.to_owned());
            false
        });
        all
    }

    #[test]
    fn every_property_has_the_values_it_names() {
        let mut record = Record::new(Timestamp::from_nanos(0));
        record.texts.set(Field::Path, "/v1/users");
        record.texts.set(Field::Query, "q=a+b%21&empty&q=2&%71=3&odd%5B%5D=1");
        record.texts.set(Field::Message, "done");
        record.request.headers.push("Accept", "a");
        record.request.headers.push("accept", "b");
        let body = |bytes: &[u8], content_type: Option<&str>| {
            Some(Body { bytes: bytes.to_vec(), content_type: content_type.map(Into::into), ..Body::default() })
        };
        record.request.body =
            body(br#"{"user":{"name":"Ann","tags":["x",7]}}"#, Some("application/json ; charset=utf-8"));
        record.response.body = body(&[0xff], None);
        record.attributes = Some(r#"{"service.name":"api","retries":3}"#.into());
        let cases: &[(TextKey, &[&str])] = &[
            (TextKey::Field(Field::Path), &["/v1/users"]),
            (TextKey::Field(Field::Host), &[]),
            (TextKey::Url, &["/v1/users?q=a+b%21&empty&q=2&%71=3&odd%5B%5D=1"]),
            (TextKey::Search, &["done", "/v1/users?q=a+b%21&empty&q=2&%71=3&odd%5B%5D=1"]),
            (TextKey::Shown, &["done"]),
            (TextKey::QueryParam("q".into()), &["a b!", "2", "3"]),
            (TextKey::QueryParam("empty".into()), &[""]),
            (TextKey::QueryParam("odd[]".into()), &["1"]),
            (TextKey::QueryParam("none".into()), &[]),
            (TextKey::ReqHeader("accept".into()), &["a", "b"]),
            (TextKey::ResHeader("accept".into()), &[]),
            (TextKey::ReqJson("user.name".into()), &["Ann"]),
            (TextKey::ReqJson("user.tags".into()), &[r#"["x",7]"#]),
            (TextKey::ReqJson("user.tags.1".into()), &["7"]),
            (TextKey::ResJson("user".into()), &[]),
            (TextKey::ReqBody, &[r#"{"user":{"name":"Ann","tags":["x",7]}}"#]),
            (TextKey::ResBody, &[]),
            (TextKey::Body, &[r#"{"user":{"name":"Ann","tags":["x",7]}}"#]),
            (TextKey::Type, &["application/json"]),
            (TextKey::Attr("service.name".into()), &["api"]),
            (TextKey::Attr("retries".into()), &["3"]),
        ];
        for (key, expected) in cases {
            assert_eq!(values(&record, key), *expected, "{key:?}");
        }
    }
}
