//! The members of JSON text in one pass: nothing is built, nothing but an escaped name is copied.
//!
//! Accepts exactly what `serde_json` accepts, at any depth and without recursion; what is wrong with other text is
//! `serde_json`'s to say.

use super::word::{self, WORD};
use std::borrow::Cow;

/// A place in JSON text; each method takes one token or value, with the white space before it, or fails.
pub(super) struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Takes an object; `member` is called with each name and has to take the value.
    #[inline]
    pub(super) fn object(&mut self, mut member: impl FnMut(Cow<'a, str>, &mut Self) -> Option<()>) -> Option<()> {
        if self.open(b'{', b'}')? {
            loop {
                let name = self.name()?;
                let name = match memchr::memchr(b'\\', name.as_bytes()) {
                    None => Cow::Borrowed(name),
                    Some(_) => Cow::Owned(serde_json::from_str(&self.text[self.at - name.len() - 2..self.at]).ok()?),
                };
                self.eat(b':')?;
                member(name, self)?;
                if self.step(b'}')? == Step::End {
                    break;
                }
            }
        }
        Some(())
    }

    /// Takes an array; `element` has to take each element.
    #[inline]
    pub(super) fn array(&mut self, mut element: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        if self.open(b'[', b']')? {
            loop {
                element(self)?;
                if self.step(b']')? == Step::End {
                    break;
                }
            }
        }
        Some(())
    }

    /// Takes the next value, and says how it is written.
    #[inline]
    pub(super) fn value(&mut self) -> Option<&'a str> {
        let first = self.peek()?;
        let start = self.at;
        match first {
            b'"' => {
                self.at += 1;
                self.string()?;
            }
            b'{' | b'[' => self.nested()?,
            _ => self.scalar(first)?,
        }
        self.text.get(start..self.at)
    }

    /// Takes the next value by `take`, and says how it is written too.
    #[inline]
    pub(super) fn spanned<T>(&mut self, take: impl FnOnce(&mut Self) -> Option<T>) -> Option<(T, &'a str)> {
        self.peek()?;
        let start = self.at;
        let taken = take(self)?;
        Some((taken, self.text.get(start..self.at)?))
    }

    /// The next byte that is no white space; it is not taken.
    #[inline]
    pub(super) fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.as_bytes().get(self.at)?;
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    /// Succeeds when nothing follows.
    pub(super) fn end(&mut self) -> Option<()> {
        self.peek().is_none().then_some(())
    }

    #[inline]
    fn eat(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// Takes the bracket that opens; whether anything stands before the one that closes, which is taken otherwise.
    #[inline]
    fn open(&mut self, open: u8, close: u8) -> Option<bool> {
        self.eat(open)?;
        let more = self.peek()? != close;
        self.at += usize::from(!more);
        Some(more)
    }

    /// Takes the comma or bracket after a value.
    #[inline]
    fn step(&mut self, close: u8) -> Option<Step> {
        let byte = self.peek()?;
        self.at += 1;
        match byte {
            b',' => Some(Step::Next),
            _ if byte == close => Some(Step::End),
            _ => None,
        }
    }

    /// What stands between the quotes of the next string.
    #[inline]
    fn name(&mut self) -> Option<&'a str> {
        self.eat(b'"')?;
        let start = self.at;
        self.string()?;
        self.text.get(start..self.at - 1)
    }

    /// Takes the rest of a string after its first quote.
    #[inline]
    fn string(&mut self) -> Option<()> {
        let bytes = self.text.as_bytes();
        loop {
            self.at = special(bytes, self.at)?;
            match bytes[self.at] {
                b'"' => break,
                b'\\' => self.escape()?,
                _ => return None,
            }
        }
        self.at += 1;
        Some(())
    }

    fn escape(&mut self) -> Option<()> {
        let rest = &self.text.as_bytes()[self.at + 1..];
        self.at += match rest.first()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 2,
            b'u' if rest.get(1..5)?.iter().all(u8::is_ascii_hexdigit) => 6,
            _ => return None,
        };
        Some(())
    }

    /// Takes an object or array with all that is in it.
    fn nested(&mut self) -> Option<()> {
        let mut around = Nesting::default();
        loop {
            let first = self.peek()?;
            match first {
                b'"' => {
                    self.at += 1;
                    self.string()?;
                }
                b'{' => {
                    if self.open(b'{', b'}')? {
                        around.push(true);
                        self.name()?;
                        self.eat(b':')?;
                        continue;
                    }
                }
                b'[' => {
                    if self.open(b'[', b']')? {
                        around.push(false);
                        continue;
                    }
                }
                _ => self.scalar(first)?,
            }
            loop {
                let Some(object) = around.innermost() else { return Some(()) };
                if self.step(if object { b'}' } else { b']' })? == Step::Next {
                    if object {
                        self.name()?;
                        self.eat(b':')?;
                    }
                    break;
                }
                around.pop();
            }
        }
    }

    /// Takes a number, a boolean or null.
    fn scalar(&mut self, first: u8) -> Option<()> {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += match first {
            b't' if rest.starts_with(b"true") => 4,
            b'f' if rest.starts_with(b"false") => 5,
            b'n' if rest.starts_with(b"null") => 4,
            b'-' | b'0'..=b'9' => number(rest)?,
            _ => return None,
        };
        Some(())
    }
}

/// What follows a member or an element.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Next,
    End,
}

