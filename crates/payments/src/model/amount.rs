//! Amounts as clients write them, brought to a currency.

use money::{Currency, Decimal, Money};

use super::Rejection;

/// The largest amount, in minor units: beyond it, a mistake.
pub(crate) const MINOR_MAX: i64 = 1_000_000_000_000;

/// The amount in a currency; refused with more digits than the currency has, or beyond the limit.
pub(crate) fn in_currency(
    field: &str,
    amount: &Decimal,
    currency: Currency,
) -> Result<Money, Rejection> {
    let amount = Money::from_decimal(amount, currency)
        .map_err(|error| Rejection::invalid(field, error.to_string()))?;
    if amount.minor().unsigned_abs() > MINOR_MAX.unsigned_abs() {
        let limit = Money::from_minor(MINOR_MAX, currency);
        return Err(Rejection::invalid(
            field,
            format!("{amount} is beyond the limit of {limit}"),
        ));
    }
    Ok(amount)
}

/// The most decimal places of a percentage.
pub(crate) const PERCENT_PLACES: u8 = 6;

/// Refuses a percentage above 100, or with more digits than one is computed with.
pub(crate) fn check_percentage(field: &str, percent: &Decimal) -> Result<(), Rejection> {
    let hundred = Decimal::from(100);
    if *percent > hundred {
        return Err(Rejection::invalid(
            field,
            "a percentage cannot be more than 100",
        ));
    }
    if percent.scale() > PERCENT_PLACES {
        return Err(Rejection::invalid(
            field,
            format!("a percentage has at most {PERCENT_PLACES} decimal places"),
        ));
    }
    Ok(())
}
