//! Opened files and the evaluator in memory, over the same records.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use reqlog_core::accept::Rules;
use reqlog_core::auth::Scope;
use reqlog_core::format::{Head, Parser, Splitter};
use reqlog_core::id::EntryId;
use reqlog_core::offline::{Borders, Cutter, Input, Opening, Place, Portion, Read, Setup, Splits, Store};
use reqlog_core::plan::{FanOut, IngestMode, IngestRequest, Offers, Settings};
use reqlog_core::record::Stored;
use reqlog_core::timestamp::Timestamp;
use reqlog_tests::corpus::Prng;
use reqlog_tests::memory::Memory;
use reqlog_tests::offline;
use reqlog_tests::wire::Setting;
use serde_json::Value;
use std::cell::{Cell, RefCell};

pub const PROJECT: &str = "abcdefghijklmnopqrstuvwx";
const MODIFIED: i64 = 1_782_216_000_000;

/// A file, and what it came to by the parser alone.
pub struct File {
    pub bytes: Vec<u8>,
    pub input: Input,
    pub opening: Opening,
}

impl File {
    pub fn new(place: u8, bytes: Vec<u8>, setting: &Setting) -> Self {
        let modified = Timestamp::from_millis(MODIFIED + i64::from(place) * 1000);
        let opening = Opening { project: Some(PROJECT.to_owned()), ..Opening::new(modified, Some(setting.redact_key)) };
        let input = Input::open(Place::new(place), &bytes, &opening).unwrap().unwrap();
        Self { bytes, input, opening }
    }

    /// Every record, without anything of how files are indexed.
    pub fn records(&self) -> Vec<Stored> {
        let Opening { redact_key, modified, .. } = &self.opening;
        let request = IngestRequest {
            scope: Scope::Organisation,
            project: Some(PROJECT.to_owned()),
            environment: None,
            session: None,
            service: None,
            format: None,
            encodings: Vec::new(),
            mode: IngestMode::Import,
            idempotency_key: None,
            limit: u64::MAX,
        };
        let rules = Rules::new(redact_key.as_ref().unwrap(), &Settings::default(), &request);
        let mut splitter = Splitter::new(self.input.format());
        splitter.push(&self.bytes);
        splitter.finish().unwrap();
        let head = splitter.head().cloned().unwrap_or_else(Head::default);
        let parser = Parser::new(self.input.format(), &head, *modified);
        let mut rows = Vec::new();
        while let Some(unit) = splitter.next() {
            let Ok(record) = parser.parse(&unit).map_err(|wrong| wrong.reason).and_then(|record| rules.accept(record))
            else {
                continue;
            };
            let id = EntryId::new(modified.as_millis() as u64, self.input.place().seq(unit.offset).unwrap());
            rows.push(Stored { id, record });
        }
        rows
    }

    /// Its portions of about `size` bytes, adopted.
    pub fn adopt(&self, store: &mut Store, size: u64) {
        self.portions(size).for_each(|(from, to)| self.adopt_portion(store, from, to));
    }

    pub fn portions(&self, size: u64) -> impl Iterator<Item = (u64, u64)> + use<> {
        let end = self.bytes.len() as u64;
        let cuts: Vec<(u64, u64)> = match self.input.splits() {
            Splits::Anywhere => (0..end).step_by(size as usize).map(|from| (from, (from + size).min(end))).collect(),
            Splits::FromTheBeginning => {
                let mut cutter = Cutter::new(&self.input, size);
                cutter.push(&self.bytes);
                assert_eq!(cutter.finish(), None);
                std::iter::from_fn(|| cutter.next()).map(|cut| (cut.bytes.start, cut.bytes.end)).collect()
            }
        };
        cuts.into_iter()
    }

    pub fn adopt_portion(&self, store: &mut Store, from: u64, to: u64) {
        let mut portion = Portion::new(&self.input, from..to, Borders::Nominal);
        while let Some(wanted) = portion.want() {
            portion.push(self.slice(wanted.start, wanted.end));
        }
        store.adopt(self.input.place(), portion.finish()).unwrap();
    }

