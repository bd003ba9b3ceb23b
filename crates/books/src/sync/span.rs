//! Dates from one to another.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

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

impl Span {
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
