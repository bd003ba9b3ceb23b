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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run(first_place: i64, day: i64, row_count: i64) -> Run {
        Run {
            first_place,
            day,
            row_count,
        }
    }

    #[test]
    fn rows_of_the_last_runs_day_make_it_longer() {
        let last = run(11, 5, 10);
        assert_eq!(
            encode(Some(last), 21, [5, 5, 6, 6, 6, 5]),
            (Some(run(11, 5, 12)), vec![run(23, 6, 3), run(26, 5, 1)])
        );
        assert_eq!(encode(Some(last), 21, [6]), (None, vec![run(21, 6, 1)]));
        assert_eq!(encode(None, 1, [5, 5]), (None, vec![run(1, 5, 2)]));
        assert_eq!(encode(Some(last), 21, []), (None, vec![]));
    }

    proptest! {
        /// However the rows are cut into batches: a row has its own day, and each change of day
        /// starts a run.
        #[test]
        fn runs_tell_the_day_of_each_place(batches in prop::collection::vec(
            prop::collection::vec(1..4_i64, 0..9), 0..9,
        )) {
            let mut runs: Vec<Run> = Vec::new();
            for batch in &batches {
                let first_place = runs.last().map_or(FIRST_PLACE, Run::next_place);
                let (grown, new) = encode(runs.last().copied(), first_place, batch.clone());
                if let Some(grown) = grown {
                    runs.pop();
                    runs.push(grown);
                }
                runs.extend(new);
            }
            let days: Vec<i64> = batches.concat();
            let told = runs.iter().flat_map(|run| std::iter::repeat_n(run.day, usize::try_from(run.row_count).unwrap()));
            prop_assert_eq!(told.collect::<Vec<_>>(), days.clone());
            let changes = days.windows(2).filter(|pair| pair[0] != pair[1]).count();
            prop_assert_eq!(runs.len(), changes + usize::from(!days.is_empty()));
        }
    }

    #[test]
    fn whole_runs_that_touch_are_one_span() {
        let window = Window {
            first: "2026-03-01T12:00:00Z".parse().unwrap(),
            last: "2026-03-04T23:59:59.999Z".parse().unwrap(),
        };
        let first = *window.days().start();
        let span = |first_place, row_count, is_whole| Span {
            first_place,
            row_count,
            is_whole,
        };
        let runs = [
            run(1, first, 4),
            run(5, first + 1, 3),
            run(8, first + 2, 2),
            // Between them, rows of a day outside.
            run(12, first + 3, 1),
            run(13, first, 1),
        ];
        assert_eq!(
            join(&runs, window),
            [
                span(1, 4, false),
                span(5, 5, true),
                span(12, 1, true),
                span(13, 1, false),
            ]
        );
        assert_eq!(span(5, 5, true).part(2, 25), span(7, 3, true));
        assert_eq!(span(5, 5, true).part(2, 2), span(7, 2, true));
    }
}
