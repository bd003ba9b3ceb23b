//! Automatic payments: what a policy may say, how it shares out a reservation's total, and when each
//! instalment is due. Which payments follow from that is decided on the folio.

use chrono::{Days, NaiveDate, NaiveTime};
use chrono_tz::Tz;
use contract::Timestamp;
use contract::auto_payment::{Instalment, Policy, PolicyFields, Share, When};
use contract::local::LocalTime;
use money::{Currency, Decimal, Money};

use super::{Rejection, stay};

/// The most instalments of a policy.
const INSTALMENTS_MAX: usize = 12;
/// The most days before or after a stay.
const DAYS_MAX: u16 = 730;
/// Percentages have at most so many decimal places.
const PERCENTAGE_PLACES: u8 = 4;
/// Sources of reservations that guests pay for where they book.
const COLLECTING_CHANNELS: [&str; 2] = ["airbnb", "airbnb2"];
/// A hundred per cent, in units of the last of them.
const WHOLE: u64 = 1_000_000;

/// A stay, as far as dates are counted from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dates {
    pub(crate) confirmed: Timestamp,
    pub(crate) check_in: NaiveDate,
    pub(crate) check_out: NaiveDate,
    pub(crate) timezone: Tz,
}

/// The policy that a client wrote, its fixed amounts in `usual` unless it says otherwise.
pub(crate) fn check(written: &PolicyFields, usual: Currency) -> Result<Policy, Rejection> {
    let currency = written.currency.unwrap_or(usual);
    let instalments = &written.policy;
    if instalments.len() > INSTALMENTS_MAX {
        return Err(Rejection::invalid(
            "policy",
            format!(
                "it has at most {INSTALMENTS_MAX} instalments, not {}",
                instalments.len()
            ),
        ));
    }
    let checked = instalments.iter().enumerate().map(|(index, instalment)| {
        check_share(instalment, index, currency)?;
        if instalment.share == Share::Rest && index + 1 < instalments.len() {
            return Err(field(index, "type", "REST can only be the last instalment"));
        }
        dated(instalment, index)
    });
    let policy = Policy {
        policy: checked.collect::<Result<_, _>>()?,
        currency,
    };
    check_whole(&policy.policy)?;
    Ok(policy)
}

fn field(index: usize, name: &str, reason: impl Into<String>) -> Rejection {
    Rejection::invalid(format!("policy[{index}].{name}"), reason)
}

fn check_share(instalment: &Instalment, index: usize, currency: Currency) -> Result<(), Rejection> {
    let bad = |reason: String| Err(field(index, "value", reason));
    match (instalment.share, &instalment.value) {
        (Share::Rest, None) => Ok(()),
        (Share::Rest, Some(_)) => bad("REST is what the others leave, and has no value".to_owned()),
        (Share::Percentage, Some(value)) => match parts(value) {
            Some(1..=WHOLE) => Ok(()),
            _ => bad(format!(
                "give a percentage above 0 and up to 100, with at most {PERCENTAGE_PLACES} decimal \
                 places"
            )),
        },
        (Share::Fixed, Some(value)) => match Money::from_decimal(value, currency) {
            Ok(amount) if amount.is_positive() => Ok(()),
            Ok(_) => bad("give an amount above 0".to_owned()),
            Err(error) => bad(error.to_string()),
        },
        (Share::Percentage | Share::Fixed, None) => {
            bad("it is required, unless the type is REST".to_owned())
        }
    }
}

/// A percentage in parts of [`WHOLE`].
fn parts(percentage: &Decimal) -> Option<u64> {
    u64::try_from(percentage.scaled(PERCENTAGE_PLACES)?).ok()
}

/// The instalment with its date in full.
fn dated(instalment: &Instalment, index: usize) -> Result<Instalment, Rejection> {
    if instalment.when == When::Confirmation {
        if instalment.days.is_some() || instalment.time.is_some() {
            let reason = "an instalment at CONFIRMATION has neither days nor time";
            return Err(field(index, "when", reason));
        }
        return Ok(instalment.clone());
    }
    let days = instalment.days.unwrap_or(0);
    if days > DAYS_MAX {
        return Err(field(index, "days", format!("give at most {DAYS_MAX}")));
    }
    Ok(Instalment {
        days: Some(days),
        time: Some(instalment.time.unwrap_or(LocalTime(noon()))),
        ..instalment.clone()
    })
}

fn noon() -> NaiveTime {
    NaiveTime::MIN + chrono::Duration::hours(12)
}

