//! Captured bodies: what was on the wire, what was kept, and why not all of it.

mod cut;
mod decode;
mod render;
mod tokens;

pub use cut::{cut_json, cut_text};
pub use decode::{DECODED_LIMIT, decode};
pub use render::{Encoding, Rendered};

/// Why the captured bytes are not the whole body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Cut {
    /// Longer than the capture cap.
    Cap = 1,
    /// Its `Content-Encoding` could not be decoded; nothing is kept.
    Undecodable = 2,
    /// It decoded to more than the limit; nothing is kept.
    TooLarge = 3,
    /// The source did not hand it over.
    NotCaptured = 4,
}

impl Cut {
    /// Every reason, by its stored number.
    pub const ALL: [Self; 4] = [Self::Cap, Self::Undecodable, Self::TooLarge, Self::NotCaptured];

    /// The name in reqlog's own JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cap => "cap",
            Self::Undecodable => "undecodable",
            Self::TooLarge => "too_large",
            Self::NotCaptured => "not_captured",
        }
    }
}

/// One captured body.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Body {
    /// Bytes on the wire, before decoding and cutting.
    pub size: u64,
    /// What was kept, decoded and redacted; in a row read with [`crate::query::Detail::Preview`] only its beginning.
    pub bytes: Vec<u8>,
    /// Kept bytes beyond `bytes` that were not read for this row.
    pub withheld: u64,
    /// Media type as the message named it.
    pub content_type: Option<String>,
    /// Why `bytes` is not all of it.
    pub cut: Option<Cut>,
}

impl Body {
    /// Characters of a preview at most.
    pub const PREVIEW_CHARS: usize = 256;

    /// The first characters of a text, at most [`Self::PREVIEW_CHARS`]; none of a binary body or one of which nothing was kept.
    ///
    /// Looks at the first kilobyte only.
    pub fn preview(&self) -> Option<&str> {
        if self.bytes.is_empty() && self.size > 0 {
            return None;
        }
        // four bytes a character at most
        let head = &self.bytes[..self.bytes.len().min(4 * Self::PREVIEW_CHARS)];
        let text = text_prefix(head)?;
        Some(match text.char_indices().nth(Self::PREVIEW_CHARS) {
            Some((end, _)) => &text[..end],
            None => text,
        })
    }
}

// The text that `bytes` are, without an incomplete last character; none when they are binary.
fn text_prefix(bytes: &[u8]) -> Option<&str> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&bytes[..error.valid_up_to()]).expect("valid up to there")
        }
        Err(_) => return None,
    };
    memchr::memchr(0, text.as_bytes()).is_none().then_some(text)
}
