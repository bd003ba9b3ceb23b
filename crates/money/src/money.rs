//! Amounts of money: adding, scaling and splitting them without losing a minor unit.

use std::cmp::Ordering;
use std::fmt;
use std::num::NonZeroU64;

use crate::decimal::digits;
use crate::rate::divide;
use crate::{Currency, Decimal, MoneyError, Rate, Rounding};

/// An exact amount: minor units (cents, yen, fils) with their currency.
///
/// Amounts have no `<`: those of two currencies cannot be compared, so [`Money::compare`] answers
/// with a `Result`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

impl Money {
    /// The amount of so many minor units: 50000 of USD is 500.00 USD.
    pub fn from_minor(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in a currency.
    pub fn zero(currency: Currency) -> Self {
        Self::from_minor(0, currency)
    }

    /// The amount a decimal means in a currency. Refused, never rounded, if it needs more decimal
    /// places than the currency has; zeros do not count, as 10.500 USD is exactly 10.50 USD.
    pub fn from_decimal(amount: &Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let missing = currency
            .exponent()
            .checked_sub(amount.scale())
            .ok_or_else(|| MoneyError::TooPrecise {
                amount: amount.to_string(),
                currency,
            })?;
        let minor = amount.mantissa().checked_mul(10_i128.pow(missing.into()));
        narrow(minor, currency, || format!("{amount} {currency}"))
    }

    /// The minor units.
    pub fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    pub fn currency(self) -> Currency {
        self.currency
    }

    /// Whether the amount is zero.
    pub fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// Whether the amount is above zero.
    pub fn is_positive(self) -> bool {
        self.minor > 0
    }

    /// Whether the amount is below zero.
    pub fn is_negative(self) -> bool {
        self.minor < 0
    }

    /// The sum of two amounts of one currency.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let minor = i128::from(self.minor) + i128::from(other.minor);
        narrow(Some(minor), self.currency, || {
            format!("{self} plus {other}")
        })
    }

    /// The difference of two amounts of one currency.
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let minor = i128::from(self.minor) - i128::from(other.minor);
        narrow(Some(minor), self.currency, || {
            format!("{self} minus {other}")
        })
    }

    /// The amount with the other sign. Refused only for the least `i64`, which has no opposite.
    pub fn negated(self) -> Result<Self, MoneyError> {
        Self::zero(self.currency).checked_sub(self)
    }

    /// Which of two amounts of one currency is the larger.
    pub fn compare(self, other: Self) -> Result<Ordering, MoneyError> {
        self.same_currency(other)?;
        Ok(self.minor.cmp(&other.minor))
    }

    /// The amount times a rate, brought to whole minor units as `rounding` says.
    pub fn times(self, rate: &Rate, rounding: Rounding) -> Result<Self, MoneyError> {
        let minor = rate.of(self.minor, rounding);
        narrow(Some(minor), self.currency, || {
            format!("{self} times {rate}")
        })
    }

    /// So many parts of the amount out of a whole: a third is `share(1, 3, …)`, brought to whole
    /// minor units as `rounding` says.
    pub fn share(
        self,
        part: u64,
        whole: NonZeroU64,
        rounding: Rounding,
    ) -> Result<Self, MoneyError> {
        // 63 and 64 bits: the product always fits.
        let product = i128::from(self.minor) * i128::from(part);
        let minor = divide(product, whole.get().into(), rounding);
        narrow(Some(minor), self.currency, || {
            format!("{part} of {whole} parts of {self}")
        })
    }

    /// Splits the amount in proportion to the weights, one share for each; the shares sum to the
    /// whole. Each share is rounded toward zero, and the units left over go one by one to the
    /// shares that lost most, the earlier first among equals. A weight of zero gets zero.
    pub fn allocate(self, weights: &[u64]) -> Result<Vec<Self>, MoneyError> {
        let total: u128 = weights.iter().copied().map(u128::from).sum();
        if total == 0 {
            return Err(MoneyError::NoWeights {
                amount: self.to_string(),
            });
        }
        let magnitude = u128::from(self.minor.unsigned_abs());
        let products = || weights.iter().map(|&weight| magnitude * u128::from(weight));
        let mut shares: Vec<u128> = products().map(|product| product / total).collect();
        let left_over = magnitude - shares.iter().sum::<u128>();

        let mut by_loss: Vec<(u128, &mut u128)> = products()
            .map(|product| product % total)
            .zip(&mut shares)
            .collect();
        by_loss.sort_by(|(one, _), (other, _)| other.cmp(one));
        for (_, (_, share)) in (0..left_over).zip(by_loss) {
            *share += 1;
        }
        shares
            .into_iter()
            .map(|share| self.with_magnitude(share))
            .collect()
    }

    /// The amount as a plain decimal.
    pub fn to_decimal(self) -> Decimal {
        Decimal::new(self.minor.into(), self.currency.exponent())
    }

    /// All the digits the currency has: `1000.00` USD, `5.120` KWD, `500` JPY.
    pub fn fixed(self) -> String {
        digits(self.minor.into(), self.currency.exponent())
    }

    /// Only the digits that matter: `500`, `100.5`, `0`.
    pub fn shortest(self) -> String {
        self.to_decimal().to_string()
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            return Ok(());
        }
        Err(MoneyError::CurrencyMismatch {
            left: self.currency,
            right: other.currency,
        })
    }

    /// An amount of this sign and currency, of so many minor units.
    fn with_magnitude(self, magnitude: u128) -> Result<Self, MoneyError> {
        let minor = i128::try_from(magnitude).ok();
        let minor = if self.is_negative() {
            minor.map(|minor| -minor)
        } else {
            minor
        };
        narrow(minor, self.currency, || format!("a share of {self}"))
    }
}

/// All the currency's digits and its code: `500.00 USD`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} {}", self.fixed(), self.currency))
    }
}

/// Brings a wide result (`None`: too wide even for that) back to an amount, or says what it was.
fn narrow(
    minor: Option<i128>,
    currency: Currency,
    what: impl FnOnce() -> String,
) -> Result<Money, MoneyError> {
    minor
        .and_then(|minor| i64::try_from(minor).ok())
        .map(|minor| Money::from_minor(minor, currency))
        .ok_or_else(|| MoneyError::OutOfRange { what: what() })
}
