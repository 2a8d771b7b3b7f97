//! Cutting what is too long so that it stays readable.

use std::borrow::Cow;

use super::tokens::{Container, Malformed, Token, Tokens};

/// The longest start of `text` of at most `cap` bytes that ends between characters.
pub fn cut_text(text: &str, cap: usize) -> &str {
    &text[..text.floor_char_boundary(cap)]
}

/// Cuts a JSON document to at most `cap` bytes (at least 4, the length of `null`) of valid JSON.
///
/// None when `bytes` are not JSON, nor the beginning of it. A whole document within the cap comes back as it is. Otherwise
/// strings are cut between characters, numbers that do not fit become `null`, open arrays and objects are closed, and blanks
/// between tokens go. A document of at most four caps is held: its largest parts are cut first, every name of an object
/// is kept while names alone fit, and an array loses elements from its end rather than cut each below 256 bytes. Of a
/// longer document the start is kept and the rest is not read. A document that ends too early is closed where it ends.
///
/// Takes time in proportion to the length but for sorting the members of each container; any depth, no recursion.
pub fn cut_json(bytes: &[u8], cap: usize) -> Option<Cow<'_, [u8]>> {
    let cap = cap.max(NULL.len());
    // RFC 8259 lets a reader ignore a byte order mark and forbids a writer to add one
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.len() > cap.saturating_mul(4) || u32::try_from(bytes.len()).is_err() {
        return prefix(bytes, cap).ok().flatten().map(Cow::Owned);
    }
    let (tree, complete) = Tree::read(bytes).ok()?;
    if complete && bytes.len() <= cap {
        return Some(Cow::Borrowed(bytes));
    }
    (!tree.nodes.is_empty()).then(|| Cow::Owned(tree.fit(cap)))
}

const NULL: &[u8] = b"null";
// `""`, `[]` and `{}`
const EMPTY: usize = 2;
// below this an array drops elements rather than cut all of them
const ELEMENT: usize = 256;

// The longest start of the inside of a string of at most `cap` bytes that splits no character, escape or surrogate pair.
fn cut_inside(inside: &[u8], cap: usize) -> &[u8] {
    if inside.len() <= cap {
        return inside;
    }
    let mut end = 0;
    while end < cap {
        let len = match inside[end] {
            b'\\' if inside[end + 1] != b'u' => 2,
            b'\\' if is_surrogate(&inside[end..], b"89ab") && is_surrogate(&inside[end + 6..], b"cdef") => 12,
            b'\\' => 6,
            0..0x80 => 1,
            0x80..0xe0 => 2,
            0xe0..0xf0 => 3,
            _ => 4,
        };
        if end + len > cap {
            break;
        }
        end += len;
    }
    &inside[..end]
}

fn is_surrogate(text: &[u8], half: &[u8]) -> bool {
    text.len() >= 6
        && text.starts_with(b"\\u")
        && text[2].eq_ignore_ascii_case(&b'd')
        && half.contains(&text[3].to_ascii_lowercase())
}

// Keeps the start: every token that fits while there is room for the brackets that close what is open.
fn prefix(bytes: &[u8], cap: usize) -> Result<Option<Vec<u8>>, Malformed> {
    let mut tokens = Tokens::new(bytes);
    let mut out = Vec::with_capacity(cap);
    let mut open: Vec<Container> = Vec::new();
    // whether a comma is due, and whether a name waits for its value
    let (mut follows, mut named) = (false, false);
    while let Some(token) = tokens.next()? {
        let comma = usize::from(follows && !named && !matches!(token, Token::Close(_)));
        let room = (cap - out.len() - open.len()).saturating_sub(comma);
        let fits = match token {
            Token::Close(_) => true,
            Token::Open(_) | Token::Text(_) => room >= EMPTY,
            Token::Key(key) => room >= key.len() + 3 + NULL.len(),
            Token::Atom(atom) => named || room >= atom.len() || out.is_empty(),
        };
        if !fits {
            break;
        }
        if comma == 1 {
            out.push(b',');
        }
        (follows, named) = (true, false);
        match token {
            Token::Open(container) => {
                out.push(container.brackets().0);
                open.push(container);
                follows = false;
            }
            Token::Close(container) => {
                out.push(container.brackets().1);
                open.pop();
            }
            Token::Key(key) => {
                push_name(key, &mut out);
                named = true;
            }
            Token::Text(inside) => {
                let kept = cut_inside(inside, room - EMPTY);
                push_text(kept, &mut out);
                if kept.len() < inside.len() {
                    break;
                }
            }
            Token::Atom(atom) => out.extend_from_slice(if atom.len() <= room { atom } else { NULL }),
        }
    }
    if named {
        out.extend_from_slice(NULL);
    }
    out.extend(open.iter().rev().map(|container| container.brackets().1));
    Ok((!out.is_empty()).then_some(out))
}

