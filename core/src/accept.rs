//! What happens to every parsed record before it is stored, whichever way it came in.

use crate::body::{self, Body, Cut};
use crate::format::Lean;
use crate::headers::Headers;
use crate::plan::{IngestRequest, Settings};
use crate::record::{Field, Message, Record};
use crate::redact::{Redactor, Secrets};
use std::borrow::Cow;

/// Longest text field and header value in bytes; a longer one is cut at a character boundary.
pub const TEXT_CAP: usize = 64 << 10;
/// Longest attributes in bytes; longer ones lose their largest parts.
pub const ATTRIBUTES_CAP: usize = 256 << 10;
/// Longest name of a project, environment or session in characters.
pub const NAME_CHARS: usize = 128;

/// Header fields of a request that tell a field which the source did not extract; the first that is there does.
pub(crate) const DERIVED: [(&str, Field); 6] = [
    ("x-reqlog-session", Field::Session),
    ("x-flowmock-session", Field::Session),
    ("user-agent", Field::UserAgent),
    ("host", Field::Host),
    ("x-request-id", Field::RequestId),
    ("traceparent", Field::TraceId),
];

/// Fields that hold names.
const NAMES: [Field; 3] = [Field::Project, Field::Environment, Field::Session];

/// Defaults, redaction and caps of one way in.
#[derive(Clone, Debug)]
pub struct Rules {
    // none where secrets stay
    redactor: Option<Redactor>,
    body_cap: usize,
    defaults: [(Field, Option<String>); 4],
}

impl Rules {
    /// The rules for records of `request`; `redact_key` is the store's.
    pub fn new(redact_key: &[u8; 32], settings: &Settings, request: &IngestRequest) -> Self {
        Self::with(Some(Redactor::new(*redact_key)), settings, request)
    }

    /// The same, but that secrets stay: for records that are shown to the one who has them, and not stored.
    pub fn keeping_secrets(settings: &Settings, request: &IngestRequest) -> Self {
        Self::with(None, settings, request)
    }

    fn with(redactor: Option<Redactor>, settings: &Settings, request: &IngestRequest) -> Self {
        let project = request.project.clone().unwrap_or_else(|| "default".to_owned());
        Self {
            redactor,
            body_cap: settings.body_cap,
            defaults: [
                (Field::Project, Some(project)),
                (Field::Environment, request.environment.clone()),
                (Field::Session, request.session.clone()),
                (Field::Service, request.service.clone()),
            ],
        }
    }

    /// The record as it is stored: what it lacks filled in, bodies decoded, secrets replaced, everything capped.
    ///
    /// Fails with a reason where a name cannot be one. **Ours:** a project, environment or session has 1 to
    /// [`NAME_CHARS`] characters and none of them is a control character; a record without a project is of `default`.
    pub fn accept(&self, record: Record) -> Result<Record, String> {
        let mut record = self.complete(record)?;
        self.secure(&mut record);
        Ok(record)
    }

    /// As [`Self::accept`], of a record that `keep` wants: it is asked when all is filled in and decoded and no secret
    /// is replaced yet.
    pub fn accept_if(&self, record: Record, keep: impl FnOnce(&Record) -> bool) -> Result<Option<Record>, String> {
        let mut record = self.complete(record)?;
        if !keep(&record) {
            return Ok(None);
        }
        self.secure(&mut record);
        Ok(Some(record))
    }

    /// The same, but that no body is capped.
    #[must_use]
    pub(crate) fn uncapped(self) -> Self {
        Self { body_cap: usize::MAX, ..self }
    }

    /// What becomes of secrets.
    pub(crate) fn secrets(&self) -> Secrets {
        if self.redactor.is_some() { Secrets::Replaced } else { Secrets::Kept }
    }

    /// The longest unit of which [`accept_lean`](Self::accept_lean) can tell anything: nothing in it is cut.
    pub(crate) fn lean_limit(&self) -> usize {
        TEXT_CAP.min(self.body_cap)
    }

