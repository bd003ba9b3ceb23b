//! What the catalog's fees and taxes come to on a reservation: the lines that it adds to those that
//! the client wrote. It knows neither who wrote the catalog nor when a reservation is priced.
//!
//! Fees come first, then the taxes that the fare has in it already, then those on top. Every line
//! is brought to whole minor units once, to the nearest, a half upwards; a tax inside several fees
//! once for each. A line of nothing is left out.

mod nights;

use std::num::NonZeroU64;

use contract::ObjectId;
use contract::fee::{AdditionalFee, TargetFee};
use contract::id::InvoiceItemId;
use contract::tax::{Channel, Quantifier, Tax, Units};
use money::{Currency, Decimal, Money, MoneyError, Rounding};
use serde::{Deserialize, Serialize};

use super::Rejection;
use super::amount::{MINOR_MAX, PERCENT_PLACES, in_currency};
use super::invoice::{ADDITIONAL_FEE, ADJUSTMENT, CLEANING, FARE, Item, is_fare};
use nights::nightly;

/// How many parts make a whole, when a percentage of [`PERCENT_PLACES`] decimal places is to be a
/// whole number of them.
const PARTS: u64 = 100 * 10_u64.pow(PERCENT_PLACES as u32);

/// The fees and taxes that a listing's reservations are priced with.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Catalog {
    pub(crate) taxes: Vec<Tax>,
    pub(crate) fees: Vec<AdditionalFee>,
}

impl Catalog {
    /// The taxes of the listing's level; its own fees after those of its account whose types it has
    /// not.
    pub(crate) fn new(
        taxes: Vec<Tax>,
        mut of_account: Vec<AdditionalFee>,
        of_listing: Vec<AdditionalFee>,
    ) -> Self {
        let is_own = |kind: &str| of_listing.iter().any(|own| own.terms.kind == kind);
        of_account.retain(|fee| !is_own(&fee.terms.kind));
        of_account.extend(of_listing);
        Self {
            taxes,
            fees: of_account,
        }
    }
}

/// What of a reservation its price depends on, beside its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Booking {
    pub(crate) check_in: chrono::NaiveDate,
    /// At least one.
    pub(crate) nights: u32,
    pub(crate) guests: i64,
    pub(crate) channel: Channel,
    pub(crate) source: String,
    pub(crate) currency: Currency,
}

/// A line that the catalog adds, still without an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// The fee or tax.
    pub(crate) origin: ObjectId,
    pub(crate) title: String,
    pub(crate) amount: Money,
    pub(crate) normal_type: &'static str,
    pub(crate) second_identifier: Option<String>,
}

impl Line {
    fn tax(tax: &Tax, channel: Channel, amount: Money) -> Self {
        Self {
            origin: tax.id.0,
            title: title(tax, channel),
            amount,
            normal_type: tax.terms.kind.normal_type(),
            second_identifier: None,
        }
    }

    /// What makes up for a line that the fare has in it already.
    fn taken_out_of_the_fare(&self) -> Result<Self, Rejection> {
        Ok(Self {
            title: format!("{}, included in the fare", self.title),
            amount: self.amount.negated().map_err(beyond)?,
            normal_type: ADJUSTMENT,
            second_identifier: None,
            origin: self.origin,
        })
    }

    /// The line as one of an invoice.
    pub(crate) fn item(self, id: InvoiceItemId) -> Item {
        Item {
            id,
            title: self.title,
            description: None,
            amount: self.amount,
            normal_type: self.normal_type.to_owned(),
            second_identifier: self.second_identifier,
            is_locked: false,
            origin: Some(self.origin),
        }
    }
}

