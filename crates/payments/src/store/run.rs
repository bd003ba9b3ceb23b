//! Where in the order of a report the rows of a day stand: their places by day, run-length encoded. So
//! the page that a million rows precede is found by adding up a few counts. It knows nothing of the
//! rows themselves.

use contract::id::AccountId;
use diesel::prelude::*;
use store::{Connection, both};

use crate::Error;
use crate::model::report::Window;
use crate::schema::report_run;

/// The first of all places.
const FIRST_PLACE: i64 = 1;

/// Whose places: an account's, or one of its sub-accounts', in one of the reports.
#[derive(Debug, Clone)]
pub(crate) struct Scope(String);

impl Scope {
    pub(crate) fn transactions(account: AccountId, sub_account: Option<&str>) -> Self {
        Self::of(account.to_string(), sub_account)
    }

    pub(crate) fn payouts(account: AccountId, sub_account: Option<&str>) -> Self {
        Self::of(format!("{account}:payouts"), sub_account)
    }

    fn of(book: String, sub_account: Option<&str>) -> Self {
        Self(match sub_account {
            Some(sub_account) => format!("{book}/{sub_account}"),
            None => book,
        })
    }
}

/// Rows in a row, all of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = report_run)]
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

/// Gives the next places to so many rows of these days, and says which is the first. Whoever calls
/// holds the account's lock.
pub(crate) fn append(
    connection: &mut Connection,
    scope: &Scope,
    rows: impl IntoIterator<Item = (i64, i64)>,
) -> Result<i64, Error> {
    let last: Option<Run> = report_run::table
        .filter(report_run::scope.eq(&scope.0))
        .order(report_run::first_place.desc())
        .select(Run::as_select())
        .first(connection)
        .optional()?;
    let first_place = last.map_or(FIRST_PLACE, |run| run.next_place());
    let (grown, new) = encode(last, first_place, rows);
    if let Some(run) = grown {
        diesel::update(report_run::table.find((&scope.0, run.first_place)))
            .set(report_run::row_count.eq(run.row_count))
            .execute(connection)?;
    }
    for run in new {
        diesel::insert_into(report_run::table)
            .values((
                report_run::scope.eq(&scope.0),
                report_run::first_place.eq(run.first_place),
                report_run::day.eq(run.day),
                report_run::row_count.eq(run.row_count),
            ))
            .execute(connection)?;
    }
    Ok(first_place)
}

/// The last run as it grows, if it does, and the new ones after it.
fn encode(
    last: Option<Run>,
    first_place: i64,
    rows: impl IntoIterator<Item = (i64, i64)>,
) -> (Option<Run>, Vec<Run>) {
    let mut grown = None;
    let mut new: Vec<Run> = Vec::new();
    let mut next_place = first_place;
    for (day, count) in rows.into_iter().filter(|(_, count)| *count > 0) {
        let open = new.last_mut().or(grown.as_mut());
        match open {
            Some(run) if run.day == day => run.row_count += count,
            None if last.is_some_and(|run| run.day == day) => {
                grown = last.map(|run| Run {
                    row_count: run.row_count + count,
                    ..run
                });
            }
            _ => new.push(Run {
                first_place: next_place,
                day,
                row_count: count,
            }),
        }
        next_place += count;
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

/// Places, in order, as few spans, all of whose rows count.
pub(crate) fn joined(places: impl IntoIterator<Item = i64>) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for place in places {
        match spans.last_mut() {
            Some(span) if span.first_place + span.row_count == place => span.row_count += 1,
            _ => spans.push(Span {
                first_place: place,
                row_count: 1,
                is_whole: true,
            }),
        }
    }
    spans
}

/// Where rows of a window may be, in order.
pub(crate) fn spans(
    connection: &mut Connection,
    scope: &Scope,
    window: Window,
) -> Result<Vec<Span>, Error> {
    let mut runs: Vec<Run> = both!(connection, c => report_run::table
        .filter(report_run::scope.eq(&scope.0))
        .filter(report_run::day.between(*window.days().start(), *window.days().end()))
        .select(Run::as_select())
        .load(c))?;
    runs.sort_unstable_by_key(|run| run.first_place);
    Ok(join(&runs, window))
}

/// A report's rows, at places.
pub(crate) trait Book {
    type Row;

    /// Whether all rows at these places are in the report. Else they are counted one by one.
    fn is_exact(&self, span: &Span) -> bool;

    /// How many rows at these places are in the report.
    fn count(&self, connection: &mut Connection, span: &Span) -> Result<i64, Error>;

    /// The rows at these places that are in the report, in order.
    fn rows(
        &self,
        connection: &mut Connection,
        span: &Span,
        skip: i64,
        take: i64,
    ) -> Result<Vec<Self::Row>, Error>;
}

/// One page of a report, whose rows are at these places. Reads rows only where the page is: the last
/// page costs what the first does, as far as places are exact.
pub(crate) fn page<B: Book>(
    connection: &mut Connection,
    book: &B,
    spans: &[Span],
    mut skip: i64,
    take: i64,
) -> Result<Vec<B::Row>, Error> {
    let mut page = Vec::new();
    let mut missing = take;
    for span in spans {
        let is_exact = book.is_exact(span);
        if skip > 0 {
            let matching = if is_exact {
                span.row_count
            } else {
                book.count(connection, span)?
            };
            if matching <= skip {
                skip -= matching;
                continue;
            }
        }
        let rows = if is_exact {
            book.rows(connection, &span.part(skip, missing), 0, missing)?
        } else {
            book.rows(connection, span, skip, missing)?
        };
        skip = 0;
        missing = missing.saturating_sub_unsigned(rows.len() as u64);
        page.extend(rows);
        if missing == 0 {
            break;
        }
    }
    Ok(page)
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
            encode(Some(last), 21, [(5, 2), (6, 1), (6, 2), (5, 1)]),
            (Some(run(11, 5, 12)), vec![run(23, 6, 3), run(26, 5, 1)])
        );
        assert_eq!(
            encode(Some(last), 21, [(6, 1)]),
            (None, vec![run(21, 6, 1)])
        );
        assert_eq!(
            encode(None, 1, [(5, 1), (4, 0), (5, 1)]),
            (None, vec![run(1, 5, 2)])
        );
        assert_eq!(encode(Some(last), 21, []), (None, vec![]));
    }

    proptest! {
        /// However the rows are cut into batches: a row has its own day, and each change of day
        /// starts a run.
        #[test]
        fn runs_tell_the_day_of_each_place(batches in prop::collection::vec(
            prop::collection::vec((1..4_i64, 0..3_i64), 0..9), 0..9,
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
            let days: Vec<i64> = batches
                .concat()
                .into_iter()
                .flat_map(|(day, count)| std::iter::repeat_n(day, usize::try_from(count).unwrap()))
                .collect();
            let told = runs.iter().flat_map(|run| std::iter::repeat_n(run.day, usize::try_from(run.row_count).unwrap()));
            prop_assert_eq!(told.collect::<Vec<_>>(), days.clone());
            let changes = days.windows(2).filter(|pair| pair[0] != pair[1]).count();
            prop_assert_eq!(runs.len(), changes + usize::from(!days.is_empty()));
        }
    }

    #[test]
    fn places_that_touch_are_one_span() {
        let spans = joined([3, 4, 5, 7, 9, 10]);
        let places: Vec<_> = spans.iter().map(Span::places).collect();
        assert_eq!(places, [(3, 5), (7, 7), (9, 10)]);
        assert!(spans.iter().all(|span| span.is_whole));
        assert_eq!(joined([]), []);
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
