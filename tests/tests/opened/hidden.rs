//! Files whose bytes do not show what their records hold, or show what they do not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqlog_tests::corpus::Prng;
use serde_json::{Value, json};

/// What is sought, and texts that only look like it.
pub const WORDS: [&str; 8] =
    ["order-4711", "ORDER-4711", "order-47", "alpha beta", "deadbeef", "a\"lpha/x", "übermut", "4711"];

/// Filters over what stays in the file.
pub const SOUGHT: [&str; 28] = [
    "body:order-4711",
    "req.body:alpha res.body:alpha",
    "-body:order-4711",
    "-body:order-4711 -attr.word:deadbeef",
    "body:\"alpha beta\"",
    "body:\"a\\\"lpha/x\"",
    "body:übermut",
    "body:deadbeef",
    "body:4711",
    "body:dead*ef",
    "req.header.x-word:order-4711",
    "res.header.x-word:*4711*",
    "req.header.referer:*order*",
    "attr.word:order-4711",
    "attr.word:deadbeef OR status:503",
    "attr.word:u0001",
    "attr.response:*tfalse*",
    "attr.request:*fragment*",
    "req.json.word:order-4711",
    "res.json.list:*alpha*",
    "type:application/json",
    "type:image/png",
    "body:redacted",
    "body:null",
    "body:2Dbar",
    "body:foo-bar",
    "path:/b body:order-4711",
    "req.body:order-4711 OR path:/c",
];

/// `deadbeef`, as zlib packs it into ASCII.
const DEFLATED: &str = "x\u{1}KIMLIJMM\u{3}\0\u{e}\u{c}\u{3}!";

