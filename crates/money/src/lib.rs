//! Exact amounts, rates and ISO 4217 currencies.
//!
//! A [`Money`] is an `i64` of minor units with its [`Currency`]. On the wire an amount is a
//! [`Decimal`]: its digits, without a currency. A [`Rate`] scales an amount and names its
//! [`Rounding`] at each call. Every operation is exact or refuses: nothing is rounded unasked,
//! nothing wraps, and no float takes part.
//!
//! This crate refuses to know processors (how *they* count minor units), exchange rates and
//! locales.

mod currency;
mod decimal;
mod error;
mod money;
mod rate;
mod schema;
mod wire;

pub use currency::Currency;
pub use decimal::Decimal;
pub use error::MoneyError;
pub use money::Money;
pub use rate::{Rate, Rounding};
pub use wire::{Fixed, FixedText, number_or_text};
