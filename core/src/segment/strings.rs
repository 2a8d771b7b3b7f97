//! Many strings in one buffer, and the ways to search all of them at once.

use crate::codec::Corrupt;
use crate::stored::{Reader, put_varint};
use std::sync::OnceLock;
use xxhash_rust::xxh3::xxh3_64;

/// Strings end to end. Searches run over the whole buffer, not string by string.
#[derive(Clone, Debug, Default)]
pub struct Strings {
    text: String,
    ends: Vec<u32>,
    // `text` in ASCII lower case, where that differs
    folded: OnceLock<Option<String>>,
    // hash of each string in ASCII lower case
    hashes: OnceLock<Vec<u32>>,
    // whether `text` has ASCII upper case
    upper: OnceLock<bool>,
}

impl PartialEq for Strings {
    fn eq(&self, other: &Self) -> bool {
        self.ends == other.ends && self.text == other.text
    }
}

impl Strings {
    pub(crate) fn push(&mut self, value: &str) {
        self.text.push_str(value);
        self.ends.push(self.text.len() as u32);
    }

    /// How many strings there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn get(&self, at: usize) -> &str {
        &self.text[self.start(at)..self.ends[at] as usize]
    }

    /// Whether the string at `at` is `value`.
    #[inline]
    pub(crate) fn is_at(&self, at: usize, value: &str) -> bool {
        &self.text.as_bytes()[self.start(at)..self.ends[at] as usize] == value.as_bytes()
    }

    #[inline]
    fn start(&self, at: usize) -> usize {
        at.checked_sub(1).map_or(0, |before| self.ends[before] as usize)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|at| self.get(at))
    }

    pub(crate) fn text_len(&self) -> usize {
        self.text.len()
    }

    /// Bytes of memory that it takes once it has been searched.
    pub(crate) fn weight(&self) -> usize {
        let folded = if self.has_upper() { self.text.len() } else { 0 };
        self.text.len() + folded + self.ends.len() * 8
    }

    fn has_upper(&self) -> bool {
        *self.upper.get_or_init(|| {
            // a chunk as a whole is vectorised
            let any = |chunk: &[u8]| chunk.iter().fold(false, |any, byte| any | byte.is_ascii_uppercase());
            self.text.as_bytes().chunks(1024).any(any)
        })
    }

    /// The buffer from string `from` to before string `to`, ASCII in lower case.
    pub(crate) fn folded(&self, from: usize, to: usize) -> &[u8] {
        let folded = self.folded.get_or_init(|| self.has_upper().then(|| self.text.to_ascii_lowercase()));
        let text = folded.as_deref().unwrap_or(&self.text).as_bytes();
        if from >= to { &[] } else { &text[self.start(from)..self.ends[to - 1] as usize] }
    }

    /// Calls `hit` with every string of `from..to` that contains `needle`, which is in ASCII lower case.
    pub(crate) fn search(&self, needle: &[u8], from: usize, to: usize, mut hit: impl FnMut(usize)) {
        let hay = self.folded(from, to);
        let base = self.start(from);
        let finder = memchr::memmem::Finder::new(needle);
        let (mut at, mut string) = (0, from);
        while let Some(found) = finder.find(&hay[at..]) {
            let begin = base + at + found;
            // the string that holds the first byte; matches come in order, so look close by first
            string += self.ends[string..to].partition_point(|&end| end as usize <= begin);
            if string >= to {
                break;
            }
            if begin + needle.len() <= self.ends[string] as usize {
                hit(string);
                at = self.ends[string] as usize - base;
                string += 1;
            } else {
                at += found + 1;
            }
            if string >= to {
                break;
            }
        }
    }

    /// The strings equal to `value`, ASCII case ignored; others may be among them (32-bit hashes).
    pub(crate) fn candidates(&self, value: &str) -> impl Iterator<Item = usize> {
        let hashes = self.hashes.get_or_init(|| {
            let mut lower = Vec::new();
            self.iter().map(|value| fold_hash(value, &mut lower)).collect()
        });
        let wanted = fold_hash(value, &mut Vec::new());
        // A chunk is first compared as a whole, which is vectorised.
        hashes
            .chunks(64)
            .enumerate()
            .filter(move |(_, chunk)| chunk.iter().fold(0u8, |any, &hash| any | u8::from(hash == wanted)) != 0)
            .flat_map(move |(at, chunk)| {
                chunk
                    .iter()
                    .enumerate()
                    .filter(move |&(_, &hash)| hash == wanted)
                    .map(move |(offset, _)| at * 64 + offset)
            })
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, self.len() as u64);
        if let Some(template) = Template::of(self) {
            out.push(1);
            return template.encode(self, out);
        }
        out.push(0);
        for at in 0..self.len() {
            put_varint(out, (self.ends[at] as usize - self.start(at)) as u64);
        }
        out.extend_from_slice(self.text.as_bytes());
    }

    pub(crate) fn decode(input: &mut Reader) -> Result<Self, Corrupt> {
        let len = input.varint()? as usize;
        if input.u8()? == 1 {
            return Template::decode(input, len);
        }
        if len > input.remaining() {
            return Err(input.corrupt());
        }
        let mut ends = Vec::with_capacity(len);
        let mut end = 0u32;
        for _ in 0..len {
            let length = u32::try_from(input.varint()?).map_err(|_| input.corrupt())?;
            end = end.checked_add(length).ok_or(input.corrupt())?;
            ends.push(end);
        }
        let text = String::from_utf8(input.take(end as usize)?.to_vec()).map_err(|_| input.corrupt())?;
        // String::get checks borders, so a length inside a character is found here and not at a later slice.
        if ends.iter().any(|&end| !text.is_char_boundary(end as usize)) {
            return Err(input.corrupt());
        }
        Ok(Self { text, ends, ..Self::default() })
    }
}

