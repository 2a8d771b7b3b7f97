//! Regular expressions, of which nothing is asked but whether they match.
//!
//! `regex` decides it, with the engines that a build has. On wasm it has two, and is a thirtieth of the browser's module
//! beside them: to choose among engines, to look for literals first, and to find matches and groups. There the two are put
//! together as it does; a pattern that is accepted or refused by one is by the other, and matches the same.

#[cfg(any(target_arch = "wasm32", test))]
mod parts;
#[cfg(any(not(target_arch = "wasm32"), test))]
mod whole;

#[cfg(target_arch = "wasm32")]
pub(super) use parts::Pattern;
#[cfg(not(target_arch = "wasm32"))]
pub(super) use whole::Pattern;

use std::fmt;

/// What a pattern may become at most, in bytes, and the memory of its DFA.
const SIZE: usize = 1 << 20;
const NEST: u32 = 64;

/// Why a pattern is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatternError {
    /// It is none: what is wrong with it, drawn over several lines, the last of which says it.
    Syntax(String),
    /// Its program is larger than this many bytes.
    Size(usize),
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(reason) => f.write_str(reason),
            Self::Size(limit) => write!(f, "Compiled regex exceeds size limit of {limit} bytes."),
        }
    }
}

impl std::error::Error for PatternError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Case;
    use proptest::prelude::*;

    fn agree(source: &str, texts: &[&str]) {
        for case in [Case::Ignored, Case::Counts] {
            match (parts::Pattern::new(source, case), whole::Pattern::new(source, case)) {
                (Ok(ours), Ok(theirs)) => {
                    for text in texts {
                        assert_eq!(ours.matches(text), theirs.matches(text), "/{source}/ in {text:?}");
                    }
                }
                (ours, theirs) => assert_eq!(ours.err(), theirs.err(), "/{source}/"),
            }
        }
    }

    #[test]
    fn what_the_dfa_gives_up_on_is_decided_too() {
        agree(r"\bgröße\b", &["die größe ist", "übergröße", "größer", ""]);
        let long: String =
            (0..40_000).map(|at: u32| if at.wrapping_mul(2_654_435_761) >> 7 & 1 == 0 { 'a' } else { 'b' }).collect();
        agree("[ab]*a[ab]{30}c$", &[&long, &format!("{long}c")]);
        agree("a[ab]{300}c", &[&long, &format!("{long}c")]);
    }

    #[test]
    fn limits_are_those_of_regex() {
        let nested = |depth| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
        for source in [r"(\w{1000}){1000}", r"\w{30}", r"\w{60}", r"\w{120}", r"(?i)k{9000}", &nested(30), &nested(200)]
        {
            agree(source, &["a", "kk", &"é".repeat(130)]);
        }
    }

    proptest! {
        #[test]
        fn patterns_match_as_in_regex(
            source in r"(\^|\\A)?([aäK.]|\[a-k\]|\(a\|äb?\)|\\[wdsbB]|\(\?i\)|\\n|[|*?+]){0,8}(\$|\\z|\(\?m\)\$)?",
            texts in proptest::collection::vec("[aäkKkb1 \n]{0,12}", 1..6),
        ) {
            agree(&source, &texts.iter().map(String::as_str).collect::<Vec<_>>());
        }

        #[test]
        fn any_text_is_a_pattern_or_is_refused_as_in_regex(source in r"[a\\(){}\[\]^$|*+?.\-:<>,0-9wbdsé]{0,12}", text in "[aé0 ]{0,6}") {
            agree(&source, &[&text]);
        }
    }
}
