//! Counting rows by method and route.

use crate::aggregate::{Call, Calls, EndpointCounts, template};
use crate::filter::Number;
use crate::record::Field;
use crate::segment::evaluate::{Mask, want_number};
use crate::segment::{BLOCK, Columns, Ints, Need, Part, PartId};
use hashbrown::HashTable;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

const FIELDS: [Field; 3] = [Field::Method, Field::Route, Field::Path];
const NUMBERS: [Number; 5] = [Number::Level, Number::Status, Number::Duration, Number::ReqSize, Number::ResSize];

/// The rows of one source by method and route. Names are spelt out only when sources are added up.
#[derive(Debug, Default)]
pub(super) struct SourceCalls {
    // method, route and path
    texts: [Option<Arc<Part>>; 3],
    templates: Templates,
    // a key and its place in `calls`
    places: HashTable<(Key, u32)>,
    calls: Vec<(Key, Calls)>,
}

// codes of the method and of the route or template; 0 is none
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    method: u32,
    route: u32,
    // whether `route` numbers a template
    templated: bool,
}

impl Key {
    fn hash(self) -> u64 {
        let packed = u64::from(self.method) << 33 | u64::from(self.route) << 1 | u64::from(self.templated);
        let mixed = packed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed ^ mixed >> 32
    }
}

/// The templates of the paths of a source, each made when a row first needs it.
#[derive(Debug, Default)]
struct Templates {
    // number by code of the path; 0 is not yet made
    of_path: Vec<u32>,
    // by number, from 1
    spelt: Vec<Box<str>>,
    numbers: HashTable<u32>,
}

impl Templates {
    fn number(&mut self, code: usize, path: impl FnOnce() -> Option<Arc<Part>>) -> u32 {
        if self.of_path.len() <= code {
            self.of_path.resize(code + 1, 0);
        }
        if self.of_path[code] == 0 {
            let part = path();
            let path = match part.as_deref() {
                Some(Part::Text(text)) => text.values.get(code - 1),
                _ => "",
            };
            self.of_path[code] = self.intern(&template(path));
        }
        self.of_path[code]
    }

    fn intern(&mut self, template: &str) -> u32 {
        let (hash, spelt) = (xxh3_64(template.as_bytes()), &mut self.spelt);
        if let Some(number) = self.numbers.find(hash, |number| *spelt[*number as usize - 1] == *template) {
            return *number;
        }
        spelt.push(template.into());
        let number = spelt.len() as u32;
        self.numbers.insert_unique(hash, number, |number| xxh3_64(spelt[*number as usize - 1].as_bytes()));
        number
    }
}

impl SourceCalls {
    pub(super) fn want(columns: &Columns, need: &mut Need) {
        NUMBERS.into_iter().for_each(|number| want_number(number, columns, need));
        FIELDS.into_iter().for_each(|field| columns.want(PartId::Text(field), need));
    }

    pub(super) fn new(columns: &Columns) -> Self {
        Self { texts: FIELDS.map(|field| columns.shared(PartId::Text(field)).cloned()), ..Self::default() }
    }

    /// Counts the rows of a block whose bits are set.
    pub(super) fn add(&mut self, columns: &Columns, block: usize, mask: &Mask) {
        let numbers = NUMBERS.map(|number| columns.ints(number));
        let texts = FIELDS.map(|field| columns.text(field));
        let paths = self.texts[2].clone();
        for (word, bits) in mask.iter().enumerate() {
            let mut left = *bits;
            while left != 0 {
                let row = block * BLOCK + word * 64 + left.trailing_zeros() as usize;
                left &= left - 1;
                let [method, route, path] = texts.map(|text| text.map_or(0, |text| text.codes.get(row) as u32));
                let key = match (route, path) {
                    (0, 0) => Key { method, route: 0, templated: false },
                    (0, path) => {
                        let number = self.templates.number(path as usize, || paths.clone());
                        Key { method, route: number, templated: true }
                    }
                    (route, _) => Key { method, route, templated: false },
                };
                let [level, status, duration, request, response] =
                    numbers.map(|ints: Option<&Ints>| ints.and_then(|ints| ints.get(row)));
                self.calls(key).add(Call { level, status, duration, sizes: [request, response] });
            }
        }
    }

    fn calls(&mut self, key: Key) -> &mut Calls {
        let hash = key.hash();
        let place = if let Some((_, place)) = self.places.find(hash, |(known, _)| *known == key) {
            *place as usize
        } else {
            let place = self.calls.len();
            self.calls.push((key, Calls::default()));
            self.places.insert_unique(hash, (key, place as u32), |(known, _)| known.hash());
            place
        };
        &mut self.calls[place].1
    }

    pub(super) fn add_to(&self, counts: &mut EndpointCounts) {
        let text = |at: usize, code: u32| match self.texts[at].as_deref() {
            Some(Part::Text(text)) => Some(text.values.get(code.checked_sub(1)? as usize)),
            _ => None,
        };
        for (key, calls) in &self.calls {
            let route = if key.templated {
                self.templates.spelt.get(key.route as usize - 1).map(|route| &**route)
            } else {
                text(1, key.route)
            };
            counts.add_calls(text(0, key.method), route, calls);
        }
    }
}
