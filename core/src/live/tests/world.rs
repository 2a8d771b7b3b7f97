//! A store that is a list, the ring beside it, and what clients may ask of them.

use crate::auth::{Key, KeyHash, Keyring, Role, Scope};
use crate::catalog::Deletion;
use crate::filter::Predicate;
use crate::id::{EntryId, Seq};
use crate::level::Level;
use crate::live::{Ring, Room, Tail};
use crate::plan::{Context, Outcome, Projects, Settings, plan};
use crate::query::{Detail, Direction, Order, Page, Query, Start};
use crate::record::{Field, Kind, Record, Stored};
use crate::timestamp::Timestamp;
use bytes::Bytes;
use http::{Request, Response};
use std::collections::BTreeSet;
use std::sync::Arc;

pub(super) const PROJECTS: [&str; 2] = ["a", "b"];
pub(super) const CONTAINERS: [&str; 2] = ["x", "y"];
const KINDS: [Kind; 4] = [Kind::Exchange, Kind::Request, Kind::Response, Kind::Event];

/// A record to be committed: the sequences left out before it, and what of it matters.
#[derive(Clone, Debug)]
pub(super) struct Spec {
    pub(super) hole: u64,
    pub(super) kind: usize,
    /// Two and more is none.
    pub(super) project: usize,
    pub(super) container: usize,
    pub(super) is_error: bool,
    pub(super) bytes: usize,
}

/// Which rows are destroyed.
#[derive(Clone, Debug)]
pub(super) enum Cut {
    Everything,
    Project(usize),
    Container(usize),
    Both(usize, usize),
    /// Those of the project that are errors.
    Errors(usize),
    /// What is not in the project.
    Others(usize),
}

impl Cut {
    pub(super) fn filter(&self) -> Predicate {
        let container = |at: usize| {
            let is = crate::filter::TextMatcher::verbatim(CONTAINERS[at]);
            Predicate::Text(crate::filter::TextKey::Field(Field::Container), is)
        };
        let errors = Predicate::between(crate::filter::Number::Level, Level::Error as i64, Level::Error as i64);
        match *self {
            Self::Everything => Predicate::ALL,
            Self::Project(at) => Predicate::project(PROJECTS[at]),
            Self::Container(at) => container(at),
            Self::Both(project, at) => Predicate::all_of([Predicate::project(PROJECTS[project]), container(at)]),
            Self::Errors(at) => Predicate::all_of([Predicate::project(PROJECTS[at]), errors]),
            Self::Others(at) => Predicate::Not(Box::new(Predicate::project(PROJECTS[at]))),
        }
    }

    /// Whether nothing is left of what a stream is confined to.
    pub(super) fn leaves_nothing(&self, project: Option<usize>, container: Option<usize>) -> bool {
        match *self {
            Self::Everything => project.is_some() || container.is_some(),
            Self::Project(at) => project == Some(at),
            Self::Container(at) => container == Some(at),
            Self::Both(of, at) => project == Some(of) && container == Some(at),
            Self::Errors(_) => false,
            Self::Others(at) => project.is_some_and(|own| own != at),
        }
    }
}

pub(super) struct World {
    /// What was ever committed.
    pub(super) issued: Vec<Stored>,
    /// What of it is still there.
    pub(super) rows: Vec<Stored>,
    pub(super) deleted: BTreeSet<u64>,
    pub(super) head: u64,
    pub(super) ring: Ring,
    pub(super) keyring: Keyring,
    pub(super) now: Timestamp,
    settings: Settings,
}

impl World {
    /// Keys: `all` reads everything, `a` and `a-too` project a, `brief` everything for 40 s.
    pub(super) fn new(room: Room) -> Self {
        let now = Timestamp::from_millis(1_800_000_000_000);
        let key = |id, secret: &str, scope, expires| Key {
            id,
            hash: KeyHash::of(secret),
            name: String::new(),
            role: Role::Read,
            scope,
            created: now,
            expires,
        };
        let keyring = Keyring::new(vec![
            key(1, "all", Scope::Organisation, None),
            key(2, "a", Scope::Project("a".into()), None),
            key(4, "a-too", Scope::Project("a".into()), None),
            key(3, "brief", Scope::Organisation, Some(now.plus_nanos(40_000_000_000))),
        ]);
        Self {
            issued: Vec::new(),
            rows: Vec::new(),
            deleted: BTreeSet::new(),
            head: 0,
            ring: Ring::new(room, None),
            keyring,
            now,
            settings: Settings::default(),
        }
    }

