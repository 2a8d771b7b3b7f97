//! Deciding about one text value, and what a columnar engine may know of the decision beforehand.

use super::fold::{Needle, certain_runs, fold_char};
use super::glob::Glob;
use super::numeric::{Numeric, within};
use super::pattern::{Pattern, PatternError};
use std::ops::Bound;

/// Decides about one text value.
///
/// Everything but [`Self::verbatim`] and a regex ignores case. The hints ([`Self::needle`], [`Self::exact`],
/// [`Self::case`], [`Self::required`], [`Self::is_present`]) let an engine decide whole columns without calling
/// [`Self::matches`] for each value; each says for which matchers it is there.
#[derive(Clone, Debug, PartialEq)]
pub struct TextMatcher {
    test: Test,
    required: Vec<Vec<u8>>,
}

/// Whether case counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// `a` and `A` are the same.
    Ignored,
    /// They are not.
    Counts,
}

#[derive(Clone, Debug)]
enum Test {
    Present,
    Equal(Needle),
    Verbatim(String),
    Contains(Needle),
    Glob(Glob),
    Regex(Pattern, Case),
    EqualNumber(Needle, Numeric),
    Numbers(Bound<Numeric>, Bound<Numeric>),
    Texts(Bound<String>, Bound<String>),
}

// A shorter literal prunes nothing in a filter of 3-byte grams.
const LEAST_REQUIRED: usize = 3;

const PROPERTY_CLASS: &str = r"classes by a Unicode property (\p, \P) are not supported; \w, \d, \s and [\w--\d_] know letters and digits of every script";

impl TextMatcher {
    /// Any value.
    pub fn present() -> Self {
        Self { test: Test::Present, required: Vec::new() }
    }

    /// The whole value, case ignored.
    pub fn equal(value: &str) -> Self {
        Self { test: Test::Equal(Needle::new(value)), required: runs(value) }
    }

    /// The whole value, byte for byte: scopes, session keys, parameters of the wire.
    pub fn verbatim(value: &str) -> Self {
        Self { test: Test::Verbatim(value.to_owned()), required: runs(value) }
    }

    /// The whole value, case ignored; or, where `value` is a number, an equal number however it is written. For values
    /// that may be numbers: attributes, JSON, header fields, query parameters.
    pub fn equal_number(value: &str) -> Self {
        match Numeric::parse(value) {
            Some(number) => Self { test: Test::EqualNumber(Needle::new(value), number), required: Vec::new() },
            None => Self::equal(value),
        }
    }

    /// A part of the value, case ignored.
    pub fn contains(value: &str) -> Self {
        Self { test: Test::Contains(Needle::new(value)), required: runs(value) }
    }

    /// The whole value, case ignored, where `*` stands for any run of characters and `?` for one; `\` before `*`, `?`
    /// or `\` takes it literally.
    pub fn glob(pattern: &str) -> Self {
        let glob = Glob::new(pattern);
        let required = glob.required(LEAST_REQUIRED);
        Self { test: Test::Glob(glob), required }
    }

    /// A match anywhere in the value, in the syntax of the `regex` crate: no look-around, no back-references, linear
    /// time. Fails where the syntax is wrong or the compiled program exceeds 1 MiB.
    ///
    /// **Ours:** classes by a property of Unicode (`\p{L}`, `\PN`) are refused: their tables are an eighth of the Worker,
    /// and a pattern means the same in every build. `\w`, `\d`, `\s`, `\b` and the flag `i` know all of Unicode.
    pub fn regex(pattern: &str, case: Case) -> Result<Self, PatternError> {
        if has_property_class(pattern) {
            return Err(PatternError::Syntax(PROPERTY_CLASS.to_owned()));
        }
        Ok(Self { test: Test::Regex(Pattern::new(pattern, case)?, case), required: Vec::new() })
    }

    /// A number between the bounds; a value that is no number does not fit. `None` where a bound is no number.
    pub fn numbers(low: Bound<&str>, high: Bound<&str>) -> Option<Self> {
        Some(Self { test: Test::Numbers(number(low)?, number(high)?), required: Vec::new() })
    }

    /// A text between the bounds in the order of code points, case ignored: ISO dates, for one.
    pub fn texts(low: Bound<&str>, high: Bound<&str>) -> Self {
        Self { test: Test::Texts(low.map(fold_all), high.map(fold_all)), required: Vec::new() }
    }

    /// Whether `value` fits.
    pub fn matches(&self, value: &str) -> bool {
        match &self.test {
            Test::Present => true,
            Test::Equal(needle) => needle.equals(value),
            Test::Verbatim(wanted) => wanted == value,
            Test::Contains(needle) => needle.is_in(value),
            Test::Glob(glob) => glob.matches(value),
            Test::Regex(pattern, _) => pattern.matches(value),
            Test::EqualNumber(needle, number) => needle.equals(value) || Numeric::parse(value).as_ref() == Some(number),
            Test::Numbers(low, high) => {
                Numeric::parse(value).is_some_and(|value| within(&value, low.as_ref(), high.as_ref()))
            }
            Test::Texts(low, high) => within(&fold_all(value), low.as_ref(), high.as_ref()),
        }
    }

    /// Whether every value fits, so that only presence counts.
    pub fn is_present(&self) -> bool {
        matches!(self.test, Test::Present)
    }

    /// What a pure substring test looks for.
    pub fn needle(&self) -> Option<&Needle> {
        match &self.test {
            Test::Contains(needle) => Some(needle),
            _ => None,
        }
    }

    /// The only value that fits: as it is where [`Self::case`] counts, else folded and to be compared without case.
    pub fn exact(&self) -> Option<&str> {
        match &self.test {
            Test::Equal(needle) => Some(needle.as_str()),
            Test::Verbatim(value) => Some(value),
            _ => None,
        }
    }

