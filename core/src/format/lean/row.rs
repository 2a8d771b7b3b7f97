//! CSV rows.

use std::borrow::Cow;

use super::{Facts, Lean, Reader, flag, metadata};
use crate::format::member::{Member, Side};
use crate::format::row::{Cells, Column};
use crate::format::scan::Scan;
use crate::level::Level;
use crate::redact::Secrets;

/// Reads a row under `columns` into `lean`, which is new; none where the whole record has to be read.
pub(in crate::format) fn read<'a>(columns: &[Column], mut cells: Cells<'a>, lean: &mut Lean<'a>) -> Option<()> {
    let mut reader = Reader::new(lean);
    for column in columns {
        let cell = cells.next()?;
        if !cell.is_empty() {
            reader.cell(column, cell)?;
        }
    }
    if cells.next().is_some() {
        return None;
    }
    reader.finish()
}

/// Whether attributes of this name are secrets only by what is in them, and are attributes in every record.
pub(in crate::format) fn is_plain(name: &str) -> bool {
    // one header field a column, as Traefik writes them
    let header = name.starts_with("request_") || name.starts_with("downstream_");
    let escaped = name.bytes().any(|byte| byte < b' ' || matches!(byte, b'"' | b'\\'));
    !header && !escaped && !Secrets::Replaced.change_member(name) && !Secrets::Replaced.may_change_text(name)
}

impl<'a> Reader<'a, '_> {
    fn cell(&mut self, column: &Column, cell: Cow<'a, str>) -> Option<()> {
        let Some(member) = column.member else {
            return if column.plain { self.unchanged(&cell) } else { None };
        };
        match member {
            Member::Text(field) => self.text(field, cell),
            Member::Time(_) => self.time(&cell),
            Member::Level if cell.contains(['+', '-']) => None,
            Member::Level => self.level(Level::parse(&cell)?),
            Member::Status => self.status(&cell),
            Member::Duration(Some(unit)) => self.duration(&cell, unit),
            Member::Kind => self.kind(&cell),
            Member::Source => self.source(&cell),
            Member::Overridden => flag(&cell).map(|flag| self.lean.row.overridden = flag),
            Member::Redacted => flag(&cell).map(|flag| self.lean.row.redacted |= flag),
            Member::Headers(side) => {
                let mut scan = Scan::new(&cell);
                self.headers(side, &mut scan, |value| Cow::Owned(value.into_owned()))?;
                scan.end()
            }
            Member::Body(side) => self.body_cell(side, &cell),
            Member::Size(side) => {
                let told = self.told[side as usize].replace(cell.parse().ok()?);
                told.is_none().then_some(())
            }
            // an id makes the record this system's own, which matters for blank fields, and those are read whole
            Member::Attributes | Member::Id | Member::Seq => self.unchanged(&cell),
            _ => None,
        }
    }

    /// Takes a body as [`content::body`](crate::format::content::body) reads a cell: text, unless it is an object that
    /// describes a body.
    fn body_cell(&mut self, side: Side, cell: &str) -> Option<()> {
        if cell.starts_with('{') {
            let mut scan = Scan::new(cell);
            if let Ok(facts) = metadata(&mut scan, self.lean.secrets)? {
                scan.end()?;
                return self.body(side, facts);
            }
        }
        self.unchanged(cell)?;
        self.body(side, Facts { size: cell.len() as u64, cut: false })
    }

    /// Passes over text in which nothing is replaced.
    fn unchanged(&self, cell: &str) -> Option<()> {
        (!self.lean.secrets.may_change_text(cell)).then_some(())
    }
}
