//! Members in any order to one record: what JSON objects and CSV rows share.

use super::access::request_line;
use super::attributes::Attributes;
use super::content;
use super::json::{self, Value};
use super::member::{Member, Scope, Side};
use super::parser::Parsed;
use super::program::{Mark, Marks, numeric_level};
use super::scan::Scan;
use super::time;
use super::url::{Url, address, protocol};
use crate::body::Body;
use crate::id::EntryId;
use crate::level::Level;
use crate::record::{Field, Kind, Message, Record, Source};
use crate::timestamp::Timestamp;

/// Numbers under this are no Unix times but counts: 1973-03-03 in seconds.
const EARLIEST: i64 = 100_000_000_000_000_000;

/// Bytes of text fields that room is made for at first.
const ROOM: usize = 512;

/// Reads one JSON object.
pub(super) fn read(text: &str, now: Timestamp) -> Result<Parsed, String> {
    let mut draft = Draft::new();
    // most of a short line are values of text fields
    draft.record.texts.reserve(text.len().min(ROOM));
    json::walk_object(text, |key, scan| draft.scan_member(&key, scan)).map_err(|error| describe(&error))?;
    Ok(draft.finish(now))
}

/// What is wrong with a unit; its line is known, so only the column is told.
pub(super) fn describe(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or(&text);
    match error.column() {
        0 => what.to_owned(),
        column => format!("{what} at column {column}"),
    }
}

/// A member that is only understood once all are seen.
type Held<'a> = Option<(String, Value<'a>)>;

/// A record in the making.
pub(super) struct Draft<'a> {
    record: Record,
    rest: Attributes,
    marks: Marks,
    id: Option<EntryId>,
    kind: Option<Kind>,
    level: Option<Level>,
    time: Option<(u8, Timestamp)>,
    held_time: Held<'a>,
    time_end: Option<Timestamp>,
    held_duration: Held<'a>,
    name: Held<'a>,
    bytes: Held<'a>,
    sizes: [Option<u64>; 2],
    // fields written as "" or "-": values in this system's own records, absent in others
    blank: [u32; 2],
}

impl<'a> Draft<'a> {
    pub(super) fn new() -> Self {
        Self {
            record: Record::new(Timestamp::from_nanos(0)),
            rest: Attributes::default(),
            marks: Marks::default(),
            id: None,
            kind: None,
            level: None,
            time: None,
            held_time: None,
            time_end: None,
            held_duration: None,
            name: None,
            bytes: None,
            sizes: [None; 2],
            blank: [0; 2],
        }
    }

    /// Takes one member of the record, whose name was found to mean `member`.
    pub(super) fn found(&mut self, member: Option<Member>, key: &str, value: Value<'a>) {
        let taken = match member {
            Some(member) => self.take(member, key, value),
            None => self.traefik_header(key, value),
        };
        if !taken {
            self.rest.push(key, value);
        }
    }

    /// As [`found`](Self::found) of the value that `scan` stands before, which is taken in one pass.
    fn scan_member(&mut self, key: &str, scan: &mut Scan<'a>) -> Option<()> {
        let member = Member::find(Scope::Record, key);
        match member {
            Some(Member::Nested(side)) if scan.peek()? == b'{' => self.scan_nested(Scope::Inside(side), key, scan),
            Some(Member::Flat) if scan.peek()? == b'{' => self.scan_nested(Scope::Record, key, scan),
            _ => {
                self.found(member, key, Value::Json(scan.value()?));
                Some(())
            }
        }
    }

