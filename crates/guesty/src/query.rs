//! What to ask lists for.

use chrono::{Days, NaiveDate};
use serde_json::{Value, json};

use crate::page::PAGE_SIZE_MAX;

/// The most days from a report's first to its last.
const REPORT_DAYS_MAX: u64 = 31;

/// What of a reservation is asked for when nothing else is said: all that is read of it.
const RESERVATION_FIELDS: &str = "accountId listingId guestId status confirmationCode source \
    integration checkIn checkOut checkInDateLocalized checkOutDateLocalized nightsCount \
    guestsCount guest listing money createdAt confirmedAt canceledAt canceledBy \
    cancellationReason lastUpdatedAt atTimeOfConfirmation";

/// Parameters, by name and value.
pub(crate) type Parameters = Vec<(String, String)>;

/// Which listings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListingQuery {
    /// Those in use, or those that are not. The source has no way to ask for both at once.
    pub active: bool,
    /// How many at once, at most 100.
    pub page_size: u32,
    /// How many to pass over, to go on where reading was interrupted.
    pub skip: u64,
}

impl Default for ListingQuery {
    fn default() -> Self {
        Self {
            active: true,
            page_size: PAGE_SIZE_MAX,
            skip: 0,
        }
    }
}

impl ListingQuery {
    pub(crate) fn parameters(&self) -> Parameters {
        vec![
            ("active".to_owned(), self.active.to_string()),
            ("sort".to_owned(), "_id".to_owned()),
        ]
    }
}

/// A condition on a field of reservations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter(Value);

impl Filter {
    /// A condition with any of the source's operators: `$eq`, `$gte`, `$in`, …
    pub fn new(field: &str, operator: &str, value: impl Into<Value>) -> Self {
        Self(json!({"field": field, "operator": operator, "value": value.into()}))
    }

    /// The field is this.
    pub fn is(field: &str, value: &str) -> Self {
        Self::new(field, "$eq", value)
    }

    /// The field is this or after it.
    pub fn from(field: &str, value: &str) -> Self {
        Self::new(field, "$gte", value)
    }

    /// The field is this or before it.
    pub fn until(field: &str, value: &str) -> Self {
        Self::new(field, "$lte", value)
    }
}

/// Which reservations, and what of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReservationQuery {
    /// All of these hold.
    pub filters: Vec<Filter>,
    /// The fields, separated by blanks.
    pub fields: String,
    /// The field that they are sorted by; with a `-` before it, the last first. Pages of another
    /// order than that of ids change when a reservation does.
    pub sort: String,
    /// How many at once, at most 100.
    pub page_size: u32,
    /// How many to pass over, to go on where reading was interrupted.
    pub skip: u64,
}

impl Default for ReservationQuery {
    fn default() -> Self {
        Self {
            filters: Vec::new(),
            fields: RESERVATION_FIELDS.to_owned(),
            sort: "_id".to_owned(),
            page_size: PAGE_SIZE_MAX,
            skip: 0,
        }
    }
}

impl ReservationQuery {
    /// All that meet these conditions.
    pub fn matching(filters: impl IntoIterator<Item = Filter>) -> Self {
        Self {
            filters: filters.into_iter().collect(),
            ..Self::default()
        }
    }

    pub(crate) fn parameters(&self) -> Parameters {
        let mut parameters = self.fields();
        parameters.push(("sort".to_owned(), self.sort.clone()));
        if !self.filters.is_empty() {
            let filters = self.filters.iter().map(|filter| filter.0.clone()).collect();
            parameters.push(("filters".to_owned(), Value::Array(filters).to_string()));
        }
        parameters
    }

    pub(crate) fn fields(&self) -> Parameters {
        vec![("fields".to_owned(), self.fields.clone())]
    }
}

/// A span of dates that no report can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidWindow {
    /// It ends before it begins.
    #[error("the window ends on {end}, before it begins on {start}")]
    Reversed {
        /// Its first date.
        start: NaiveDate,
        /// Its last date.
        end: NaiveDate,
    },
    /// It is too long.
    #[error(
        "the window from {start} to {end} is longer than {REPORT_DAYS_MAX} days: ask for it in \
         parts"
    )]
    TooLong {
        /// Its first date.
        start: NaiveDate,
        /// Its last date.
        end: NaiveDate,
    },
}

