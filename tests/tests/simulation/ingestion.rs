//! Ways in: requests, retries of them, and imports of files that grow.

use crate::model::{PROJECTS, Row};
use crate::world::{Ask, Change, Law, Who, World};
use http::Method;
use reqlog_core::id::EntryId;

/// Requests that may be sent again, and files that may be imported again.
#[derive(Default)]
pub struct Ingestions {
    /// Sent with an `Idempotency-Key`.
    sent: Vec<Sent>,
    files: Vec<File>,
    /// Exported lines with what they are and the sequences that they had.
    saved: Vec<(String, Row, u64)>,
}

struct Sent {
    ask: Ask,
    rows: Vec<Row>,
    stored: bool,
}

/// A file on somebody's disk.
struct File {
    target: String,
    lines: String,
    rows: Vec<Row>,
    /// How many of its rows are stored.
    stored: usize,
    /// The sequences that imports of it got.
    seqs: Vec<u64>,
}

/// Records of now and of long ago; many at one moment.
fn rows(world: &mut World, count: u64) -> Vec<Row> {
    let now = world.now();
    let prng = &mut world.prng;
    let moment = now - prng.below(3_600_000) as i64;
    (0..count)
        .map(|_| {
            let time = match prng.below(8) {
                0..4 => moment,
                4 | 5 => now + prng.below(3) as i64,
                6 => now - prng.below(3_600_000) as i64,
                _ => 1_000_000_000_000 + prng.below(4) as i64,
            };
            world.serial += 1;
            let project = [0, 0, 0, 1, 1, 2][prng.below(6) as usize];
            Row::draw(prng, world.serial, PROJECTS[project], time)
        })
        .collect()
}

fn some(world: &mut World) -> u64 {
    match world.prng.below(10) {
        0..6 => 1 + world.prng.below(8),
        6..9 => 1 + world.prng.below(60),
        // more than are merged with their neighbours
        _ => 200 + world.prng.below(100),
    }
}

impl Ingestions {
    /// Some records in a request, with or without a key, now and then with a line that is none.
    pub fn ingest(&mut self, world: &mut World) -> Law {
        let count = some(world);
        let rows = rows(world, count);
        let mut lines: Vec<String> = rows.iter().map(Row::line).collect();
        let broken = world.prng.chance(0.1);
        if broken {
            lines.insert(world.prng.below(lines.len() as u64) as usize, "{\"time\": nothing}\n".to_owned());
        }
        let mut ask = Ask::change(Method::POST, "/api/v1/ingest?format=ndjson", lines.concat());
        let key = world.prng.chance(0.4).then(|| format!("request {}", world.serial));
        ask.headers.extend(key.map(|key| ("idempotency-key", key)));
        let mut sent = Sent { ask, rows, stored: false };
        world.note(format!("  {} records {:?}", sent.rows.len(), sent.ask.headers));
        send(world, &mut sent, usize::from(broken))?;
        if !sent.ask.headers.is_empty() {
            self.sent.push(sent);
        }
        Ok(())
    }

    /// A request again, whether or not it was heard of: its records are there once.
    pub fn retry(&mut self, world: &mut World) -> Law {
        if self.sent.is_empty() {
            return Ok(());
        }
        let at = world.prng.below(self.sent.len() as u64) as usize;
        world.note(format!("  {:?}", self.sent[at].ask.headers));
        let broken = self.sent[at].ask.body.windows(7).any(|bytes| bytes == b"nothing");
        send(world, &mut self.sent[at], usize::from(broken))
    }

    /// A file for the first time, again, or after it has grown.
    pub fn import(&mut self, world: &mut World) -> Law {
        if self.files.is_empty() || self.files.len() < 3 && world.prng.chance(0.3) {
            let target = format!("/api/v1/ingest?format=ndjson&import=1&service=file{}", self.files.len());
            self.files.push(File { target, lines: String::new(), rows: Vec::new(), stored: 0, seqs: Vec::new() });
        }
        let at = world.prng.below(self.files.len() as u64) as usize;
        let file = &mut self.files[at];
        if !file.seqs.iter().any(|seq| world.model.is_alive(*seq)) {
            // forgotten with its last record
            file.stored = 0;
            let serials = world.model.serials();
            if file.rows.iter().any(|row| serials.contains(&row.serial)) {
                // some were restored: what is in it is replaced, so that no record is there twice
                (file.lines, file.rows) = (String::new(), Vec::new());
            }
        }
        if self.files[at].rows.is_empty()
            || self.files[at].rows.len() - self.files[at].stored < 600 && world.prng.chance(0.6)
        {
            let count = some(world);
            for mut row in rows(world, count) {
                self.files[at].lines += &row.line();
                row.service = row.service.or(Some(FILES[at]));
                self.files[at].rows.push(row);
            }
        }
        let file = &mut self.files[at];
        let new = file.rows[file.stored..].to_vec();
        world.note(format!("  {} of {} records are new", new.len(), file.rows.len()));
        let ask = Ask::change(Method::POST, &*file.target, file.lines.clone());
        let known = file.stored;
        if stored(world, &ask, &new, known, 0)? {
            file.stored = file.rows.len();
            file.seqs.extend(world.model.rows.keys().rev().take(new.len()));
        }
        Ok(())
    }