    /// Makes of the row of a unit of at most [`lean_limit`](Self::lean_limit) bytes what [`accept`](Self::accept) leaves
    /// of it; none where only that can tell: where something is to be replaced or refused.
    pub(crate) fn accept_lean<'a>(&'a self, lean: &mut Lean<'a>) -> Option<()> {
        let Lean { row, headers, .. } = lean;
        for ((_, field), value) in DERIVED.into_iter().zip(headers) {
            let text = &mut row.texts[field as usize];
            match value {
                None => {}
                Some(_) if text.is_some() => {}
                Some(Cow::Borrowed(value)) => *text = derived(field, value).map(Cow::Borrowed),
                Some(Cow::Owned(value)) => *text = derived(field, value).map(|value| Cow::Owned(value.to_owned())),
            }
        }
        for (field, value) in &self.defaults {
            if let Some(value) = value.as_deref()
                && row.texts[*field as usize].is_none()
            {
                row.texts[*field as usize] = Some(Cow::Borrowed(value)).filter(|value| value.len() <= TEXT_CAP);
                row.texts[*field as usize].as_ref()?;
            }
        }
        for field in NAMES {
            if let Some(name) = &row.texts[field as usize] {
                check_name(field, name).ok()?;
            }
        }
        let Some(redactor) = &self.redactor else { return Some(()) };
        let secret = |field: Field| {
            row.texts[field as usize].as_deref().is_some_and(|value| redactor.field(field, value).is_some())
        };
        (!Redactor::FIELDS.into_iter().any(secret)).then_some(())
    }

    fn complete(&self, mut record: Record) -> Result<Record, String> {
        derive(&mut record);
        for (field, value) in &self.defaults {
            if let Some(value) = value {
                record.texts.set_default(*field, value);
            }
        }
        for field in NAMES {
            if let Some(name) = record.text(field) {
                check_name(field, name)?;
            }
        }
        for message in [&mut record.request, &mut record.response] {
            decode(message);
        }
        Ok(record)
    }

    fn secure(&self, record: &mut Record) {
        if let Some(redactor) = &self.redactor {
            redactor.apply(record);
        }
        self.cap(record);
    }

    fn cap(&self, record: &mut Record) {
        for &field in Field::ALL {
            let Some(value) = record.text(field).filter(|value| value.len() > TEXT_CAP) else { continue };
            let cut = body::cut_text(value, TEXT_CAP).to_owned();
            record.texts.set(field, &cut);
        }
        if let Some(attributes) = record.attributes.take_if(|attributes| attributes.len() > ATTRIBUTES_CAP) {
            let cut = body::cut_json(attributes.as_bytes(), ATTRIBUTES_CAP).map(Cow::into_owned);
            record.attributes = cut.and_then(|cut| String::from_utf8(cut).ok());
        }
        for message in [&mut record.request, &mut record.response] {
            if message.headers.iter().any(|(_, value)| value.len() > TEXT_CAP) {
                let cut = |(name, value)| (name, body::cut_text(value, TEXT_CAP));
                message.headers = message.headers.iter().map(cut).collect::<Headers>();
            }
            if let Some(body) = &mut message.body {
                body.cap(self.body_cap);
            }
        }
    }
}

/// Fills in what header fields say and the source did not extract.
pub(crate) fn derive(record: &mut Record) {
    let (headers, texts) = (&record.request.headers, &mut record.texts);
    for (name, field) in DERIVED {
        if texts.get(field).is_none() {
            texts.set_some(field, headers.get(name).and_then(|value| derived(field, value)));
        }
    }
    for message in [&mut record.request, &mut record.response] {
        if let Some(body) = message.body.as_mut().filter(|body| body.content_type.is_none()) {
            body.content_type = message.headers.get("content-type").map(str::to_owned);
        }
    }
}

