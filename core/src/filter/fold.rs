//! Text compared without case: an ASCII needle folds ASCII, any other one folds by simple Unicode lower-casing.

/// `c` in lower case where that is one character, else `c`.
pub(super) fn fold_char(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(single), None) => single,
        _ => c,
    }
}

/// `text` folded as the needle of a comparison: ASCII only where it is all ASCII.
pub(super) fn fold(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_lowercase() } else { text.chars().map(fold_char).collect() }
}

/// A folded text to look for.
#[derive(Clone, Debug)]
pub struct Needle {
    folded: String,
    ascii: bool,
    pair: Option<Pair>,
}

// Two bytes of the needle that are rare in traffic; a position is compared whole only where both fit.
#[derive(Clone, Copy, Debug)]
struct Pair {
    first: Probe,
    second: Probe,
}

#[derive(Clone, Copy, Debug)]
struct Probe {
    offset: usize,
    byte: u8,
    // 0x20 for a letter, so that both cases meet; 0 otherwise
    mask: u8,
}

// Positions tested at once; built for speed, the loop over them is one over vectors.
const LANES: usize = 32;

// Most frequent bytes of URLs, messages and JSON first; a byte that is not listed is rarer.
const FREQUENT: &[u8] = b"e taoinrs\"/dl:,cu-m0p1.h2fgb_3y45v9867wk=&{}[]?xjqz";

impl Needle {
    /// Folds `text`.
    pub fn new(text: &str) -> Self {
        let folded = fold(text);
        let ascii = folded.is_ascii();
        let pair = if ascii { Pair::of(folded.as_bytes()) } else { None };
        Self { folded, ascii, pair }
    }

    /// The folded text.
    pub fn as_str(&self) -> &str {
        &self.folded
    }

    /// The folded bytes; in lower case where [`Self::is_ascii`].
    pub fn bytes(&self) -> &[u8] {
        self.folded.as_bytes()
    }

    /// Whether only ASCII is folded, so that bytes can be searched without looking at characters.
    pub fn is_ascii(&self) -> bool {
        self.ascii
    }

    /// Whether `text` is this needle but for case.
    pub fn equals(&self, text: &str) -> bool {
        if self.ascii {
            self.folded.eq_ignore_ascii_case(text)
        } else {
            text.chars().map(fold_char).eq(self.folded.chars())
        }
    }

    /// Whether `text` contains this needle but for case.
    pub fn is_in(&self, text: &str) -> bool {
        if self.ascii {
            return self.find_ascii(text.as_bytes()).is_some();
        }
        let Some(first) = self.folded.chars().next() else { return true };
        text.char_indices().any(|(at, c)| fold_char(c) == first && starts_with_folded(&text[at..], &self.folded))
    }

    /// Where an ASCII needle first occurs in `haystack`, which may be many values in a row; `None` for a needle that is
    /// not ASCII.
    pub fn find_ascii(&self, haystack: &[u8]) -> Option<usize> {
        let needle = self.folded.as_bytes();
        if !self.ascii || haystack.len() < needle.len() {
            return None;
        }
        let Some(Pair { first, second }) = self.pair else {
            return match needle.first() {
                None => Some(0),
                Some(byte) => memchr::memchr2(*byte, byte.to_ascii_uppercase(), haystack),
            };
        };
        // modules are built for size, where the loop below is none over vectors
        if cfg!(target_arch = "wasm32") {
            find_by_byte(needle, first, second, haystack)
        } else {
            find_by_lanes(needle, first, second, haystack)
        }
    }
}

// Tests every place that has one byte of the needle.
fn find_by_byte(needle: &[u8], first: Probe, second: Probe, haystack: &[u8]) -> Option<usize> {
    let ends = haystack.len() - needle.len() + 1;
    let places = &haystack[first.offset..first.offset + ends];
    let mut hits = memchr::memchr2_iter(first.byte, first.byte ^ first.mask, places);
    hits.find(|&at| {
        second.fits(haystack[at + second.offset]) && haystack[at..at + needle.len()].eq_ignore_ascii_case(needle)
    })
}

// Tests every place that has two bytes of the needle, many places at a time.
fn find_by_lanes(needle: &[u8], first: Probe, second: Probe, haystack: &[u8]) -> Option<usize> {
    let ends = haystack.len() - needle.len() + 1;
    let here = |at: usize| {
        first.fits(haystack[at + first.offset])
            && second.fits(haystack[at + second.offset])
            && haystack[at..at + needle.len()].eq_ignore_ascii_case(needle)
    };
    let mut at = 0;
    while at + LANES <= ends {
        let (a, b) = (&haystack[at + first.offset..][..LANES], &haystack[at + second.offset..][..LANES]);
        let hits = a.iter().zip(b).fold(0u8, |hits, (a, b)| hits | (first.hit(*a) & second.hit(*b)));
        if hits != 0
            && let Some(found) = (at..at + LANES).find(|at| here(*at))
        {
            return Some(found);
        }
        at += LANES;
    }
    (at..ends).find(|at| here(*at))
}