    /// What was exported before: what is still there is a duplicate, the rest is new.
    pub fn restore(&mut self, world: &mut World) -> Law {
        let exported = world.ask(&Ask::get(Who::Admin, "/api/v1/export"))?;
        let lines = std::str::from_utf8(&exported.body).map_err(|error| error.to_string())?.lines();
        let alive: Vec<_> = world.model.alive().map(|known| (known.row.clone(), known.id.seq().get())).collect();
        for (line, (row, seq)) in lines.zip(alive) {
            if self.saved.len() < 60 && world.prng.chance(0.1) && self.saved.iter().all(|(.., saved)| *saved != seq) {
                self.saved.push((format!("{line}\n"), row, seq));
            }
        }
        let mut some: Vec<_> = std::mem::take(&mut self.saved);
        // what came back with its file is there under another id
        let serials = world.model.serials();
        some.retain(|(_, row, seq)| world.model.is_alive(*seq) || !serials.contains(&row.serial));
        let (some, rest): (Vec<_>, Vec<_>) = some.into_iter().partition(|_| world.prng.chance(0.5));
        self.saved = rest;
        let body: String = some.iter().map(|(line, ..)| line.as_str()).collect();
        let (there, gone): (Vec<_>, Vec<_>) = some.into_iter().partition(|(.., seq)| world.model.is_alive(*seq));
        world.note(format!("  {} are there, {} are gone", there.len(), gone.len()));
        if !gone.is_empty() {
            world.meet("an exported record was gone");
        }
        let new: Vec<Row> = gone.iter().map(|(_, row, _)| row.clone()).collect();
        let ask = Ask::change(Method::POST, "/api/v1/ingest?format=ndjson", body);
        let done = stored(world, &ask, &new, there.len(), 0)?;
        // once restored, it has another id
        self.saved.extend(if done { there } else { [there, gone].concat() });
        Ok(())
    }
}

/// What `service=` fills in.
const FILES: [&str; 3] = ["file0", "file1", "file2"];

fn send(world: &mut World, sent: &mut Sent, broken: usize) -> Law {
    let (new, known) = if sent.stored { (Vec::new(), sent.rows.len()) } else { (sent.rows.clone(), 0) };
    sent.stored |= stored(world, &sent.ask, &new, known, broken)?;
    Ok(())
}

/// Sends records of which so many are known; whether the others are stored from now on.
fn stored(world: &mut World, ask: &Ask, new: &[Row], known: usize, broken: usize) -> Law<bool> {
    match world.change(ask)? {
        Change::Lost => return Ok(false),
        Change::Found => {}
        Change::Answered(answer) => {
            let report = answer.json()?;
            let wanted = [("accepted", new.len()), ("duplicates", known), ("rejected", broken)];
            if let Some((member, count)) = wanted.into_iter().find(|(member, count)| report[*member] != *count) {
                return Err(format!("{member} should be {count}: {} {report}", answer.status));
            }
        }
    }
    let ids = newest(world, new)?;
    world.model.commit(&ids, new.to_vec())?;
    Ok(true)
}

/// The ids of the newest records, which must be these, less those that have expired at once.
fn newest(world: &mut World, rows: &[Row]) -> Law<Vec<EntryId>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids = world.newest(rows.len() as u64)?;
    let both = ids.iter().zip(rows).filter(|(id, row)| !world.has_expired(**id, row.project));
    let left: Vec<(EntryId, u64)> = both.map(|(id, row)| (*id, row.serial)).collect();
    if left.is_empty() {
        return Ok(ids);
    }
    let target = format!("/api/v1/logs?sort=arrival&dir=desc&fields=id,attributes&limit={}", left.len());
    let page = world.ask(&Ask::get(Who::Admin, target))?.json()?;
    let items = page["items"].as_array().ok_or("no items")?.iter().rev();
    let shown = items.map(|item| Some((EntryId::from_text(item["id"].as_str()?)?, item["attributes"]["n"].as_u64()?)));
    let shown: Vec<(EntryId, u64)> =
        shown.collect::<Option<_>>().ok_or_else(|| format!("an id is missing in {page}"))?;
    if shown == left { Ok(ids) } else { Err(format!("the newest records are {shown:?} instead of {left:?}")) }
}
