//! The document as a page to read.

use serde_json::Value;

/// HTML of a document made by [`super::document`].
pub fn page(document: &Value) -> String {
    let mut out = String::from(HEAD);
    for tag in list(&document["tags"]) {
        let name = text(tag, "name");
        out += &format!("<section><h2 id=\"{0}\">{0}</h2><p>{1}</p>", escape(name), escape(text(tag, "description")));
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                if list(&operation["tags"]).iter().any(|tag| tag == name) {
                    write(path, method, operation, &mut out);
                }
            }
        }
        out += "</section>";
    }
    out + "</main></html>\n"
}

fn write(path: &str, method: &str, operation: &Value, out: &mut String) {
    let (method, path) = (method.to_ascii_uppercase(), escape(path));
    *out += &format!("<article><h3><b>{method}</b> <code>{path}</code></h3>");
    *out += &format!("<p>{}</p>", escape(text(operation, "description")));
    let parameters = list(&operation["parameters"]);
    if !parameters.is_empty() {
        *out += "<table><tr><th>parameter<th>takes<th>meaning";
        for parameter in parameters {
            let needed = if parameter["required"] == true { ", required" } else { "" };
            *out += &format!(
                "<tr><td><code>{}</code><td>{}{needed}<td>{}",
                escape(text(parameter, "name")),
                escape(&takes(&parameter["schema"])),
                escape(text(parameter, "description"))
            );
        }
        *out += "</table>";
    }
    *out += "<table><tr><th>status<th>body<th>when";
    for (status, response) in operation["responses"].as_object().into_iter().flatten() {
        let media: Vec<_> =
            response["content"].as_object().into_iter().flatten().map(|(name, _)| escape(name)).collect();
        let when = escape(text(response, "description"));
        *out += &format!("<tr><td>{status}<td>{}<td>{when}", media.join(", "));
    }
    *out += "</table></article>";
}

fn takes(schema: &Value) -> String {
    let words = |schema: &Value| {
        let words: Vec<_> = list(&schema["enum"]).iter().filter_map(Value::as_str).collect();
        words.join(", ")
    };
    let what = match (text(schema, "type"), text(schema, "description")) {
        (_, description) if !description.is_empty() => description.to_owned(),
        ("integer", _) => format!("{} to {}", schema["minimum"], schema["maximum"]),
        ("array", _) => format!("some of {}", words(&schema["items"])),
        (_, _) if schema["enum"].is_array() => format!("one of {}", words(schema)),
        _ => "text".to_owned(),
    };
    match &schema["default"] {
        Value::Null => what,
        Value::String(default) => format!("{what}; default {default}"),
        default => format!("{what}; default {default}"),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

const HEAD: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width\"><title>reqlog API</title><style>\
:root{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif}body{margin:0}\
main{max-width:60rem;margin:auto;padding:1rem}article{border-top:1px solid #8884;padding:.5rem 0}\
table{border-collapse:collapse;margin:.5rem 0;width:100%}th,td{text-align:left;vertical-align:top;padding:.2rem .8rem .2rem 0}\
th{font-weight:600;opacity:.7}code{font-size:.95em}</style><main><h1>reqlog API</h1>\
<p>Send a key as <code>Authorization: Bearer …</code> or <code>X-API-Key: …</code>. \
The same as OpenAPI 3.1: <a href=\"openapi.json\">openapi.json</a>.</p>";
