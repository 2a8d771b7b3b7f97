//! A segment's file as values of a key-value store without range reads.
//!
//! Volumes are consecutive parts of the file, cut where the parts' kinds and lengths say. So writer and reader find the same
//! cuts from the footer alone, and how they are found is part of the format:
//! - *Hot* parts (columns, grams, counts) and *cold* ones (details, bodies) share no volume. Where the kind changes, a
//!   volume ends.
//! - A volume ends before a part with which it would exceed [`Volumes::HOT`] or [`Volumes::COLD`] bytes. A part that is
//!   longer is a volume of its own.
//! - There is a volume 0, without bytes if the segment has no parts.
//!
//! ```text
//! value 0: footer length u32 | footer (sealed) | bytes of volume 0
//! value n: CRC-32 of the footer u32, n u32 | bytes of volume n
//! ```
//! Integers are little-endian. Every part is checksummed; the footer's checksum before the bytes of a value tells a value of
//! another segment or another volume from the one that was asked for, and its length tells one that was cut short. Value 0
//! of another segment is whole by itself: a reader compares its summary with that of its catalog.

use super::MAX_ROWS;
use super::format::Directory;
use super::part::PartId;
use crate::checksum;
use crate::codec::Corrupt;
use crate::record::Stored;
use std::fmt;
use std::ops::Range;

/// Longest value in bytes; that of Cloudflare KV.
pub const MAX_VALUE: usize = 25 << 20;

/// Most [weight](crate::record::Record::weight) of the rows of a segment that is stored as values, in bytes; see
/// [`portions`].
pub const MAX_WEIGHT: usize = 16 << 20;

/// How a segment's file is cut.
#[derive(Clone, Debug, PartialEq)]
pub struct Volumes {
    // of the footer; every value but the first begins with it
    check: u32,
    volumes: Vec<Range<u64>>,
    // parts with the volume that each is in
    places: Vec<(PartId, usize, Range<u64>)>,
}

const TAG: usize = 8;

impl Volumes {
    /// Most bytes of a volume of several hot parts.
    pub const HOT: u64 = 4 << 20;
    /// Most bytes of a volume of several blocks of details and bodies.
    pub const COLD: u64 = 1 << 20;

    /// The cuts of the segment that has this directory.
    pub fn of(directory: &Directory) -> Self {
        let begin = Directory::MAGIC.len() as u64;
        let empty = begin..begin;
        let mut volumes = vec![empty];
        let mut places = Vec::with_capacity(directory.slots.len());
        let mut kind = None;
        for slot in &directory.slots {
            let range = slot.offset..slot.offset + slot.len;
            let most = if slot.id.is_cold() { Self::COLD } else { Self::HOT };
            let open = volumes.last_mut().expect("there is a volume 0");
            if kind.is_none_or(|kind| kind == slot.id.is_cold()) && (open.is_empty() || range.end - open.start <= most)
            {
                open.end = range.end;
            } else {
                volumes.push(range.clone());
            }
            kind = Some(slot.id.is_cold());
            places.push((slot.id, volumes.len() - 1, range));
        }
        Self { check: directory.check, volumes, places }
    }

    /// How many volumes, and so values, there are; at least 1.
    #[expect(clippy::len_without_is_empty, reason = "there is always a volume 0")]
    pub fn len(&self) -> usize {
        self.volumes.len()
    }

    /// Where volume `n`, which is less than [`len`](Self::len), is in the file.
    pub fn range(&self, n: usize) -> Range<u64> {
        self.volumes[n].clone()
    }

    /// In which volume a part is, and where in the volume's bytes; `None` when every row lacks it.
    pub fn locate(&self, id: PartId) -> Option<(usize, Range<usize>)> {
        let (_, volume, range) = self.places.iter().find(|(part, ..)| *part == id)?;
        let start = self.volumes[*volume].start;
        Some((*volume, (range.start - start) as usize..(range.end - start) as usize))
    }

