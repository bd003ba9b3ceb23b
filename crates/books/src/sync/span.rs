//! Dates from one to another.

use chrono::{Months, NaiveDate};
use serde::{Deserialize, Serialize};

use super::Part;
use super::reports::MONTHS_MAX;

/// No source is as old as this.
const EARLIEST: NaiveDate = match NaiveDate::from_ymd_opt(2000, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};
/// How far ahead stays are booked.
const MONTHS_AHEAD: Months = Months::new(24);

/// Dates from one to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Dates")]
pub struct Span {
    from: NaiveDate,
    to: NaiveDate,
}

/// Dates in either order.
#[derive(Deserialize)]
struct Dates {
    from: NaiveDate,
    to: NaiveDate,
}

impl TryFrom<Dates> for Span {
    type Error = InvalidSpan;

    fn try_from(dates: Dates) -> Result<Self, InvalidSpan> {
        Self::new(dates.from, dates.to)
    }
}

/// Dates in the wrong order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the dates end on {to}, before they begin on {from}: give the earlier one first")]
pub struct InvalidSpan {
    from: NaiveDate,
    to: NaiveDate,
}

/// Dates on which no source has anything, or too many for one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableSpan {
    /// It begins too early.
    #[error("the dates begin on {0}, and there is nothing before {EARLIEST}: give a later one")]
    TooEarly(NaiveDate),
    /// It ends too late.
    #[error("the dates end on {to}, more than two years ahead: give {latest} or an earlier one")]
    TooLate {
        /// Its last date.
        to: NaiveDate,
        /// The last one that can be.
        latest: NaiveDate,
    },
    /// It has more months of reports than one run reads.
    #[error("the dates are more than ten years, which are too many for payments: give fewer")]
    TooLong,
    /// Nothing that is to be read has dates.
    #[error("only reservations and payments have dates: name one of them, or give no dates")]
    NoDates,
}

impl Span {
    /// Whether anything can be read of it for some parts, on some day.
    pub fn check(self, parts: &[Part], today: NaiveDate) -> Result<(), UnreadableSpan> {
        let latest = today.checked_add_months(MONTHS_AHEAD).unwrap_or(today);
        if self.from < EARLIEST {
            return Err(UnreadableSpan::TooEarly(self.from));
        }
        if self.to > latest {
            let to = self.to;
            return Err(UnreadableSpan::TooLate { to, latest });
        }
        if !parts.iter().any(|part| part.has_dates()) {
            return Err(UnreadableSpan::NoDates);
        }
        if parts.contains(&Part::Payments) && !self.is_within(MONTHS_MAX) {
            return Err(UnreadableSpan::TooLong);
        }
        Ok(())
    }

    /// Whether it is no longer than so many months.
    fn is_within(self, months: Months) -> bool {
        (self.from.checked_add_months(months)).is_none_or(|end| self.to < end)
    }

    /// From one date to another.
    pub fn new(from: NaiveDate, to: NaiveDate) -> Result<Self, InvalidSpan> {
        if to < from {
            return Err(InvalidSpan { from, to });
        }
        Ok(Self { from, to })
    }

    /// The first date.
    pub fn from(self) -> NaiveDate {
        self.from
    }

    /// The last date.
    pub fn to(self) -> NaiveDate {
        self.to
    }
}