fn push_text(inside: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(inside);
    out.push(b'"');
}

fn push_name(key: &[u8], out: &mut Vec<u8>) {
    push_text(key, out);
    out.push(b':');
}

// The values of a document in the order written; a container is followed by its members.
struct Tree<'a> {
    bytes: &'a [u8],
    nodes: Vec<Node>,
}

#[derive(Clone, Copy)]
struct Node {
    shape: Shape,
    // length of the value without blanks
    size: u32,
    // the node after this one and all within it
    after: u32,
    // of the name's inside; start + 1, 0 without a name
    name: (u32, u32),
    // of a string's inside or an atom
    value: (u32, u32),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    In(Container),
    Text,
    Atom,
    // the end came before the value
    Missing,
}

impl Node {
    // What a member needs beside its value.
    fn overhead(&self) -> usize {
        if self.name.0 == 0 { 0 } else { self.name.1 as usize + 3 }
    }
}

impl<'a> Tree<'a> {
    fn read(bytes: &'a [u8]) -> Result<(Self, bool), Malformed> {
        let mut tokens = Tokens::new(bytes);
        let span = |part: &[u8]| {
            let start = part.as_ptr().addr() - bytes.as_ptr().addr();
            (start as u32, part.len() as u32)
        };
        let mut nodes: Vec<Node> = Vec::new();
        let mut open: Vec<u32> = Vec::new();
        let mut name = (0, 0);
        while let Some(token) = tokens.next()? {
            let (shape, size, value) = match token {
                Token::Key(key) => {
                    let (start, len) = span(key);
                    name = (start + 1, len);
                    continue;
                }
                Token::Close(_) => {
                    close(&mut nodes, &mut open);
                    continue;
                }
                Token::Open(container) => (Shape::In(container), EMPTY, (0, 0)),
                Token::Text(inside) => (Shape::Text, inside.len() + EMPTY, span(inside)),
                Token::Atom(atom) => (Shape::Atom, atom.len(), span(atom)),
            };
            let place = nodes.len() as u32;
            nodes.push(Node { shape, size: size as u32, after: place + 1, name: std::mem::take(&mut name), value });
            match shape {
                Shape::In(_) => open.push(place),
                _ => measure(&mut nodes, &open, place),
            }
        }
        if name.0 != 0 {
            let place = nodes.len() as u32;
            nodes.push(Node { shape: Shape::Missing, size: 4, after: place + 1, name, value: (0, 0) });
            measure(&mut nodes, &open, place);
        }
        while !open.is_empty() {
            close(&mut nodes, &mut open);
        }
        Ok((Self { bytes, nodes }, tokens.is_complete()))
    }

