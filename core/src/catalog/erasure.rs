//! What is asked to be destroyed, in a form that can be stored: a resolved predicate cannot.

use super::Deletion;
use crate::filter::{Filter, Predicate};
use crate::id::Seq;
use crate::timestamp::Timestamp;

/// Which rows to destroy, as it was asked. A shell stores [`query`](Self::query), [`now`](Self::now) and
/// [`project`](Self::project) with the number and the head of the [`deletion`](Self::deletion), and restores them when it
/// starts.
#[derive(Clone, Debug)]
pub struct Erasure {
    query: String,
    now: Timestamp,
    project: Option<String>,
    filter: Predicate,
}

impl Erasure {
    /// What matches `filter`, with relative times counted from `now`, in one project or everywhere. The error says what of
    /// the filter cannot be resolved.
    pub fn new(filter: &Filter, now: Timestamp, project: Option<&str>) -> Result<Self, String> {
        Self::restore(&filter.to_string(), now, project)
    }

    /// The one that was stored as this query. The error says what of it is not understood.
    pub fn restore(query: &str, now: Timestamp, project: Option<&str>) -> Result<Self, String> {
        let parsed = Filter::parse(query).map_err(|error| error.to_string())?;
        let filter = parsed.filter.resolve(now).map_err(|fault| fault.to_string())?;
        let filter = Predicate::all_of(project.map(Predicate::project).into_iter().chain([filter]));
        Ok(Self { query: query.to_owned(), now, project: project.map(str::to_owned), filter })
    }

    /// The filter in the query language, without the project.
    pub fn query(&self) -> &str {
        &self.query
    }

    /// The moment that relative times count from.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The one project that it is limited to.
    pub fn project(&self) -> Option<&str> {
        self.project.as_deref()
    }

    /// Which rows, resolved, project included.
    pub fn filter(&self) -> &Predicate {
        &self.filter
    }

    /// As scans apply it, once the catalog has given it a number: to rows up to `head`, the highest sequence at that moment.
    pub fn deletion(&self, id: u64, head: Seq) -> Deletion {
        Deletion { id, filter: self.filter.clone(), head }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::EntryId;
    use crate::record::{Field, Record, Stored};

    fn row(seq: u64, secs: i64, project: &str, status: u16) -> Stored {
        let mut record = Record::new(Timestamp::from_nanos(secs * 1_000_000_000));
        record.status = Some(status);
        record.texts.set(Field::Project, project);
        Stored { id: EntryId::new(seq, Seq::new(seq).unwrap()), record }
    }

    #[test]
    fn what_was_stored_destroys_the_same_rows_whenever_it_is_restored() {
        let now = Timestamp::from_nanos(10_000 * 1_000_000_000);
        let asked = Filter::parse("status:5xx time:-1h..").unwrap().filter;
        let erasure = Erasure::new(&asked, now, Some("shop")).unwrap();
        let restored = Erasure::restore(erasure.query(), erasure.now(), erasure.project()).unwrap();
        assert_eq!(erasure.query(), "status:5xx time:-1h..");
        let head = Seq::new(8).unwrap();
        for deletion in [erasure.deletion(7, head), restored.deletion(7, head)] {
            assert_eq!((deletion.id, deletion.head), (7, head));
            assert!(deletion.hides(&row(8, 9_000, "shop", 503)));
            assert!(!deletion.hides(&row(9, 9_000, "shop", 503)), "it came later");
            assert!(!deletion.hides(&row(8, 6_000, "shop", 503)), "it is older than an hour before it was asked");
            assert!(!deletion.hides(&row(8, 9_000, "other", 503)));
            assert!(!deletion.hides(&row(8, 9_000, "shop", 404)));
        }
    }

    #[test]
    fn a_query_that_is_not_understood_is_an_error() {
        let now = Timestamp::from_nanos(0);
        assert!(Erasure::restore("(status:500", now, None).is_err());
    }
}