    /// The bytes of volume `n` in its value, 0 included. Fails on a value that was cut short or belongs to another volume or
    /// segment; whether the bytes are those that were written is told by decoding each part.
    pub fn open<'a>(&self, n: usize, value: &'a [u8]) -> Result<&'a [u8], Corrupt> {
        let bytes = if n == 0 {
            let (footer, bytes) = split(value)?;
            if checksum::hash(footer) != self.check {
                return Err(Corrupt { what: "segment footer" });
            }
            bytes
        } else {
            value.strip_prefix(&self.tag(n)).ok_or(Corrupt { what: "value of a volume" })?
        };
        let range = self.volumes.get(n).ok_or(Corrupt { what: "number of a volume" })?;
        let whole = bytes.len() as u64 == range.end - range.start;
        if whole { Ok(bytes) } else { Err(Corrupt { what: "length of a volume" }) }
    }

    fn tag(&self, n: usize) -> [u8; TAG] {
        let mut tag = [0; TAG];
        tag[..4].copy_from_slice(&self.check.to_le_bytes());
        tag[4..].copy_from_slice(&(n as u32).to_le_bytes());
        tag
    }
}

/// Why a segment cannot be stored as values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unstorable {
    /// The file is none of a segment.
    Corrupt(Corrupt),
    /// A value would be longer than [`MAX_VALUE`]. Segments of [`portions`] have none.
    TooLong {
        /// Which one.
        volume: usize,
        /// How long it would be, in bytes.
        len: usize,
    },
}

impl fmt::Display for Unstorable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Corrupt(corrupt) => corrupt.fmt(f),
            Self::TooLong { volume, len } => {
                write!(f, "volume {volume} of the segment would be a value of {len} bytes, over {MAX_VALUE}")
            }
        }
    }
}

impl std::error::Error for Unstorable {}

impl From<Corrupt> for Unstorable {
    fn from(corrupt: Corrupt) -> Self {
        Self::Corrupt(corrupt)
    }
}

/// The values of a segment's file, in the order of its volumes; none is longer than [`MAX_VALUE`].
pub fn values(file: &[u8]) -> Result<Vec<Vec<u8>>, Unstorable> {
    let corrupt = Corrupt { what: "segment file" };
    let trailer = file.len().checked_sub(Directory::TRAILER_LEN as usize).ok_or(corrupt)?;
    let footer = Directory::footer(&file[trailer..], file.len() as u64)?;
    let footer = &file[footer.start as usize..footer.end as usize];
    let volumes = Volumes::of(&Directory::read(footer)?);
    let value = |n: usize| {
        let Range { start, end } = volumes.range(n);
        let bytes = usize::try_from(start).ok().zip(usize::try_from(end).ok());
        let bytes = bytes.and_then(|(start, end)| file.get(start..end)).ok_or(corrupt)?;
        let len = (footer.len() as u32).to_le_bytes();
        let tag = volumes.tag(n);
        let pieces: &[&[u8]] = if n == 0 { &[&len, footer, bytes] } else { &[&tag, bytes] };
        let len = pieces.iter().map(|piece| piece.len()).sum();
        if len > MAX_VALUE { Err(Unstorable::TooLong { volume: n, len }) } else { Ok(pieces.concat()) }
    };
    (0..volumes.len()).map(value).collect()
}

/// Reads value 0: the directory, and where the bytes of volume 0, which are all there, begin.
pub fn first(value: &[u8]) -> Result<(Directory, usize), Corrupt> {
    let (footer, bytes) = split(value)?;
    let directory = Directory::read(footer)?;
    Volumes::of(&directory).open(0, value)?;
    Ok((directory, value.len() - bytes.len()))
}

// the footer and the bytes of value 0
fn split(value: &[u8]) -> Result<(&[u8], &[u8]), Corrupt> {
    let corrupt = Corrupt { what: "first value of a segment" };
    let (len, rest) = value.split_first_chunk().ok_or(corrupt)?;
    rest.split_at_checked(u32::from_le_bytes(*len) as usize).ok_or(corrupt)
}

/// Cuts the sorted rows of a project into those of one segment each: as few as fit into [`MAX_ROWS`] and
/// [`MAX_WEIGHT`].
///
/// A block of [`ROWS`](super::ROWS) rows with bodies of 256 KiB on both sides may have 256 MiB, whatever is done to volumes,
/// and neither a value nor the memory of a Worker holds that. A lighter segment has no part longer than its rows weigh,
/// about: where rows are that heavy, segments have fewer of them. A row that is heavier alone is a portion of its own; no
/// way in accepts one over 16 MiB and its caps.
pub fn portions(rows: &[Stored]) -> impl Iterator<Item = &[Stored]> {
    cut(rows, MAX_WEIGHT)
}