/// A text as JSON, each of its characters written in one way or another.
fn written(prng: &mut Prng, text: &str) -> String {
    let mut out = String::from("\"");
    let escape = prng.chance(0.3);
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '/' if escape => out.push_str("\\/"),
            c if u32::from(c) < 0x20 || escape && prng.chance(0.3) => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn body(prng: &mut Prng, word: &str) -> String {
    let secret = json!({"password": format!("{word}-{word}-{word}"), "word": "x"}).to_string();
    let inner = format!("{{\"word\":{},\"list\":[{}]}}", written(prng, word), written(prng, word));
    match prng.below(8) {
        0 => format!("{{\"size\":9,\"content_type\":\"text/plain\",\"base64\":\"{}\"}}", STANDARD.encode(word)),
        1 => inner,
        2 => written(prng, &inner),
        3 => written(prng, &secret),
        4 => secret,
        5 => "null".to_owned(),
        _ => written(prng, word),
    }
}

fn message(prng: &mut Prng, word: &str) -> String {
    let (word, body) = (written(prng, word), body(prng, word));
    let media = prng.pick(&["image/png", "application/json", "text/plain"]);
    match prng.below(5) {
        0 => format!("{{\"headers\":[[\"X-Word\",{word}]],\"body\":{body}}}"),
        3 => {
            let packed = written(prng, DEFLATED);
            format!("{{\"headers\":{{\"content-encoding\":\"deflate\"}},\"body\":{packed}}}")
        }
        1 => format!("{{\"headers\":{{\"x-word\":{word},\"Content-Type\":\"{media}\"}},\"body\":{body}}}"),
        2 => format!(
            "{{\"headers\":{{\"authorization\":\"Bearer 0123456789\",\"content-type\":\"{media}\"}},\"body\":{body}}}"
        ),
        _ => format!("{{\"body\":{body}}}"),
    }
}

fn object(prng: &mut Prng) -> String {
    let mut word = || prng.pick(&WORDS);
    let (request, response, attribute) = (word(), word(), word());
    let (request, mut response) = (message(prng, request), message(prng, response));
    if prng.chance(0.2) {
        // what is too deep is kept as text, in which a tab is an escape
        let (open, close) = ("[".repeat(120), "]".repeat(120));
        response.insert_str(1, &format!("\"deep\":{open}\tfalse{close},"));
    }
    let attribute = written(prng, attribute);
    let (path, status) = (prng.pick(&["/a", "/b", "/c"]), prng.pick(&["200", "404", "503"]));
    let attributes = match prng.below(3) {
        0 => format!("\"attributes\":{{\"word\":{attribute}}}"),
        1 => format!("\"word\":{attribute}"),
        _ => format!("\"word\":[{attribute},\"\\u0001\"]"),
    };
    format!(
        "{{\"method\":\"GET\",\"path\":\"{path}\",\"status\":{status},{attributes},\"request\":{request},\"response\":{response}}}"
    )
}

fn entry(prng: &mut Prng) -> String {
    let word = prng.pick(&WORDS);
    let post = match prng.below(4) {
        0 => format!("{{\"mimeType\":\"text/plain\",\"text\":{}}}", written(prng, word)),
        1 => format!("{{\"params\":[{{\"name\":\"foo-bar\",\"value\":{}}}]}}", written(prng, word)),
        _ => "null".to_owned(),
    };
    let word = prng.pick(&WORDS);
    let content = match prng.below(3) {
        0 => format!("{{\"mimeType\":\"image/png\",\"text\":\"{}\",\"encoding\":\"base64\"}}", STANDARD.encode(word)),
        1 => format!("{{\"mimeType\":\"text/html\",\"text\":{}}}", written(prng, word)),
        _ => "{}".to_owned(),
    };
    let (header, extra) = (prng.pick(&WORDS), prng.pick(&WORDS));
    let (header, extra) = (written(prng, header), written(prng, extra));
    format!(
        "{{\"startedDateTime\":\"2026-06-23T12:00:0{}Z\",\"word\":{extra},\n\
         \"request\":{{\"method\":\"POST\",\"url\":\"https://h.test/b#top\",\"headers\":[{{\"name\":\"X-Word\",\"value\":{header}}}],\
         \"postData\":{post}}},\"response\":{{\"status\":503,\"headers\":[],\"content\":{content}}}}}",
        prng.below(10),
    )
}

fn line(prng: &mut Prng) -> String {
    let hide = |prng: &mut Prng, word: &str| {
        let mut out = String::new();
        for c in word.chars() {
            match c {
                '"' | '\\' => out.extend(['\\', c]),
                c if c.is_ascii() && prng.chance(0.1) => out.push_str(&format!("\\x{:02x}", u32::from(c))),
                c => out.push(c),
            }
        }
        out
    };
    let (referer, agent) = (prng.pick(&WORDS), prng.pick(&WORDS));
    let (referer, agent) = (hide(prng, referer), hide(prng, agent));
    let extra = prng.pick(&WORDS);
    format!(
        "10.0.0.1 - - [23/Jun/2026:12:00:00 +0000] \"GET /b HTTP/1.1\" 200 5 \"{referer}\" \"{agent}\" word={}\n",
        hide(prng, extra).replace([' ', '"'], "_")
    )
}

fn row(prng: &mut Prng) -> String {
    let cell = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let (word, request) = (prng.pick(&WORDS), prng.pick(&WORDS));
    let request = body(prng, request);
    let odd = prng.pick(&["", "\u{1}", "a\nb"]);
    let (headers, request) = match prng.below(4) {
        // text behind a closing quote is of the cell too
        0 => (String::new(), "\"ord\"er-4711".to_owned()),
        1 => (cell("{\"content-encoding\":\"deflate\"}"), cell(DEFLATED)),
        _ => (String::new(), cell(&request)),
    };
    format!("GET,/b,503,{},{headers},{request},{}\n", cell(&format!("{word}{odd}")), cell(&message(prng, word)))
}

/// One of each format.
pub fn files(seed: u64, records: usize) -> Vec<Vec<u8>> {
    let mut prng = Prng::new(seed);
    let mut all = |make: &dyn Fn(&mut Prng) -> String| (0..records).map(|_| make(&mut prng)).collect::<Vec<_>>();
    let (ndjson, array, har) = (all(&object), all(&object), all(&entry));
    let (access, csv) = (all(&line).concat(), all(&row).concat());
    let ndjson: String = ndjson.iter().flat_map(|object| [object.as_str(), "\n"]).collect();
    let files = [
        ndjson,
        format!("[\n{}\n]", array.join(",\n ")),
        format!("{{\"log\":{{\"version\":\"1.2\",\"entries\":[{}]}}}}", har.join(",\n")),
        access,
        format!("method,path,status,word,req_headers,req_body,response\n{csv}"),
    ];
    for har in har {
        let _is_json: Value = serde_json::from_str(&har).expect("entries are JSON");
    }
    files.map(String::into_bytes).into()
}
