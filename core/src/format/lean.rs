//! What is filtered and sorted by of a record in a plain form, read without making the record.
//!
//! Header fields, bodies and attributes are stepped over: of them only sizes count, what they fill in elsewhere, and,
//! where secrets are replaced, that there is none in them. As with an [outline](super::outline) the row is either what the whole record says or
//! none: a line with anything odd (a name written twice, a name that means different things by different programs, a
//! unit to be guessed, a possible secret) has to be read whole.

use std::borrow::Cow;

use super::json::{self, Value};
use super::member::{Member, Scope, Side};
use super::program::numeric_level;
use super::scan::Scan;
use super::time;
use super::url::protocol;
use crate::accept::DERIVED;
use crate::body::Cut;
use crate::level::Level;
use crate::record::{Field, Kind, Source};
use crate::redact::Secrets;
use crate::segment::Row;
use crate::timestamp::Timestamp;

/// A row that lacks what acceptance fills in.
#[derive(Debug)]
pub(crate) struct Lean<'a> {
    /// What the members say.
    pub(crate) row: Row<'a>,
    /// The first values of the request's header fields [`DERIVED`].
    pub(crate) headers: [Option<Cow<'a, str>>; DERIVED.len()],
    secrets: Secrets,
}

/// What was seen, in bits after those of the text fields.
const TIME: u32 = 1 << 24;
const LEVEL: u32 = 1 << 25;
const STATUS: u32 = 1 << 26;
const DURATION: u32 = 1 << 27;
const KIND: u32 = 1 << 28;
const SOURCE: u32 = 1 << 29;
// and the one after it
const SIDES: u32 = 1 << 30;
const _: () = assert!(Field::COUNT <= 24);

impl Lean<'_> {
    /// Of a unit of which nothing is read; its time is `now`.
    pub(crate) fn new(now: Timestamp, secrets: Secrets) -> Self {
        Self { row: Row::new(now), headers: [const { None }; DERIVED.len()], secrets }
    }
}

/// Reads `text` into `lean`, which is new; none where the whole record has to be read.
pub(super) fn read<'a>(text: &'a str, lean: &mut Lean<'a>) -> Option<()> {
    let mut reader = Reader { lean, seen: 0, level: None, kind: None, answered: false, encoded: [false; 2] };
    let mut scan = Scan::new(text);
    scan.object(|name, scan| match name {
        Cow::Borrowed(name) => reader.member(name, scan),
        Cow::Owned(_) => None,
    })?;
    scan.end()?;
    reader.finish()
}

struct Reader<'a, 'l> {
    lean: &'l mut Lean<'a>,
    seen: u32,
    level: Option<Level>,
    kind: Option<Kind>,
    // the response has a header field or a body
    answered: bool,
    // a side names an encoding of its body
    encoded: [bool; 2],
}