/// The lines that the catalog adds to those that the client wrote.
pub(crate) fn price(
    written: &[Item],
    catalog: &Catalog,
    booking: &Booking,
) -> Result<Vec<Line>, Rejection> {
    let mut charges = charges(written, booking.currency);
    let mut lines = Vec::new();
    for fee in &catalog.fees {
        if is_automatic(fee, booking)
            && let Some(line) = fee_line(fee, written, booking)?
        {
            if fee.terms.is_deducted {
                let deduction = line.taken_out_of_the_fare()?;
                charges[0].add(deduction.amount)?;
                lines.push(deduction);
            }
            charges.push(Charge::of_line(&line));
            lines.push(line);
        }
    }
    let active = || catalog.taxes.iter().filter(|tax| is_active(tax, booking));
    let (included, on_top): (Vec<&Tax>, Vec<&Tax>) =
        active().partition(|tax| is_included(tax, booking.channel));
    for line in included_taxes(&included, &charges, booking)? {
        let deduction = line.taken_out_of_the_fare()?;
        charges[0].add(deduction.amount)?;
        lines.extend([deduction, line]);
    }
    for tax in on_top {
        let amount = tax_on_top(tax, &charges, booking)?;
        if amount.is_positive() {
            lines.push(Line::tax(tax, booking.channel, amount));
        }
    }
    for line in &lines {
        check_amount(line)?;
    }
    Ok(lines)
}

/// Something that a tax can be on.
#[derive(Debug, Clone)]
struct Charge {
    normal_type: String,
    second_identifier: Option<String>,
    amount: Money,
}

impl Charge {
    fn of_line(line: &Line) -> Self {
        Self {
            normal_type: line.normal_type.to_owned(),
            second_identifier: line.second_identifier.clone(),
            amount: line.amount,
        }
    }

    fn add(&mut self, amount: Money) -> Result<(), Rejection> {
        self.amount = self.amount.checked_add(amount).map_err(beyond)?;
        Ok(())
    }

    /// Whether a tax is on it. One that names no fee is on the fare.
    fn is_taxed_by(&self, tax: &Tax) -> bool {
        let names = |code: &str| tax.terms.applied_on_fees.iter().any(|fee| fee == code);
        tax.terms.applied_to_all_fees
            || names(&self.normal_type)
            || self.second_identifier.as_deref().is_some_and(names)
            || (tax.terms.applied_on_fees.is_empty() && self.normal_type == FARE)
    }
}

/// The fare with its adjustments and discounts as one charge, always the first; then each line that
/// is neither part of it nor a tax.
fn charges(written: &[Item], currency: Currency) -> Vec<Charge> {
    let fare = written.iter().filter(|item| is_fare(&item.normal_type));
    let fare = Charge {
        normal_type: FARE.to_owned(),
        second_identifier: None,
        amount: Money::from_minor(fare.map(|item| item.amount.minor()).sum(), currency),
    };
    let others = written
        .iter()
        .filter(|item| !is_fare(&item.normal_type) && !item.is_tax())
        .map(|item| Charge {
            normal_type: item.normal_type.clone(),
            second_identifier: item.second_identifier.clone(),
            amount: item.amount,
        });
    std::iter::once(fare).chain(others).collect()
}

/// Whether a fee is put on a reservation by itself. No channel stands behind another one here, so
/// those of Rentals United never match.
fn is_automatic(fee: &AdditionalFee, booking: &Booking) -> bool {
    let terms = &fee.terms;
    let is_source = |source: &String| source.eq_ignore_ascii_case(&booking.source);
    let is_of_platform =
        terms.all_platforms || terms.automation_platforms.contains(&booking.channel);
    let is_of_source = booking.channel == Channel::Manual
        && (terms.all_sources || terms.automation_sources.iter().any(is_source));
    terms.is_automated && (is_of_platform || is_of_source)
}

