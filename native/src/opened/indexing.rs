//! One pass over the files, on all cores: one thread cuts, the others read, parse and encode.
//!
//! Portions are adopted in the order of the files, whoever is done first, so that a walk by cursor is not disturbed.

use super::source::Plain;
use super::{Named, Opened};
use reqlog_core::format::{Rejection, Report, SNIFF};
use reqlog_core::offline::{Borders, Cut, Cutter, Indexed, Input, Place, Portion, Splits};
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

/// What is told of a file while it is indexed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// It is begun.
    Begun {
        /// As it was named.
        name: &'a str,
        /// Plain bytes of it, where that is known.
        length: Option<u64>,
    },
    /// So many plain bytes more of it are indexed.
    Read(u64),
    /// All of it is indexed.
    Done {
        /// As it was named.
        name: &'a str,
        /// Records of it that can be found.
        rows: u64,
        /// Those that were not understood.
        rejected: u64,
        /// The first of these.
        first: Option<Rejection>,
    },
    /// It cannot be read, or no further: what was read of it before is served.
    Failed {
        /// Its name and why.
        reason: String,
    },
}

/// Bytes of a portion.
const PORTION: u64 = 8 << 20;
/// Bytes of what is read for the cutter.
const SLICE: usize = 256 << 10;
/// So many portions may be done before one that comes first; what they hold is in memory.
const AHEAD: u64 = 64;

type Tell<'a> = &'a (dyn Fn(Event<'_>) + Sync);

/// A portion to be read, and its place among all.
struct Work {
    number: u64,
    input: Input,
    plain: Plain,
    bytes: Range<u64>,
    borders: Borders,
}

/// What has its place in the order.
enum Item<'a> {
    Indexed(Place, Indexed),
    /// Behind the last cut of a file; its line is that of the file.
    Broken(Place, Rejection),
    /// Behind all of a file; why it cannot be read, or no further.
    End(Place, &'a Named, Result<(), String>),
}

struct Order<'a> {
    opened: &'a Opened,
    tell: Tell<'a>,
    waiting: Mutex<(u64, BTreeMap<u64, Item<'a>>)>,
    moved: Condvar,
}

impl Opened {
    /// Indexes files, at most [`Place::COUNT`], one behind the other; returns when all are served whole, or as far as they
    /// can be read.
    ///
    /// # Panics
    /// With more files than there are places.
    pub fn index(&self, files: &[Named], tell: Tell<'_>) {
        let threads = thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let order = Order { opened: self, tell, waiting: Mutex::default(), moved: Condvar::new() };
        let (sender, receiver) = sync_channel::<Work>(threads);
        let receiver = Mutex::new(receiver);
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| work(&receiver, &order));
            }
            let mut walk = Walk { order: &order, sender, number: 0 };
            for (place, named) in files.iter().enumerate() {
                let place = Place::new(u8::try_from(place).expect("there are places for all"));
                let read = walk.file(place, named);
                walk.put(Item::End(place, named, read));
            }
            // the threads end with the channel
        });
    }
}

/// Takes portions until there are no more.
fn work(receiver: &Mutex<Receiver<Work>>, order: &Order<'_>) {
    let take = || receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
    let mut buffer = vec![0; SLICE];
    while let Ok(work) = take() {
        // what comes behind it would wait for ever
        let indexed = catch_unwind(AssertUnwindSafe(|| read(&work, &mut buffer))).unwrap_or_else(|_| {
            tracing::error!("the bytes {:?} of a file cannot be indexed; the panic is logged above", work.bytes);
            Indexed::default()
        });
        order.put(work.number, Item::Indexed(work.input.place(), indexed));
    }
}

fn read(work: &Work, buffer: &mut [u8]) -> Indexed {
    let mut portion = Portion::new(&work.input, work.bytes.clone(), work.borders);
    while let Some(wanted) = portion.want() {
        let size = usize::try_from(wanted.end - wanted.start).map_or(SLICE, |size| size.min(SLICE));
        // what cannot be read any more has ended; whoever asks for it again is told
        let read = work.plain.read_at(&mut buffer[..size], wanted.start).unwrap_or_else(|error| {
            tracing::error!("a file cannot be read at {}: {error}", wanted.start);
            0
        });
        portion.push(&buffer[..read]);
    }
    portion.finish()
}

