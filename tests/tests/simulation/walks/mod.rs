//! Walks of every dialect and the laws of their pages.
//!
//! A walk has a snapshot: what matched when it began, in its order. Each page must be the rows of the snapshot that
//! follow, or precede, the page before it, less those that were deleted since, however many arrived meanwhile. So pages
//! concatenate to the whole, nothing is there twice, and a step back gives the page before. What has expired is missing as
//! what was deleted is, only a sweep says that it has lost rows, and ends. A walk that follows a log has
//! no snapshot but its last row: each page must be the next rows after it.

mod dialects;
mod page;

use crate::model::{Model, Row, Sort};
use crate::question::{Dialect, Question};
use crate::world::{Ask, Law, Who, World};
use page::Page;
use std::ops::Range;

/// How a dialect goes from page to page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// By a cursor that stands on a row.
    Cursor,
    /// As [`Self::Cursor`], and the row must still be there.
    RowCursor,
    /// By how many rows to skip.
    Offset,
    /// By the id of the last row, with no end.
    Follow,
    /// One page, of the newest.
    Last,
}

/// Which way a step goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Next,
    Prev,
}

/// A walk under way.
#[derive(Clone, Debug)]
pub struct Walk {
    who: Who,
    dialect: Dialect,
    form: Form,
    question: Question,
    sort: Sort,
    descending: bool,
    limit: usize,
    /// The URL of the first page.
    first: String,
    /// Restrictions that the path makes.
    project: Option<&'static str>,
    session: Option<&'static str>,
    /// The ids of what matched when it began, in its order.
    snapshot: Vec<u64>,
    /// How often rows had been lost by then.
    losses: u64,
    /// When that was, in milliseconds since 1970.
    began: i64,
    /// Where the last page lies in the snapshot.
    page: Range<usize>,
    /// Where it lay among the rows that were left, and how many of them it had, of a walk by offset.
    offset: usize,
    count: usize,
    last: u64,
    links: [Option<String>; 2],
}

/// Whether a walk can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Going {
    On,
    Ended,
}

impl Walk {
    /// Begins one and checks its first page.
    pub fn begin(world: &mut World) -> Law<(Self, Going)> {
        let mut walk = Self::draw(world);
        world.note(format!("  {:?} {:?} {}", walk.who, walk.form, walk.first));
        walk.losses = world.model.losses;
        walk.snapshot = walk.all(&world.model);
        let page = walk.turn(world, &walk.first.clone())?.ok_or("a first page was refused")?;
        if walk.is_lost(world, &page)? {
            return Ok((walk, Going::Ended));
        }
        let wanted = match walk.form {
            Form::Follow => walk.ahead(&world.model),
            Form::Last => walk.snapshot[walk.snapshot.len().saturating_sub(walk.limit)..].to_vec(),
            _ => walk.snapshot[..walk.limit.min(walk.snapshot.len())].to_vec(),
        };
        walk.take(world, page, &wanted, 0)?;
        if matches!(walk.form, Form::Cursor | Form::RowCursor | Form::Offset) && walk.links[1].is_some() {
            return Err("something is before the first page".into());
        }
        let going = walk.going();
        Ok((walk, going))
    }