/// The instalments must make up the whole, whatever that is.
fn check_whole(instalments: &[Instalment]) -> Result<(), Rejection> {
    let percentages: u64 = instalments.iter().map(weight).sum();
    let has_fixed = instalments.iter().any(|one| one.share == Share::Fixed);
    let has_rest = instalments
        .last()
        .is_some_and(|last| last.share == Share::Rest);
    let reason = match (has_rest, has_fixed) {
        _ if instalments.is_empty() => return Ok(()),
        (true, _) if percentages >= WHOLE => "the percentages leave nothing for the REST",
        (true, _) => return Ok(()),
        (false, true) => "with a FIXED amount, the last instalment must be the REST",
        (false, false) if percentages == WHOLE => return Ok(()),
        (false, false) => "the percentages must sum to 100, or the last instalment be the REST",
    };
    Err(Rejection::invalid("policy", reason))
}

fn weight(instalment: &Instalment) -> u64 {
    match instalment.share {
        Share::Percentage => instalment.value.as_ref().and_then(parts).unwrap_or(0),
        Share::Fixed | Share::Rest => 0,
    }
}

/// Whether a reservation can follow the policy: the channel has not collected its total already, and
/// fixed amounts are not converted.
pub(crate) fn fits(policy: &Policy, currency: Currency, source: &str) -> bool {
    if COLLECTING_CHANNELS.contains(&source.to_lowercase().as_str()) {
        return false;
    }
    let is_fixed = |one: &Instalment| one.share == Share::Fixed;
    !policy.policy.is_empty()
        && (policy.currency == currency || !policy.policy.iter().any(is_fixed))
}

/// When an instalment is due.
pub(crate) fn due_at(instalment: &Instalment, dates: &Dates) -> Timestamp {
    let days = Days::new(instalment.days.unwrap_or(0).into());
    let date = match instalment.when {
        When::Confirmation => return dates.confirmed,
        When::BeforeCheckIn => dates.check_in.checked_sub_days(days),
        When::AfterCheckIn => dates.check_in.checked_add_days(days),
        When::BeforeCheckOut => dates.check_out.checked_sub_days(days),
        When::AfterCheckOut => dates.check_out.checked_add_days(days),
    };
    let time = instalment.time.map_or_else(noon, |time| time.0);
    // The calendar ends long after the last date that a stay may have.
    date.map_or(dates.confirmed, |date| {
        stay::instant(date, time, dates.timezone)
    })
}

/// How what is still due is spread over the instalments that are still open, named by their places in
/// the policy: fixed amounts first, the others in proportion to what they would be of the whole. The
/// amounts sum to what is due, and none is negative.
pub(crate) fn spread(policy: &Policy, total: Money, due: Money, open: &[usize]) -> Vec<Money> {
    let currency = due.currency();
    let shares = shares(policy, total);
    let is_fixed = |place: usize| {
        let instalment = policy.policy.get(place);
        instalment.is_some_and(|one| one.share == Share::Fixed)
    };
    let mut left = due.minor().max(0);
    let mut amounts = vec![0; open.len()];
    let mut weights = vec![0; open.len()];
    for (index, place) in open.iter().enumerate() {
        let share = shares.get(*place).copied().unwrap_or(0);
        if is_fixed(*place) {
            amounts[index] = share.min(left);
            left -= amounts[index];
        } else {
            weights[index] = share.unsigned_abs();
        }
    }
    let in_proportion = split(Money::from_minor(left, currency), &weights);
    let both = amounts.into_iter().zip(in_proportion);
    both.map(|(fixed, share)| Money::from_minor(fixed + share, currency))
        .collect()
}

/// What each instalment is of a whole; in order, until nothing is left.
fn shares(policy: &Policy, total: Money) -> Vec<i64> {
    let instalments = &policy.policy;
    let mut weights: Vec<u64> = instalments.iter().map(weight).collect();
    if let Some(last) = weights.last_mut().filter(|weight| **weight == 0) {
        *last = WHOLE.saturating_sub(instalments.iter().map(weight).sum());
    }
    let by_percentage = split(total, &weights);
    let mut left = total.minor().max(0);
    let shares = instalments.iter().zip(by_percentage);
    shares
        .map(|(instalment, of_percentage)| {
            let wanted = match instalment.share {
                Share::Percentage => of_percentage,
                Share::Fixed => fixed(instalment, total.currency()),
                Share::Rest => left,
            };
            let share = wanted.clamp(0, left);
            left -= share;
            share
        })
        .collect()
}

fn fixed(instalment: &Instalment, currency: Currency) -> i64 {
    let value = instalment.value.unwrap_or_default();
    Money::from_decimal(&value, currency).map_or(0, Money::minor)
}

/// An amount in proportion to weights, by largest remainder; without any, the last has it all.
fn split(amount: Money, weights: &[u64]) -> Vec<i64> {
    let Ok(shares) = amount.allocate(weights) else {
        let mut shares = vec![0; weights.len()];
        if let Some(last) = shares.last_mut() {
            *last = amount.minor();
        }
        return shares;
    };
    shares.into_iter().map(Money::minor).collect()
}

#[cfg(test)]
mod histories;
#[cfg(test)]
mod tests;
