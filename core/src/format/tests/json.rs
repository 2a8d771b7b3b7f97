//! JSON records: reqlog's own, and the shapes of common loggers and proxies.

use super::{NOW, one, read, refused};
use crate::body::Cut;
use crate::format::{Format, Head, Parser, Unit};
use crate::record::{Field, Kind, Record, Source};

fn line(text: &str) -> Record {
    one(Format::Ndjson, text)
}

fn texts(record: &Record) -> String {
    record.texts.iter().map(|(field, value)| format!("{}={value}", field.name())).collect::<Vec<_>>().join(" ")
}

/// One line of each program, and time, kind, level, status, duration, texts and attributes of its record.
const PROGRAMS: &[(&str, &str)] = &[
    // pino with its HTTP serializers: level and time are numbers, responseTime is ms
    (
        r#"{"level":50,"time":1745532517537,"pid":17,"hostname":"web-1","name":"shop","req":{"id":7,"method":"GET","url":"/a?x=1","query":{"x":"1"},"headers":{"host":"shop.test","user-agent":"UA"},"remoteAddress":"::1","remotePort":9},"res":{"statusCode":503,"headers":{"content-length":"2"}},"responseTime":12.5,"msg":"failed"}"#,
        r#"2025-04-24T22:08:37.537Z exchange error 503 12500000 service=shop container=web-1 method=GET host=shop.test path=/a query=x=1 client_ip=::1 user_agent=UA request_id=7 message=failed {"pid":17,"req":{"query":{"x":"1"},"remotePort":9}}"#,
    ),
    // bunyan
    (
        r#"{"name":"app","hostname":"h","pid":7,"level":20,"msg":"found","time":"2023-03-24T14:26:16.243Z","v":0}"#,
        r#"2023-03-24T14:26:16.243Z event debug   service=app container=h message=found {"pid":7,"v":0}"#,
    ),
    // zap in production: seconds, also for durations
    (
        r#"{"level":"info","ts":1693840791.7564995,"caller":"x/y.go:3","msg":"served","method":"GET","path":"/p","status":200,"duration":0.25}"#,
        r#"2023-09-04T15:19:51.756499500Z exchange info 200 250000000 method=GET path=/p message=served {"caller":"x/y.go:3"}"#,
    ),
    // slog: durations are whole nanoseconds
    (
        r#"{"time":"2022-11-08T15:28:26.000000000-05:00","level":"WARN+1","msg":"slow","elapsed":1500000}"#,
        "2022-11-08T20:28:26Z event warn  1500000 message=slow ",
    ),
    // logrus
    (
        r#"{"level":"warning","msg":"took long","time":"2022-11-08T15:28:26Z","duration":12}"#,
        "2022-11-08T15:28:26Z event warn  12000000 message=took long ",
    ),
    // Caddy: seconds; its access logger, request and response header fields
    (
        r#"{"level":"error","ts":1711741798.0391326,"logger":"http.log.access.log0","msg":"handled request","request":{"remote_ip":"127.0.0.1","remote_port":"46944","client_ip":"127.0.0.1","proto":"HTTP/2.0","method":"GET","host":"x.test:9080","uri":"/?q","headers":{"Authorization":[],"User-Agent":["curl/7"],"Accept":["*/*","a/b"]}},"bytes_read":0,"user_id":"","duration":0.782670468,"size":77,"status":0,"resp_headers":{"Server":["Caddy"]}}"#,
        r#"2024-03-29T19:49:58.039132600Z exchange error  782670468 method=GET host=x.test:9080 path=/ query=q client_ip=127.0.0.1 user_agent=curl/7 protocol=HTTP/2 message=handled request {"logger":"http.log.access.log0","request":{"remote_port":"46944"}}"#,
    ),
    // Traefik: nanoseconds; one member a header field; its whole-second `time` is the poorer one
    (
        r#"{"ClientAddr":"192.0.2.1:3","ClientHost":"192.0.2.1","ClientUsername":"-","DownstreamContentSize":356,"DownstreamStatus":404,"Duration":215563,"RequestHost":"x.test","RequestMethod":"GET","RequestPath":"/a?b","RequestProtocol":"HTTP/1.1","RequestScheme":"http","ServiceName":"web@docker","StartUTC":"2021-12-08T14:02:43.464763557Z","downstream_Content-Type":"text/plain","level":"info","msg":"","request_User-Agent":"N","time":"2021-12-08T14:02:43Z"}"#,
        r#"2021-12-08T14:02:43.464763557Z exchange info 404 215563 service=web@docker method=GET scheme=http host=x.test path=/a query=b client_ip=192.0.2.1 user_agent=N protocol=HTTP/1.1 {"ClientAddr":"192.0.2.1:3","time":"2021-12-08T14:02:43Z"}"#,
    ),
    // Cloudflare Logpush: the duration is between two times, RayID is the request id
    (
        r#"{"ClientIP":"192.0.2.1","ClientRequestHost":"x.test","ClientRequestMethod":"GET","ClientRequestURI":"/a?b=1","ClientRequestUserAgent":"UA","EdgeEndTimestamp":1712790000123000000,"EdgeResponseBytes":12,"EdgeResponseStatus":200,"EdgeStartTimestamp":1712790000100000000,"RayID":"87a1","ClientCountry":"US"}"#,
        r#"2024-04-10T23:00:00.100Z exchange info 200 23000000 method=GET host=x.test path=/a query=b=1 client_ip=192.0.2.1 user_agent=UA request_id=87a1 {"ClientCountry":"US"}"#,
    ),
    // Envoy
    (
        r#"{"start_time":"2024-01-01T00:00:00.001Z","method":"GET","path":"/a?b","protocol":"HTTP/2","response_code":503,"response_flags":"UF","bytes_received":3,"bytes_sent":9,"duration":7,"user_agent":"UA","request_id":"r-1","authority":"x.test","upstream_host":"-","downstream_remote_address":"192.0.2.1:55"}"#,
        r#"2024-01-01T00:00:00.001Z exchange error 503 7000000 method=GET host=x.test path=/a query=b client_ip=192.0.2.1 user_agent=UA protocol=HTTP/2 request_id=r-1 error_code=UF {"upstream_host":"-"}"#,
    ),
    // nginx with escape=json: all strings, request_time in seconds
    (
        r#"{"time_local":"17/May/2015:10:05:03 +0000","msec":"1431857103.250","remote_addr":"192.0.2.1","remote_user":"","request":"GET /a?b HTTP/1.1","status":"200","body_bytes_sent":"12","request_time":"0.005","http_user_agent":"UA"}"#,
        r#"2015-05-17T10:05:03.250Z exchange info 200 5000000 method=GET path=/a query=b client_ip=192.0.2.1 user_agent=UA protocol=HTTP/1.1 {"time_local":"17/May/2015:10:05:03 +0000"}"#,
    ),
    // rust tracing: fields within fields
    (
        r#"{"timestamp":"2025-10-28T19:15:10.821315Z","level":"INFO","fields":{"message":"done","status":201,"method":"POST","yaks":3},"target":"shave","spans":[{"name":"a"}]}"#,
        r#"2025-10-28T19:15:10.821315Z exchange info 201  method=POST message=done {"fields":{"yaks":3},"target":"shave","spans":[{"name":"a"}]}"#,
    ),
    // Google Cloud
    (
        r#"{"severity":"NOTICE","timestamp":"2024-01-01T00:00:00Z","httpRequest":{"requestMethod":"GET","requestUrl":"https://x.test/a","status":204,"latency":"0.1s","userAgent":"UA","remoteIp":"192.0.2.1"}}"#,
        "2024-01-01T00:00:00Z exchange info 204 100000000 method=GET scheme=https host=x.test path=/a client_ip=192.0.2.1 user_agent=UA ",
    ),
    // OpenTelemetry names, a null, a request without an answer
    (
        r#"{"@timestamp":"2024-01-01","http.request.method":"put","url.path":"/a","service.name":"s","trace_id":"t","error":null,"nothing":null}"#,
        r#"2024-01-01T00:00:00Z request info   service=s method=PUT path=/a trace_id=t {"error":null,"nothing":null}"#,
    ),
];