fn fee_line(
    fee: &AdditionalFee,
    written: &[Item],
    booking: &Booking,
) -> Result<Option<Line>, Rejection> {
    let terms = &fee.terms;
    let amount = match (terms.is_percentage, terms.target_fee, terms.multiplier) {
        (true, Some(target), _) => {
            let base = target_of(target, written, booking.currency);
            let parts = parts(&terms.value)?;
            share(base, parts, PARTS)?
        }
        (false, _, Some(multiplier)) => {
            let one = fixed(&terms.name, &terms.value, booking.currency)?;
            times(one, factor(multiplier, booking))?
        }
        // A fee is not kept without the one that it needs.
        _ => Money::zero(booking.currency),
    };
    let line = Line {
        origin: fee.id.0,
        title: terms.name.clone(),
        amount,
        normal_type: ADDITIONAL_FEE,
        second_identifier: Some(terms.kind.clone()),
    };
    Ok(Some(line).filter(|line| line.amount.is_positive()))
}

/// What a fee's percentage is of: what the client wrote, not what the catalog adds.
fn target_of(target: TargetFee, written: &[Item], currency: Currency) -> Money {
    let counts = |item: &&Item| match target {
        TargetFee::Payout => !item.is_tax(),
        TargetFee::CleaningFee => item.normal_type == CLEANING,
        TargetFee::AccommodationFare => is_fare(&item.normal_type),
    };
    let minor = written
        .iter()
        .filter(counts)
        .map(|item| item.amount.minor());
    Money::from_minor(minor.sum(), currency)
}

fn is_active(tax: &Tax, booking: &Booking) -> bool {
    let is_off = |channel| {
        overridden(tax, channel).is_some_and(|on_channel| on_channel.is_active == Some(false))
    };
    let longest = tax
        .terms
        .conditional_overrides
        .as_ref()
        .and_then(|conditions| conditions.max_night_count_to_apply_on);
    !is_off(booking.channel) && longest.is_none_or(|longest| booking.nights < longest)
}

/// Whether the fare has the tax in it already.
fn is_included(tax: &Tax, channel: Channel) -> bool {
    let terms = &tax.terms;
    let by_default =
        terms.is_applied_by_default && terms.applied_by_default_on_channels.contains(&channel);
    overridden(tax, channel)
        .and_then(|on_channel| on_channel.is_inclusive)
        .unwrap_or(terms.is_inclusive || by_default)
}

fn title(tax: &Tax, channel: Channel) -> String {
    overridden(tax, channel)
        .and_then(|on_channel| on_channel.name.clone())
        .or_else(|| tax.terms.name.clone())
        .unwrap_or_else(|| tax.terms.kind.title().to_owned())
}

fn overridden(tax: &Tax, channel: Channel) -> Option<&contract::tax::ChannelOverride> {
    let mut others = tax.terms.channel_overrides.iter();
    others.find(|other| other.channel == channel)
}

/// The taxes that the fare has in it already. Each charge is the net and the percentages on it: with
/// 10 % and 5 %, 115 hundredths of the net, 10 and 5 of which are the taxes.
fn included_taxes(
    taxes: &[&Tax],
    charges: &[Charge],
    booking: &Booking,
) -> Result<Vec<Line>, Rejection> {
    let mut amounts = vec![Money::zero(booking.currency); taxes.len()];
    let mut percentages = Vec::new();
    for (place, tax) in taxes.iter().enumerate() {
        match tax.terms.units {
            Units::Fixed => amounts[place] = fixed_tax(tax, booking)?,
            Units::Percentage => percentages.push((place, tax, percentage(tax, booking)?)),
        }
    }
    for charge in charges {
        let on_it = || {
            percentages
                .iter()
                .filter(|(_, tax, _)| charge.is_taxed_by(tax))
        };
        let gross = whole(booking) + on_it().map(|(_, _, parts)| parts).sum::<u64>();
        for (place, _, parts) in on_it() {
            let inside = share(charge.amount, *parts, gross)?;
            amounts[*place] = amounts[*place].checked_add(inside).map_err(beyond)?;
        }
    }
    let lines = taxes.iter().zip(amounts);
    Ok(lines
        .filter(|(_, amount)| amount.is_positive())
        .map(|(tax, amount)| Line::tax(tax, booking.channel, amount))
        .collect())
}

