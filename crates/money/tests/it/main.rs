//! The crate's behaviour, seen through its public interface.

#![expect(clippy::unwrap_used, reason = "the helpers below serve tests alone")]

mod currency;
mod decimal;
mod money;
mod rate;
mod wire;

use ::money::{Currency, Decimal, Money};

fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn amount(text: &str, code: &str) -> Money {
    Money::from_decimal(&decimal(text), currency(code)).unwrap()
}