#[test]
fn common_programs_land_in_their_fields() {
    for (text, expected) in PROGRAMS {
        let record = line(text);
        let number = |value: Option<u64>| value.map_or(String::new(), |value| value.to_string());
        let found = format!(
            "{} {} {} {} {} {} {}",
            record.time,
            record.kind.name(),
            record.level.name(),
            number(record.status.map(u64::from)),
            number(record.duration),
            texts(&record),
            record.attributes.as_deref().unwrap_or_default()
        );
        assert_eq!(found, *expected);
    }
}

#[test]
fn header_fields_and_sizes_of_programs_are_kept() {
    let caddy = line(PROGRAMS[5].0);
    assert_eq!(
        format!("{:?}", caddy.request.headers),
        r#"[("user-agent", "curl/7"), ("accept", "*/*"), ("accept", "a/b")]"#
    );
    assert_eq!(caddy.response.headers.get("server"), Some("Caddy"));
    assert_eq!(caddy.response.body.map(|body| (body.size, body.cut)), Some((77, Some(Cut::NotCaptured))));
    let traefik = line(PROGRAMS[6].0);
    assert_eq!(traefik.response.headers.get("content-type"), Some("text/plain"));
    let cloudflare = line(PROGRAMS[7].0);
    assert_eq!(cloudflare.source, Some(Source::Edge));
    assert_eq!(line(PROGRAMS[8].0).size(), Some(12));
}

