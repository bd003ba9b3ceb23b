//! What can be wrong with an amount, in words fit for the person who sent it.

use thiserror::Error;

use crate::Currency;

/// Why an amount, a rate or a currency is refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum MoneyError {
    /// The text is not a plain decimal number.
    #[error(
        "\"{text}\" is not a decimal number: write digits, with a minus sign or a decimal point \
         where needed, such as 100.5"
    )]
    NotADecimal {
        /// The text as it came, cut where it is long.
        text: String,
    },

    /// The number is written with an exponent.
    #[error("\"{text}\" is written with an exponent: write out its digits, such as 1000")]
    Exponent {
        /// The text as it came, cut where it is long.
        text: String,
    },

    /// The number has more digits than the type can hold.
    #[error("\"{text}\" has too many digits: at most {max} are exact here")]
    TooManyDigits {
        /// The number, cut where it is long.
        text: String,
        /// The most digits that fit.
        max: u32,
    },

    /// No currency has this code.
    #[error(
        "\"{code}\" is not a currency: write its ISO 4217 code in three capital letters, such as \
         USD"
    )]
    UnknownCurrency {
        /// The code as it came, cut where it is long.
        code: String,
    },

    /// The code is in the standard's list, but nothing can be paid in it (gold, test codes).
    #[error("\"{code}\" has no minor unit in ISO 4217: nothing can be paid in it")]
    NoMinorUnit {
        /// The code.
        code: &'static str,
    },

    /// The amount has more decimal places than its currency.
    #[error(
        "{amount} has more decimal places than {currency}, which has {}: it would have to be \
         rounded",
        .currency.exponent()
    )]
    TooPrecise {
        /// The amount, in its shortest form.
        amount: String,
        /// The currency it was meant in.
        currency: Currency,
    },

    /// The result does not fit 64 bits of minor units.
    #[error("{what} is too large: amounts hold 64 bits of minor units")]
    OutOfRange {
        /// The amount or the sum that does not fit.
        what: String,
    },

    /// Two amounts in different currencies were to be added or compared.
    #[error("{left} and {right} are different currencies: convert one of them first")]
    CurrencyMismatch {
        /// The currency of the first amount.
        left: Currency,
        /// The currency of the second amount.
        right: Currency,
    },

    /// An amount was to be split among no one.
    #[error("{amount} cannot be split: no share has a weight above zero")]
    NoWeights {
        /// The amount with its currency.
        amount: String,
    },
}

/// The head of a text from outside, so that a huge one does not fill an error or a log.
pub(crate) fn excerpt(text: &str) -> String {
    const CHARS_MAX: usize = 48;
    match text.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