impl<'a> Reader<'a, '_> {
    fn member(&mut self, name: &str, scan: &mut Scan<'a>) -> Option<()> {
        let Some(member) = Member::find(Scope::Record, name) else {
            // one header field a member, as Traefik writes them
            let known = name.starts_with("request_") || name.starts_with("downstream_");
            return if known { None } else { self.attribute(name, scan.value()?) };
        };
        if let Member::Nested(side) = member {
            self.first(SIDES << side as u32)?;
            return scan.object(|name, scan| self.of_message(side, &name, scan));
        }
        let value = scan.value()?;
        if value == "null" {
            // says no more than an absent member, unless it is a sign of a program
            return (!matches!(member, Member::Sign(_) | Member::Signed(..) | Member::Flat)).then_some(());
        }
        match member {
            Member::Text(field) => {
                self.first(1 << field as u32)?;
                self.text(field, value)
            }
            Member::Time(_) => {
                self.first(TIME)?;
                self.lean.row.time = time::timestamp(plain(value)?)?;
                Some(())
            }
            Member::Level => {
                self.first(LEVEL)?;
                self.level = Some(match plain(value) {
                    Some(name) if !name.contains(['+', '-']) => Level::parse(name)?,
                    Some(_) => return None,
                    None => numeric_level(number(value)?)?,
                });
                Some(())
            }
            Member::Status => {
                self.first(STATUS)?;
                self.lean.row.status = Some(value.parse().ok().filter(|status| (100..1000).contains(status))?);
                Some(())
            }
            Member::Duration(Some(unit)) => {
                self.first(DURATION)?;
                self.lean.row.duration = Some(time::duration(number(value)?, unit)?);
                Some(())
            }
            Member::Kind => {
                self.first(KIND)?;
                self.kind = Some(Kind::parse(plain(value)?)?);
                Some(())
            }
            Member::Source => {
                self.first(SOURCE)?;
                self.lean.row.source = Some(Source::parse(plain(value)?)?);
                Some(())
            }
            Member::Overridden => flag(value).map(|flag| self.lean.row.overridden = flag),
            Member::Redacted => flag(value).map(|flag| self.lean.row.redacted |= flag),
            Member::Attributes => value.starts_with('{').then(|| self.attribute("", value))?,
            // an id makes the record this system's own, which matters for blank fields, and those are read whole
            Member::Id | Member::Seq => self.attribute("", value),
            _ => None,
        }
    }

    /// Notes that a member was seen, which may be so once.
    fn first(&mut self, member: u32) -> Option<()> {
        let again = self.seen & member != 0;
        self.seen |= member;
        (!again).then_some(())
    }

    fn text(&mut self, field: Field, value: &'a str) -> Option<()> {
        let text = Value::Json(value).text()?;
        let text = match field {
            _ if matches!(text.as_ref(), "" | "-") => return None,
            Field::Method if text.bytes().any(|byte| byte.is_ascii_lowercase()) => return None,
            Field::Path if text.contains('?') => return None,
            Field::Protocol => match text {
                Cow::Borrowed(text) => Cow::Borrowed(protocol(text)),
                Cow::Owned(_) => return None,
            },
            _ => text,
        };
        self.lean.row.texts[field as usize] = Some(text);
        Some(())
    }

    fn of_message(&mut self, side: Side, name: &str, scan: &mut Scan<'a>) -> Option<()> {
        match name {
            "body" => self.body(side, scan),
            "headers" if scan.peek()? == b'{' => scan.object(|name, scan| match name {
                Cow::Borrowed(name) => {
                    let value = scan.value()?;
                    self.header(side, name, value)
                }
                Cow::Owned(_) => None,
            }),
            "headers" => scan.array(|scan| {
                let (mut name, mut value, mut count) = ("", "", 0);
                scan.array(|scan| {
                    let piece = scan.value()?;
                    match count {
                        0 => name = plain(piece)?,
                        _ => value = piece,
                    }
                    count += 1;
                    Some(())
                })?;
                if count == 2 { self.header(side, name, value) } else { None }
            }),
            _ => None,
        }
    }

    fn header(&mut self, side: Side, name: &'a str, value: &'a str) -> Option<()> {
        let secrets = self.lean.secrets;
        if !value.starts_with('"') || secrets.change_header(name) || secrets.may_change(value) {
            return None;
        }
        if name.is_empty() || name.starts_with(':') {
            return Some(());
        }
        self.answered |= side == Side::Response;
        self.encoded[side as usize] |= name.eq_ignore_ascii_case("content-encoding");
        if side == Side::Request {
            let known = DERIVED.iter().position(|(known, _)| known.eq_ignore_ascii_case(name));
            if let Some(slot) = known.map(|at| &mut self.lean.headers[at]).filter(|slot| slot.is_none()) {
                *slot = Value::Json(value).text();
            }
        }
        Some(())
    }

    /// Takes a body in one of the shapes that [`content::body`](super::content::body) reads, but for binary ones and
    /// those of which only the beginning is there.
    fn body(&mut self, side: Side, scan: &mut Scan<'a>) -> Option<()> {
        let bit = SIDES << side as u32;
        let (size, cut) = match scan.peek()? {
            b'{' => metadata(scan, self.lean.secrets)?,
            b'n' => return scan.value().map(drop),
            first => {
                let value = scan.value()?;
                if self.lean.secrets.may_change(value) {
                    return None;
                }
                let size = if first == b'"' { json::unescaped_len(&value[1..value.len() - 1])? } else { value.len() };
                (size as u64, false)
            }
        };
        debug_assert!(self.seen & bit != 0, "a body is in a side that was seen");
        let row = &mut self.lean.row;
        if row.sizes[side as usize].is_some() {
            return None;
        }
        row.sizes[side as usize] = Some(size);
        row.truncated |= cut;
        self.answered |= side == Side::Response;
        Some(())
    }

    /// Passes over an attribute in which nothing is replaced.
    fn attribute(&self, name: &str, value: &str) -> Option<()> {
        let secrets = self.lean.secrets;
        (!secrets.change_member(name) && !secrets.may_change(name) && !secrets.may_change(value)).then_some(())
    }

    fn finish(self) -> Option<()> {
        let Self { lean, level, kind, answered, encoded, .. } = self;
        let row = &mut lean.row;
        if encoded.iter().zip(&row.sizes).any(|(encoded, size)| *encoded && size.is_some()) {
            return None;
        }
        row.level = Level::at_ingestion(level, row.status);
        row.kind = kind.unwrap_or_else(|| match row.texts[Field::Method as usize] {
            Some(_) if row.status.is_some() || answered => Kind::Exchange,
            Some(_) => Kind::Request,
            None => Kind::Event,
        });
        Some(())
    }
}

/// The size of a body that describes itself, and whether it was cut.
fn metadata(scan: &mut Scan<'_>, secrets: Secrets) -> Option<(u64, bool)> {
    let (mut size, mut cut, mut bytes) = (None, false, false);
    scan.object(|name, scan| {
        let value = scan.value()?;
        match name.as_ref() {
            "size" => size = Some(value.parse::<u64>().ok()?),
            "captured" => {}
            "truncated" => cut |= value == "true",
            "cut" | "reason" | "encoding" => {
                let reason = plain(value)?;
                cut |= Cut::ALL.into_iter().any(|cut| cut.name() == reason);
            }
            "content_type" | "contentType" => {}
            "text" | "json" => {
                if secrets.may_change(value) || name == "text" && !value.starts_with('"') {
                    return None;
                }
                bytes = true;
            }
            _ => return None,
        }
        Some(())
    })?;
    let size = size?;
    Some((size, cut || !bytes && size > 0))
}

/// What stands in a string without escapes.
fn plain(value: &str) -> Option<&str> {
    let inside = value.strip_prefix('"')?.strip_suffix('"')?;
    memchr::memchr(b'\\', inside.as_bytes()).is_none().then_some(inside)
}

fn number(value: &str) -> Option<&str> {
    Some(value).filter(|value| Value::Json(value).is_number())
}

fn flag(value: &str) -> Option<bool> {
    match value {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}