impl<'a> Order<'a> {
    /// Has all that comes next adopted; waits where too much is there that comes later.
    fn put(&self, number: u64, item: Item<'a>) {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let is_far = |(next, _): &mut (u64, BTreeMap<u64, Item<'a>>)| number > *next + AHEAD;
        let mut waiting = self.moved.wait_while(waiting, is_far).unwrap_or_else(PoisonError::into_inner);
        let (next, items) = &mut *waiting;
        items.insert(number, item);
        while let Some(item) = items.remove(next) {
            self.adopt(item);
            *next += 1;
        }
        self.moved.notify_all();
    }

    fn adopt(&self, item: Item<'a>) {
        match item {
            Item::Indexed(place, indexed) => {
                let bytes = indexed.bytes;
                self.opened.adopt(place, indexed);
                (self.tell)(Event::Read(bytes));
            }
            Item::Broken(place, rejection) => {
                let before =
                    self.opened.store().inputs().find(|(known, _)| *known == place).map(|(_, file)| file.lines);
                let mut report = Report::default();
                let line = rejection.line.saturating_sub(before.unwrap_or(0)).max(1);
                report.reject(Rejection { line, ..rejection });
                self.opened.adopt(place, Indexed { report, ..Indexed::default() });
            }
            Item::End(place, named, read) => {
                self.opened.close();
                let found = self.opened.store().opened(place).cloned();
                if found.is_some() || read.is_ok() {
                    let (rows, rejected) = found.as_ref().map_or((0, 0), |opened| (opened.rows, opened.rejected));
                    let first = found.and_then(|opened| opened.rejections.into_iter().next());
                    (self.tell)(Event::Done { name: &named.name, rows, rejected, first });
                }
                let same = match named.is_same() {
                    Ok(true) => Ok(()),
                    Ok(false) => Err(format!("{}: it changed while it was read; open it again", named.name)),
                    Err(error) => Err(format!("{}: {error}", named.name)),
                };
                if let Err(reason) = same.and(read) {
                    (self.tell)(Event::Failed { reason });
                }
            }
        }
    }
}

/// Goes over the files and hands out their portions.
struct Walk<'o, 'a> {
    order: &'o Order<'a>,
    sender: SyncSender<Work>,
    number: u64,
}

impl<'a> Walk<'_, 'a> {
    /// Fails with the file's name and why it cannot be read, or no further.
    fn file(&mut self, place: Place, named: &Named) -> Result<(), String> {
        let failed = |error: io::Error| format!("{}: {error}", named.name);
        let (mut bytes, plain) = named.open().map_err(failed)?;
        let is_plain = matches!(plain, Plain::AsItIs(_));
        (self.order.tell)(Event::Begun { name: &named.name, length: named.length.filter(|_| is_plain) });
        let mut first = Vec::new();
        let start = bytes.by_ref().take(SNIFF as u64).read_to_end(&mut first);
        // nothing is no error
        let Some(input) = named.input(place, &first, self.order.opened.store().setup().redact_key)? else {
            return start.map(drop).map_err(failed);
        };
        self.order.opened.insert(&input, plain.clone());
        let read = match (&plain, input.splits()) {
            (Plain::AsItIs(file), Splits::Anywhere) => {
                self.portions(&input, &plain, file.length());
                Ok(())
            }
            _ => self.cuts(&input, &plain, first, start.map(|_| bytes)),
        };
        read.map_err(failed)
    }

    /// A file that may be cut anywhere.
    fn portions(&mut self, input: &Input, plain: &Plain, length: u64) {
        for start in (0..length).step_by(PORTION as usize) {
            self.hand_out(input, plain, start..(start + PORTION).min(length), Borders::Nominal);
        }
    }

    /// A file that has to be read from its beginning, or that comes only once.
    fn cuts(
        &mut self,
        input: &Input,
        plain: &Plain,
        mut slice: Vec<u8>,
        mut rest: io::Result<Box<dyn Read + Send>>,
    ) -> io::Result<()> {
        let mut cutter = Cutter::new(input, PORTION);
        let (mut at, mut cuts) = (0, 0);
        let broken = loop {
            if let Plain::Unpacked(file) = plain
                && let Err(error) = file.write_all_at(&slice, at)
            {
                let place = std::env::temp_dir();
                let told = format!("its plain bytes cannot be kept in {}: {error}", place.display());
                break Err(io::Error::new(error.kind(), format!("{told}; TMPDIR names another directory")));
            }
            at += slice.len() as u64;
            cutter.push(&slice);
            while let Some(cut) = cutter.next() {
                self.cut(input, plain, cut, &mut cuts);
            }
            slice.resize(SLICE, 0);
            let read = match &mut rest {
                Ok(bytes) => bytes.read(&mut slice),
                Err(error) => Err(std::mem::replace(error, io::ErrorKind::Other.into())),
            };
            match read {
                Ok(0) => break Ok(()),
                Ok(read) => slice.truncate(read),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => slice.clear(),
                Err(error) => break Err(error),
            }
        };
        let rejection = cutter.finish();
        while let Some(cut) = cutter.next() {
            self.cut(input, plain, cut, &mut cuts);
        }
        // where reading ended early, that is told instead
        if let (Some(rejection), Ok(())) = (rejection, &broken) {
            self.put(Item::Broken(input.place(), rejection));
        }
        broken
    }

    fn cut(&mut self, input: &Input, plain: &Plain, cut: Cut, cuts: &mut u64) {
        if *cuts == 0 && cut.line > 1 {
            // lines before the first unit are counted too
            let before = Indexed { lines: cut.line - 1, ..Indexed::default() };
            self.put(Item::Indexed(input.place(), before));
        }
        *cuts += 1;
        self.hand_out(input, plain, cut.bytes, Borders::Exact);
    }

    fn hand_out(&mut self, input: &Input, plain: &Plain, bytes: Range<u64>, borders: Borders) {
        let work = Work { number: self.number, input: input.clone(), plain: plain.clone(), bytes, borders };
        self.number += 1;
        self.sender.send(work).expect("threads take work until the channel is closed");
    }

    fn put(&mut self, item: Item<'a>) {
        let number = self.number;
        self.number += 1;
        self.order.put(number, item);
    }
}
