//! The filters that the endpoints share.

use super::halves::{KINDS, Rows};
use super::level::{self, LEVELS};
use crate::dialect::params::{Param, Params, Shape};
use crate::filter::{Number, Predicate, TextKey, TextMatcher};
use crate::record::{Field, Source};
use std::fmt::Write;

pub(super) static PROJECT: Param = Param::optional("projectId", Shape::Text, "Only rows of this project.");
pub(super) static CONTAINER: Param = Param::optional("containerId", Shape::Text, "Only rows of this container.");
pub(super) static SERVICE: Param = Param::optional("serviceName", Shape::Text, "Only rows of this service.");
pub(super) static LEVEL: Param = Param::optional("level", Shape::Words(&LEVELS), "Only rows of these levels.");
pub(super) static KIND: Param = Param::optional("kind", Shape::Choice(&KINDS), "Only rows of this kind.");
pub(super) static METHOD: Param =
    Param::optional("method", Shape::Text, "Only rows of this HTTP method, spelt as it was sent.");
pub(super) static SOURCE: Param = Param::optional(
    "source",
    Shape::Choice(&[Source::Backend.name(), Source::Edge.name()]),
    "Only rows that this side captured.",
);

const TEXTS: [(&Param, Field); 3] =
    [(&CONTAINER, Field::Container), (&SERVICE, Field::Service), (&METHOD, Field::Method)];

/// Which rows of its records are asked for.
pub(super) fn rows(params: &Params) -> Rows {
    Rows::named(params.word(&KIND))
}

/// The records that have such rows and pass the other filters, `projectId` aside.
pub(super) fn records(params: &Params) -> Predicate {
    let exactly = |(param, field): (&Param, Field)| {
        let is = |value| Predicate::Text(TextKey::Field(field), TextMatcher::verbatim(value));
        params.text(param).map_or(Predicate::ALL, is)
    };
    let source = params.word(&SOURCE).and_then(Source::parse).map(|source| source as i64);
    Predicate::all_of([
        rows(params).records(),
        Predicate::all_of(TEXTS.map(exactly)),
        params.words(&LEVEL).map_or(Predicate::ALL, level::among),
        source.map_or(Predicate::ALL, |source| Predicate::between(Number::Source, source, source)),
    ])
}

/// What [`records`] and [`rows`] read, spelt one way whatever the order of parameters and of levels.
pub(super) fn spelling(params: &Params) -> String {
    let mut spelt = String::new();
    let mut add = |name: &str, value: &str| {
        // with its length, so that no value can pass for more than one
        let _ = write!(spelt, " {name}={}:{value}", value.len());
    };
    for param in [&KIND, &SOURCE] {
        params.word(param).into_iter().for_each(|word| add(param.name, word));
    }
    if let Some(words) = params.words(&LEVEL) {
        LEVELS.iter().filter(|level| words.contains(level)).for_each(|level| add(LEVEL.name, level));
    }
    for (param, _) in TEXTS {
        params.text(param).into_iter().for_each(|text| add(param.name, text));
    }
    spelt
}
