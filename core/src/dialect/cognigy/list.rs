//! `GET …/logs` and `GET …/logs/tail`: pages of a project's entries, by cursor or by offset.
//!
//! Every page of a walk says when the walk began (see [`Began`]): a cursor by itself, `skip` by `snapshot`. What arrived
//! later is not seen, so that pages neither repeat nor skip an entry whatever is written meanwhile.
//!
//! **Ours:**
//!
//! - `Link` leads to the page after (`next`) and before (`prev`): by cursor, and by `skip` and `snapshot` where the
//!   request came by one of them.
//! - `endDate` defaults to the beginning of the walk, `startDate` to one hour before the first moment of `endDate`. An
//!   inverted range is a 400. A cursor belongs to the dates as they were sent.
//! - `filter` compares type and trace id exactly; so do `userId` and `flowName`, which do match the empty text.
//! - The tail is the project's latest entries in the order of `_id`, 100 a page; its `total` counts all of them.

use super::accept::Representation;
use super::cursor::{Began, Cursor, Walk, Way};
use super::page::{By, Listing};
use super::parameters::{
    API_KEY, END_DATE, FILTER, FLOW_NAME, LIMIT, NEXT, PREVIOUS, SKIP, SNAPSHOT, SORT, START_DATE, TYPE, USER_ID,
};
use super::{Action, Render, Version};
use crate::dialect::link::PageUrl;
use crate::dialect::params::{ParamError, Params};
use crate::dialect::{Asked, Planned};
use crate::error::Error;
use crate::filter::{Number, Predicate, TextKey, TextMatcher};
use crate::id::EntryId;
use crate::level::Level;
use crate::plan::Operation;
use crate::query::{Detail, Direction, Order, Query, Start, Total, Unit};
use crate::record::Field;
use crate::sort;
use crate::timestamp::Timestamp;

const TAIL: u64 = 100;
const HOUR: i64 = 3_600_000_000_000;

pub(super) fn plan(
    asked: &Asked<'_>,
    (action, version): (Action, Version),
    project: &str,
    params: &Params,
    representation: Representation,
) -> Result<Planned, Error> {
    let context = asked.context;
    let sort = if action == Action::Tail { "_id:desc" } else { params.word(&SORT).unwrap_or("timestamp:desc") };
    let walk = walk(action, project, sort, params);
    let latest = Began::now(context.now, context.head);
    let sent = |name| params.given().find(|(given, _)| *given == name).map(|(_, value)| value);
    let skip = params.integer(&SKIP).unwrap_or(0);
    let by = if sent(SKIP.name).or(sent(SNAPSHOT.name)).is_some() { By::Skip } else { By::Cursor };
    let given = [(&NEXT, Way::Next), (&PREVIOUS, Way::Previous)].map(|(param, way)| (param, way, params.text(param)));
    let (began, start, given) = match given {
        [(next, _, Some(_)), (previous, _, Some(_))] => {
            return Err(ParamError::Exclusive { name: next.name, other: previous.name }.into());
        }
        [(param, way, Some(text)), _] | [_, (param, way, Some(text))] => {
            if by == By::Skip {
                let other = if sent(SKIP.name).is_some() { SKIP.name } else { SNAPSHOT.name };
                return Err(ParamError::Exclusive { name: param.name, other }.into());
            }
            let cursor = Cursor::read(text, way, &walk, context.secret).ok_or(Error::Cursor {
                name: param.name,
                reason: "it was not given out for this project, filter, sort and dates; begin again without it",
            })?;
            let start = if way == Way::Next { Start::AfterRow(cursor.seq) } else { Start::BeforeRow(cursor.seq) };
            (cursor.began, start, Some(param.name))
        }
        _ => {
            let began = match params.integer(&SNAPSHOT) {
                Some(millis) => Began::at(millis, latest).ok_or_else(|| {
                    let text = sent(SNAPSHOT.name).unwrap_or_default();
                    ParamError::value(&SNAPSHOT, text, "what a Link of this server carries, which is not in the future")
                })?,
                None => latest,
            };
            (began, if skip > 0 { Start::Offset(skip) } else { Start::First }, None)
        }
    };
    let window = if action == Action::Tail { Predicate::ALL } else { window(params, began)? };
    let limit = if action == Action::Tail { TAIL } else { params.integer(&LIMIT).unwrap_or(25) };
    let (order, direction) = order(sort);
    let query = Query {
        filter: Predicate::all_of([Predicate::project(project), arrived(began, context.head), window, chosen(params)]),
        order,
        direction,
        start,
        unit: Unit::Record,
        bound: asked.bound(),
        limit: limit as usize,
        detail: Detail::Preview,
        total: Total::Exact,
    };
    let listing = Listing {
        walk,
        began,
        secret: *context.secret,
        start,
        limit,
        by,
        given,
        this: PageUrl::new(asked, params, &[API_KEY.name]).with(&[]),
        others: PageUrl::new(asked, params, &[API_KEY.name, NEXT.name, PREVIOUS.name, SKIP.name, SNAPSHOT.name]),
        representation,
        version,
    };
    Ok(Planned::run(Operation::Page { query, wait: None }, Render::List(Box::new(listing))))
}