    /// Takes a step, where there is one that way, and checks its page.
    pub fn step(&mut self, world: &mut World, way: Way) -> Law<Going> {
        let Some(link) = self.links[usize::from(way == Way::Prev)].clone() else { return Ok(self.going()) };
        // the limit of a walk may change between pages
        let limit = if world.prng.chance(0.3) { 1 + world.prng.below(60) as usize } else { self.limit };
        let link = if self.form == Form::Offset { link } else { page::with_limit(&link, limit) };
        self.limit = limit;
        world.note(format!("  {way:?} {link}"));
        let alive: Vec<u64> = self.snapshot.iter().copied().filter(|id| self.is_alive(&world.model, *id)).collect();
        let (wanted, offset) = match (self.form, way) {
            (Form::Follow, _) => (self.ahead(&world.model), 0),
            (Form::Offset, _) => {
                let (offset, limit) = page::window(&link).ok_or("a link without offset")?;
                let adjacent = if way == Way::Next { self.offset + self.count } else { self.offset };
                if (way == Way::Next && offset != adjacent) || (way == Way::Prev && offset >= adjacent) {
                    return Err(format!("{link} does not adjoin the page of {} rows at {}", self.count, self.offset));
                }
                (alive.iter().copied().skip(offset).take(limit).collect(), offset)
            }
            (_, Way::Next) => {
                let rest = &self.snapshot[self.page.end..];
                (rest.iter().copied().filter(|id| self.is_alive(&world.model, *id)).take(limit).collect::<Vec<_>>(), 0)
            }
            (_, Way::Prev) => {
                let before = self.snapshot[..self.page.start].iter().rev();
                let mut rows: Vec<u64> =
                    before.copied().filter(|id| self.is_alive(&world.model, *id)).take(limit).collect();
                rows.reverse();
                (rows, 0)
            }
        };
        let stands = if way == Way::Next { self.page.end.saturating_sub(1) } else { self.page.start };
        let gone = self.form == Form::RowCursor && !self.is_alive(&world.model, self.snapshot[stands]);
        match self.turn(world, &link)? {
            None if gone => {
                world.meet("a cursor stood on a row that is gone");
                Ok(Going::Ended)
            }
            Some(_) if gone => Err("a cursor of a row that is gone was taken".into()),
            None => Err(format!("{link} was refused")),
            Some(page) if self.is_lost(world, &page)? => Ok(Going::Ended),
            Some(page) => {
                world.meet(if self.losses < world.model.losses { "a page after a deletion" } else { "a page" });
                if !page.rows.is_empty() {
                    world.meet(self.name(way));
                }
                self.take(world, page, &wanted, offset)?;
                Ok(self.going())
            }
        }
    }

    /// The record that its cursor stands on, if it must stay there.
    pub fn stands_on(&self) -> Option<u64> {
        (self.form == Form::RowCursor && self.links[0].is_some()).then(|| self.snapshot[self.page.end - 1])
    }

    /// Whether there is nothing more, for now.
    pub fn is_at_end(&self) -> bool {
        if self.form == Form::Follow { self.count == 0 } else { self.links[0].is_none() }
    }

    /// The page at a URL; `None` where it is refused.
    fn turn(&self, world: &mut World, url: &str) -> Law<Option<Page>> {
        let answer = world.ask(&Ask::get(self.who, url))?;
        match answer.status.as_u16() {
            200 => self.read(&world.model, &answer).map(Some),
            400 => Ok(None),
            status => Err(format!("{url}: {status} {:?}", answer.body)),
        }
    }

    /// Whether a sweep ends here because rows have expired: where it was to see one of them, and never without a reason.
    fn is_lost(&self, world: &mut World, page: &Page) -> Law<bool> {
        if (self.dialect, self.form) != (Dialect::Hoody, Form::Cursor) {
            return Ok(false);
        }
        let rest = &self.snapshot[self.page.end..];
        let lost = rest.iter().find(|id| world.model.rows.get(&id.div_ceil(2)).is_some_and(|known| known.expired));
        match lost {
            Some(id) if !page.is_lost => return Err(format!("a sweep goes on without {id}, which has expired")),
            _ => {}
        }
        // a record of which one row is still to come counts
        let position = self.page.end.checked_sub(1).map_or(0, |last| self.snapshot[last] / 2);
        if page.is_lost && !(page.rows.is_empty() && world.model.may_have_lost(self.began, position)) {
            return Err(format!("a sweep of {} ends after {position}, and nothing has expired", self.began));
        }
        if page.is_lost {
            world.meet("a sweep ended because records expired");
        }
        Ok(page.is_lost)
    }

