//! What an isolate keeps of sources, which never change.

use crate::limits::CACHE;
use quick_cache::Weighter;
use quick_cache::unsync::Cache;
use reqlog_core::codec::Corrupt;
use reqlog_core::segment::{self, Directory, Part, PartId, Volumes};
use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

type Columns = Arc<HashMap<PartId, Arc<Part>>>;

/// A value of a segment as KV has it, with where everything is.
pub struct Stored {
    value: Vec<u8>,
    // where the volume begins in the value
    start: usize,
    located: Rc<Located>,
}

/// Where the parts of a segment are.
pub struct Located {
    pub directory: Directory,
    pub volumes: Volumes,
}

impl Deref for Stored {
    type Target = Located;

    fn deref(&self) -> &Located {
        &self.located
    }
}

impl Stored {
    /// Reads a value; the first one, which has the directory, is needed for the others.
    pub fn read(value: Vec<u8>, at: usize, first: Option<Rc<Self>>) -> Result<Self, Corrupt> {
        let located = if let Some(first) = first.filter(|_| at > 0) {
            first.located.clone()
        } else {
            let (directory, _) = segment::first(&value)?;
            Rc::new(Located { volumes: Volumes::of(&directory), directory })
        };
        let start = value.len() - located.volumes.open(at, &value)?.len();
        Ok(Self { value, start, located })
    }

    /// The volume.
    pub fn bytes(&self) -> &[u8] {
        &self.value[self.start..]
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Batch(u64),
    Part(u64, PartId),
}

#[derive(Clone)]
enum Decoded {
    Batch(Columns),
    Part(Arc<Part>),
}

#[derive(Clone)]
struct Weight;

impl Weighter<Key, Decoded> for Weight {
    fn weight(&self, _: &Key, decoded: &Decoded) -> u64 {
        match decoded {
            Decoded::Batch(columns) => columns.values().map(|part| part.weight() as u64).sum(),
            Decoded::Part(part) => part.weight() as u64,
        }
    }
}

impl Weighter<(u64, usize), Rc<Stored>> for Weight {
    fn weight(&self, _: &(u64, usize), stored: &Rc<Stored>) -> u64 {
        stored.value.len() as u64 + 4096
    }
}

/// Decoded parts and stored volumes, bounded by weight.
pub struct Parts {
    decoded: RefCell<Cache<Key, Decoded, Weight>>,
    volumes: RefCell<Cache<(u64, usize), Rc<Stored>, Weight>>,
}

impl Default for Parts {
    fn default() -> Self {
        let (decoded, volumes) = CACHE;
        Self {
            decoded: RefCell::new(Cache::with_weighter(1024, decoded, Weight)),
            volumes: RefCell::new(Cache::with_weighter(64, volumes, Weight)),
        }
    }
}

impl Parts {
    pub fn batch(&self, first: u64) -> Option<Columns> {
        match self.decoded.borrow().get(&Key::Batch(first)) {
            Some(Decoded::Batch(columns)) => Some(columns.clone()),
            _ => None,
        }
    }

    pub fn keep_batch(&self, first: u64, columns: HashMap<PartId, Arc<Part>>) -> Columns {
        let columns = Arc::new(columns);
        self.decoded.borrow_mut().insert(Key::Batch(first), Decoded::Batch(columns.clone()));
        columns
    }

    pub fn part(&self, segment: u64, id: PartId) -> Option<Arc<Part>> {
        match self.decoded.borrow().get(&Key::Part(segment, id)) {
            Some(Decoded::Part(part)) => Some(part.clone()),
            _ => None,
        }
    }

    pub fn keep_part(&self, segment: u64, id: PartId, part: Part) -> Arc<Part> {
        let part = Arc::new(part);
        self.decoded.borrow_mut().insert(Key::Part(segment, id), Decoded::Part(part.clone()));
        part
    }

    pub fn volume(&self, segment: u64, at: usize) -> Option<Rc<Stored>> {
        self.volumes.borrow().get(&(segment, at)).cloned()
    }

    pub fn keep_volume(&self, segment: u64, at: usize, stored: Stored) -> Rc<Stored> {
        let stored = Rc::new(stored);
        self.volumes.borrow_mut().insert((segment, at), stored.clone());
        stored
    }
}
