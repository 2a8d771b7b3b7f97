//! What was asked of a store and what it acknowledged.

use crate::script;
use std::collections::BTreeMap;

/// What must be found of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Asked for and not acknowledged: all of it or nothing.
    Coming,
    /// Acknowledged: all of it.
    There,
    /// Its end was asked for and not acknowledged: all of it or nothing.
    Leaving,
    /// Its end was acknowledged: nothing.
    Gone,
}

impl Standing {
    /// What must be found of it after so much was found; `None` when that should not have been.
    pub fn after(self, found: Found, view: View) -> Option<Self> {
        match (self, found, view) {
            (_, Found::Part, _) | (Self::There, Found::Nothing, _) | (Self::Gone, Found::All, _) => None,
            // what was shown stays so
            (Self::There | Self::Coming, Found::All, _) | (Self::Leaving, Found::All, View::Restarted) => {
                Some(Self::There)
            }
            (Self::Gone | Self::Leaving, Found::Nothing, _) | (Self::Coming, Found::Nothing, View::Restarted) => {
                Some(Self::Gone)
            }
            // a change that failed may be on the disk all the same
            (Self::Leaving, Found::All, View::Running) | (Self::Coming, Found::Nothing, View::Running) => Some(self),
        }
    }
}

/// Who shows what is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// The store that was asked.
    Running,
    /// One that read it from the disk.
    Restarted,
}

/// How much of something is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    All,
    Part,
    Nothing,
}

impl Found {
    pub fn whether(there: bool) -> Self {
        if there { Self::All } else { Self::Nothing }
    }
}

/// One ingestion; its records' messages are the name and a number.
#[derive(Clone, Debug)]
pub struct Ingestion {
    pub name: String,
    pub records: usize,
    /// Bytes of each record's body.
    pub body: usize,
    /// The first record's sequence, if it was acknowledged.
    pub first: Option<u64>,
    pub standing: Standing,
}

/// Everything that a later start must honour.
#[derive(Clone, Debug)]
pub struct Ledger {
    pub ingestions: Vec<Ingestion>,
    pub projects: BTreeMap<String, Standing>,
    /// Admin keys by their secrets.
    pub keys: BTreeMap<String, Standing>,
    /// The message that each sequence was given to.
    pub sequences: BTreeMap<u64, String>,
    /// The latest arrival that was acknowledged, in ms.
    pub arrival: u64,
    /// The keys of cursors and of redacted values, once a store was open.
    pub secrets: Option<([u8; 32], [u8; 32])>,
    /// Acts that failed, in words.
    pub failures: Vec<String>,
    /// What time it is, in ms.
    pub now: i64,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            ingestions: Vec::new(),
            projects: BTreeMap::new(),
            keys: BTreeMap::new(),
            sequences: BTreeMap::new(),
            arrival: 0,
            secrets: None,
            failures: Vec::new(),
            now: script::BEGINNING,
        }
    }
}

impl Ledger {
    /// Remembers whom a sequence names; fails when it named another record before.
    pub fn name(&mut self, sequence: u64, message: &str) -> Result<(), String> {
        let named = self.sequences.entry(sequence).or_insert_with(|| message.to_owned());
        if named == message { Ok(()) } else { Err(format!("sequence {sequence} named {named} and names {message}")) }
    }
}
