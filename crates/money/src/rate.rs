//! Rates that scale an amount, and the ways to round the result.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::excerpt;
use crate::{Decimal, MoneyError, number_or_text};

/// An exact factor of at most 18 digits: 0.029, which is also `Rate::from_percent("2.9")`.
///
/// Its texts and its JSON are the factor. It serialises as a string and is read from a string or
/// a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Rate(Decimal);

/// How a result between two minor units is brought to one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rounding {
    /// To the nearest; a half goes away from zero: 0.5 becomes 1, −0.5 becomes −1.
    HalfUp,
    /// To the nearest; a half goes to the even neighbour: 0.5 becomes 0, 1.5 becomes 2.
    HalfEven,
    /// Toward zero: 0.9 becomes 0, −0.9 becomes 0.
    Down,
    /// Away from zero: 0.1 becomes 1, −0.1 becomes −1.
    Up,
}

impl Rate {
    /// With so few digits no product with 64 bits of minor units outgrows an `i128`.
    const DIGITS_MAX: u32 = 18;

    /// The rate of so many in a hundred: "2.9" is the factor 0.029.
    pub fn from_percent(text: &str) -> Result<Self, MoneyError> {
        Self::percent(text.parse()?)
    }

    /// The rate of so many in a hundred.
    pub fn percent(percent: Decimal) -> Result<Self, MoneyError> {
        let scale = percent.scale() + 2;
        if scale > Decimal::DIGITS_MAX {
            return Err(too_many_digits(&percent));
        }
        Self::factor(Decimal::new(percent.mantissa(), scale))
    }

    /// The rate that multiplies by this number.
    pub fn factor(factor: Decimal) -> Result<Self, MoneyError> {
        if factor.mantissa().unsigned_abs() >= 10_u128.pow(Self::DIGITS_MAX) {
            return Err(too_many_digits(&factor));
        }
        Ok(Self(factor))
    }

    /// The factor.
    pub fn to_decimal(self) -> Decimal {
        self.0
    }

    /// So many minor units times the rate.
    pub(crate) fn of(self, minor: i64, rounding: Rounding) -> i128 {
        let product = i128::from(minor) * self.0.mantissa();
        divide(product, 10_i128.pow(self.0.scale().into()), rounding)
    }
}

fn too_many_digits(number: &Decimal) -> MoneyError {
    MoneyError::TooManyDigits {
        text: excerpt(&number.to_string()),
        max: Rate::DIGITS_MAX,
    }
}

/// The quotient by a positive number, rounded to a whole one.
pub(crate) fn divide(dividend: i128, divisor: i128, rounding: Rounding) -> i128 {
    let toward_zero = dividend / divisor;
    let rest = (dividend % divisor).abs();
    // Compared with what is missing to the next unit: doubling the rest could overflow.
    let missing = divisor - rest;
    let away = match rounding {
        Rounding::HalfUp => rest >= missing,
        Rounding::HalfEven => rest > missing || (rest == missing && toward_zero % 2 != 0),
        Rounding::Down => false,
        Rounding::Up => rest > 0,
    };
    if away {
        toward_zero + dividend.signum()
    } else {
        toward_zero
    }
}

impl FromStr for Rate {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        Self::factor(text.parse()?)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::factor(number_or_text(deserializer)?).map_err(serde::de::Error::custom)
    }
}