/// Dates that a report can be asked for: both ends belong to it, and it ends at most 31 days after
/// it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    start: NaiveDate,
    end: NaiveDate,
}

impl Window {
    /// From one date to another.
    pub fn new(start: NaiveDate, end: NaiveDate) -> Result<Self, InvalidWindow> {
        if end < start {
            return Err(InvalidWindow::Reversed { start, end });
        }
        if start
            .checked_add_days(Days::new(REPORT_DAYS_MAX))
            .is_some_and(|last| end > last)
        {
            return Err(InvalidWindow::TooLong { start, end });
        }
        Ok(Self { start, end })
    }

    /// The windows that cover all dates from one to another, none of them twice.
    pub fn tile(start: NaiveDate, end: NaiveDate) -> impl Iterator<Item = Self> {
        let next = move |start: NaiveDate| {
            let last = start.checked_add_days(Days::new(REPORT_DAYS_MAX));
            let end = last.map_or(end, |last| last.min(end));
            (start <= end).then_some(Self { start, end })
        };
        std::iter::successors(next(start), move |window| next(window.end.succ_opt()?))
    }

    /// Its first date.
    pub fn start(self) -> NaiveDate {
        self.start
    }

    /// Its last date.
    pub fn end(self) -> NaiveDate {
        self.end
    }
}

/// Which rows of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportFilter {
    /// Those of some dates.
    Dates {
        /// The dates: of transactions the merchant's, of payouts those of sending.
        window: Window,
        /// Of this processing account alone: `1387.2`.
        sub_account_id: Option<String>,
    },
    /// Those of a reservation.
    Reservation {
        /// Its confirmation code.
        confirmation_code: String,
    },
}

/// Which rows of a report, and how many at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportQuery {
    /// Which rows.
    pub filter: ReportFilter,
    /// How many at once, at most 100.
    pub page_size: u32,
}

impl ReportQuery {
    /// All rows of some dates.
    pub fn dates(window: Window) -> Self {
        Self::of(ReportFilter::Dates {
            window,
            sub_account_id: None,
        })
    }

    /// All rows of a reservation.
    pub fn reservation(confirmation_code: impl Into<String>) -> Self {
        Self::of(ReportFilter::Reservation {
            confirmation_code: confirmation_code.into(),
        })
    }

    fn of(filter: ReportFilter) -> Self {
        Self {
            filter,
            page_size: PAGE_SIZE_MAX,
        }
    }

    pub(crate) fn parameters(&self) -> Parameters {
        let named = |name: &str, value: String| (name.to_owned(), value);
        match &self.filter {
            ReportFilter::Dates {
                window,
                sub_account_id,
            } => {
                let mut parameters = vec![
                    named("startDate", window.start.to_string()),
                    named("endDate", window.end.to_string()),
                ];
                parameters.extend(sub_account_id.clone().map(|id| named("subAccountId", id)));
                parameters
            }
            ReportFilter::Reservation { confirmation_code } => {
                vec![named(
                    "reservationConfirmationCode",
                    confirmation_code.clone(),
                )]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn date(days: u64) -> NaiveDate {
        NaiveDate::from_ymd_opt(2020, 1, 1).unwrap() + Days::new(days)
    }

    #[test]
    fn a_window_of_31_days_is_the_longest() {
        assert!(Window::new(date(0), date(0)).is_ok());
        assert!(Window::new(date(0), date(31)).is_ok());
        let too_long = Window::new(date(0), date(32)).unwrap_err();
        assert!(
            too_long.to_string().contains("longer than 31 days"),
            "{too_long}"
        );
        assert!(Window::new(date(1), date(0)).is_err());
        assert!(Window::new(date(0), NaiveDate::MAX).is_err());
    }

    proptest! {
        #[test]
        fn tiles_cover_every_date_once(start in 0..4_000_u64, days in 0..2_000_u64) {
            let (start, end) = (date(start), date(start + days));
            let mut next = start;
            for window in Window::tile(start, end) {
                prop_assert_eq!(window.start(), next);
                prop_assert!(Window::new(window.start(), window.end()).is_ok());
                next = window.end() + Days::new(1);
            }
            prop_assert_eq!(next, end + Days::new(1));
        }
    }

    #[test]
    fn nothing_is_tiled_with_nothing() {
        assert_eq!(Window::tile(date(1), date(0)).count(), 0);
    }
}