    /// Whether two values that differ in case alone may be decided differently.
    pub fn case(&self) -> Case {
        match &self.test {
            Test::Verbatim(_) => Case::Counts,
            Test::Regex(_, case) => *case,
            _ => Case::Ignored,
        }
    }

    /// Literals of at least 3 bytes of which every value that fits contains all, once the value is lower-cased by ASCII
    /// or by Unicode rules. Empty where nothing is certain.
    pub fn required(&self) -> &[Vec<u8>] {
        &self.required
    }
}

/// The same source decides the same, so regexes are compared by theirs.
impl PartialEq for Test {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Present, Self::Present) => true,
            (Self::Equal(a), Self::Equal(b))
            | (Self::Contains(a), Self::Contains(b))
            | (Self::EqualNumber(a, _), Self::EqualNumber(b, _)) => a == b,
            (Self::Verbatim(a), Self::Verbatim(b)) => a == b,
            (Self::Glob(a), Self::Glob(b)) => a == b,
            (Self::Regex(a, a_case), Self::Regex(b, b_case)) => a == b && a_case == b_case,
            (Self::Numbers(a, b), Self::Numbers(c, d)) => a == c && b == d,
            (Self::Texts(a, b), Self::Texts(c, d)) => a == c && b == d,
            _ => false,
        }
    }
}

fn runs(value: &str) -> Vec<Vec<u8>> {
    certain_runs(value, LEAST_REQUIRED).collect()
}

fn fold_all(text: &str) -> String {
    text.chars().map(fold_char).collect()
}

// `None` where there is a bound that is no number
fn number(bound: Bound<&str>) -> Option<Bound<Numeric>> {
    Some(match bound {
        Bound::Included(text) => Bound::Included(Numeric::parse(text)?),
        Bound::Excluded(text) => Bound::Excluded(Numeric::parse(text)?),
        Bound::Unbounded => Bound::Unbounded,
    })
}

// Looked for here and not left to the compiler, whose tables depend on what else is built beside it.
fn has_property_class(pattern: &str) -> bool {
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if c == '\\' && matches!(chars.next(), Some('p' | 'P')) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn regexes_have_limits() {
        assert!(TextMatcher::regex(r"(\w{1000}){1000}", Case::Counts).is_err(), "size");
        assert!(
            TextMatcher::regex(&format!("{}a{}", "(".repeat(200), ")".repeat(200)), Case::Counts).is_err(),
            "depth"
        );
        assert!(TextMatcher::regex("(?=a)", Case::Counts).is_err(), "look-around");
        assert!(TextMatcher::regex("^TIME", Case::Ignored).unwrap().matches("timed out"));
    }

    #[test]
    fn classes_by_a_unicode_property_are_refused_in_every_build() {
        for pattern in [r"\p{L}", r"\PN", r"^\d\p{Greek}", r"[\pL]", r"\\\p{sc=Greek}", r"(?i)a\P{Lu}"] {
            let error = TextMatcher::regex(pattern, Case::Counts).unwrap_err().to_string();
            assert!(error.contains(r"Unicode property (\p, \P)"), "{pattern}: {error}");
        }
        for (pattern, value) in
            [(r"^\\p\{L\}$", r"\p{L}"), (r"^\w+\b \d\s$", "größe ٣\u{2003}"), (r"^[\w--\d_]+$", "Αθήνα")]
        {
            assert!(TextMatcher::regex(pattern, Case::Counts).unwrap().matches(value), "{pattern}");
        }
        assert!(!TextMatcher::regex(r"^[\w--\d_]+$", Case::Counts).unwrap().matches("a٣"));
        assert!(TextMatcher::regex("^ΑΘΉΝΑ$", Case::Ignored).unwrap().matches("Αθήνα"));
    }

    #[test]
    fn hints_say_what_the_matcher_is() {
        let equal = TextMatcher::equal("Checkout");
        assert_eq!((equal.exact(), equal.case()), (Some("checkout"), Case::Ignored));
        assert_eq!(equal.required(), [b"checkout".to_vec()]);
        let verbatim = TextMatcher::verbatim("Checkout");
        assert_eq!((verbatim.exact(), verbatim.case()), (Some("Checkout"), Case::Counts));
        assert!(verbatim.matches("Checkout") && !verbatim.matches("checkout"));
        let contains = TextMatcher::contains("Größe 12");
        assert!(contains.needle().is_some_and(|needle| !needle.is_ascii()));
        assert_eq!(contains.required(), [b"e 12".to_vec()]);
        assert!(TextMatcher::equal_number("0300").required().is_empty(), "300 is equal and lacks the literal");
    }

    proptest! {
        #[test]
        fn required_literals_are_in_every_match(
            pattern in "[aAkKéÉ日\u{212a}?*]{0,8}", value in "[aAkKéÉ日\u{212a}]{0,12}",
        ) {
            for matcher in [
                TextMatcher::equal(&pattern), TextMatcher::contains(&pattern), TextMatcher::verbatim(&pattern),
                TextMatcher::glob(&pattern), TextMatcher::glob(&format!("*{value}*")), TextMatcher::equal(&value),
            ] {
                for text in [value.clone(), value.to_uppercase(), value.to_lowercase(), pattern.to_lowercase()] {
                    if matcher.matches(&text) {
                        for lowered in [text.to_ascii_lowercase(), text.to_lowercase()] {
                            for literal in matcher.required() {
                                prop_assert!(memchr::memmem::find(lowered.as_bytes(), literal).is_some());
                            }
                        }
                    }
                }
            }
        }
    }
}
