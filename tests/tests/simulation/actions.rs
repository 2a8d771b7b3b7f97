//! What happens, at random.

use crate::aggregates;
use crate::export::Export;
use crate::ingestion::Ingestions;
use crate::model::{PROJECTS, Row};
use crate::question::{Dialect, Question, escaped};
use crate::tails::Subscriber;
use crate::walks::{Going, Walk, Way};
use crate::world::{Ask, Change, Law, Who, World};
use http::Method;

/// One of what may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Ingest,
    Retry,
    Import,
    Restore,
    Begin,
    Step,
    Export,
    Delete,
    EndProject,
    Compact,
    Retain,
    Arm,
    Restart,
    Count,
    Look,
    Subscribe,
    Listen,
    Feed,
}

/// How often each happens, of their sum.
const WEIGHTS: [(Action, u64); 18] = [
    (Action::Ingest, 14),
    (Action::Retry, 3),
    (Action::Import, 4),
    (Action::Restore, 3),
    (Action::Begin, 14),
    (Action::Step, 44),
    (Action::Export, 6),
    (Action::Delete, 5),
    (Action::EndProject, 5),
    (Action::Compact, 7),
    (Action::Retain, 6),
    (Action::Arm, 10),
    (Action::Restart, 2),
    (Action::Count, 4),
    (Action::Look, 3),
    (Action::Subscribe, 6),
    (Action::Listen, 24),
    (Action::Feed, 14),
];

// walks and exports that are open at once
const OPEN: usize = 6;
const SUBSCRIBERS: usize = 5;

/// A world and what goes on in it.
pub struct Schedule {
    pub world: World,
    walks: Vec<Walk>,
    exports: Vec<Export>,
    subscribers: Vec<Subscriber>,
    ingestions: Ingestions,
}

impl Schedule {
    pub fn new(world: World) -> Self {
        Self {
            world,
            walks: Vec::new(),
            exports: Vec::new(),
            subscribers: Vec::new(),
            ingestions: Ingestions::default(),
        }
    }

    /// So many actions, and what must hold at the end.
    pub fn run(&mut self, actions: usize) -> Law {
        self.ingestions.ingest(&mut self.world)?;
        for at in 0..actions {
            let action = self.draw();
            self.pass();
            let now = self.world.now();
            self.world.note(format!("{at} at {now}: {action:?}"));
            self.act(action)?;
            self.world.settle();
        }
        self.world.note("end".into());
        while let Some(mut walk) = self.walks.pop() {
            while walk.step(&mut self.world, Way::Next)? == Going::On && !walk.is_at_end() {}
        }
        while let Some(mut export) = self.exports.pop() {
            while export.step(&mut self.world)? == Going::On {}
        }
        while let Some(mut subscriber) = self.subscribers.pop() {
            subscriber.end(&mut self.world)?;
        }
        self.world.end()
    }

    fn draw(&mut self) -> Action {
        let all = WEIGHTS.iter().map(|(_, weight)| weight).sum();
        let mut at = self.world.prng.below(all);
        for (action, weight) in WEIGHTS {
            match at.checked_sub(weight) {
                Some(rest) => at = rest,
                None => return action,
            }
        }
        Action::Step
    }

    /// Half of the time none at all; sometimes the clock is set back.
    fn pass(&mut self) {
        let prng = &mut self.world.prng;
        let millis = match prng.below(20) {
            0..10 => 0,
            10..15 => 1 + prng.below(5) as i64,
            15..18 => prng.below(2_000) as i64,
            18 => prng.below(600_000) as i64,
            _ => -(prng.below(300_000) as i64),
        };
        self.world.pass(millis);
    }

    fn act(&mut self, action: Action) -> Law {
        let world = &mut self.world;
        match action {
            Action::Ingest => self.ingestions.ingest(world),
            Action::Retry => self.ingestions.retry(world),
            Action::Import => self.ingestions.import(world),
            Action::Restore => self.ingestions.restore(world),
            Action::Begin if self.walks.len() < OPEN => {
                let (walk, going) = Walk::begin(world)?;
                self.walks.extend((going == Going::On).then_some(walk));
                Ok(())
            }
            Action::Begin | Action::Step if self.walks.is_empty() => Ok(()),
            Action::Begin | Action::Step => {
                let at = world.prng.below(self.walks.len() as u64) as usize;
                let way = if world.prng.chance(0.3) { Way::Prev } else { Way::Next };
                let ended = self.walks[at].step(world, way)? == Going::Ended;
                if ended || self.walks[at].is_at_end() && world.prng.chance(0.2) {
                    self.walks.swap_remove(at);
                }
                Ok(())
            }
            Action::Export if self.exports.is_empty() || self.exports.len() < 2 && world.prng.chance(0.3) => {
                self.exports.push(Export::begin(world)?);
                Ok(())
            }
            Action::Export => {
                let at = world.prng.below(self.exports.len() as u64) as usize;
                if self.exports[at].step(world)? == Going::Ended {
                    self.exports.swap_remove(at);
                }
                Ok(())
            }
            Action::Delete => {
                let stands = self.walks.iter().find_map(Walk::stands_on).filter(|_| world.prng.chance(0.4));
                delete(world, stands)
            }
            Action::EndProject => end_project(world),
            Action::Compact => {
                let whole = world.prng.chance(0.4);
                world.compact(whole)
            }
            Action::Retain => world.retain(),
            Action::Arm => {
                world.arm();
                Ok(())
            }
            Action::Restart => world.restart(),
            Action::Count => aggregates::check(world),
            Action::Look => look(world),
            Action::Subscribe if world.prng.chance(0.1) => Subscriber::stranger(world),
            Action::Subscribe => {
                if self.subscribers.len() == SUBSCRIBERS {
                    // one has seen enough
                    let at = world.prng.below(SUBSCRIBERS as u64) as usize;
                    self.subscribers.swap_remove(at).end(world)?;
                }
                self.subscribers.push(Subscriber::begin(world)?);
                Ok(())
            }
            Action::Listen if self.subscribers.is_empty() => Ok(()),
            Action::Listen => {
                let at = world.prng.below(self.subscribers.len() as u64) as usize;
                self.subscribers[at].step(world)
            }
            Action::Feed => world.feed(),
        }
    }
}