    /// Whether `value` found its place; otherwise it is an attribute.
    fn take(&mut self, member: Member, key: &str, value: Value<'a>) -> bool {
        match member {
            Member::Sign(mark) => {
                self.sign(mark, value);
                false
            }
            Member::Signed(mark, member) => {
                self.marks.add(mark);
                self.take(*member, key, value)
            }
            // a null says no more than an absent member
            _ if value.is_null() && !matches!(value, Value::Plain(_)) => true,
            Member::Text(field) => self.text(field, key, value),
            Member::Url => self.url(value),
            Member::QueryString => match value.string() {
                Some(text) => self.set(Field::Query, text.strip_prefix('?').unwrap_or(&text)),
                None => false,
            },
            Member::ClientAddress => value.string().is_some_and(|text| self.set(Field::ClientIp, address(&text))),
            Member::Hostname => {
                self.marks.add(Mark::Hostname);
                value.string().is_some_and(|text| self.set(Field::Container, &text))
            }
            Member::RequestLine => value.string().is_some_and(|line| request_line(&line, &mut self.record)),
            Member::Time(rank) => self.time(rank, key, value),
            Member::TimeEnd => {
                self.time_end = value.text().and_then(|text| time::timestamp(&text));
                self.time_end.is_some()
            }
            Member::Duration(unit) => self.duration(unit, key, value),
            Member::Level => self.level(value),
            Member::Status => self.status(value),
            Member::Kind => {
                let kind = value.string().and_then(|name| Kind::parse(&name));
                self.kind = self.kind.or(kind);
                if kind.is_some() {
                    self.marks.add(Mark::Own);
                }
                kind.is_some()
            }
            Member::Source => {
                let source = value.string().and_then(|name| Source::parse(&name));
                self.record.source = self.record.source.or(source);
                source.is_some()
            }
            Member::Overridden => value.boolean().map(|flag| self.record.overridden = flag).is_some(),
            Member::Redacted => value.boolean().map(|flag| self.record.redacted |= flag).is_some(),
            Member::Id => self.id(value),
            Member::Seq => self.id.is_some(),
            Member::Attributes => value.object().map(|object| self.rest.extend(object)).is_some(),
            Member::Nested(side) => self.nested(Scope::Inside(side), key, value),
            Member::Flat => self.nested(Scope::Record, key, value),
            Member::Headers(side) => content::headers(value, &mut self.side(side).headers),
            Member::Body(side) => self.body(side, content::body(value)),
            Member::Size(side) => self.size(side, value),
            Member::Name => hold(&mut self.name, key, value),
            Member::Bytes => hold(&mut self.bytes, key, value),
        }
    }

    fn sign(&mut self, mark: Mark, value: Value<'a>) {
        self.marks.add(mark);
        if mark == Mark::Logger && value.string().is_some_and(|name| name.starts_with("http.log.access")) {
            self.marks.add(Mark::Caddy);
        }
    }

    fn side(&mut self, side: Side) -> &mut Message {
        match side {
            Side::Request => &mut self.record.request,
            Side::Response => &mut self.record.response,
        }
    }

    /// Sets `field` unless it is set; an empty or `-` value waits until it is known whose record this is.
    fn set(&mut self, field: Field, value: &str) -> bool {
        match value {
            "" | "-" => {
                self.blank[usize::from(value == "-")] |= 1 << field as u32;
                true
            }
            _ if self.record.texts.get(field).is_some() => self.record.texts.get(field) == Some(value),
            _ => {
                self.record.texts.set(field, value);
                true
            }
        }
    }

    fn text(&mut self, field: Field, key: &str, value: Value<'a>) -> bool {
        if field == Field::Message && key == "msg" {
            self.marks.add(Mark::Msg);
        }
        let Some(text) = value.text() else { return false };
        match field {
            Field::Method => self.set(field, &text.to_ascii_uppercase()),
            Field::Protocol => self.set(field, protocol(&text)),
            // a path that brings its query, as Envoy writes it; the record's own never does
            Field::Path if text.contains('?') => self.url(value),
            _ => self.set(field, &text),
        }
    }

    fn url(&mut self, value: Value<'a>) -> bool {
        let Some(text) = value.string() else { return false };
        if matches!(text.as_ref(), "" | "-") {
            return true;
        }
        let url = Url::split(&text);
        // a second, different path is an attribute: nginx logs both `uri` and `request_uri`
        if self.record.text(Field::Path).is_some_and(|path| path != url.path) {
            return false;
        }
        url.fill(&mut self.record);
        if let Some(fragment) = url.fragment {
            self.rest.push_text("fragment", fragment);
        }
        true
    }

