//! Secrets in JSON text, found without parsing it.
//!
//! A scan from colon to colon: what stands before it in quotes is a name, wherever the text was cut and whatever around it is
//! broken. A document held in a string of another document is scanned by the same rule, its quotes being escaped.

use super::{Redactor, names};
use crate::json::unescape;
use std::borrow::Cow;

// a longer name is not listed, in any spelling
const NAME_MAX: usize = 200;

/// The text with the string values of secret fields replaced; `None` when there are none.
///
/// The value of a listed name is replaced when it is a string, also one that the end of the text cuts off, and so are the strings of an
/// array that is its value. Numbers, objects and `null` stay.
pub(super) fn fields(redactor: &Redactor, text: &[u8]) -> Option<Vec<u8>> {
    let mut clean = Vec::new();
    let (mut done, mut at) = (0, 0);
    while let Some(found) = memchr::memchr(b':', &text[at..]) {
        let colon = at + found;
        at = colon + 1;
        let Some((name, depth)) = name_before(text, colon) else { continue };
        if !names::is_secret(unescaped(name, depth).as_bytes()) {
            continue;
        }
        let mut values = Values { text, at, depth, part: Part::Lone };
        for (start, end) in values.by_ref() {
            let value = unescaped(&text[start..end], depth);
            if let Cow::Owned(token) = redactor.token(&value) {
                clean.extend_from_slice(&text[done..start]);
                // what stands for a secret needs no escapes
                clean.extend_from_slice(token.as_bytes());
                done = end;
            }
        }
        at = values.at;
    }
    if done == 0 {
        return None;
    }
    clean.extend_from_slice(&text[done..]);
    Some(clean)
}

// What the inside of a string says that is `depth` strings deep.
fn unescaped(inside: &[u8], depth: u32) -> Cow<'_, str> {
    let mut text = String::from_utf8_lossy(inside);
    for _ in 0..=depth {
        if text.contains('\\') {
            text = unescape(text.as_bytes()).into();
        }
    }
    text
}

// The name that ends before the colon and may be a secret's, and how many strings deep its quotes are escaped.
#[inline]
fn name_before(text: &[u8], colon: usize) -> Option<(&[u8], u32)> {
    let mut end = colon;
    while end > 0 && matches!(text[end - 1], b' ' | b'\t' | b'\n' | b'\r') {
        end -= 1;
    }
    let quote = end.checked_sub(1).filter(|&at| text[at] == b'"')?;
    let escapes = backslashes(text, 0, quote);
    let depth = depth(escapes)?;
    let end = quote - escapes;
    let floor = end.saturating_sub(NAME_MAX);
    if !names::may_be_secret(&text[floor..end]) {
        return None;
    }
    let start = floor + memchr::memrchr(b'"', &text[floor..end])? + 1;
    Some((&text[start..end], depth))
}

fn backslashes(text: &[u8], from: usize, to: usize) -> usize {
    text[from..to].iter().rev().take_while(|byte| **byte == b'\\').count()
}

// A quote in `depth` strings has 2^depth − 1 backslashes.
fn depth(escapes: usize) -> Option<u32> {
    (escapes + 1).is_power_of_two().then(|| escapes.count_ones()).filter(|depth| *depth <= 4)
}

// The insides of the string, or of the array of strings, that follows a name.
struct Values<'a> {
    text: &'a [u8],
    at: usize,
    depth: u32,
    part: Part,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Lone,
    Element,
    Done,
}

impl Iterator for Values<'_> {
    type Item = (usize, usize);

    fn next(&mut self) -> Option<(usize, usize)> {
        if self.part == Part::Done {
            return None;
        }
        let delimiter = (1usize << self.depth) - 1;
        let mut start = self.at;
        loop {
            match self.text.get(start)? {
                b' ' | b'\t' | b'\n' | b'\r' => start += 1,
                b'[' if self.part == Part::Lone => {
                    self.part = Part::Element;
                    start += 1;
                }
                b',' if self.part == Part::Element => start += 1,
                // blanks of a document in a string are escaped too
                b'\\' if matches!(self.text.get(start + 1), Some(b'n' | b'r' | b't')) => start += 2,
                b'"' | b'\\' => break,
                _ => return None,
            }
        }
        let escapes = self.text[start..].iter().take_while(|byte| **byte == b'\\').count();
        if escapes != delimiter || self.text.get(start + escapes) != Some(&b'"') {
            return None;
        }
        start += escapes + 1;
        let (end, after) = self.end_of(start, delimiter);
        self.at = after;
        if self.part == Part::Lone {
            self.part = Part::Done;
        }
        Some((start, end))
    }
}

impl Values<'_> {
    // Where the string ends, at the end of the text if nowhere, and what follows its quote.
    fn end_of(&self, start: usize, delimiter: usize) -> (usize, usize) {
        let mut at = start;
        while let Some(next) = memchr::memchr(b'"', &self.text[at..]) {
            let quote = at + next;
            let escapes = backslashes(self.text, start, quote);
            if ends(escapes, self.depth) {
                return (quote - escapes.min(delimiter), quote + 1);
            }
            at = quote + 1;
        }
        (self.text.len(), self.text.len())
    }
}

// Whether a quote after `escapes` backslashes ends a string that is `depth` strings deep, or one around it.
fn ends(escapes: usize, depth: u32) -> bool {
    if escapes.is_multiple_of(2) {
        return true;
    }
    depth > 0 && ends(escapes / 2, depth - 1)
}
