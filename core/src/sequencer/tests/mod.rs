//! The writer over a database that fails in every way, and its windows by hand.

mod database;
mod faults;
mod steps;
mod world;

use crate::codec::{Codec, Corrupt, Effort, Method};
use crate::record::{Field, Record};
use crate::timestamp::Timestamp;

/// Compresses nothing: rows are as long as they can be.
struct Plain;

impl Codec for Plain {
    fn compress(&self, _: &[u8], _: Effort) -> (Method, Vec<u8>) {
        (Method::Raw, Vec::new())
    }

    fn decompress(&self, _: Method, stored: &[u8], _: usize) -> Result<Vec<u8>, Corrupt> {
        Ok(stored.to_vec())
    }
}

fn record(message: &str, bytes: usize) -> Record {
    let mut record = Record::new(Timestamp::from_millis(1_000));
    record.texts.set(Field::Project, "p");
    record.texts.set(Field::Message, message);
    record.attributes = (bytes > 0).then(|| "x".repeat(bytes));
    record
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}
