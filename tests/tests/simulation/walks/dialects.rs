//! How each dialect is asked for its first page.

use super::{Form, Walk};
use crate::model::{PROJECTS, SESSIONS, Sort};
use crate::question::{Dialect, Question, Relative};
use crate::world::{Who, World};
use reqlog_tests::corpus::Prng;

/// A dialect and one of its ways from page to page, as likely as often named.
const FORMS: [(Dialect, Form); 16] = [
    (Dialect::Own, Form::Cursor),
    (Dialect::Own, Form::Cursor),
    (Dialect::Own, Form::Cursor),
    (Dialect::Own, Form::Follow),
    (Dialect::FlowMock, Form::Cursor),
    (Dialect::FlowMock, Form::Follow),
    (Dialect::Scrip, Form::Cursor),
    (Dialect::Hoody, Form::Offset),
    (Dialect::Hoody, Form::Cursor),
    (Dialect::Hoody, Form::Cursor),
    (Dialect::Hoody, Form::Follow),
    (Dialect::Hoody, Form::Last),
    (Dialect::Generic, Form::Offset),
    (Dialect::Cognigy, Form::RowCursor),
    (Dialect::Cognigy, Form::RowCursor),
    (Dialect::Cognigy, Form::Offset),
];

fn pick<T: Copy>(prng: &mut Prng, all: &[T]) -> T {
    all[prng.below(all.len() as u64) as usize]
}

impl Walk {
    /// Any walk that a client may make.
    pub(super) fn draw(world: &mut World) -> Self {
        let (now, arrival) = (world.now(), world.arrival());
        let fans_out = world.fans_out();
        let prng = &mut world.prng;
        let (dialect, form) = match pick(prng, &FORMS) {
            (Dialect::Hoody, Form::Cursor) if !fans_out => (Dialect::Hoody, Form::Offset),
            any => any,
        };
        let mut walk = Self {
            who: pick(prng, &[Who::Admin, Who::Reader(0), Who::Reader(1)]),
            dialect,
            form,
            question: Question::draw(prng, now),
            sort: Sort::Arrival,
            descending: false,
            limit: pick(prng, &[1, 2, 3, 7, 7, 20, 97]),
            first: String::new(),
            project: None,
            session: None,
            snapshot: Vec::new(),
            losses: 0,
            began: now,
            page: 0..0,
            offset: 0,
            count: 0,
            last: 0,
            links: [None, None],
        };
        if dialect == Dialect::Hoody && fans_out {
            // who names no project sweeps all of them
            walk.who = if form == Form::Cursor { Who::Admin } else { pick(prng, &[Who::Reader(0), Who::Reader(1)]) };
        }
        if dialect == Dialect::Cognigy {
            // the hour before the beginning: the newest arrival, or a second ago
            let began = arrival.max(now - 1_000);
            let relative = Relative { minutes: 60, from: began - 3_600_000, to: began };
            walk.question.relative = prng.chance(0.2).then_some(relative);
        }
        walk.first = walk.url(prng);
        walk
    }

    fn url(&mut self, prng: &mut Prng) -> String {
        let Self { dialect, form, limit, .. } = *self;
        let words = self.question.words(dialect);
        // what only some parameters can say is in the path, or in the key
        let project = match self.who {
            Who::Reader(at) => PROJECTS[at],
            Who::Admin => pick(prng, &PROJECTS[..2]),
        };
        let mut confined = |walk: &mut Self, name: &str| {
            if prng.chance(0.3) {
                walk.project = Some(project);
                format!("&{name}={project}")
            } else {
                String::new()
            }
        };
        match dialect {
            Dialect::Own => {
                let confined = confined(self, "project");
                let total = pick(prng, &["", "&total=exact"]);
                if form == Form::Follow {
                    // without a wait, the first page would fix the end
                    return format!(
                        "/api/v1/logs?limit={limit}{confined}{words}&sort=arrival&dir=asc&wait=0&fields=seq{total}"
                    );
                }
                let sorts = [
                    (Sort::Time, "time"),
                    (Sort::Arrival, "arrival"),
                    (Sort::Duration, "duration"),
                    (Sort::Status, "status"),
                    (Sort::Size, "size"),
                ];
                let sort;
                (self.sort, sort) = pick(prng, &sorts);
                self.descending = prng.chance(0.5);
                let dir = if self.descending { "desc" } else { "asc" };
                format!("/api/v1/logs?limit={limit}{confined}{words}&sort={sort}&dir={dir}{total}")
            }
            Dialect::FlowMock => {
                let session = pick(prng, &SESSIONS);
                (self.session, self.project) = (Some(session), Some(project));
                self.descending = form == Form::Cursor;
                self.limit = limit.min(60);
                let base = pick(prng, &["/api/v1", ""]);
                format!("{base}/sessions/{session}/logs?project={project}&limit={}", self.limit)
            }
            Dialect::Scrip => {
                let sorts =
                    [(Sort::Time, "created_at"), (Sort::Duration, "duration_ms"), (Sort::Status, "status_code")];
                let sort;
                (self.sort, sort) = pick(prng, &sorts);
                self.descending = prng.chance(0.5);
                let dir = if self.descending { "desc" } else { "asc" };
                format!("/v1/logs?limit={limit}{words}&sort_by={sort}&sort_dir={dir}")
            }
            Dialect::Hoody => {
                let confined = if form == Form::Cursor { String::new() } else { confined(self, "projectId") };
                let base = pick(prng, &["/api/proxy-logs", ""]);
                let place = match form {
                    Form::Follow => format!("limit={limit}&afterId=0"),
                    Form::Last => format!("last={limit}"),
                    _ => format!("limit={limit}"),
                };
                format!("{base}/_logs?{place}{confined}{words}")
            }
            Dialect::Generic => {
                (self.sort, self.descending) = (Sort::Time, true);
                format!("/logs?limit={limit}{words}")
            }
            Dialect::Cognigy => {
                let sorts = [
                    (Sort::Time, "timestamp"),
                    (Sort::Arrival, "_id"),
                    (Sort::Level, "type"),
                    (Sort::Trace, "traceId"),
                    (Sort::Shown, "msg"),
                ];
                let sort;
                (self.sort, sort) = pick(prng, &sorts);
                self.descending = prng.chance(0.5);
                self.project = Some(project);
                let dir = if self.descending { "desc" } else { "asc" };
                let version = pick(prng, &["v2.1", "v2.0", "new/v2.1"]);
                let skip = if form == Form::Offset { "&skip=0" } else { "" };
                format!("/{version}/projects/{project}/logs?limit={limit}{words}&sort={sort}:{dir}{skip}")
            }
        }
    }
}