fn tax_on_top(tax: &Tax, charges: &[Charge], booking: &Booking) -> Result<Money, Rejection> {
    if tax.terms.units == Units::Fixed {
        return fixed_tax(tax, booking);
    }
    let on = charges.iter().filter(|charge| charge.is_taxed_by(tax));
    let base: i64 = on.map(|charge| charge.amount.minor()).sum();
    let base = Money::from_minor(base, booking.currency);
    share(base, percentage(tax, booking)?, whole(booking))
}

/// A percentage as parts of [`whole`]: the sum of the nights', as the fees are spread over the
/// nights evenly. It is taken once, whatever the quantifier: the fees are of all nights and guests.
fn percentage(tax: &Tax, booking: &Booking) -> Result<u64, Rejection> {
    nightly(&tax.terms, booking).map(parts).sum()
}

fn whole(booking: &Booking) -> u64 {
    PARTS * u64::from(booking.nights)
}

/// A tax that is not a share of anything. One that is taken once goes by the first night.
fn fixed_tax(tax: &Tax, booking: &Booking) -> Result<Money, Rejection> {
    let name = title(tax, booking.channel);
    let mut nights = nightly(&tax.terms, booking);
    let guests = match tax.terms.quantifier {
        Quantifier::PerGuest | Quantifier::PerGuestPerNight => booking.guests,
        Quantifier::PerNight | Quantifier::PerStay => 1,
    };
    let nights: Vec<&Decimal> = match tax.terms.quantifier {
        Quantifier::PerStay | Quantifier::PerGuest => nights.next().into_iter().collect(),
        Quantifier::PerNight | Quantifier::PerGuestPerNight => nights.collect(),
    };
    let mut sum = Money::zero(booking.currency);
    for amount in nights {
        let amount = fixed(&name, amount, booking.currency)?;
        sum = sum.checked_add(amount).map_err(beyond)?;
    }
    times(sum, guests)
}

/// How often a fee is taken.
fn factor(multiplier: Quantifier, booking: &Booking) -> i64 {
    let nights = i64::from(booking.nights);
    match multiplier {
        Quantifier::PerStay => 1,
        Quantifier::PerNight => nights,
        Quantifier::PerGuest => booking.guests,
        Quantifier::PerGuestPerNight => nights * booking.guests,
    }
}

/// A fixed amount in the reservation's currency, which may not be the one that it was meant in.
fn fixed(name: &str, amount: &Decimal, currency: Currency) -> Result<Money, Rejection> {
    in_currency("", amount, currency).map_err(|_| {
        Rejection::invalid(
            "money.currency",
            format!(
                "{name} is {amount}, which is no amount in {currency}: change that tax or fee, or \
                 write the reservation's taxes yourself"
            ),
        )
    })
}

fn times(amount: Money, factor: i64) -> Result<Money, Rejection> {
    let minor = amount.minor().checked_mul(factor).ok_or_else(too_much)?;
    Ok(Money::from_minor(minor, amount.currency()))
}

/// The parts of [`PARTS`] that a percentage is.
fn parts(percent: &Decimal) -> Result<u64, Rejection> {
    let parts = percent.scaled(PERCENT_PLACES);
    parts
        .and_then(|parts| u64::try_from(parts).ok())
        .ok_or_else(too_much)
}

fn share(amount: Money, part: u64, whole: u64) -> Result<Money, Rejection> {
    let whole = NonZeroU64::new(whole).unwrap_or(NonZeroU64::MIN);
    amount.share(part, whole, Rounding::HalfUp).map_err(beyond)
}

fn check_amount(line: &Line) -> Result<(), Rejection> {
    if line.amount.minor().unsigned_abs() > MINOR_MAX.unsigned_abs() {
        return Err(too_much());
    }
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "map_err hands it over")]
fn beyond(error: MoneyError) -> Rejection {
    Rejection::invalid("money", error.to_string())
}

fn too_much() -> Rejection {
    Rejection::invalid("money", "the catalog's fees and taxes come to too much")
}

#[cfg(test)]
mod tests;