/// Deletes what is like one of the records, what matches a filter, or everything of a project.
fn delete(world: &mut World, like: Option<u64>) -> Law {
    let now = world.now();
    let some = world.model.rows.keys().next_back().map_or(0, |last| world.prng.below(*last));
    let question = match world.model.rows.range(like.unwrap_or(some)..).next() {
        Some((_, known)) if like.is_some() || world.prng.chance(0.4) => {
            let second = known.row.time.div_euclid(1_000);
            let Row { level, service, method, .. } = known.row;
            Question { level: Some(level), service, method, window: Some((second, second)), ..Question::default() }
        }
        _ => Question { kind: None, ..Question::draw(&mut world.prng, now) },
    };
    let q = question.own();
    let project = PROJECTS[world.prng.below(3) as usize];
    // without a filter, all rows of the least important project
    let project = if q.is_empty() { Some(PROJECTS[2]) } else { Some(project).filter(|_| world.prng.chance(0.5)) };
    let confined = project.map_or(String::new(), |project| format!("&project={project}"));
    let target = format!("/api/v1/logs?q={}{confined}", escaped(&q));
    world.note(format!("  {target}"));
    let sees = |row: &Row| project.is_none_or(|project| row.project == project) && question.sees(row, Dialect::Own);
    let change = world.change(&Ask::change(Method::DELETE, target, ""))?;
    if let (Some(project), true, Change::Found | Change::Answered(_)) = (project, q.is_empty(), &change) {
        *world.model.destroyed.entry(project).or_default() += 1;
    }
    match change {
        Change::Lost => Ok(()),
        Change::Found => {
            world.model.lose(sees);
            Ok(())
        }
        Change::Answered(answer) if answer.status == 200 => {
            let lost = world.model.lose(sees);
            if answer.json()?["deleted"] == lost { Ok(()) } else { Err(format!("{lost} matched: {:?}", answer.body)) }
        }
        Change::Answered(answer) => Err(format!("a deletion was refused: {} {:?}", answer.status, answer.body)),
    }
}

fn end_project(world: &mut World) -> Law {
    let change = world.change(&Ask::change(Method::DELETE, format!("/api/v1/projects/{}", PROJECTS[2]), ""))?;
    match change {
        Change::Answered(answer) if !answer.status.is_success() && answer.status != 404 => {
            Err(format!("{} {:?}", answer.status, answer.body))
        }
        Change::Answered(answer) if answer.status == 404 => {
            let rows = world.model.alive().any(|known| known.row.project == PROJECTS[2]);
            if rows { Err("a project with rows is unknown".into()) } else { Ok(()) }
        }
        Change::Answered(_) | Change::Found => {
            *world.model.destroyed.entry(PROJECTS[2]).or_default() += 1;
            world.model.lose(|row| row.project == PROJECTS[2]);
            Ok(())
        }
        Change::Lost => Ok(()),
    }
}

/// One record by its id in several spellings: there, or gone.
fn look(world: &mut World) -> Law {
    let Some(most) = world.model.rows.last_key_value().map(|(seq, _)| *seq) else { return Ok(()) };
    let from = 1 + world.prng.below(most);
    let Some((_, known)) = world.model.rows.range(from..).next() else { return Ok(()) };
    let (id, alive, is_call, Row { serial, project, .. }) =
        (known.id, known.is_alive(), known.row.is_call(), known.row.clone());
    let status = if alive { 200 } else { 404 };
    let answer = world.ask(&Ask::get(Who::Admin, format!("/api/v1/logs/{}", id.to_text())))?;
    if answer.status != status || alive && answer.json()?["attributes"]["n"] != serial {
        return Err(format!("{id:?} of record {serial}, alive: {alive}: {} {:?}", answer.status, answer.body));
    }
    world.ask(&Ask::get(Who::Admin, format!("/api/v1/logs/{}?context=3", id.to_text())))?;
    let answer = world.ask(&Ask::get(Who::Admin, format!("/v1/logs/{}", id.to_uuid())))?;
    let status = if alive && is_call { 200 } else { 404 };
    if answer.status != status {
        return Err(format!("{id:?}: {} instead of {status}", answer.status));
    }
    // to who may not see it, it is not there
    for reader in [Who::Reader(0), Who::Reader(1)] {
        let answer = world.ask(&Ask::get(reader, format!("/api/v1/logs/{}", id.to_text())))?;
        let status = if alive && reader.sees(project) { 200 } else { 404 };
        if answer.status != status {
            return Err(format!("{id:?} of {project} for {reader:?}: {} instead of {status}", answer.status));
        }
    }
    Ok(())
}
