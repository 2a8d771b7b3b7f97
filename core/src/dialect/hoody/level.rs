//! Four levels for the store's six: trace counts as debug and fatal as error, in what is shown and in what is asked for.

use crate::filter::{Number, Predicate};
use crate::level::Level;

/// The four, least severe first.
pub(super) const LEVELS: [&str; 4] = ["debug", "info", "warn", "error"];

/// The one by which a level goes.
pub(super) const fn name(level: Level) -> &'static str {
    match level {
        Level::Trace | Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error | Level::Fatal => "error",
    }
}

/// The records that go by one of these names.
pub(super) fn among(names: &[&str]) -> Predicate {
    let ranges: Vec<_> = Level::ALL
        .into_iter()
        .filter(|level| names.contains(&name(*level)))
        .map(|level| (level as i64, level as i64))
        .collect();
    if ranges.is_empty() { Predicate::Const(false) } else { Predicate::Number(Number::Level, ranges) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Record;
    use crate::timestamp::Timestamp;

    #[test]
    fn a_level_is_found_under_the_name_that_it_is_shown_by_and_under_no_other() {
        for level in Level::ALL {
            let mut record = Record::new(Timestamp::from_millis(0));
            record.level = level;
            for other in LEVELS {
                assert_eq!(among(&[other]).matches(&record), name(level) == other, "{level:?} {other}");
            }
            assert!(among(&["error", "debug", "warn", "debug", "info"]).matches(&record));
        }
    }
}