#[test]
fn our_own_record_comes_back_whole() {
    let text = r#"{"id":"01J0000000000000000A","seq":10,"time":"2026-06-23T12:00:00.000142Z","kind":"exchange","level":"info","source":"backend","project":"checkout","environment":"staging","session":"ci-42","service":"api","container":"c9","method":"POST","scheme":"https","host":"api.test","path":"/v1/users","query":"","route":"/v1/users","status":201,"duration_ms":102.400001,"client_ip":"203.0.113.42:1","user_agent":"-","protocol":"HTTP/2","request_id":"r","trace_id":"t","span_id":"s","auth_type":"api_key","user_id":"u","flow_name":"f","error_code":null,"message":"","overridden":true,"redacted":true,"request":{"headers":[["content-type","application/json"],["host","other"],["x","1"],["x","2"]],"body":{"size":412,"captured":7,"truncated":true,"cut":"cap","content_type":"application/json","preview":"…","json":{"a":1}}},"response":{"headers":[],"body":{"size":3,"captured":3,"truncated":false,"content_type":null,"base64":"/wAB"}},"attributes":{"method":"free","form":{"x" : [1]}}}"#;
    let parser = Parser::new(Format::Ndjson, &Head::default(), NOW);
    let parsed = parser.parse_identified(&Unit::new(1, text.as_bytes())).unwrap();
    assert_eq!(parsed.id.map(crate::id::EntryId::to_text).as_deref(), Some("01J0000000000000000A"));
    let record = parsed.record;
    assert_eq!(
        texts(&record),
        "project=checkout environment=staging session=ci-42 service=api container=c9 method=POST scheme=https host=api.test path=/v1/users query= route=/v1/users client_ip=203.0.113.42:1 user_agent=- protocol=HTTP/2 request_id=r trace_id=t span_id=s auth_type=api_key user_id=u flow_name=f message="
    );
    assert_eq!((record.kind, record.status, record.duration), (Kind::Exchange, Some(201), Some(102_400_001)));
    assert_eq!((record.overridden, record.redacted, record.source), (true, true, Some(Source::Backend)));
    assert_eq!(record.attributes.as_deref(), Some(r#"{"method":"free","form":{"x" : [1]}}"#));
    assert_eq!(record.request.headers.get_all("x").collect::<Vec<_>>(), ["1", "2"]);
    let (request, response) = (record.request.body.unwrap(), record.response.body.unwrap());
    assert_eq!((request.size, request.bytes.as_slice(), request.cut), (412, &b"{\"a\":1}"[..], Some(Cut::Cap)));
    assert_eq!((response.size, response.bytes.as_slice(), response.cut), (3, &[255, 0, 1][..], None));
    assert_eq!((request.content_type.as_deref(), response.content_type), (Some("application/json"), None));
}

#[test]
fn bodies_come_in_many_shapes() {
    let body = |text: &str| {
        let record = line(&format!("{{\"method\":\"POST\",{text}}}"));
        record.request.body.map(|body| (String::from_utf8(body.bytes).unwrap(), body.size, body.cut))
    };
    let whole = |text: &str| Some((text.to_owned(), text.len() as u64, None));
    assert_eq!(body(r#""request":{"body":"a\u00e9\n"}"#), whole("aé\n"));
    assert_eq!(body(r#""request":{"body":{"size":"xl","text":1}}"#), whole(r#"{"size":"xl","text":1}"#));
    assert_eq!(body(r#""requestBody":[1, 2]"#), whole("[1, 2]"));
    assert_eq!(body(r#""request_body":17"#), whole("17"));
    assert_eq!(body(r#""request_body":null"#), None);
    assert_eq!(
        body(r#""request":{"body":{"size":9,"captured":9,"truncated":false,"preview":"ab"}}"#),
        Some(("ab".into(), 9, Some(Cut::Cap)))
    );
    assert_eq!(
        body(r#""request":{"body":{"size":9,"captured":0,"truncated":true,"reason":"undecodable"}}"#),
        Some((String::new(), 9, Some(Cut::Undecodable)))
    );
    assert_eq!(body(r#""bytes_received":9"#), Some((String::new(), 9, Some(Cut::NotCaptured))));
    let typed = line(r#"{"method":"POST","headers":{"Content-Type":"text/x"},"request_body":"a"}"#);
    assert_eq!(typed.request.body.unwrap().content_type.as_deref(), Some("text/x"));
}

#[test]
fn what_is_no_record_is_refused_by_name() {
    let input = b"{\"a\":1}\n[1]\n{\"a\":1\n{\"a\":1}}\n{\"a\":\"\xff\"}\n17\n{\"a\":\"\x01\"}\n{\"a\":\"\\ud800\"}\n";
    let reasons = refused(Format::Ndjson, input);
    assert_eq!(
        reasons,
        [
            (2, "invalid type: sequence, expected a JSON object"),
            (3, "EOF while parsing an object at column 6"),
            (4, "trailing characters at column 8"),
            (5, "invalid UTF-8 at byte 7"),
            (6, "invalid type: integer `17`, expected a JSON object at column 2"),
            (7, "control character (\\u0000-\\u001F) found while parsing a string at column 6"),
        ]
        .map(|(line, reason)| (line, reason.to_owned()))
    );
}

#[test]
fn a_record_without_a_readable_time_arrives_now_and_keeps_what_it_said() {
    for (text, attributes) in [
        ("{}", None),
        (r#"{"time":null}"#, None),
        (r#"{"time":"yesterday"}"#, Some(r#"{"time":"yesterday"}"#)),
        (r#"{"time":12.5}"#, Some(r#"{"time":12.5}"#)),
    ] {
        let record = line(text);
        assert_eq!((record.time, record.attributes.as_deref()), (NOW, attributes), "{text}");
    }
}

#[test]
fn an_array_gives_its_elements_and_their_lines() {
    let all = read(Format::JsonArray, b"[{\"path\":\"/a\"},\n{\"path\":\"/b\"},\n\n5,{\"path\":\"/c\"}", 4096);
    let paths: Vec<_> = all.iter().flatten().map(|record| record.text(Field::Path).unwrap()).collect();
    assert_eq!(paths, ["/a", "/b", "/c"]);
    let refused: Vec<_> =
        all.iter().filter_map(|result| result.as_ref().err()).map(|r| (r.line, r.reason.as_str())).collect();
    assert_eq!(refused[0].0, 4);
    assert_eq!(refused[1], (4, "the file ends before its array of entries does"));
}

#[test]
fn a_password_in_a_url_is_dropped_and_told() {
    let record = line(r#"{"method":"GET","url":"https://ann:secret@x.test:1/p?q=1#frag"}"#);
    assert_eq!(texts(&record), "method=GET scheme=https host=x.test:1 path=/p query=q=1");
    assert_eq!((record.redacted, record.attributes.as_deref()), (true, Some(r#"{"fragment":"frag"}"#)));
}

#[test]
fn nothing_that_is_written_twice_or_oddly_is_lost() {
    let record = line(
        r#"{"uri":"/index.html","request_uri":"/?a","level":"loud","status":"ok","host":{"name":"h"},"kind":"SERVER","source":"app.js:1","id":5,"seq":1,"duration_ms":"x","request":{"odd":1},"name":"n"}"#,
    );
    assert_eq!(texts(&record), "path=/index.html");
    assert_eq!(
        record.attributes.as_deref(),
        Some(
            r#"{"request_uri":"/?a","level":"loud","status":"ok","host":{"name":"h"},"kind":"SERVER","source":"app.js:1","id":5,"seq":1,"duration_ms":"x","request":{"odd":1},"name":"n"}"#
        )
    );
}