    fn slice(&self, (start, len): (u32, u32)) -> &'a [u8] {
        &self.bytes[start as usize..(start + len) as usize]
    }

    // Writes the whole tree within `cap` bytes.
    fn fit(&self, cap: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(cap.min(self.nodes[0].size as usize));
        let mut open: Vec<Frame> = Vec::new();
        self.write(0, cap, &mut open, &mut out);
        while let Some(frame) = open.last_mut() {
            if frame.left == 0 {
                out.push(frame.container.brackets().1);
                open.pop();
                continue;
            }
            let child = frame.next;
            let node = &self.nodes[child as usize];
            if !std::mem::take(&mut frame.first) {
                out.push(b',');
            }
            frame.left -= 1;
            frame.next = node.after;
            let budget = frame.level;
            self.write(child, budget, &mut open, &mut out);
        }
        out
    }

    // Writes one value of at most `budget` bytes, or opens it.
    fn write(&self, place: u32, budget: usize, open: &mut Vec<Frame>, out: &mut Vec<u8>) {
        let node = &self.nodes[place as usize];
        if let Some(start) = node.name.0.checked_sub(1) {
            push_name(self.slice((start, node.name.1)), out);
        }
        match node.shape {
            Shape::In(container) => {
                out.push(container.brackets().0);
                open.push(self.share(place, container, budget));
            }
            Shape::Text => push_text(cut_inside(self.slice(node.value), budget.saturating_sub(EMPTY)), out),
            Shape::Atom if node.size as usize <= budget => out.extend_from_slice(self.slice(node.value)),
            Shape::Atom | Shape::Missing => out.extend_from_slice(NULL),
        }
    }

    fn children(&self, place: u32) -> impl Iterator<Item = &Node> {
        let end = self.nodes[place as usize].after;
        let mut next = place + 1;
        std::iter::from_fn(move || {
            let node = (next < end).then(|| &self.nodes[next as usize])?;
            next = node.after;
            Some(node)
        })
    }

    // Divides a container's budget: how many members stay, and the length above which they are cut.
    fn share(&self, place: u32, container: Container, budget: usize) -> Frame {
        let mut frame = Frame { container, next: place + 1, left: usize::MAX, level: usize::MAX, first: true };
        if self.nodes[place as usize].size as usize <= budget {
            frame.left = self.children(place).count();
            return frame;
        }
        let room = budget.saturating_sub(EMPTY);
        let least = match container {
            Container::Array => ELEMENT,
            Container::Object => NULL.len(),
        };
        let mut sizes = Vec::new();
        let (mut overhead, mut used) = (0, 0);
        for node in self.children(place) {
            let comma = usize::from(!sizes.is_empty());
            // a first element is worth keeping in any length
            let least = if comma == 0 { least.min(room).max(NULL.len()) } else { least };
            let needed = comma + node.overhead() + least.min(node.size as usize);
            if used + needed > room {
                break;
            }
            used += needed;
            overhead += comma + node.overhead();
            sizes.push(node.size as usize);
        }
        frame.left = sizes.len();
        frame.level = level(sizes, room - overhead);
        frame
    }
}

struct Frame {
    container: Container,
    next: u32,
    left: usize,
    level: usize,
    first: bool,
}

// The greatest level with which the sizes, each cut to it, fit in `room`.
fn level(mut sizes: Vec<usize>, mut room: usize) -> usize {
    sizes.sort_unstable();
    let mut left = sizes.len();
    for size in sizes {
        if size > room / left {
            return room / left;
        }
        room -= size;
        left -= 1;
    }
    usize::MAX
}

// Adds the length of the finished value at `place` to the container around it.
fn measure(nodes: &mut [Node], open: &[u32], place: u32) {
    let Some(&parent) = open.last() else { return };
    let node = nodes[place as usize];
    let parent = &mut nodes[parent as usize];
    let comma = u32::from(parent.size > EMPTY as u32);
    parent.size += comma + node.overhead() as u32 + node.size;
    parent.after = node.after;
}

