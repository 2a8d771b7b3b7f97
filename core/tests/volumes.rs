//! Segments read from the values of a store without range reads, against the same read from their files.

#[allow(dead_code)] // the laws use the rest of it
mod model;

use model::generate::record;
use proptest::prelude::*;
use proptest::sample::Index;
use reqlog_core::codec::Portable;
use reqlog_core::id::{EntryId, Seq};
use reqlog_core::record::{Field, Record, Stored};
use reqlog_core::segment::{Directory, PartId, Volumes, build, first, values};

fn segment(records: &[Record], first: u64) -> Vec<u8> {
    let stored = |(at, record): (usize, &Record)| {
        let seq = Seq::new(first + at as u64).unwrap();
        Stored { id: EntryId::new(1_000 + first, seq), record: record.clone() }
    };
    let mut rows: Vec<Stored> = records.iter().enumerate().map(stored).collect();
    rows.sort_by_key(|row| (row.record.time, row.id.seq()));
    build(&rows, &Portable).unwrap().bytes
}

fn directory(file: &[u8]) -> Directory {
    let size = file.len() as u64;
    let footer = Directory::footer(&file[file.len() - Directory::TRAILER_LEN as usize..], size).unwrap();
    Directory::read(&file[footer.start as usize..footer.end as usize]).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_part_decodes_from_its_volume_as_from_the_file(
        kinds in prop::collection::vec(record(), 1..40), rows in prop_oneof![9 => 1usize..60, 1 => 500usize..1200],
        flip in any::<Index>()
    ) {
        let records: Vec<Record> = kinds.iter().cycle().take(rows).cloned().collect();
        let file = segment(&records, 1);
        let whole = directory(&file);
        let mut values = values(&file).unwrap();
        let (read, _) = first(&values[0]).unwrap();
        prop_assert_eq!(&read, &whole);
        let volumes = Volumes::of(&read);
        prop_assert!(read.parts().any(|part| part == PartId::Arrival));
        for part in read.parts() {
            let range = whole.locate(part).unwrap();
            let from_file = whole.decode(part, &file[range.start as usize..range.end as usize], &Portable).unwrap();
            let (n, range) = volumes.locate(part).unwrap();
            let bytes = volumes.open(n, &values[n]).unwrap();
            prop_assert_eq!(read.decode(part, &bytes[range], &Portable), Ok(from_file));
        }
        let lacking = Field::ALL.iter().map(|field| PartId::Text(*field)).filter(|part| whole.locate(*part).is_none());
        prop_assert!(lacking.into_iter().all(|part| volumes.locate(part).is_none()));
        // small as it is: what finds rows, and what shows them, whatever stands between them
        prop_assert_eq!(values.len(), 2);

        // the values of another segment of the same lengths, as far as a number can make it
        let other = self::values(&segment(&records, 2)).unwrap();
        prop_assert!(volumes.open(0, &other[0]).is_err());
        prop_assert!(volumes.open(1, &other[1]).is_err());

        // any flipped bit is noticed, if not by the value then by the part that it is in
        let n = flip.index(values.len());
        let bit = flip.index(values[n].len() * 8);
        values[n][bit / 8] ^= 1 << (bit % 8);
        let Ok(bytes) = volumes.open(n, &values[n]) else { return Ok(()) };
        let damaged = read.parts().filter(|part| {
            let (at, range) = volumes.locate(*part).unwrap();
            at == n && read.decode(*part, &bytes[range], &Portable).is_err()
        });
        prop_assert_eq!(damaged.count(), 1);
    }
}

#[test]
fn lists_find_details_without_bodies_between_them() {
    let mut record = Record::new(reqlog_core::timestamp::Timestamp::from_nanos(0));
    let bytes = vec![b'x'; 2_000];
    record.response.body = Some(reqlog_core::body::Body { size: 2_000, bytes, ..Default::default() });
    let parts: Vec<PartId> = directory(&segment(&vec![record; 1_100], 1)).parts().collect();
    let cold = [0, 1, 2].map(PartId::Details).into_iter().chain([0, 1, 2].map(PartId::Bodies));
    assert!(parts.ends_with(&cold.collect::<Vec<_>>()), "{parts:?}");
}
