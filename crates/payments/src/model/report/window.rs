//! Spans of time, as the dates of a report name them.

use chrono::{Duration, NaiveDate};
use contract::Timestamp;

use super::refusal::ReportRefusal;

/// How far the end of a report may be from its start.
const SPAN_DAYS_MAX: i64 = 31;
const DAY_MS: i64 = 86_400_000;

/// A span of time, to the millisecond, with both its ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    /// The first instant.
    pub(crate) first: Timestamp,
    /// The last instant.
    pub(crate) last: Timestamp,
}

impl Window {
    /// The days that it touches, in days since 1970.
    pub(crate) fn days(self) -> std::ops::RangeInclusive<i64> {
        day_of(self.first)..=day_of(self.last)
    }

    /// Whether all of a day is inside.
    pub(crate) fn covers(self, day: i64) -> bool {
        self.first.millis() <= day * DAY_MS && (day + 1) * DAY_MS - 1 <= self.last.millis()
    }
}

/// The day of an instant in UTC, in days since 1970.
pub(crate) fn day_of(instant: Timestamp) -> i64 {
    instant.millis().div_euclid(DAY_MS)
}

/// A date as it was given: the instant at which it begins, and the last one that it names.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReadDate {
    first: Timestamp,
    last: Timestamp,
}

impl ReadDate {
    /// A bare date names its whole day, and a time without a fraction its whole second: that is how
    /// rows are printed, and a row printed as the end date must be inside.
    pub(super) fn read(text: &str) -> Result<Self, ReportRefusal> {
        // The `+` of a zone is a blank in a query, unless the client escapes it.
        let instant: Result<Timestamp, _> =
            text.parse().or_else(|_| text.replace(' ', "+").parse());
        let first = instant.map_err(|_| ReportRefusal::DateFormat)?;
        let span_ms = if NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok() {
            DAY_MS
        } else if text.contains('.') {
            1
        } else {
            1000
        };
        let last = first + Duration::milliseconds(span_ms - 1);
        Ok(Self { first, last })
    }
}

/// From one date to another, both inclusive.
pub(super) fn between(start: ReadDate, end: ReadDate) -> Result<Window, ReportRefusal> {
    if end.last < start.first {
        return Err(ReportRefusal::EndBeforeStart);
    }
    if end.first - start.first > Duration::days(SPAN_DAYS_MAX) {
        return Err(ReportRefusal::TooLong);
    }
    Ok(Window {
        first: start.first,
        last: end.last,
    })
}