    fn time(&mut self, rank: u8, key: &str, value: Value<'a>) -> bool {
        let Some(text) = value.text() else { return false };
        if value.is_number() && key == "ts" && text.contains('.') {
            self.marks.add(Mark::EpochSeconds);
        }
        let Some(read) = time::timestamp(&text) else { return false };
        if value.is_number() && read.as_nanos() < EARLIEST {
            return false;
        }
        match self.time {
            Some((best, time)) if best <= rank => time == read,
            _ => {
                if let Some((key, value)) = self.held_time.replace((key.to_owned(), value)) {
                    self.rest.push(&key, value);
                }
                self.time = Some((rank, read));
                true
            }
        }
    }

    fn duration(&mut self, unit: Option<time::Unit>, key: &str, value: Value<'a>) -> bool {
        if self.record.duration.is_some() {
            return false;
        }
        let Some(unit) = unit else { return hold(&mut self.held_duration, key, value) };
        self.record.duration = value.text().and_then(|text| time::duration(&text, unit));
        self.record.duration.is_some()
    }

    fn level(&mut self, value: Value<'a>) -> bool {
        let Some(text) = value.text() else { return false };
        let name = text.split(['+', '-']).next().unwrap_or_default();
        let level = if value.is_number() { numeric_level(&text) } else { Level::parse(name) };
        if value.is_number() && level.is_some() {
            self.marks.add(Mark::NumericLevel);
        } else if name.len() > 2 && name.bytes().all(|byte| byte.is_ascii_uppercase()) {
            self.marks.add(Mark::UpperLevel);
        }
        let first = self.level.is_none();
        self.level = self.level.or(level);
        level.is_some() && first
    }

    fn status(&mut self, value: Value<'a>) -> bool {
        let Some(text) = value.text() else { return false };
        if matches!(text.as_ref(), "" | "-" | "0" | "000") {
            return true;
        }
        let status = text.parse().ok().filter(|status| (100..1000).contains(status));
        if self.record.status.is_some() {
            return self.record.status == status;
        }
        self.record.status = status;
        status.is_some()
    }

    fn id(&mut self, value: Value<'a>) -> bool {
        let Some(text) = value.string() else { return false };
        self.id =
            EntryId::from_text(&text).or_else(|| EntryId::from_flowmock(&text)).or_else(|| EntryId::from_uuid(&text));
        if self.id.is_some() {
            self.marks.add(Mark::Own);
        }
        self.id.is_some()
    }

    fn nested(&mut self, scope: Scope, key: &str, value: Value<'a>) -> bool {
        let Some(object) = value.object() else {
            let line = value.string().filter(|_| scope == Scope::Inside(Side::Request));
            return line.is_some_and(|line| request_line(&line, &mut self.record));
        };
        self.scan_nested(scope, key, &mut Scan::new(object)).is_some()
    }

    fn scan_nested(&mut self, scope: Scope, key: &str, scan: &mut Scan<'a>) -> Option<()> {
        let mut rest = Attributes::default();
        scan.object(|key, scan| {
            // one level only: input must not decide how deep the stack grows
            let member = Member::find(scope, &key).filter(|member| *member != Member::Flat);
            let first = scan.peek()?;
            let (taken, text) = match member {
                Some(Member::Headers(side)) if matches!(first, b'{' | b'[') => scan.spanned(|scan| {
                    content::scan_headers(scan, &mut self.side(side).headers)?;
                    Some(true)
                })?,
                Some(Member::Body(side)) if first == b'{' => {
                    scan.spanned(|scan| Some(self.body(side, Some(content::scan_body(scan)?))))?
                }
                _ => {
                    let text = scan.value()?;
                    (member.is_some_and(|member| self.take(member, &key, Value::Json(text))), text)
                }
            };
            if !taken {
                rest.push(&key, Value::Json(text));
            }
            Some(())
        })?;
        self.rest.nest(key, rest);
        Some(())
    }