fn fold_hash(value: &str, lower: &mut Vec<u8>) -> u32 {
    if value.bytes().any(|byte| byte.is_ascii_uppercase()) {
        lower.clear();
        lower.extend(value.bytes().map(|byte| byte.to_ascii_lowercase()));
        return xxh3_64(lower) as u32;
    }
    xxh3_64(value.as_bytes()) as u32
}

/// Strings of one length that differ only in places which all hold lower-case hexadecimal digits: trace ids, span
/// ids, UUIDs, prefixed ids. Stored as half bytes.
struct Template {
    // the fixed bytes; `None` where digits go
    fixed: Vec<Option<u8>>,
}

impl Template {
    const MAX: usize = 64;

    fn of(strings: &Strings) -> Option<Self> {
        let first = (strings.len() >= 16).then(|| strings.get(0).as_bytes())?;
        if first.is_empty() || first.len() > Self::MAX || !first.is_ascii() || first.contains(&0) {
            return None;
        }
        let mut fixed: Vec<Option<u8>> = first.iter().copied().map(Some).collect();
        for value in strings.iter() {
            if value.len() != first.len() {
                return None;
            }
            for (place, byte) in fixed.iter_mut().zip(value.bytes()) {
                if *place != Some(byte) {
                    *place = None;
                }
            }
        }
        let digits = |at: usize| strings.iter().all(|value| matches!(value.as_bytes()[at], b'0'..=b'9' | b'a'..=b'f'));
        let all = fixed.iter().enumerate().filter(|(_, place)| place.is_none()).all(|(at, _)| digits(at));
        (all && fixed.contains(&None)).then_some(Self { fixed })
    }

    fn encode(&self, strings: &Strings, out: &mut Vec<u8>) {
        out.push(self.fixed.len() as u8);
        out.extend(self.fixed.iter().map(|place| place.unwrap_or(0)));
        let mut half = None;
        for value in strings.iter() {
            let bytes = value.bytes().zip(&self.fixed).filter(|(_, place)| place.is_none());
            for digit in bytes.map(|(byte, _)| if byte <= b'9' { byte - b'0' } else { byte - b'a' + 10 }) {
                match half.take() {
                    None => half = Some(digit),
                    Some(high) => out.push(high << 4 | digit),
                }
            }
        }
        out.extend(half.map(|high| high << 4));
    }

    fn decode(input: &mut Reader, len: usize) -> Result<Strings, Corrupt> {
        let size = input.u8()?.into();
        let fixed: Vec<u8> = input.take(size)?.to_vec();
        let digits = memchr::memchr_iter(0, &fixed).count();
        if !fixed.is_ascii() || digits == 0 {
            return Err(input.corrupt());
        }
        let total = digits.checked_mul(len).ok_or(input.corrupt())?;
        let packed = input.take(total.div_ceil(2))?;
        let mut places = (0..total).map(|at| {
            let digit = if at % 2 == 0 { packed[at / 2] >> 4 } else { packed[at / 2] & 15 };
            if digit < 10 { b'0' + digit } else { b'a' + digit - 10 }
        });
        let mut text = Vec::with_capacity(fixed.len() * len);
        let mut ends = Vec::with_capacity(len);
        for _ in 0..len {
            text.extend(fixed.iter().map(|&byte| if byte == 0 { places.next().unwrap_or(b'0') } else { byte }));
            ends.push(u32::try_from(text.len()).map_err(|_| input.corrupt())?);
        }
        let text = String::from_utf8(text).map_err(|_| input.corrupt())?;
        Ok(Strings { text, ends, ..Strings::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(values: &[String]) -> Strings {
        let mut strings = Strings::default();
        values.iter().for_each(|value| strings.push(value));
        strings
    }

    proptest! {
        #[test]
        fn strings_come_back_and_searches_find_what_a_loop_finds(
            values in prop_oneof![
                proptest::collection::vec("[aAbBé]{0,6}", 1..80),
                proptest::collection::vec("req_[0-9a-f]{8}", 16..80),
                proptest::collection::vec("[0-9a-f]{3}-4[0-9a-f]", 16..40),
            ],
            needle in "[ab]{1,3}|[0-9a-f]{2}", exact in "[aAbB]{0,3}"
        ) {
            let strings = of(&values);
            let mut out = Vec::new();
            strings.encode(&mut out);
            let back = Strings::decode(&mut Reader::new(&out, "strings")).unwrap();
            prop_assert!(back.iter().eq(values.iter().map(String::as_str)));
            let mut found = Vec::new();
            back.search(needle.as_bytes(), 0, back.len(), |at| found.push(at));
            let expected: Vec<usize> = (0..values.len()).filter(|&at| values[at].to_ascii_lowercase().contains(&needle)).collect();
            prop_assert_eq!(found, expected);
            let equal: Vec<usize> = (0..values.len()).filter(|&at| values[at].eq_ignore_ascii_case(&exact)).collect();
            prop_assert_eq!(back.candidates(&exact).collect::<Vec<_>>(), equal);
        }

        #[test]
        fn any_bytes_decode_or_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = Strings::decode(&mut Reader::new(&bytes, "strings"));
        }
    }
}