    pub(super) fn pass(&mut self, seconds: i64) {
        self.now = self.now.plus_nanos(seconds * 1_000_000_000);
    }

    pub(super) fn commit(&mut self, specs: &[Spec]) {
        for spec in specs {
            self.head += 1 + spec.hole;
            let mut record = Record::new(self.now);
            record.kind = KINDS[spec.kind];
            record.level = if spec.is_error { Level::Error } else { Level::Info };
            record.texts.set_some(Field::Project, PROJECTS.get(spec.project).copied());
            record.texts.set_some(Field::Container, CONTAINERS.get(spec.container).copied());
            record.texts.set(Field::Message, &"m".repeat(spec.bytes));
            let id = EntryId::new(self.now.as_millis() as u64, Seq::new(self.head).unwrap());
            self.issued.push(Stored { id, record });
            self.rows.extend(self.issued.last().cloned());
        }
    }

    /// What a feeder would put into the ring.
    pub(super) fn unfed(&self) -> Vec<Stored> {
        self.rows.iter().filter(|row| row.id.seq().get() > self.ring.head()).cloned().collect()
    }

    pub(super) fn feed(&mut self) {
        let rows = self.unfed();
        self.push(rows, self.head);
    }

    pub(super) fn push(&mut self, rows: Vec<Stored>, head: u64) {
        if let Some(head) = Seq::new(head) {
            self.ring.push(rows, head);
        }
    }

    pub(super) fn delete(&mut self, filter: Predicate) {
        let Some(head) = Seq::new(self.head) else { return };
        for row in self.rows.extract_if(.., |row| filter.matches_stored(row)) {
            self.deleted.insert(row.id.seq().get());
        }
        self.ring.erase(Arc::new(Deletion { id: 1, filter, head }));
    }

    /// One page by definition.
    pub(super) fn page(&self, query: &Query) -> Page {
        assert_eq!((query.order, query.direction), (Order::Arrival, Direction::Ascending));
        assert!(query.limit <= 64 && query.detail == Detail::Preview, "{query:?}");
        let after = match query.start {
            Start::First => 0,
            Start::After(position) => position.seq.get(),
            other => panic!("{other:?}"),
        };
        let sees = |row: &&Stored| {
            row.id.seq().get() > after && row.id.seq() <= query.bound && query.filter.matches_stored(row)
        };
        let mut rows: Vec<_> = self.rows.iter().filter(sees).cloned().collect();
        let more_after = rows.len() > query.limit;
        rows.truncate(query.limit);
        Page { rows, more_after, ..Page::default() }
    }

    pub(super) fn ask(&self, target: &str, key: &str, last_id: &str) -> Result<(Response<()>, Tail), Response<Bytes>> {
        let mut request = Request::get(target).header("authorization", format!("Bearer {key}"));
        if !last_id.is_empty() {
            request = request.header("last-event-id", last_id);
        }
        let head = Seq::new(self.head).map(|seq| EntryId::new(self.now.as_millis() as u64, seq));
        let context = Context {
            keyring: &self.keyring,
            projects: &Projects::default(),
            head,
            now: self.now,
            secret: &[3; 32],
            settings: &self.settings,
        };
        let planned = plan(&request.body(()).unwrap().into_parts().0, &context);
        planned.tail().map_err(|plan| plan.reply(Outcome::Nothing))
    }

    pub(super) fn tail(&self, target: &str, key: &str, last_id: &str) -> Tail {
        self.ask(target, key, last_id).map(|(_, tail)| tail).expect("a stream")
    }
}
