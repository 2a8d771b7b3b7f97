//! Bytes found eight at a time in a register: strings of JSON are too short for vectors to pay.

/// Bytes of a word.
pub(super) const WORD: usize = 8;

const ONES: u64 = u64::MAX / 255;
const HIGHS: u64 = ONES << 7;

/// Where the first quote, backslash or control character of the bytes is.
#[inline]
pub(super) const fn special(bytes: [u8; WORD]) -> Option<usize> {
    let word = u64::from_le_bytes(bytes);
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    place((zeros(word ^ (ONES * b'"' as u64)) | zeros(word ^ (ONES * b'\\' as u64)) | control) & HIGHS)
}

/// Where the first backslash of the bytes is.
#[inline]
pub(super) const fn backslash(bytes: [u8; WORD]) -> Option<usize> {
    place(zeros(u64::from_le_bytes(bytes) ^ (ONES * b'\\' as u64)) & HIGHS)
}

/// Where the next quote at or after `at` is: in JSON that stands in a CSV cell it is near.
#[inline]
pub(super) fn next_quote(bytes: &[u8], mut at: usize) -> Option<usize> {
    for _ in 0..2 {
        let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk) else { break };
        if let Some(found) = place(zeros(u64::from_le_bytes(*chunk) ^ (ONES * u64::from(b'"'))) & HIGHS) {
            return Some(at + found);
        }
        at += WORD;
    }
    memchr::memchr(b'"', bytes.get(at..)?).map(|found| at + found)
}

// The high bit of each zero byte; a borrow may mark bytes above the first one too.
const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word
}

const fn place(marks: u64) -> Option<usize> {
    if marks == 0 { None } else { Some(marks.trailing_zeros() as usize / 8) }
}
