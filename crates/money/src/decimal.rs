//! Exact decimal numbers: amounts before their currency is known.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use crate::MoneyError;
use crate::error::excerpt;

/// An exact decimal number of at most 38 digits, zeros that do not matter left out: `10.500` is
/// the number `10.5`, and equal to it.
///
/// Texts follow JSON's grammar without the exponent: `-12.50` and `0.5`, but not `+1`, `.5`, `5.`,
/// `007` or `1e3`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Decimal {
    // The value is mantissa / 10^scale, in lowest terms, so that equal numbers have equal fields.
    mantissa: i128,
    scale: u8,
}

impl Decimal {
    /// The most digits that always fit the mantissa.
    pub const DIGITS_MAX: u8 = 38;

    /// The number `mantissa / 10^scale`. The caller keeps both within [`Self::DIGITS_MAX`] digits.
    pub(crate) fn new(mut mantissa: i128, mut scale: u8) -> Self {
        while scale > 0 && mantissa % 10 == 0 {
            mantissa /= 10;
            scale -= 1;
        }
        Self { mantissa, scale }
    }

    pub(crate) fn mantissa(&self) -> i128 {
        self.mantissa
    }

    /// How many decimal places the number needs.
    pub fn scale(&self) -> u8 {
        self.scale
    }

    /// The number times `10^places`, if that is a whole number and fits.
    pub fn scaled(&self, places: u8) -> Option<i128> {
        let missing = places.checked_sub(self.scale)?;
        self.mantissa
            .checked_mul(10_i128.checked_pow(missing.into())?)
    }

    /// Whether the number is zero.
    pub fn is_zero(&self) -> bool {
        self.mantissa == 0
    }

    /// Whether the number is below zero.
    pub fn is_negative(&self) -> bool {
        self.mantissa < 0
    }
}

impl From<i64> for Decimal {
    fn from(whole: i64) -> Self {
        Self::new(whole.into(), 0)
    }
}

impl FromStr for Decimal {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let (negative, whole, fraction) = split(text)?;
        let whole = whole.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');

        let too_many = || MoneyError::TooManyDigits {
            text: excerpt(text),
            max: Self::DIGITS_MAX.into(),
        };
        if whole.len() + fraction.len() > usize::from(Self::DIGITS_MAX) {
            return Err(too_many());
        }
        let magnitude = whole
            .bytes()
            .chain(fraction.bytes())
            .fold(0_i128, |value, digit| value * 10 + i128::from(digit - b'0'));
        let scale = u8::try_from(fraction.len()).map_err(|_| too_many())?;
        Ok(Self::new(
            if negative { -magnitude } else { magnitude },
            scale,
        ))
    }
}

/// The parts of a number in JSON's grammar: whether it is negative, its whole digits, its decimals.
fn split(text: &str) -> Result<(bool, &str, &str), MoneyError> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (unsigned, None),
    };
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    if is_digits(whole) && fraction.is_none_or(is_digits) && !leading_zero {
        return Ok((
            unsigned.len() < text.len(),
            whole,
            fraction.unwrap_or_default(),
        ));
    }
    Err(if has_exponent(unsigned) {
        MoneyError::Exponent {
            text: excerpt(text),
        }
    } else {
        MoneyError::NotADecimal {
            text: excerpt(text),
        }
    })
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn has_exponent(unsigned: &str) -> bool {
    unsigned
        .split_once(['e', 'E'])
        .is_some_and(|(number, power)| {
            let power = power.strip_prefix(['+', '-']).unwrap_or(power);
            number.starts_with(|first: char| first.is_ascii_digit()) && is_digits(power)
        })
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        // Whole part first, then the decimals widened to the same scale: neither overflows.
        let parts = |number: &Self| {
            let unit = 10_i128.pow(number.scale.into());
            let widen = 10_i128.pow((Self::DIGITS_MAX - number.scale).into());
            (number.mantissa / unit, number.mantissa % unit * widen)
        };
        parts(self).cmp(&parts(other))
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The shortest form: `500`, `100.5`, `-0.05`.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&digits(self.mantissa, self.scale))
    }
}

/// Writes `mantissa / 10^scale` with exactly `scale` decimal places.
pub(crate) fn digits(mantissa: i128, scale: u8) -> String {
    let sign = if mantissa < 0 { "-" } else { "" };
    let magnitude = mantissa.unsigned_abs();
    if scale == 0 {
        return format!("{sign}{magnitude}");
    }
    let unit = 10_u128.pow(scale.into());
    let (whole, fraction) = (magnitude / unit, magnitude % unit);
    format!("{sign}{whole}.{fraction:0width$}", width = scale.into())
}
