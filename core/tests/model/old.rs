//! Segments as they were written before.

use reqlog_core::codec::{Effort, Portable, open, seal};
use reqlog_core::segment::{Directory, PartId};
use std::ops::Range;

const COUNTS: u8 = 6;
const EXCHANGES: u8 = 7;

/// The same segment without the parts that hold counts.
pub fn without_counts(file: &[u8]) -> Vec<u8> {
    let slice = |range: Range<u64>| &file[range.start as usize..range.end as usize];
    let size = file.len() as u64;
    let footer = slice(Directory::footer(slice(size - Directory::TRAILER_LEN..size), size).unwrap());
    let directory = Directory::read(footer).unwrap();
    let kept: Vec<PartId> =
        directory.parts().filter(|part| !matches!(part, PartId::Counts(_) | PartId::Exchanges)).collect();
    let mut old = file[..8].to_vec();
    kept.iter().for_each(|part| old.extend_from_slice(slice(directory.locate(*part).unwrap())));

    // the footer: the summary's length and bytes, how many parts, and of each its kind, its number and its length
    let raw = open(footer, &Portable).unwrap();
    let mut rest = &raw[..];
    let summary = take_varint(&mut rest) as usize;
    let mut shorter = raw[..raw.len() - rest.len() + summary].to_vec();
    rest = &rest[summary..];
    let parts = take_varint(&mut rest);
    put_varint(&mut shorter, kept.len() as u64);
    for _ in 0..parts {
        let before = rest;
        let kind = rest[0];
        rest = &rest[1..];
        take_varint(&mut rest);
        take_varint(&mut rest);
        if ![COUNTS, EXCHANGES].contains(&kind) {
            shorter.extend_from_slice(&before[..before.len() - rest.len()]);
        }
    }
    let footer = seal(&shorter, &Portable, Effort::Dense);
    old.extend_from_slice(&footer);
    old.extend_from_slice(&(footer.len() as u32).to_le_bytes());
    old.extend_from_slice(&file[file.len() - 8..]);
    old
}

fn take_varint(rest: &mut &[u8]) -> u64 {
    let len = rest.iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
    let (varint, after) = rest.split_at(len);
    *rest = after;
    varint.iter().rev().fold(0, |value, byte| value << 7 | u64::from(byte & 0x7f))
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