fn cut(mut rows: &[Stored], most: usize) -> impl Iterator<Item = &[Stored]> {
    std::iter::from_fn(move || {
        let mut weight = 0usize;
        let fits = |row: &&Stored| {
            weight += row.record.weight();
            weight <= most
        };
        let fitting = rows.iter().take(MAX_ROWS).take_while(fits).count();
        let (portion, rest) = rows.split_at(fitting.max(1).min(rows.len()));
        rows = rest;
        (!portion.is_empty()).then_some(portion)
    })
}

#[cfg(test)]
mod tests {
    use super::super::format::Slot;
    use super::*;
    use crate::body::Body;
    use crate::catalog::Summary;
    use crate::codec::{Effort, Portable, open, seal};
    use crate::id::{EntryId, Seq};
    use crate::record::{Field, Record};
    use crate::segment::{ROWS, build};
    use crate::timestamp::Timestamp;
    use proptest::prelude::*;

    fn row(seq: u64) -> Stored {
        Stored { id: EntryId::new(1, Seq::new(seq).unwrap()), record: Record::new(Timestamp::from_nanos(0)) }
    }

    // bytes that no codec makes shorter
    fn noise(seed: u64, len: usize) -> Vec<u8> {
        let mut state = seed.wrapping_mul(2).wrapping_add(1);
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        };
        (0..len).map(|_| next()).collect()
    }

    // a file whose parts are blocks of so many bytes; what is in them is the codec's matter
    fn file(parts: &[(PartId, usize)]) -> Vec<u8> {
        let summary = Summary::of([row(7)].iter()).unwrap();
        let mut file = Directory::MAGIC.to_vec();
        let mut slots = Vec::new();
        for (at, (id, len)) in parts.iter().enumerate() {
            let block = seal(&noise(at as u64, *len), &Portable, Effort::Fast);
            slots.push(Slot { id: *id, offset: file.len() as u64, len: block.len() as u64 });
            file.extend_from_slice(&block);
        }
        Directory::finish(&summary, &slots, &mut file);
        file
    }

    fn parts() -> impl Strategy<Value = Vec<(PartId, usize)>> {
        let lens = || {
            let len = prop_oneof![3 => 0usize..2000, 3 => 100_000usize..700_000, 1 => 900_000usize..5_000_000];
            prop::collection::vec(len, 0..8)
        };
        // mostly in the order in which they are written now
        (lens(), lens(), prop::bool::weighted(0.2)).prop_map(|(hot, cold, mixed)| {
            let hot = hot.into_iter().zip(Field::ALL).map(|(len, field)| (PartId::Text(*field), len));
            let cold = cold.into_iter().enumerate().map(|(at, len)| {
                let block = at as u32 / 2;
                (if at % 2 == 0 { PartId::Details(block) } else { PartId::Bodies(block) }, len)
            });
            let mut parts: Vec<_> = hot.chain(cold).collect();
            if mixed {
                parts.sort_by_key(|(_, len)| len % 7);
            }
            parts
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn volumes_are_bounded_full_and_the_whole_file(parts in parts(), flip in any::<prop::sample::Index>()) {
            let file = file(&parts);
            let values = values(&file).unwrap();
            let (directory, begin) = first(&values[0]).unwrap();
            let volumes = Volumes::of(&directory);
            prop_assert_eq!(values.len(), volumes.len());
            prop_assert_eq!(&values[0][begin..], volumes.open(0, &values[0]).unwrap());

            let opened: Vec<&[u8]> = values.iter().enumerate().map(|(n, value)| volumes.open(n, value).unwrap()).collect();
            let end = volumes.range(volumes.len() - 1).end as usize;
            prop_assert_eq!(opened.concat(), &file[Directory::MAGIC.len()..end]);
            for (at, (id, len)) in parts.iter().enumerate() {
                let (n, range) = volumes.locate(*id).unwrap();
                let whole = directory.locate(*id).unwrap();
                prop_assert_eq!(&opened[n][range.clone()], &file[whole.start as usize..whole.end as usize]);
                prop_assert_eq!(open(&opened[n][range], &Portable), Ok(noise(at as u64, *len)));
            }
            prop_assert_eq!(volumes.locate(PartId::Exchanges), None);

            let ids = |n: usize| {
                let (parts, volumes) = (&parts, &volumes);
                parts.iter().map(|(id, _)| *id).filter(move |id| volumes.locate(*id).unwrap().0 == n)
            };
            let most = |cold| if cold { Volumes::COLD } else { Volumes::HOT } as usize;
            for (n, bytes) in opened.iter().enumerate() {
                let is_cold = ids(n).next().is_some_and(PartId::is_cold);
                prop_assert!(ids(n).all(|id| id.is_cold() == is_cold));
                prop_assert!(bytes.len() <= most(is_cold) || ids(n).count() == 1, "{} bytes", bytes.len());
                // the first part of the next one would not have fitted
                if let Some(next) = ids(n + 1).next().filter(|next| next.is_cold() == is_cold) {
                    let (_, range) = volumes.locate(next).unwrap();
                    prop_assert!(bytes.len() + range.len() > most(is_cold));
                }
            }

            // a value in the place of another, cut short, or too long
            for (n, value) in values.iter().enumerate() {
                for other in (0..values.len() + 2).filter(|other| *other != n) {
                    prop_assert!(volumes.open(other, value).is_err());
                }
                let cut = flip.index(value.len());
                prop_assert!(volumes.open(n, &value[..cut]).is_err());
                prop_assert!(volumes.open(n, &[value, &b"x"[..]].concat()).is_err());
            }
            let cut = flip.index(values[0].len());
            prop_assert!(first(&values[0][..cut]).is_err());
            // a flipped bit of what finds the parts
            let mut flipped = values[0].clone();
            let bit = flip.index(begin * 8);
            flipped[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(first(&flipped).is_err());
            prop_assert!(volumes.open(0, &flipped).is_err());
        }

        #[test]
        fn any_bytes_are_refused_quietly(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(first(&bytes).is_err());
            prop_assert!(matches!(values(&bytes), Err(Unstorable::Corrupt(_))));
        }

        #[test]
        fn portions_are_all_rows_in_order_as_few_as_fit(weights in prop::collection::vec(0usize..300, 0..60), most in 64usize..1000) {
            let rows: Vec<Stored> = weights.iter().enumerate().map(|(at, weight)| {
                let mut row = row(at as u64 + 1);
                row.record.attributes = Some("x".repeat(*weight));
                row
            }).collect();
            let portions: Vec<&[Stored]> = cut(&rows, most).collect();
            prop_assert_eq!(&portions.concat(), &rows);
            let weight = |rows: &[Stored]| rows.iter().map(|row| row.record.weight()).sum::<usize>();
            prop_assert!(portions.iter().all(|portion| weight(portion) <= most || portion.len() == 1));
            prop_assert!(portions.windows(2).all(|pair| weight(pair[0]) + weight(&pair[1][..1]) > most));
        }
    }

    #[test]
    fn there_is_a_volume_without_parts() {
        let values = values(&file(&[])).unwrap();
        let (directory, begin) = first(&values[0]).unwrap();
        assert_eq!((values.len(), Volumes::of(&directory).len(), begin), (1, 1, values[0].len()));
    }

    #[test]
    fn a_value_too_long_is_refused_by_name() {
        let longest = MAX_VALUE - TAG - seal(&[], &Portable, Effort::Fast).len();
        let parts = |len| [(PartId::Arrival, 10), (PartId::Bodies(0), len)];
        assert_eq!(values(&file(&parts(longest))).unwrap()[1].len(), MAX_VALUE);
        let error = Unstorable::TooLong { volume: 1, len: MAX_VALUE + 1 };
        assert_eq!(values(&file(&parts(longest + 1))), Err(error));
    }

    #[test]
    fn the_heaviest_rows_are_cut_into_segments_that_fit() {
        // more than a block of the longest bodies that are kept, which would be a part of 32 MiB or more
        let rows: Vec<Stored> = (1..=70)
            .map(|seq| {
                let mut row = row(seq);
                let body = |side| Body { size: 1, bytes: noise(2 * seq + side, 256 << 10), ..Body::default() };
                row.record.request.body = Some(body(0));
                row.record.response.body = Some(body(1));
                row
            })
            .collect();
        assert!(rows.len() < ROWS);
        let whole = build(&rows, &Portable).unwrap();
        assert!(matches!(values(&whole.bytes), Err(Unstorable::TooLong { volume: 2, .. })));
        let portions: Vec<&[Stored]> = portions(&rows).collect();
        assert_eq!(portions.iter().map(|portion| portion.len()).collect::<Vec<_>>(), [31, 31, 8]);
        for rows in portions {
            let values = values(&build(rows, &Portable).unwrap().bytes).unwrap();
            assert!(values.iter().all(|value| value.len() <= MAX_WEIGHT + (64 << 10)));
        }
    }
}
