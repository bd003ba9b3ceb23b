//! What a request for a report asks for, or why it is refused.
//!
//! The checks run in one order: each parameter by itself (`skip`, `take`, dates, sub-account, payout,
//! code), then all together, so that a wrong request always gets the same refusal. Texts are the
//! documented ones of each report, letter by letter.

mod refusal;
mod window;

pub(crate) use refusal::{ReportRefusal, Terms};
use window::{ReadDate, between};
pub(crate) use window::{Window, day_of};

/// How many rows a page has when nothing is said.
pub(crate) const TAKE_DEFAULT: i64 = 25;
/// How many rows a page can have.
pub(crate) const TAKE_MAX: i64 = 100;

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
    /// `payoutId`, which only the report on payouts knows.
    pub(crate) payout_id: Option<String>,
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
    /// All of a span of time, or a part of them.
    Dates {
        /// The span.
        window: Window,
        /// One sub-account's, such as `1387.2`.
        sub_account_id: Option<String>,
        /// One payout's.
        payout_id: Option<String>,
    },
    /// A reservation's.
    ConfirmationCode(String),
}

impl Parameters {
    /// What the parameters ask for, of the report that has these terms.
    pub(crate) fn read(&self, terms: &Terms) -> Result<ReportRequest, ReportRefusal> {
        let skip = given(self.skip.as_ref()).map_or(Some(0), number);
        let skip = skip.ok_or(ReportRefusal::Skip)?;
        let take = given(self.take.as_ref()).map_or(Some(TAKE_DEFAULT), number);
        let take = take
            .filter(|take| (1..=TAKE_MAX).contains(take))
            .ok_or(ReportRefusal::Take)?;
        let date = |text| given(text).map(ReadDate::read).transpose();
        let start = date(self.start_date.as_ref())?;
        let end = date(self.end_date.as_ref())?;
        let sub_account = given(self.sub_account_id.as_ref());
        if !sub_account.is_none_or(is_sub_account) {
            return Err(ReportRefusal::Worded(terms.sub_account_format));
        }
        let payout = without_nul("payoutId", given(self.payout_id.as_ref()))?;
        let code = given(self.confirmation_code.as_ref());
        let code = without_nul("reservationConfirmationCode", code)?;

        let filter = match (code, start, end) {
            (Some(_), _, _) if sub_account.or(payout).is_some() => {
                return Err(ReportRefusal::Worded(terms.code_with_filter));
            }
            (Some(code), None, None) => Filter::ConfirmationCode(code.to_owned()),
            (Some(_), _, _) => return Err(ReportRefusal::Worded(terms.code_with_dates)),
            (None, Some(start), Some(end)) => Filter::Dates {
                window: between(start, end)?,
                sub_account_id: sub_account.map(str::to_owned),
                payout_id: payout.map(str::to_owned),
            },
            (None, _, _) => return Err(ReportRefusal::Worded(terms.nothing_asked)),
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

fn is_sub_account(text: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let parts = text.split_once('.');
    parts.is_some_and(|(account, sub)| is_number(account) && is_number(sub))
}

fn without_nul<'a>(
    name: &'static str,
    text: Option<&'a str>,
) -> Result<Option<&'a str>, ReportRefusal> {
    match text {
        Some(text) if text.contains('\0') => Err(ReportRefusal::Nul(name)),
        other => Ok(other),
    }
}
