//! JSON tokens of a document that may end too early.

/// What is no JSON, not even the beginning of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// One token; what it borrows is valid UTF-8 and valid JSON as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Open(Container),
    Close(Container),
    /// The inside of a member's name.
    Key(&'a [u8]),
    /// The inside of a string; shorter than it was when the document ends within.
    Text(&'a [u8]),
    /// A number, `true`, `false` or `null`.
    Atom(&'a [u8]),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Container {
    Array,
    Object,
}

impl Container {
    pub(super) const fn brackets(self) -> (u8, u8) {
        match self {
            Self::Array => (b'[', b']'),
            Self::Object => (b'{', b'}'),
        }
    }
}

/// Reads tokens, holding the open containers on a stack of its own; any depth.
pub(super) struct Tokens<'a> {
    bytes: &'a [u8],
    at: usize,
    open: Vec<Container>,
    expect: Expect,
    // whether the bytes ended within a string
    unfinished: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    FirstElement,
    FirstKey,
    Key,
    Next,
    Nothing,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, open: Vec::new(), expect: Expect::Value, unfinished: false }
    }

    /// Whether the document ended with its last bracket, not before.
    pub(super) fn is_complete(&self) -> bool {
        self.expect == Expect::Nothing && !self.unfinished
    }

    /// The next token; none at the end of the document or of the bytes, whichever comes first.
    pub(super) fn next(&mut self) -> Result<Option<Token<'a>>, Malformed> {
        loop {
            while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.bytes.get(self.at) {
                self.at += 1;
            }
            let Some(&byte) = self.bytes.get(self.at) else { return Ok(None) };
            match (self.expect, byte) {
                (Expect::Next, b',') => {
                    self.at += 1;
                    self.expect = match self.open.last() {
                        Some(Container::Object) => Expect::Key,
                        _ => Expect::Value,
                    };
                }
                (Expect::Next | Expect::FirstElement, b']') => return self.close(Container::Array),
                (Expect::Next | Expect::FirstKey, b'}') => return self.close(Container::Object),
                (Expect::FirstKey | Expect::Key, b'"') => return self.key(),
                (Expect::Value | Expect::FirstElement, _) => return self.value(byte),
                _ => return Err(Malformed),
            }
        }
    }

    fn close(&mut self, container: Container) -> Result<Option<Token<'a>>, Malformed> {
        if self.open.pop() != Some(container) {
            return Err(Malformed);
        }
        self.at += 1;
        self.after_value();
        Ok(Some(Token::Close(container)))
    }

    fn after_value(&mut self) {
        self.expect = if self.open.is_empty() { Expect::Nothing } else { Expect::Next };
    }

    fn value(&mut self, byte: u8) -> Result<Option<Token<'a>>, Malformed> {
        match byte {
            b'{' | b'[' => {
                let (container, expect) = match byte {
                    b'{' => (Container::Object, Expect::FirstKey),
                    _ => (Container::Array, Expect::FirstElement),
                };
                self.at += 1;
                self.open.push(container);
                self.expect = expect;
                Ok(Some(Token::Open(container)))
            }
            b'"' => {
                let (inside, _) = self.string()?;
                self.after_value();
                Ok(Some(Token::Text(inside)))
            }
            _ => self.atom(),
        }
    }

    // A name with its colon; one that the end cuts off is as if it had not begun.
    fn key(&mut self) -> Result<Option<Token<'a>>, Malformed> {
        let (inside, whole) = self.string()?;
        if !whole {
            return Ok(None);
        }
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.bytes.get(self.at) {
            self.at += 1;
        }
        match self.bytes.get(self.at) {
            None => return Ok(None),
            Some(b':') => self.at += 1,
            Some(_) => return Err(Malformed),
        }
        self.expect = Expect::Value;
        Ok(Some(Token::Key(inside)))
    }

    // The inside of the string that starts here, up to its last whole character, and whether it ends.
    fn string(&mut self) -> Result<(&'a [u8], bool), Malformed> {
        let start = self.at + 1;
        let mut at = start;
        loop {
            match self.bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => match escape_len(&self.bytes[at..])? {
                    Some(len) => at += len,
                    None => return self.unfinished(start, at),
                },
                Some(..0x20) => return Err(Malformed),
                Some(_) => at += 1,
                None => return self.unfinished(start, at),
            }
        }
        let inside = &self.bytes[start..at];
        self.at = at + 1;
        std::str::from_utf8(inside).map(|_| (inside, true)).map_err(|_| Malformed)
    }

    fn unfinished(&mut self, start: usize, end: usize) -> Result<(&'a [u8], bool), Malformed> {
        self.at = self.bytes.len();
        self.unfinished = true;
        let inside = &self.bytes[start..end];
        match std::str::from_utf8(inside) {
            Ok(_) => Ok((inside, false)),
            Err(error) if error.error_len().is_none() => Ok((&inside[..error.valid_up_to()], false)),
            Err(_) => Err(Malformed),
        }
    }

    // A number or literal. Where the bytes end inside an open container it may go on, so it counts as cut off.
    fn atom(&mut self) -> Result<Option<Token<'a>>, Malformed> {
        let rest = &self.bytes[self.at..];
        let len = rest
            .iter()
            .position(|byte| !matches!(byte, b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'+' | b'-' | b'.'))
            .unwrap_or(rest.len());
        let atom = &rest[..len];
        let literals: [&[u8]; 3] = [b"true", b"false", b"null"];
        let at_end = len == rest.len();
        if at_end && !self.open.is_empty() {
            let plausible = literals.iter().any(|literal| literal.starts_with(atom))
                || matches!(atom.first(), Some(b'-' | b'0'..=b'9'));
            self.at += len;
            return if plausible && len > 0 { Ok(None) } else { Err(Malformed) };
        }
        if !literals.contains(&atom) && !is_number(atom) {
            return Err(Malformed);
        }
        self.at += len;
        self.after_value();
        Ok(Some(Token::Atom(atom)))
    }
}

// How long the escape at the start of `bytes` is; none when the bytes end within it.
fn escape_len(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    match bytes.get(1) {
        None => Ok(None),
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(Some(2)),
        Some(b'u') => {
            let digits = &bytes[2..bytes.len().min(6)];
            match (digits.iter().all(u8::is_ascii_hexdigit), digits.len()) {
                (false, _) => Err(Malformed),
                (true, 4) => Ok(Some(6)),
                (true, _) => Ok(None),
            }
        }
        Some(_) => Err(Malformed),
    }
}

// RFC 8259, section 6.
fn is_number(text: &[u8]) -> bool {
    fn digits(text: &[u8]) -> Option<&[u8]> {
        let len = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
        (len > 0).then(|| &text[len..])
    }
    let read = || {
        let text = text.strip_prefix(b"-").unwrap_or(text);
        let mut rest = match text.strip_prefix(b"0") {
            Some(rest) => rest,
            None => digits(text)?,
        };
        if let Some(fraction) = rest.strip_prefix(b".") {
            rest = digits(fraction)?;
        }
        if let Some((b'e' | b'E', exponent)) = rest.split_first() {
            let exponent = exponent.strip_prefix(b"+").or(exponent.strip_prefix(b"-")).unwrap_or(exponent);
            rest = digits(exponent)?;
        }
        rest.is_empty().then_some(())
    };
    read().is_some()
}
