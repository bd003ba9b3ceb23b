//! The amount that a tax has for each night of a stay.

use chrono::{Days, NaiveDate};
use contract::tax::{ConditionalOverrides, DateRange, MonthDay, NightRange, TaxTerms};
use money::Decimal;

use super::Booking;

/// The amounts of the nights, one by one: the first that the rules have for it, or else the tax's
/// own.
pub(super) fn nightly<'a>(
    terms: &'a TaxTerms,
    booking: &'a Booking,
) -> impl Iterator<Item = &'a Decimal> {
    let conditions = terms.conditional_overrides.as_ref();
    let dates = std::iter::successors(Some(booking.check_in), |date| {
        date.checked_add_days(Days::new(1))
    });
    (1..=booking.nights).zip(dates).map(move |(night, date)| {
        conditions
            .and_then(|conditions| overriding(conditions, night, date))
            .unwrap_or(&terms.amount)
    })
}

fn overriding(conditions: &ConditionalOverrides, night: u32, date: NaiveDate) -> Option<&Decimal> {
    let rules = conditions.rules.iter();
    let mut of_date = rules.filter(|rule| rule.date_range.is_none_or(|range| holds(range, date)));
    of_date.find_map(|rule| {
        let mut ranges = rule.night_ranges.iter();
        let range = ranges.find(|range| counts(range, night))?;
        Some(&range.amount)
    })
}

/// Whether a date is within days of every year, which may lead over the end of the year.
fn holds(range: DateRange, date: NaiveDate) -> bool {
    let day = MonthDay::from(date);
    if range.from <= range.to {
        (range.from..=range.to).contains(&day)
    } else {
        day >= range.from || day <= range.to
    }
}

fn counts(range: &NightRange, night: u32) -> bool {
    range.from <= night && range.to.is_none_or(|to| night <= to)
}