    /// Whether `body` was found and is the first of its side.
    fn body(&mut self, side: Side, body: Option<Body>) -> bool {
        let found = body.is_some();
        let message = self.side(side);
        if message.body.is_some() {
            return false;
        }
        message.body = body;
        found
    }

    fn size(&mut self, side: Side, value: Value<'a>) -> bool {
        let Some(text) = value.text() else { return false };
        if text == "-" || text.is_empty() {
            return true;
        }
        let Ok(bytes) = text.parse() else { return false };
        // a second one must not contradict the first
        *self.sizes[side as usize].get_or_insert(bytes) == bytes
    }

    /// Traefik writes one member a header field: `request_User-Agent`, `downstream_Content-Type`.
    fn traefik_header(&mut self, key: &str, value: Value<'a>) -> bool {
        let (side, name) = match key.split_once('_') {
            Some(("request", name)) => (Side::Request, name),
            Some(("downstream", name)) => (Side::Response, name),
            _ => return false,
        };
        if !name.starts_with(|c: char| c.is_ascii_uppercase()) {
            return false;
        }
        let Some(text) = value.string() else { return false };
        self.side(side).headers.push(name, &text);
        true
    }

    /// The record, of `now` when no member said when.
    pub(super) fn finish(mut self, now: Timestamp) -> Parsed {
        let own = self.marks.has(Mark::Own);
        self.settle_held();
        self.settle_sizes();
        self.settle_blank(own);
        if !own {
            content::derive(&mut self.record);
        }
        let record = &mut self.record;
        record.time = self.time.map_or(now, |(_, time)| time);
        if let (None, Some(end), Some((_, start))) = (record.duration, self.time_end, self.time) {
            record.duration = u64::try_from(end.as_nanos().saturating_sub(start.as_nanos())).ok();
        }
        record.source = record.source.or(self.marks.has(Mark::Cloudflare).then_some(Source::Edge));
        record.level = Level::at_ingestion(self.level, record.status);
        record.kind = self.kind.unwrap_or_else(|| {
            let answered = record.status.is_some() || !record.response.is_empty() || self.marks.is_access();
            match record.text(Field::Method) {
                Some(_) if answered => Kind::Exchange,
                Some(_) => Kind::Request,
                None => Kind::Event,
            }
        });
        record.attributes = self.rest.finish();
        Parsed { record: self.record, id: self.id }
    }

    fn settle_held(&mut self) {
        if let Some((key, value)) = self.held_duration.take() {
            let taken = value.text().and_then(|text| time::duration(&text, self.marks.unit(&text)));
            match (self.record.duration, taken) {
                (None, Some(_)) => self.record.duration = taken,
                _ => self.rest.push(&key, value),
            }
        }
        if let Some((key, value)) = self.name.take() {
            let service = value.string().filter(|_| self.marks.is_node());
            if !service.is_some_and(|name| self.set(Field::Service, &name)) {
                self.rest.push(&key, value);
            }
        }
        if let Some((key, value)) = self.bytes.take() {
            let exchange = self.record.text(Field::Method).is_some();
            if !(exchange && self.size(Side::Response, value)) {
                self.rest.push(&key, value);
            }
        }
    }

    fn settle_sizes(&mut self) {
        let [request, response] = self.sizes;
        if let Some(size) = request.filter(|size| *size > 0) {
            self.record.request.body.get_or_insert_with(|| content::sized(size)).size = size;
        }
        if let Some(size) = response {
            self.record.response.body.get_or_insert_with(|| content::sized(size)).size = size;
        }
    }

    fn settle_blank(&mut self, own: bool) {
        if !own || self.blank == [0; 2] {
            return;
        }
        for (value, fields) in ["", "-"].into_iter().zip(self.blank) {
            for field in Field::ALL.iter().filter(|field| fields >> **field as u32 & 1 == 1) {
                self.record.texts.set_default(*field, value);
            }
        }
    }
}

fn hold<'a>(slot: &mut Held<'a>, key: &str, value: Value<'a>) -> bool {
    let free = slot.is_none();
    if free {
        *slot = Some((key.to_owned(), value));
    }
    free
}