impl PartialEq for Needle {
    fn eq(&self, other: &Self) -> bool {
        self.folded == other.folded
    }
}

impl Pair {
    fn of(needle: &[u8]) -> Option<Self> {
        let rank = |byte: &u8| FREQUENT.iter().position(|known| known == byte).unwrap_or(FREQUENT.len());
        let probe = |offset: usize| {
            let byte = needle[offset];
            Probe { offset, byte, mask: if byte.is_ascii_alphabetic() { 0x20 } else { 0 } }
        };
        let first = (0..needle.len()).max_by_key(|at| rank(&needle[*at]))?;
        let second = (0..needle.len()).filter(|at| *at != first).max_by_key(|at| rank(&needle[*at]))?;
        Some(Self { first: probe(first), second: probe(second) })
    }
}

impl Probe {
    #[inline]
    fn fits(self, byte: u8) -> bool {
        byte | self.mask == self.byte
    }

    #[inline]
    fn hit(self, byte: u8) -> u8 {
        u8::from(self.fits(byte))
    }
}

fn starts_with_folded(text: &str, folded: &str) -> bool {
    let mut chars = text.chars().map(fold_char);
    folded.chars().all(|wanted| chars.next() == Some(wanted))
}

/// The parts of `text`, ASCII-lower-cased and at least `least` bytes long, that every text equal to it but for case
/// contains in this very form once it is lower-cased, by ASCII or by Unicode rules.
pub(super) fn certain_runs(text: &str, least: usize) -> impl Iterator<Item = Vec<u8>> {
    let ascii = text.is_ascii();
    text.split(move |c| !is_certain(c, ascii))
        .filter(move |run| run.len() >= least)
        .map(|run| run.to_ascii_lowercase().into_bytes())
}

// Besides ASCII only characters without case are certain. In a needle that folds Unicode the letter k is not: the
// Kelvin sign becomes it.
fn is_certain(c: char, ascii_needle: bool) -> bool {
    if c.is_ascii() {
        return ascii_needle || !c.eq_ignore_ascii_case(&'k');
    }
    let itself = |mut folded: std::char::ToLowercase| folded.next() == Some(c) && folded.next().is_none();
    let mut upper = c.to_uppercase();
    itself(c.to_lowercase()) && upper.next() == Some(c) && upper.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn folds_ascii_for_ascii_needles_and_unicode_for_others() {
        let contains = |needle: &str, text: &str| Needle::new(needle).is_in(text);
        assert!(contains("TIMED out", "connection Timed Out after 3 s"));
        assert!(contains("größe", "DIE GRÖSSE? nein, die GRÖßE") && !contains("größe", "DIE GROSSE"));
        assert!(contains("", "") && contains("", "x") && !contains("x", ""));
        assert!(!contains("kelvin", "\u{212a}elvin"), "an ASCII needle folds ASCII only");
        assert!(contains("kélvin", "\u{212a}Élvin"), "another needle folds by simple Unicode lower-casing");
        assert!(Needle::new("ÀÉ").equals("àé") && !Needle::new("a").equals("á"));
        assert_eq!(Needle::new("[").find_ascii(b"{x["), Some(2), "masking must not turn other bytes into letters");
        assert_eq!(Needle::new("a@b").find_ascii(b"a`b"), None);
    }

    #[test]
    fn no_character_folds_into_one_without_case() {
        for c in (0..=0x0010_ffff).filter_map(char::from_u32) {
            let folded = fold_char(c);
            assert!(folded == c || folded.is_ascii() || !is_certain(folded, false), "{c:?} folds to {folded:?}");
            assert!(!folded.is_ascii() || c.is_ascii() || folded == 'k', "{c:?} folds into ASCII");
        }
    }

    proptest! {
        #[test]
        fn finds_what_the_naive_search_finds(
            hay in "[a-cA-C@`{\\[éÉ ]{0,120}", start in 0usize..100, len in 0usize..9, flip in any::<bool>(),
        ) {
            let cut: String = hay.chars().skip(start).take(len).collect();
            let needle = if flip { cut.to_uppercase() } else { cut };
            let folded = fold(&needle);
            let hay_folded: String = if needle.is_ascii() {
                hay.to_ascii_lowercase()
            } else {
                hay.chars().map(fold_char).collect()
            };
            prop_assert_eq!(Needle::new(&needle).is_in(&hay), hay_folded.contains(&folded));
            if needle.is_ascii() {
                let (needle, hay) = (Needle::new(&needle), hay.as_bytes());
                prop_assert_eq!(needle.find_ascii(hay), hay_folded.find(&folded));
                if let Some(Pair { first, second }) = needle.pair.filter(|_| hay.len() >= needle.bytes().len()) {
                    let found = find_by_byte(needle.bytes(), first, second, hay);
                    prop_assert_eq!(found, find_by_lanes(needle.bytes(), first, second, hay));
                }
            }
        }
    }
}