    pub fn slice(&self, from: u64, to: u64) -> &[u8] {
        let end = self.bytes.len();
        &self.bytes[end.min(from as usize)..end.min(to as usize)]
    }
}

/// The same records twice.
pub struct Both {
    memory: Memory,
    store: Store,
    files: Vec<File>,
    prng: RefCell<Prng>,
    // bytes of files that were read
    pub read: Cell<u64>,
    pub asked: usize,
    pub rows: Vec<Stored>,
}

impl Both {
    pub fn new(files: Vec<Vec<u8>>, portion: u64, seed: u64) -> Self {
        let mut setting = Setting::default();
        setting.settings.fan_out = Some(FanOut::default());
        let files: Vec<File> = (0..).zip(files).map(|(place, bytes)| File::new(place, bytes, &setting)).collect();
        let rows: Vec<Stored> = files.iter().flat_map(File::records).collect();
        let mut memory = Memory::new(&setting);
        memory.hold(rows.clone());
        let mut store = Store::new(setup(&memory), 4 << 20);
        for file in &files {
            store.insert(file.input.place(), file.input.clone());
            file.adopt(&mut store, portion);
        }
        assert_eq!((store.rows(), store.head()), (rows.len() as u64, memory.head()));
        let prng = RefCell::new(Prng::new(seed));
        Self { memory, store, files, prng, read: Cell::new(0), asked: 0, rows }
    }

    /// The answer of both.
    pub fn ask(&mut self, path: &str) -> Response<Bytes> {
        let request = |key: &str| {
            let request = Request::get(path).header("host", "reqlog.test").header("x-api-key", key);
            request.body(Bytes::new()).unwrap()
        };
        let key = self.memory.admin().to_owned();
        let expected = self.memory.answer(request(&key));
        self.read.set(0);
        let got =
            offline::answer(&self.store, request(&key), self.memory.now(), |wanted| Ok(self.bytes(wanted))).unwrap();
        assert_eq!(got.status(), expected.status(), "{path}: {:?}", got.body());
        assert_eq!(got.headers().get("link"), expected.headers().get("link"), "{path}");
        let (got_body, expected_body) = (unscanned(got.body()), unscanned(expected.body()));
        let at = got_body.iter().zip(&expected_body).take_while(|(a, b)| a == b).count();
        let near =
            |body: &[u8]| String::from_utf8_lossy(&body[at.saturating_sub(200)..body.len().min(at + 200)]).into_owned();
        assert!(got_body == expected_body, "{path}\n got {}\n not {}", near(&got_body), near(&expected_body));
        self.asked += 1;
        got
    }

    // as much as is asked for, or less
    fn bytes(&self, wanted: &Read) -> Bytes {
        let Read { place, range } = wanted;
        let most = range.end - range.start;
        assert!(most <= 4 << 20, "{most} bytes at once");
        let mut prng = self.prng.borrow_mut();
        let less = if prng.chance(0.2) { 1 + prng.below(most) } else { most };
        let bytes = self.files[usize::from(place.get())].slice(range.start, range.start + less);
        self.read.set(self.read.get() + bytes.len() as u64);
        Bytes::copy_from_slice(bytes)
    }

    pub fn json(&mut self, path: &str) -> Value {
        let answer = self.ask(path);
        assert_eq!(answer.status(), StatusCode::OK, "{path}: {:?}", answer.body());
        serde_json::from_slice(answer.body()).unwrap()
    }
}

pub fn setup(memory: &Memory) -> Setup {
    let setting = memory.setting();
    Setup {
        keyring: memory.keyring().clone(),
        projects: memory.projects().clone(),
        secret: setting.cursor_secret,
        redact_key: setting.redact_key,
        settings: Settings { offers: Offers::OPENED, ..setting.settings.clone() },
    }
}

/// Without what the answer cost, which is the last member.
pub fn unscanned(body: &[u8]) -> Vec<u8> {
    let at = body.windows(11).rposition(|window| window == b",\"scanned\":".as_slice());
    at.filter(|_| body.starts_with(b"{\"items\"")).map_or(body, |at| &body[..at]).to_vec()
}
