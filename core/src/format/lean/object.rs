//! JSON objects, one a line or element.

use std::borrow::Cow;

use super::{Facts, Lean, Reader, SIDES, flag, metadata, plain};
use crate::format::json::{Value, unescaped_len};
use crate::format::member::{Member, Scope, Side};
use crate::format::program::numeric_level;
use crate::format::scan::Scan;
use crate::level::Level;

/// Reads `text` into `lean`, which is new; none where the whole record has to be read.
pub(in crate::format) fn read<'a>(text: &'a str, lean: &mut Lean<'a>) -> Option<()> {
    let mut reader = Reader::new(lean);
    let mut scan = Scan::new(text);
    scan.object(|name, scan| match name {
        Cow::Borrowed(name) => reader.member(name, scan),
        Cow::Owned(_) => None,
    })?;
    scan.end()?;
    reader.finish()
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
            Member::Text(field) => self.text(field, Value::Json(value).text()?),
            Member::Time(_) => self.time(plain(value)?),
            Member::Level => self.level(match plain(value) {
                Some(name) if !name.contains(['+', '-']) => Level::parse(name)?,
                Some(_) => return None,
                None => numeric_level(number(value)?)?,
            }),
            Member::Status => self.status(value),
            Member::Duration(Some(unit)) => self.duration(number(value)?, unit),
            Member::Kind => self.kind(plain(value)?),
            Member::Source => self.source(plain(value)?),
            Member::Overridden => flag(value).map(|flag| self.lean.row.overridden = flag),
            Member::Redacted => flag(value).map(|flag| self.lean.row.redacted |= flag),
            Member::Attributes => value.starts_with('{').then(|| self.attribute("", value))?,
            // an id makes the record this system's own, which matters for blank fields, and those are read whole
            Member::Id | Member::Seq => self.attribute("", value),
            _ => None,
        }
    }

    fn of_message(&mut self, side: Side, name: &str, scan: &mut Scan<'a>) -> Option<()> {
        match name {
            "body" => self.of_body(side, scan),
            "headers" => self.headers(side, scan, |value| value),
            _ => None,
        }
    }

    /// Takes a body in one of the shapes that [`content::body`](crate::format::content::body) reads, but for binary ones
    /// and those of which only the beginning is there.
    fn of_body(&mut self, side: Side, scan: &mut Scan<'a>) -> Option<()> {
        let facts = match scan.peek()? {
            b'{' => metadata(scan, self.lean.secrets)?.ok()?,
            b'n' => return scan.value().map(drop),
            first => {
                let value = scan.value()?;
                if self.lean.secrets.may_change(value) {
                    return None;
                }
                let size = if first == b'"' { unescaped_len(&value[1..value.len() - 1])? } else { value.len() };
                Facts { size: size as u64, cut: false }
            }
        };
        self.body(side, facts)
    }

    /// Passes over an attribute in which nothing is replaced.
    fn attribute(&self, name: &str, value: &str) -> Option<()> {
        let secrets = self.lean.secrets;
        (!secrets.change_member(name) && !secrets.may_change(name) && !secrets.may_change(value)).then_some(())
    }
}

fn number(value: &str) -> Option<&str> {
    Some(value).filter(|value| Value::Json(value).is_number())
}
