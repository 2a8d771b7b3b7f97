//! Patterns as the parts of `regex` decide them: a lazy DFA, backwards where a match must end where the text does, and a
//! simulation of the NFA for what the DFA gives up on.

use super::super::matcher::Case;
use super::{NEST, PatternError, SIZE};
use regex_automata::hybrid::dfa::{self, DFA};
use regex_automata::nfa::thompson::pikevm::{self, PikeVM};
use regex_automata::nfa::thompson::{BuildError, Compiler, Config, NFA, WhichCaptures};
use regex_automata::util::pool::Pool;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input, MatchKind};
use std::fmt;
use std::sync::Arc;

impl From<BuildError> for PatternError {
    fn from(error: BuildError) -> Self {
        error.size_limit().map_or_else(|| Self::Syntax(error.to_string()), Self::Size)
    }
}

/// A pattern in the syntax of the `regex` crate.
#[derive(Clone)]
pub(in crate::filter) struct Pattern {
    source: Arc<str>,
    engine: Arc<Engine>,
}

struct Engine {
    lazy: Option<Lazy>,
    simulation: PikeVM,
    // bytes of a text that may match; the most where a match is all of it
    least: usize,
    most: usize,
    caches: Pool<Caches, fn() -> Caches>,
}

enum Lazy {
    Forwards(DFA),
    /// From the end of the text, where a match must end.
    Backwards(DFA),
}

#[derive(Default)]
struct Caches {
    lazy: Option<dfa::Cache>,
    simulation: Option<pikevm::Cache>,
}

impl Pattern {
    pub(in crate::filter) fn new(source: &str, case: Case) -> Result<Self, PatternError> {
        let syntax = syntax::Config::new().case_insensitive(case == Case::Ignored).nest_limit(NEST);
        let hir = syntax::parse_with(source, &syntax).map_err(|error| PatternError::Syntax(error.to_string()))?;
        let compile = |config| Compiler::new().configure(config).build_from_hir(&hir);
        let config = Config::new().nfa_size_limit(Some(SIZE));
        let forwards = compile(config.clone())?;
        // its size counts whether it is used or not, as it does in `regex`
        let backwards = compile(config.which_captures(WhichCaptures::None).reverse(true))?;
        let (at_start, at_end) = (forwards.is_always_start_anchored(), backwards.is_always_start_anchored());
        let lazy = if at_end && !at_start {
            lazy(backwards, MatchKind::All).map(Lazy::Backwards)
        } else {
            lazy(forwards.clone(), MatchKind::LeftmostFirst).map(Lazy::Forwards)
        };
        let properties = hir.properties();
        let most = properties.maximum_len().filter(|_| at_start && at_end);
        let engine = Engine {
            lazy,
            simulation: PikeVM::new_from_nfa(forwards)?,
            least: properties.minimum_len().unwrap_or_default(),
            most: most.unwrap_or(usize::MAX),
            caches: Pool::new(Caches::default),
        };
        Ok(Self { source: source.into(), engine: Arc::new(engine) })
    }

    /// Whether it matches anywhere in the text.
    pub(in crate::filter) fn matches(&self, text: &str) -> bool {
        let Engine { lazy, simulation, least, most, caches } = &*self.engine;
        if text.len() < *least || text.len() > *most {
            return false;
        }
        let mut caches = caches.get();
        let Caches { lazy: states, simulation: threads } = &mut *caches;
        let input = Input::new(text).earliest(true);
        let found = match lazy {
            Some(Lazy::Forwards(dfa)) => {
                dfa.try_search_fwd(states.get_or_insert_with(|| dfa.create_cache()), &input).ok()
            }
            Some(Lazy::Backwards(dfa)) => {
                let input = input.clone().anchored(Anchored::Yes);
                dfa.try_search_rev(states.get_or_insert_with(|| dfa.create_cache()), &input).ok()
            }
            None => None,
        };
        match found {
            Some(found) => found.is_some(),
            // letters of other scripts at a `\b`, or too many states for the cache
            None => simulation.is_match(threads.get_or_insert_with(|| simulation.create_cache()), input),
        }
    }
}

/// `None` where the memory is too little for even a few states.
fn lazy(nfa: NFA, kind: MatchKind) -> Option<DFA> {
    let config = DFA::config()
        .match_kind(kind)
        .starts_for_each_pattern(true)
        .unicode_word_boundary(true)
        .cache_capacity(SIZE)
        // gives up where states are made faster than they are used
        .minimum_cache_clear_count(Some(3))
        .minimum_bytes_per_state(Some(10));
    DFA::builder().configure(config).build_from_nfa(nfa).ok()
}

/// The same source means the same.
impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.source).finish()
    }
}
