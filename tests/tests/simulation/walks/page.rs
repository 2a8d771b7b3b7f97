//! How each dialect's pages are read.

use super::{Form, Walk};
use crate::model::Model;
use crate::question::{Dialect, escaped};
use crate::world::{Answer, Law};
use reqlog_core::id::EntryId;
use serde_json::Value;

/// What a page says.
pub(super) struct Page {
    /// Sequences, of Hoody the ids of its rows.
    pub(super) rows: Vec<u64>,
    pub(super) total: Option<usize>,
    /// URLs of the next and of the previous page.
    pub(super) links: [Option<String>; 2],
    /// Of a sweep, whether it ends because rows have expired.
    pub(super) is_lost: bool,
}

impl Walk {
    /// Reads an answer of the dialect.
    pub(super) fn read(&self, model: &Model, answer: &Answer) -> Law<Page> {
        if (self.dialect, self.form) == (Dialect::Hoody, Form::Cursor) {
            return self.swept(answer);
        }
        let page = answer.json()?;
        let on = |parameter: &str, cursor: &Value| {
            cursor.as_str().map(|cursor| format!("{}&{parameter}={}", self.first, escaped(cursor)))
        };
        let links = [answer.link("next"), answer.link("prev")];
        let total = |at: &str| page.pointer(at).and_then(Value::as_u64).map(|total| total as usize);
        let id = |spelling: fn(&str) -> Option<EntryId>, member: &'static str| {
            move |row: &Value| Some(spelling(row[member].as_str()?)?.seq().get())
        };
        let rows = |at: &str, row: &dyn Fn(&Value) -> Option<u64>| -> Law<Vec<u64>> {
            let rows = page.pointer(at).and_then(Value::as_array).ok_or_else(|| format!("no {at} in {page}"))?;
            rows.iter().map(|one| row(one).ok_or_else(|| format!("no id in {one}"))).collect()
        };
        Ok(match self.dialect {
            Dialect::Own => {
                let cursors = [on("cursor", &page["next"]), on("cursor", &page["prev"])];
                let agree = cursors.each_ref().map(Option::is_some) == links.each_ref().map(Option::is_some);
                if !agree {
                    return Err(format!("{cursors:?} beside {links:?}"));
                }
                let links = if self.form == Form::Follow { [links[0].clone(), None] } else { links };
                Page {
                    rows: rows("/items", &|row| row["seq"].as_u64())?,
                    total: total("/total"),
                    links,
                    is_lost: false,
                }
            }
            Dialect::FlowMock => {
                let rows = rows("/logs", &id(EntryId::from_flowmock, "id"))?;
                let next = match self.form {
                    Form::Follow => Some(self.since(model, &rows)),
                    _ => on("before", &page["nextCursor"]),
                };
                Page { rows, total: None, links: [next, None], is_lost: false }
            }
            Dialect::Scrip => {
                let next = on("cursor", &page["pagination"]["next_cursor"]);
                if page["pagination"]["has_more"] != next.is_some() {
                    return Err(format!("has_more in {page}"));
                }
                Page {
                    rows: rows("/data", &id(EntryId::from_uuid, "id"))?,
                    total: None,
                    links: [next, None],
                    is_lost: false,
                }
            }
            Dialect::Hoody => {
                let rows = rows("/entries", &|row| row["id"].as_u64())?;
                let links = match self.form {
                    // a client that has seen everything asks again after what it has
                    Form::Follow => {
                        let after = rows.last().copied().unwrap_or(self.last);
                        let again = self.first.replace("afterId=0", &format!("afterId={after}"));
                        [Some(links[0].clone().unwrap_or(again)), None]
                    }
                    _ => links,
                };
                Page { rows, total: total("/total"), links, is_lost: false }
            }
            Dialect::Generic => {
                // this dialect has no ids: details say which record it is
                let serial = |row: &Value| {
                    let serial = row["details"]["n"].as_u64()?;
                    model.alive().find(|known| known.row.serial == serial).map(|known| known.id.seq().get())
                };
                Page {
                    rows: rows("/data/logs", &serial)?,
                    total: total("/data/pagination/total"),
                    links,
                    is_lost: false,
                }
            }
            Dialect::Cognigy => {
                let rows = rows("/items", &id(EntryId::from_cognigy, "_id"))?;
                let cursors = [on("next", &page["nextCursor"]), on("previous", &page["previousCursor"])];
                let links = if self.form == Form::Offset { links } else { cursors };
                Page { rows, total: total("/total"), links, is_lost: false }
            }
        })
    }

    /// A sweep: a row a line, then how it goes on.
    fn swept(&self, answer: &Answer) -> Law<Page> {
        let text = std::str::from_utf8(&answer.body).map_err(|error| error.to_string())?;
        let lines: Result<Vec<Value>, _> = text.lines().map(serde_json::from_str).collect();
        let mut lines = lines.map_err(|error| format!("{error}: {text}"))?;
        let trailer = lines.pop().filter(|last| last["__trailer"] == true).ok_or("a sweep without a trailer")?;
        let next = trailer["cursor"].as_str().map(|cursor| format!("{}&cursor={}", self.first, escaped(cursor)));
        let is_lost = trailer["error"] == "snapshot_expired" && trailer["status"] == 410;
        if !is_lost && trailer["stoppedReason"] != if next.is_some() { "limit" } else { "end" } {
            return Err(format!("a sweep ends by {trailer}"));
        }
        let rows = lines.iter().map(|row| row["id"].as_u64().ok_or_else(|| format!("no id in {row}")));
        Ok(Page { rows: rows.collect::<Law<_>>()?, total: None, links: [next, None], is_lost })
    }

    /// The poll loop of `FlowMock`: everything newer than the newest row seen. Nothing is seen of an empty session,
    /// which is asked for its first page again.
    fn since(&self, model: &Model, rows: &[u64]) -> String {
        let newest = rows.iter().max().copied().or(Some(self.last).filter(|last| *last > 0));
        match newest {
            Some(seq) => format!("{}&since={}", self.first, model.rows[&seq].id.to_flowmock()),
            None => self.first.clone(),
        }
    }
}

/// A URL with another limit.
pub(super) fn with_limit(url: &str, limit: usize) -> String {
    let Some((before, rest)) = url.split_once("limit=") else { return url.to_owned() };
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    format!("{before}limit={limit}{rest}")
}

/// How many rows a URL skips, and how many it asks for.
pub(super) fn window(url: &str) -> Option<(usize, usize)> {
    let number = |names: &[&str]| {
        let mut pairs = url.split_once('?')?.1.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(name, _)| names.contains(name)).and_then(|(_, value)| value.parse().ok())
    };
    Some((number(&["offset", "skip"])?, number(&["limit"])?))
}