fn close(nodes: &mut [Node], open: &mut Vec<u32>) {
    if let Some(place) = open.pop() {
        measure(nodes, open, place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    // any depth: serde_json skips values without recursion
    fn is_json(bytes: &[u8]) -> bool {
        std::str::from_utf8(bytes).is_ok_and(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok())
    }

    fn documents() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            any::<f32>().prop_map(|number| json!(number).to_string()),
            "(\\PC|[\"\\\\\n]){0,60}".prop_map(|text| json!(text).to_string()),
            Just(r#""\ud83d\uDE00\u00e9\/\\""#.to_owned()),
            (1..3_000usize).prop_map(|len| json!("é".repeat(len)).to_string()),
        ];
        let tree = leaf.prop_recursive(6, 200, 12, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..12).prop_map(|items| format!("[{}]", items.join(", "))),
                prop::collection::vec(("(\\PC|\"){0,12}", inner), 0..12).prop_map(|members| {
                    let members: Vec<_> =
                        members.iter().map(|(name, value)| format!("{} : {value}", json!(name))).collect();
                    format!("{{\n{}}}", members.join(",\t"))
                }),
            ]
        });
        (tree, 0..3_000usize, any::<bool>()).prop_map(|(document, depth, arrays)| {
            let (open, close) = if arrays { ("[1,", "]") } else { ("{\"k\":", "}") };
            [open.repeat(depth), document, close.repeat(depth)].concat()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn a_cut_document_is_valid_within_the_cap(document in documents(), cap in prop_oneof![0..200usize, 0..9_000usize]) {
            let cut = cut_json(document.as_bytes(), cap).expect("it is JSON");
            prop_assert!(cut.len() <= cap.max(4) && is_json(&cut), "{}", String::from_utf8_lossy(&cut));
            if document.len() <= cap { prop_assert_eq!(&*cut, document.as_bytes()); }
            let again = cut_json(&cut, cap).expect("it is JSON");
            prop_assert_eq!(&again, &cut, "cutting twice changes nothing");
        }

        #[test]
        fn a_document_that_ends_early_is_closed(document in documents(), end in any::<prop::sample::Index>(), cap in 0..9_000usize) {
            let start = &document.as_bytes()[..end.index(document.len())];
            if let Some(cut) = cut_json(start, cap) {
                prop_assert!(cut.len() <= cap.max(4) && is_json(&cut), "{}", String::from_utf8_lossy(&cut));
            } else {
                prop_assert!(!matches!(start.first(), Some(b'[' | b'{' | b'"')), "{}", String::from_utf8_lossy(start));
            }
        }

        #[test]
        fn any_bytes_are_refused_or_valid(
            bytes in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..200),
                prop::collection::vec(prop::sample::select(b"[]{}\",:\\u0dD8e-.1tn \xc3\xa9".to_vec()), 0..60),
            ],
            cap in 0..60usize,
        ) {
            if let Some(cut) = cut_json(&bytes, cap) {
                prop_assert!(cut.len() <= cap.max(4) && is_json(&cut));
            } else {
                prop_assert!(!is_json(&bytes));
            }
        }

        #[test]
        fn text_is_cut_between_characters(text in "\\PC{0,40}", cap in 0..80usize) {
            let cut = cut_text(&text, cap);
            prop_assert!(cut.len() <= cap && text.starts_with(cut) && cut.len() + 4 > cap.min(text.len()));
        }
    }

    fn cut(document: &str, cap: usize) -> Value {
        serde_json::from_slice(&cut_json(document.as_bytes(), cap).unwrap()).unwrap()
    }

    #[test]
    fn the_largest_part_is_cut_first() {
        let long = "x".repeat(300);
        let document = json!({"id": 7, "note": long, "tags": ["a", "b"], "name": "short"});
        let result = cut(&document.to_string(), 100);
        assert_eq!((&result["id"], &result["tags"], &result["name"]), (&json!(7), &json!(["a", "b"]), &json!("short")));
        assert!(result["note"].as_str().unwrap().len() > 30);
        let rows: Vec<Value> = (0..100).map(|id| json!({"id": id, "name": "n".repeat(40)})).collect();
        let result = cut(&json!({"rows": rows, "next": "abc"}).to_string(), 2_000);
        assert_eq!(result["next"], "abc");
        assert_eq!(result["rows"][3], rows[3], "elements stay whole");
        assert!(result["rows"].as_array().unwrap().len() > 20);
    }

    #[test]
    fn of_a_long_document_the_start_is_kept() {
        let document = json!({"a": "x".repeat(30), "b": "y".repeat(3_000), "c": 1});
        let result = cut(&document.to_string(), 100);
        assert_eq!(result["a"], document["a"]);
        assert!(result["b"].as_str().unwrap().len() > 40 && result.get("c").is_none());
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in ["", "  ", "hello", "{'a':1}", "{\"a\":1} x", "[1,]", "{\"a\"}", "[01]", "\"a\nb\"", "tru", "]"] {
            assert_eq!(cut_json(text.as_bytes(), 100), None, "{text}");
        }
        assert_eq!(cut_json(b"\xef\xbb\xbf[]", 100).unwrap(), &b"[]"[..]);
    }
}
