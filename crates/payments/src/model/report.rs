//! What a request for the transaction report asks for, or why it is refused.
//!
//! The checks run in one order: each parameter by itself (`skip`, `take`, dates, sub-account, code),
//! then all together, so that a wrong request always gets the same refusal. Texts are the documented
//! ones, letter by letter.

use chrono::{Duration, NaiveDate};
use contract::Timestamp;

/// How many rows a page has when nothing is said.
const TAKE_DEFAULT: i64 = 25;
/// How many rows a page can have.
const TAKE_MAX: i64 = 100;
/// How far the end of a report may be from its start.
const SPAN_DAYS_MAX: i64 = 31;
const DAY_MS: i64 = 86_400_000;

/// The parameters as they were sent; none counts when it is empty.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parameters {
    /// `startDate`
    pub(crate) start_date: Option<String>,
    /// `endDate`
    pub(crate) end_date: Option<String>,
    /// `reservationConfirmationCode`
    pub(crate) confirmation_code: Option<String>,
    /// `subAccountId`
    pub(crate) sub_account_id: Option<String>,
    /// `skip`
    pub(crate) skip: Option<String>,
    /// `take`
    pub(crate) take: Option<String>,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReportRequest {
    /// Which rows.
    pub(crate) filter: Filter,
    /// How many of them come before the page.
    pub(crate) skip: i64,
    /// How many the page has at most.
    pub(crate) take: i64,
}

/// Which rows are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Filter {
    /// All of a span of time, or one sub-account's.
    Dates {
        /// The span.
        window: Window,
        /// The sub-account, such as `1387.2`.
        sub_account_id: Option<String>,
    },
    /// A reservation's.
    ConfirmationCode(String),
}

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

/// Why a report is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReportRefusal {
    /// `skip` is no number, or below zero.
    #[error("skip must be 0 or more")]
    Skip,
    /// `take` is no number, or out of range.
    #[error("take must be between 1 and {TAKE_MAX}")]
    Take,
    /// A date that cannot be read.
    #[error("Invalid date format")]
    DateFormat,
    /// Not `number.number`.
    #[error("Invalid sub account ID (format must be accountId.subAccountId)")]
    SubAccountFormat,
    /// No code has such a character, and the database takes none.
    #[error("reservationConfirmationCode must not contain a NUL character")]
    NulInCode,
    /// A parameter was sent twice.
    #[error("{0} must be given only once")]
    Repeated(&'static str),
    /// A code, and a sub-account or dates with it.
    #[error("Cannot use confirmation code with date range or sub account ID")]
    CodeWithSubAccount,
    /// A code, and dates.
    #[error("Cannot filter by date range and confirmation code at the same time")]
    CodeWithDates,
    /// Neither a code nor both dates.
    #[error("Date range or reservation confirmation code is required")]
    NothingAsked,
    /// The dates are in the wrong order.
    #[error("End date cannot be before start date")]
    EndBeforeStart,
    /// The dates are too far apart.
    #[error("Date range cannot exceed 1 month")]
    TooLong,
    /// The account has no processor whose books could be reported.
    #[error("Payment provider not found")]
    NoProvider,
}

impl Parameters {
    /// What the parameters ask for.
    pub(crate) fn read(&self) -> Result<ReportRequest, ReportRefusal> {
        let skip = given(self.skip.as_ref()).map_or(Some(0), number);
        let skip = skip.ok_or(ReportRefusal::Skip)?;
        let take = given(self.take.as_ref()).map_or(Some(TAKE_DEFAULT), number);
        let take = take
            .filter(|take| (1..=TAKE_MAX).contains(take))
            .ok_or(ReportRefusal::Take)?;
        let start = given(self.start_date.as_ref())
            .map(ReadDate::read)
            .transpose()?;
        let end = given(self.end_date.as_ref())
            .map(ReadDate::read)
            .transpose()?;
        let sub_account_id = given(self.sub_account_id.as_ref())
            .map(sub_account)
            .transpose()?;
        let code = given(self.confirmation_code.as_ref());
        if code.is_some_and(|code| code.contains('\0')) {
            return Err(ReportRefusal::NulInCode);
        }

        let filter = match (code, start, end) {
            (Some(_), _, _) if sub_account_id.is_some() => {
                return Err(ReportRefusal::CodeWithSubAccount);
            }
            (Some(code), None, None) => Filter::ConfirmationCode(code.to_owned()),
            (Some(_), _, _) => return Err(ReportRefusal::CodeWithDates),
            (None, Some(start), Some(end)) => Filter::Dates {
                window: window(start, end)?,
                sub_account_id,
            },
            (None, _, _) => return Err(ReportRefusal::NothingAsked),
        };
        Ok(ReportRequest { filter, skip, take })
    }
}

fn given(parameter: Option<&String>) -> Option<&str> {
    parameter
        .map(String::as_str)
        .filter(|text| !text.is_empty())
}

/// A number of digits alone. One that is too large for us is as good as the largest.
fn number(digits: &str) -> Option<i64> {
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(i64::MAX))
}

fn sub_account(text: &str) -> Result<String, ReportRefusal> {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    match text.split_once('.') {
        Some((account, sub)) if is_number(account) && is_number(sub) => Ok(text.to_owned()),
        _ => Err(ReportRefusal::SubAccountFormat),
    }
}

/// A date as it was given: the instant at which it begins, and the last one that it names.
#[derive(Debug, Clone, Copy)]
struct ReadDate {
    first: Timestamp,
    last: Timestamp,
}

impl ReadDate {
    /// A bare date names its whole day, and a time without a fraction its whole second: that is how
    /// rows are printed, and a row printed as the end date must be inside.
    fn read(text: &str) -> Result<Self, ReportRefusal> {
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

fn window(start: ReadDate, end: ReadDate) -> Result<Window, ReportRefusal> {
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
