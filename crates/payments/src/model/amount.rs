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