// What a header field says of a field.
fn derived(field: Field, value: &str) -> Option<&str> {
    let value = if field == Field::TraceId { trace_id(value) } else { Some(value) };
    value.filter(|value| !value.is_empty())
}

// W3C Trace Context, 3.2.2: version 00 has four members, a later one may have more.
fn trace_id(traceparent: &str) -> Option<&str> {
    let hex = |text: &str, len| text.len() == len && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let is_id = |text: &str, len| hex(text, len) && text.bytes().any(|byte| byte != b'0');
    let mut members = traceparent.trim().split('-');
    let (version, trace, parent, flags) = (members.next()?, members.next()?, members.next()?, members.next()?);
    let known = hex(version, 2) && version != "ff" && (version != "00" || members.next().is_none());
    (known && is_id(trace, 32) && is_id(parent, 16) && hex(flags, 2)).then_some(trace)
}

fn check_name(field: Field, name: &str) -> Result<(), String> {
    let what = field.name();
    if name.is_empty() || name.chars().nth(NAME_CHARS).is_some() {
        return Err(format!("{what} has {} characters; 1 to {NAME_CHARS} are possible", name.chars().count()));
    }
    match name.chars().find(|c| c.is_control()) {
        Some(control) => Err(format!("{what} contains the control character U+{:04X}", u32::from(control))),
        None => Ok(()),
    }
}

fn decode(message: &mut Message) {
    let Message { headers, body: Some(body) } = message else { return };
    let Some(encodings) = headers.get("content-encoding") else { return };
    match body::decode(encodings, &body.bytes, body::DECODED_LIMIT) {
        Ok(None) => {}
        Ok(Some(decoded)) => body.bytes = decoded,
        Err(cut) => keep_facts(body, cut),
    }
}

