//! The shown message over columns: messages by their codes, derived ones by what their parts are derived from.

use super::{Node, codes, join, not, ranges, want_number, want_text};
use crate::filter::{Needle, Number, TextMatcher};
use crate::record::{Field, Kind};
use crate::segment::{Columns, Ints, Need, PartId, Text};
use crate::shown::Derived;

/// The columns that `TextKey::Shown` looks at; see [`super::want`].
pub(super) fn want(matcher: &TextMatcher, columns: &Columns, need: &mut Need) {
    want_text(Field::Message, matcher, columns, need);
    let words = words(matcher);
    for word in &words {
        want_text(Field::Method, word, columns, need);
        want_text(Field::Path, word, columns, need);
    }
    if !need.is_empty() || words.iter().any(|word| is_ruled_out(word, columns)) {
        return;
    }
    // which rows have no message
    columns.want(PartId::Text(Field::Message), need);
    want_number(Number::Kind, columns, need);
    if !is_word(matcher) {
        DerivedColumns::want(columns, need);
    }
}

pub(super) fn compile(matcher: &TextMatcher, columns: &Columns) -> Node {
    let message = codes(Field::Message, matcher, columns);
    let words = words(matcher);
    if words.iter().any(|word| is_ruled_out(word, columns)) {
        return message;
    }
    let texts = words.iter().map(|word| {
        let within = [Field::Method, Field::Path].map(|field| codes(field, word, columns));
        join(within.into_iter(), true, Node::Or)
    });
    let has_message = match columns.text(Field::Message) {
        Some(text) => Node::Codes(Field::Message, 1, text.values.len() as u64),
        None => Node::Const(false),
    };
    let kinds = Node::Number(Number::Kind, vec![(Kind::Exchange as i64, Kind::Response as i64)]);
    let whole = if is_word(matcher) { Node::Const(true) } else { Node::Derived(matcher.clone()) };
    let derived = join([not(has_message), kinds, whole].into_iter().chain(texts), false, Node::And);
    join([message, derived].into_iter(), true, Node::Or)
}

// Blanks separate the parts of a derived message, so what has none lies within one part.
fn words(matcher: &TextMatcher) -> Vec<TextMatcher> {
    if is_word(matcher) {
        return vec![matcher.clone()];
    }
    let words = matcher.required().iter().flat_map(|literal| literal.split(|byte| *byte == b' '));
    words
        .filter(|word| word.len() >= 3 && word.is_ascii() && !Derived::may_count(word))
        .filter_map(|word| std::str::from_utf8(word).ok())
        .map(TextMatcher::contains)
        .collect()
}

// Whether a derived message fits exactly where its method or its path does.
fn is_word(matcher: &TextMatcher) -> bool {
    let needle = matcher.needle().map(Needle::bytes);
    needle.is_some_and(|needle| !needle.is_empty() && !needle.contains(&b' ') && !Derived::may_count(needle))
}

// Whether no derived message has this word, as far as it costs nothing to know: paths by their gram filter alone.
fn is_ruled_out(word: &TextMatcher, columns: &Columns) -> bool {
    let no_path =
        ranges(Field::Path, word, columns).map_or(columns.text(Field::Path).is_none(), |found| found.is_empty());
    no_path && matches!(codes(Field::Method, word, columns), Node::Const(false))
}

/// What derived messages are made of.
pub(crate) struct DerivedColumns<'a> {
    texts: [Option<&'a Text>; 2],
    ints: [Option<&'a Ints>; 2],
}

impl<'a> DerivedColumns<'a> {
    const TEXTS: [Field; 2] = [Field::Method, Field::Path];
    const INTS: [Number; 2] = [Number::Status, Number::Duration];

    pub(crate) fn want(columns: &Columns, need: &mut Need) {
        Self::TEXTS.iter().for_each(|field| columns.want(PartId::Text(*field), need));
        Self::INTS.iter().for_each(|number| want_number(*number, columns, need));
    }

    pub(crate) fn new(columns: &'a Columns) -> Self {
        Self {
            texts: Self::TEXTS.map(|field| columns.text(field)),
            ints: Self::INTS.map(|number| columns.ints(number)),
        }
    }

    /// What a row that has no message shows; for an event, too, which shows nothing.
    pub(crate) fn get(&self, row: usize) -> Derived<'a> {
        let [method, path] = self.texts.map(|text| text.and_then(|text| text.get(row)));
        let [status, duration] = self.ints.map(|ints| ints.and_then(|ints| ints.get(row)));
        Derived { method, path, status, duration }
    }
}
