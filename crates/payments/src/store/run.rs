//! Where in the order of transactions the rows of a day stand: their places by day, run-length
//! encoded. It knows nothing of the rows themselves.

use contract::id::AccountId;
use diesel::prelude::*;
use store::Connection;

use crate::Error;
use crate::model::report::Window;
use crate::schema::transaction_run;

/// The first of all places.
const FIRST_PLACE: i64 = 1;

/// Whose places: an account's, or one of its sub-accounts'.
#[derive(Debug, Clone)]
pub(crate) struct Scope(String);

impl Scope {
    pub(crate) fn of(account: AccountId, sub_account: Option<&str>) -> Self {
        Self(match sub_account {
            Some(sub_account) => format!("{account}/{sub_account}"),
            None => account.to_string(),
        })
    }
}

/// Rows in a row, all of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = transaction_run)]
pub(crate) struct Run {
    first_place: i64,
    day: i64,
    row_count: i64,
}

impl Run {
    fn next_place(&self) -> i64 {
        self.first_place + self.row_count
    }
}

/// Gives the next places to rows of these days, and says which is the first. Whoever calls holds the
/// account's lock.
pub(crate) fn append(
    connection: &mut Connection,
    scope: &Scope,
    days: impl IntoIterator<Item = i64>,
) -> Result<i64, Error> {
    let last: Option<Run> = transaction_run::table
        .filter(transaction_run::scope.eq(&scope.0))
        .order(transaction_run::first_place.desc())
        .select(Run::as_select())
        .first(connection)
        .optional()?;
    let first_place = last.map_or(FIRST_PLACE, |run| run.next_place());
    let (grown, new) = encode(last, first_place, days);
    if let Some(run) = grown {
        diesel::update(transaction_run::table.find((&scope.0, run.first_place)))
            .set(transaction_run::row_count.eq(run.row_count))
            .execute(connection)?;
    }
    for run in new {
        diesel::insert_into(transaction_run::table)
            .values((
                transaction_run::scope.eq(&scope.0),
                transaction_run::first_place.eq(run.first_place),
                transaction_run::day.eq(run.day),
                transaction_run::row_count.eq(run.row_count),
            ))
            .execute(connection)?;
    }
    Ok(first_place)
}

/// The last run as it grows, if it does, and the new ones after it.
fn encode(
    last: Option<Run>,
    first_place: i64,
    days: impl IntoIterator<Item = i64>,
) -> (Option<Run>, Vec<Run>) {
    let mut grown = None;
    let mut new: Vec<Run> = Vec::new();
    for (place, day) in (first_place..).zip(days) {
        let open = new.last_mut().or(grown.as_mut());
        match open {
            Some(run) if run.day == day => run.row_count += 1,
            None if last.is_some_and(|run| run.day == day) => {
                grown = last.map(|run| Run {
                    row_count: run.row_count + 1,
                    ..run
                });
            }
            _ => new.push(Run {
                first_place: place,
                day,
                row_count: 1,
            }),
        }
    }
    (grown, new)
}

/// Places in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) first_place: i64,
    pub(crate) row_count: i64,
    /// Whether all of these rows are inside the window; else some may be.
    pub(crate) is_whole: bool,
}

impl Span {
    pub(crate) fn places(&self) -> (i64, i64) {
        (self.first_place, self.first_place + self.row_count - 1)
    }

    /// What is left after so many, up to so many.
    pub(crate) fn part(&self, skip: i64, take: i64) -> Self {
        Self {
            first_place: self.first_place + skip,
            row_count: (self.row_count - skip).min(take),
            ..*self
        }
    }
}

/// Where rows of a window may be, in order.
pub(crate) fn spans(
    connection: &mut Connection,
    scope: &Scope,
    window: Window,
) -> Result<Vec<Span>, Error> {
    let mut runs: Vec<Run> = transaction_run::table
        .filter(transaction_run::scope.eq(&scope.0))
        .filter(transaction_run::day.between(*window.days().start(), *window.days().end()))
        .select(Run::as_select())
        .load(connection)?;
    runs.sort_unstable_by_key(|run| run.first_place);
    Ok(join(&runs, window))
}

/// Runs that touch and are inside become one.
fn join(runs: &[Run], window: Window) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for run in runs {
        let is_whole = window.covers(run.day);
        match spans.last_mut() {
            Some(span)
                if span.is_whole
                    && is_whole
                    && span.first_place + span.row_count == run.first_place =>
            {
                span.row_count += run.row_count;
            }
            _ => spans.push(Span {
                first_place: run.first_place,
                row_count: run.row_count,
                is_whole,
            }),
        }
    }
    spans
}