/// How long the number is that `bytes` begin with.
fn number(bytes: &[u8]) -> Option<usize> {
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let some_digits = |from: usize| Some(digits(from)).filter(|count| *count > 0);
    let mut at = usize::from(bytes.first() == Some(&b'-'));
    let whole = some_digits(at)?;
    if bytes[at] == b'0' && whole > 1 {
        return None;
    }
    at += whole;
    if bytes.get(at) == Some(&b'.') {
        at += 1 + some_digits(at + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        at += 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        at += some_digits(at)?;
    }
    Some(at)
}

/// The next quote, backslash or control character at or after `at`.
#[inline]
fn special(bytes: &[u8], mut at: usize) -> Option<usize> {
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        if let Some(found) = word::special(*chunk) {
            return Some(at + found);
        }
        at += WORD;
    }
    let rest = bytes.get(at..)?.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
    Some(at + rest)
}

/// The brackets around a place: whether each is an object's, the innermost lowest.
#[derive(Default)]
struct Nesting {
    bits: u64,
    depth: usize,
    // full words, outermost first
    outer: Vec<u64>,
}

impl Nesting {
    fn push(&mut self, object: bool) {
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.outer.push(self.bits);
        }
        self.bits = self.bits << 1 | u64::from(object);
        self.depth += 1;
    }

    fn pop(&mut self) {
        self.depth -= 1;
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.bits = self.outer.pop().unwrap_or_default();
        } else {
            self.bits >>= 1;
        }
    }

    fn innermost(&self) -> Option<bool> {
        (self.depth > 0).then_some(self.bits & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::super::json::{self, tests::member_of_an_object};
    use super::*;
    use proptest::prelude::*;

    type Members = Vec<(String, String)>;

    fn scanned(text: &str) -> Option<Members> {
        let mut members = Vec::new();
        let mut scan = Scan::new(text);
        scan.object(|name, scan| {
            members.push((name.into_owned(), scan.value()?.to_owned()));
            Some(())
        })?;
        scan.end().map(|()| members)
    }

    fn parsed(text: &str) -> Option<Members> {
        let mut members = Vec::new();
        json::parsed_object(text, |name, value| members.push((name.into_owned(), value.to_owned())))
            .ok()
            .map(|()| members)
    }

    fn elements(text: &str) -> Option<Vec<&str>> {
        let mut elements = Vec::new();
        let mut scan = Scan::new(text);
        scan.array(|scan| {
            elements.push(scan.value()?);
            Some(())
        })?;
        scan.end().map(|()| elements)
    }

    fn parsed_elements(text: &str) -> Option<Vec<&str>> {
        let parsed: Vec<&serde_json::value::RawValue> = serde_json::from_str(text).ok()?;
        Some(parsed.into_iter().map(serde_json::value::RawValue::get).collect())
    }

    fn check(text: &str) -> Result<(), TestCaseError> {
        prop_assert_eq!(scanned(text), parsed(text), "{}", text);
        prop_assert_eq!(elements(text), parsed_elements(text), "{}", text);
        let listed = format!("[{text}]");
        prop_assert_eq!(elements(&listed), parsed_elements(&listed), "{}", listed);
        Ok(())
    }

    // tokens and broken tokens in any order
    fn soup() -> impl Strategy<Value = String> {
        let tokens = [
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            " ",
            "\n",
            "\t",
            "\"a\"",
            "\"\"",
            "\"\\n\\u00e9\"",
            "\"\\ud800\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\u{1}\"",
            "\"\u{7f}é😀\"",
            "\"",
            "\\",
            "0",
            "-",
            "-0",
            "01",
            "1.5",
            "1.",
            ".5",
            "1e",
            "1e+9",
            "1E-9",
            "true",
            "false",
            "null",
            "nul",
            "{}",
            "[]",
            "{\"k\":",
            "\"k\":[",
            "\u{b}",
            "\u{feff}",
        ];
        prop::collection::vec(prop::sample::select(tokens.to_vec()), 0..14).prop_map(|tokens| tokens.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn what_is_accepted_and_what_it_holds_is_as_serde_json_reads_it(
            soup in soup(), members in prop::collection::vec(member_of_an_object(), 0..6),
            change in prop::option::of((any::<prop::sample::Index>(), "[ -~é\\n\\x00]{0,2}"))
        ) {
            check(&soup)?;
            check(&format!("{{\"a\":{soup}}}"))?;
            let mut object = format!("{{{}}}", members.join(","));
            if let Some((at, put)) = change {
                let at = object.floor_char_boundary(at.index(object.len()));
                let end = object.ceil_char_boundary(at + 1);
                object.replace_range(at..end, &put);
            }
            check(&object)?;
        }
    }

    #[test]
    fn any_depth_is_walked_and_brackets_are_told_apart() {
        for depth in [1, 63, 64, 65, 66, 127, 128, 129, 130, 500] {
            let open = |at: usize| if at.is_multiple_of(3) { "{\"k\":" } else { "[" };
            let close = |at: usize| if at.is_multiple_of(3) { "}" } else { "]" };
            let ascend: String = (0..depth).map(open).collect();
            let descend: String = (0..depth).rev().map(close).collect();
            check(&format!("{ascend}1{descend}")).unwrap();
            assert!(scanned(&format!("{ascend}1{descend}")).is_some(), "{depth}");
            for wrong in [0, depth / 2, depth - 1] {
                let swapped = |at: usize| {
                    if at == wrong { close(at + if at % 3 == 2 { 2 } else { 3 - at % 3 }) } else { close(at) }
                };
                let descend: String = (0..depth).rev().map(swapped).collect();
                check(&format!("{ascend}1{descend}")).unwrap();
            }
        }
    }

    #[test]
    fn every_byte_ends_a_run_where_it_should() {
        for len in 0..20 {
            for at in 0..len {
                for byte in 0..=0x7f {
                    let mut inside = "x".repeat(len);
                    inside.replace_range(at..=at, char::from(byte).encode_utf8(&mut [0; 4]));
                    check(&format!("{{\"{inside}\":\"{inside}\"}}")).unwrap();
                }
            }
        }
    }
}