fn walk(action: Action, project: &str, sort: &str, params: &Params) -> Walk {
    let date = |name| params.given().find(|(given, _)| *given == name).map(|(_, value)| value);
    // neither order nor repetition of types makes another walk
    let mut types = params.words(&TYPE).unwrap_or_default().to_vec();
    sort::by(&mut types, Ord::cmp);
    types.dedup();
    Walk::new(&[
        Some(if action == Action::Tail { "tail" } else { "list" }),
        Some(project),
        Some(sort),
        params.text(&FILTER).filter(|filter| !filter.is_empty()),
        Some(&types.join(",")),
        params.text(&USER_ID),
        params.text(&FLOW_NAME),
        date(START_DATE.name),
        date(END_DATE.name),
    ])
}

fn order(sort: &str) -> (Order, Direction) {
    let (field, direction) = sort.split_once(':').unwrap_or((sort, "desc"));
    let order = match field {
        "_id" => Order::Arrival,
        "type" => Order::Level,
        "traceId" => Order::Trace,
        "msg" => Order::Shown,
        _ => Order::Time,
    };
    (order, if direction == "asc" { Direction::Ascending } else { Direction::Descending })
}

/// What had arrived when the walk began. By the invariant of [`EntryId`] that is a bound by sequence; where nothing has
/// arrived since, the query's own bound says it, and counts that are cached by filter hold.
fn arrived(began: Began, head: Option<EntryId>) -> Predicate {
    match head {
        Some(head) if head.arrival_ms() > began.as_millis() => {
            Predicate::between(Number::Arrival, i64::MIN, began.as_millis() as i64)
        }
        _ => Predicate::ALL,
    }
}

fn window(params: &Params, began: Began) -> Result<Predicate, ParamError> {
    // a millisecond covers its nanoseconds, as every written time covers its last unit
    let now = Timestamp::from_millis(began.as_millis() as i64);
    let (end_first, end_last) =
        params.time(&END_DATE).map_or((now, now.plus_nanos(999_999)), |end| (end.first, end.last));
    let start = params.time(&START_DATE).map_or(end_first.plus_nanos(-HOUR), |start| start.first);
    if start > end_last {
        let text = params.given().find(|(name, _)| *name == START_DATE.name).map_or("", |(_, value)| value);
        return Err(ParamError::value(&START_DATE, text, "a time that is not after endDate, which is now by default"));
    }
    Ok(Predicate::between(Number::Time, start.as_nanos(), end_last.as_nanos()))
}

/// What `filter`, `type`, `userId` and `flowName` say.
fn chosen(params: &Params) -> Predicate {
    let exactly = |field, value: &str| Predicate::Text(TextKey::Field(field), TextMatcher::verbatim(value));
    let of_level = |level: Level| Predicate::between(Number::Level, level as i64, level as i64);
    let level = |name: &str| Level::ALL.into_iter().find(|level| level.name() == name);
    let filter = params.text(&FILTER).filter(|filter| !filter.is_empty()).map(|filter| {
        Predicate::any_of([
            level(filter).map_or(Predicate::Const(false), of_level),
            exactly(Field::TraceId, filter),
            Predicate::Text(TextKey::Shown, TextMatcher::contains(filter)),
        ])
    });
    let types = params.words(&TYPE).map(|names| {
        Predicate::any_of(Level::ALL.into_iter().filter(|level| names.contains(&level.name())).map(of_level))
    });
    let user = params.text(&USER_ID).map(|user| exactly(Field::UserId, user));
    let flow = params.text(&FLOW_NAME).map(|flow| exactly(Field::FlowName, flow));
    Predicate::all_of([filter, types, user, flow].into_iter().flatten())
}