    /// Checks a page against what must be on it, and stands on it from now on.
    fn take(&mut self, world: &World, page: Page, wanted: &[u64], offset: usize) -> Law {
        if page.rows != wanted {
            return Err(format!(
                "{} rows instead of {}: {:?} instead of {wanted:?}",
                page.rows.len(),
                wanted.len(),
                page.rows
            ));
        }
        let seen = match self.form {
            Form::Follow | Form::Last => self.all(&world.model).len(),
            _ => self.snapshot.iter().filter(|id| self.is_alive(&world.model, **id)).count(),
        };
        if page.total.is_some_and(|total| total != seen) {
            return Err(format!("{:?} rows are counted and {seen} are there", page.total));
        }
        let undisturbed = self.losses == world.model.losses;
        let mut more = [false; 2];
        if let (Form::Cursor | Form::RowCursor | Form::Offset, Some(first)) = (self.form, wanted.first()) {
            let at = self.snapshot.iter().position(|id| id == first).ok_or("a row out of nowhere")?;
            let end = self.snapshot.iter().position(|id| Some(id) == wanted.last()).ok_or("a row out of nowhere")? + 1;
            self.page = at..end;
            let alive = |rows: &[u64]| rows.iter().any(|id| self.is_alive(&world.model, *id));
            more = [alive(&self.snapshot[end..]), alive(&self.snapshot[..at])];
        } else {
            self.page = 0..0;
        }
        (self.offset, self.count) = (offset, wanted.len());
        self.last = wanted.iter().copied().max().unwrap_or(self.last);
        self.links = page.links;
        // FlowMock, Scrip and sweeps only go one way
        let goes_back = !matches!(
            (self.dialect, self.form),
            (Dialect::FlowMock | Dialect::Scrip, _) | (Dialect::Hoody, Form::Cursor)
        );
        for (way, link, more) in [("next", &self.links[0], more[0]), ("prev", &self.links[1], more[1] && goes_back)] {
            if more && link.is_none() || !more && undisturbed && link.is_some() && self.form != Form::Follow {
                return Err(format!("{way} is {link:?}, and whether there is more: {more}"));
            }
        }
        Ok(())
    }

    /// What a step of it is called in reports.
    fn name(&self, way: Way) -> &'static str {
        match (self.dialect, self.form, way) {
            (Dialect::Own, Form::Follow, _) => "own, following",
            (Dialect::Own, _, Way::Next) => "own, forth",
            (Dialect::Own, _, Way::Prev) => "own, back",
            (Dialect::FlowMock, Form::Follow, _) => "FlowMock, since",
            (Dialect::FlowMock, ..) => "FlowMock, before",
            (Dialect::Scrip, ..) => "Scrip",
            (Dialect::Hoody, Form::Follow, _) => "Hoody, afterId",
            (Dialect::Hoody, Form::Cursor, _) => "Hoody, sweeping",
            (Dialect::Hoody, _, Way::Next) => "Hoody, forth",
            (Dialect::Hoody, _, Way::Prev) => "Hoody, back",
            (Dialect::Generic, _, Way::Next) => "generic, forth",
            (Dialect::Generic, _, Way::Prev) => "generic, back",
            (Dialect::Cognigy, Form::Offset, Way::Next) => "Cognigy by skip, forth",
            (Dialect::Cognigy, Form::Offset, Way::Prev) => "Cognigy by skip, back",
            (Dialect::Cognigy, _, Way::Next) => "Cognigy, forth",
            (Dialect::Cognigy, _, Way::Prev) => "Cognigy, back",
        }
    }

    fn going(&self) -> Going {
        if self.links.iter().all(Option::is_none) || (self.page.is_empty() && self.form != Form::Follow) {
            Going::Ended
        } else {
            Going::On
        }
    }

    fn sees(&self, row: &Row) -> bool {
        self.who.sees(row.project)
            && self.project.is_none_or(|project| row.project == project)
            && self.session.is_none_or(|session| row.session == Some(session))
            && self.question.sees(row, self.dialect)
    }

    /// The ids of everything that matches now, in order.
    fn all(&self, model: &Model) -> Vec<u64> {
        let rows = model.select(|row| self.sees(row), self.sort, self.descending);
        rows.into_iter().flat_map(|seq| self.ids(model, seq)).collect()
    }

    /// What a walk without an end must see next.
    fn ahead(&self, model: &Model) -> Vec<u64> {
        let mut all = self.all(model);
        if self.dialect == Dialect::FlowMock && self.last == 0 {
            // who has seen nothing has no id to go on from, and is shown the newest first
            all.reverse();
        }
        all.into_iter().filter(|id| *id > self.last).take(self.limit).collect()
    }

    /// The ids by which the dialect lists a record.
    fn ids(&self, model: &Model, seq: u64) -> Vec<u64> {
        match self.dialect {
            Dialect::Hoody => self.question.halves(seq, &model.rows[&seq].row).collect(),
            _ => vec![seq],
        }
    }

    fn is_alive(&self, model: &Model, id: u64) -> bool {
        model.is_alive(if self.dialect == Dialect::Hoody { id.div_ceil(2) } else { id })
    }
}