// The first reason stands: what the source cut cannot be decoded for that very reason.
fn keep_facts(body: &mut Body, cut: Cut) {
    body.bytes = Vec::new();
    body.cut = body.cut.or(Some(cut));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Scope;
    use crate::plan::IngestMode;
    use crate::timestamp::Timestamp;

    fn rules() -> Rules {
        let request = IngestRequest {
            scope: Scope::Organisation,
            project: None,
            environment: Some("staging".into()),
            session: Some("ci-42".into()),
            service: None,
            format: None,
            encodings: Vec::new(),
            mode: IngestMode::Live,
            idempotency_key: None,
            limit: 0,
        };
        Rules::new(&[7; 32], &Settings::default(), &request)
    }

    fn record() -> Record {
        Record::new(Timestamp::from_nanos(0))
    }

    #[test]
    fn what_is_lacking_is_filled_in_and_what_is_there_stays() {
        let mut given = record();
        given.texts.set(Field::Environment, "production");
        given.request.headers.push("X-FlowMock-Session", "mine");
        given.request.headers.push("User-Agent", "probe/1");
        let accepted = rules().accept(given).unwrap();
        assert_eq!(accepted.text(Field::Project), Some("default"));
        assert_eq!(accepted.text(Field::Environment), Some("production"));
        assert_eq!(accepted.text(Field::Session), Some("mine"));
        assert_eq!(accepted.text(Field::UserAgent), Some("probe/1"));
        assert_eq!(rules().accept(record()).unwrap().text(Field::Session), Some("ci-42"));
    }

    #[test]
    fn the_trace_is_that_of_a_valid_traceparent() {
        const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
        let trace = |given: &str| trace_id(given).map(str::to_owned);
        let known = Some(TRACE.to_owned());
        assert_eq!(trace(&format!("00-{TRACE}-00f067aa0ba902b7-01")), known);
        assert_eq!(trace(&format!("cc-{TRACE}-00f067aa0ba902b7-01-what-comes")), known);
        for wrong in [
            String::new(),
            format!("00-{TRACE}-00f067aa0ba902b7"),
            format!("00-{TRACE}-00f067aa0ba902b7-01-more"),
            format!("ff-{TRACE}-00f067aa0ba902b7-01"),
            format!("00-{}-00f067aa0ba902b7-01", TRACE.to_uppercase()),
            format!("00-{TRACE}-0000000000000000-01"),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
        ] {
            assert_eq!(trace(&wrong), None, "{wrong}");
        }
        let mut given = record();
        given.texts.set(Field::TraceId, "of the source");
        given.request.headers.push("traceparent", &format!("00-{TRACE}-00f067aa0ba902b7-01"));
        assert_eq!(rules().accept(given).unwrap().text(Field::TraceId), Some("of the source"));
    }

    #[test]
    fn a_record_is_asked_about_complete_and_with_its_secrets() {
        let given = || {
            let mut given = record();
            given.request.headers.push("Cookie", "id=0123456789abcdef");
            given
        };
        let whole = |record: &Record| {
            let cookie = record.request.headers.get("cookie");
            record.text(Field::Project) == Some("default") && cookie == Some("id=0123456789abcdef")
        };
        assert_eq!(rules().accept_if(given(), whole).unwrap(), Some(rules().accept(given()).unwrap()));
        assert_eq!(rules().accept_if(given(), |_| false).unwrap(), None);
    }

    #[test]
    fn names_that_cannot_be_names_are_refused_with_a_reason() {
        let refused = |field, name: &str| {
            let mut given = record();
            given.texts.set(field, name);
            rules().accept(given).unwrap_err()
        };
        assert_eq!(refused(Field::Project, ""), "project has 0 characters; 1 to 128 are possible");
        assert_eq!(refused(Field::Session, &"x".repeat(129)), "session has 129 characters; 1 to 128 are possible");
        assert_eq!(refused(Field::Environment, "a\nb"), "environment contains the control character U+000A");
    }

    #[test]
    fn bodies_are_decoded_before_secrets_are_looked_for() {
        use std::io::Read;
        let text = b"{\"password\":\"correct horse\"}";
        let mut gzip = Vec::new();
        flate2::read::GzEncoder::new(&text[..], flate2::Compression::fast()).read_to_end(&mut gzip).unwrap();
        let mut given = record();
        given.request.headers.push("Content-Encoding", "gzip");
        given.request.headers.push("Content-Type", "application/json");
        given.request.body = Some(Body { size: gzip.len() as u64, bytes: gzip.clone(), ..Body::default() });
        given.response.headers.push("Content-Encoding", "gzip");
        given.response.body = Some(Body { size: 9, bytes: gzip[..9].to_vec(), ..Body::default() });
        let accepted = rules().accept(given).unwrap();
        let body = accepted.request.body.unwrap();
        assert!(body.bytes.starts_with(b"{\"password\":\"[redacted:"));
        assert_eq!(body.size, gzip.len() as u64);
        assert_eq!(body.content_type.as_deref(), Some("application/json"));
        let body = accepted.response.body.unwrap();
        assert_eq!((body.size, &body.bytes[..], body.cut), (9, &[][..], Some(Cut::Undecodable)));
    }

    #[test]
    fn what_is_too_long_is_cut() {
        let mut given = record();
        given.texts.set(Field::Message, &"é".repeat(TEXT_CAP));
        given.attributes = Some(format!("{{\"long\":\"{}\",\"kept\":1}}", "x".repeat(ATTRIBUTES_CAP)));
        given.request.body = Some(Body { size: 1 << 20, bytes: vec![b'x'; 1 << 20], ..Body::default() });
        let accepted = rules().accept(given).unwrap();
        assert_eq!(accepted.text(Field::Message).map(str::len), Some(TEXT_CAP));
        let attributes = accepted.attributes.unwrap();
        assert!(attributes.len() <= ATTRIBUTES_CAP && attributes.contains("\"kept\":1"));
        let body = accepted.request.body.unwrap();
        assert_eq!((body.size, body.bytes.len(), body.cut), (1 << 20, 256 << 10, Some(Cut::Cap)));
    }
}
