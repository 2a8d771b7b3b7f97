//! What is filtered and sorted by of a record in a plain form, read without making the record.
//!
//! Header fields, bodies and attributes are stepped over: of them only sizes count, what they fill in elsewhere, and, where
//! secrets are replaced, that there is none in them. As with an [outline](super::outline) the row is either what the
//! whole record says or none: a line with anything odd (a name written twice, a name that means different things by
//! different programs, a unit to be guessed, a possible secret) has to be read whole.
//!
//! JSON objects and CSV rows have a file each; what their members and cells say is understood here, once.

mod object;
mod row;

use std::borrow::Cow;

pub(super) use object::read as read_object;
pub(super) use row::{is_plain, read as read_row};

use super::json::Value;
use super::member::Side;
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

impl Lean<'_> {
    /// Of a unit of which nothing is read; its time is `now`.
    pub(crate) fn new(now: Timestamp, secrets: Secrets) -> Self {
        Self { row: Row::new(now), headers: [const { None }; DERIVED.len()], secrets }
    }
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

/// A lean row in the making; each method takes one member, or tells that the whole record has to be read.
struct Reader<'a, 'l> {
    lean: &'l mut Lean<'a>,
    seen: u32,
    level: Option<Level>,
    kind: Option<Kind>,
    // the response has a header field or a body
    answered: bool,
    // a side names an encoding of its body
    encoded: [bool; 2],
    // sizes of bodies that stand beside them
    told: [Option<u64>; 2],
}

impl<'a, 'l> Reader<'a, 'l> {
    fn new(lean: &'l mut Lean<'a>) -> Self {
        Self { lean, seen: 0, level: None, kind: None, answered: false, encoded: [false; 2], told: [None; 2] }
    }

    /// Notes that a member was seen, which may be so once.
    fn first(&mut self, member: u32) -> Option<()> {
        let again = self.seen & member != 0;
        self.seen |= member;
        (!again).then_some(())
    }

    fn text(&mut self, field: Field, text: Cow<'a, str>) -> Option<()> {
        self.first(1 << field as u32)?;
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

    fn time(&mut self, text: &str) -> Option<()> {
        self.first(TIME)?;
        self.lean.row.time = time::timestamp(text)?;
        Some(())
    }

    fn level(&mut self, level: Level) -> Option<()> {
        self.first(LEVEL)?;
        self.level = Some(level);
        Some(())
    }

    fn status(&mut self, digits: &str) -> Option<()> {
        self.first(STATUS)?;
        self.lean.row.status = Some(digits.parse().ok().filter(|status| (100..1000).contains(status))?);
        Some(())
    }

    fn duration(&mut self, text: &str, unit: time::Unit) -> Option<()> {
        self.first(DURATION)?;
        self.lean.row.duration = Some(time::duration(text, unit)?);
        Some(())
    }

    fn kind(&mut self, name: &str) -> Option<()> {
        self.first(KIND)?;
        self.kind = Some(Kind::parse(name)?);
        Some(())
    }

    fn source(&mut self, name: &str) -> Option<()> {
        self.first(SOURCE)?;
        self.lean.row.source = Some(Source::parse(name)?);
        Some(())
    }

    /// Takes header fields as [`content::headers`](super::content::headers) reads them, but for those in objects and
    /// for fields of several values; `kept` makes a value last.
    fn headers<'v>(&mut self, side: Side, scan: &mut Scan<'v>, kept: fn(Cow<'v, str>) -> Cow<'a, str>) -> Option<()> {
        if scan.peek()? == b'{' {
            return scan.object(|name, scan| match name {
                Cow::Borrowed(name) => {
                    let value = scan.value()?;
                    self.header(side, name, value, kept)
                }
                Cow::Owned(_) => None,
            });
        }
        scan.array(|scan| {
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
            if count == 2 { self.header(side, name, value, kept) } else { None }
        })
    }

    fn header<'v>(
        &mut self,
        side: Side,
        name: &str,
        value: &'v str,
        kept: fn(Cow<'v, str>) -> Cow<'a, str>,
    ) -> Option<()> {
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
                *slot = Value::Json(value).text().map(kept);
            }
        }
        Some(())
    }

    /// Takes a body of `size` bytes of which perhaps not all are there.
    fn body(&mut self, side: Side, Facts { size, cut }: Facts) -> Option<()> {
        let row = &mut self.lean.row;
        if row.sizes[side as usize].is_some() {
            return None;
        }
        row.sizes[side as usize] = Some(size);
        row.truncated |= cut;
        self.answered |= side == Side::Response;
        Some(())
    }

    fn finish(self) -> Option<()> {
        let Self { lean, level, kind, mut answered, encoded, told, .. } = self;
        let row = &mut lean.row;
        for (side, told) in [Side::Request, Side::Response].into_iter().zip(told) {
            // a request without a body has a size too
            let Some(told) = told.filter(|told| *told > 0 || side == Side::Response) else { continue };
            row.truncated |= row.sizes[side as usize].is_none() && told > 0;
            row.sizes[side as usize] = Some(told);
            answered |= side == Side::Response;
        }
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

/// What a row holds of a body.
struct Facts {
    size: u64,
    cut: bool,
}

/// An object that does not describe a body but is one.
struct NotOurs;

/// What an object says of the body that it describes; none where the whole record has to be read.
fn metadata(scan: &mut Scan<'_>, secrets: Secrets) -> Option<Result<Facts, NotOurs>> {
    let (mut size, mut cut, mut truncated, mut bytes, mut known) = (None, false, false, false, true);
    let whole = scan.object(|name, scan| {
        let value = scan.value();
        match name.as_ref() {
            "size" => size = Some(value?.parse::<u64>().ok()?),
            "captured" | "content_type" | "contentType" => {
                value?;
            }
            "truncated" => truncated = value? == "true",
            "cut" | "reason" | "encoding" => {
                let reason = plain(value?)?;
                cut |= Cut::ALL.into_iter().any(|cut| cut.name() == reason);
            }
            "text" | "json" => {
                let value = value?;
                if secrets.may_change(value) || name == "text" && !value.starts_with('"') {
                    return None;
                }
                bytes = true;
            }
            "preview" | "base64" => return None,
            _ => {
                known = false;
                return None;
            }
        }
        Some(())
    });
    if !known {
        return Some(Err(NotOurs));
    }
    whole?;
    let size = size?;
    Some(Ok(Facts { size, cut: cut || truncated || !bytes && size > 0 }))
}

/// What stands in a string without escapes.
fn plain(value: &str) -> Option<&str> {
    let inside = value.strip_prefix('"')?.strip_suffix('"')?;
    memchr::memchr(b'\\', inside.as_bytes()).is_none().then_some(inside)
}

fn flag(value: &str) -> Option<bool> {
    match value {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}
