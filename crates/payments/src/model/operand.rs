//! Values that fields are compared with, as JSON says them and as the database holds them.

use chrono::NaiveDate;
use contract::local::LocalDate;
use contract::{ObjectId, Timestamp};
use money::Decimal;
use serde_json::Value;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An id.
    Id,
    /// A text.
    Text,
    /// An instant.
    Instant,
    /// A date of the property's calendar.
    Date,
    /// A whole number.
    Count,
    /// An amount of money, in whatever currency the row has.
    Amount,
    /// True or false.
    Flag,
}

/// A value to compare with, as the database holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Operand {
    Text(String),
    /// Milliseconds, a count, or ten-thousandths of a currency.
    Number(i64),
    Date(NaiveDate),
    Flag(bool),
}

/// Reads a value to compare a field of this kind with.
pub(super) fn read_operand(value: &Value, field: &str, kind: Kind) -> Result<Operand, String> {
    let wrong = |reason: &dyn std::fmt::Display| {
        format!("{} is no value for {field}: {reason}", shown(value))
    };
    match (kind, value) {
        (Kind::Text, Value::String(text)) if text.contains('\0') => {
            Err(wrong(&"it contains a NUL character"))
        }
        (Kind::Text, Value::String(text)) => Ok(Operand::Text(text.clone())),
        (Kind::Id, Value::String(text)) => text
            .parse()
            .map(|id: ObjectId| Operand::Text(id.to_string()))
            .map_err(|error| wrong(&error)),
        (Kind::Instant, Value::String(text)) => text
            .parse()
            .map(|instant: Timestamp| Operand::Number(instant.millis()))
            .map_err(|error| wrong(&error)),
        (Kind::Date, Value::String(text)) => text
            .parse()
            .map(|date: LocalDate| Operand::Date(date.0))
            .map_err(|error| wrong(&error)),
        (Kind::Count, Value::Number(number)) => number
            .as_i64()
            .map(Operand::Number)
            .ok_or_else(|| wrong(&"a whole number is needed")),
        (Kind::Amount, Value::Number(number)) => number
            .as_str()
            .parse()
            .map_err(|error: money::MoneyError| wrong(&error))
            .and_then(|amount| ten_thousandths(&amount).map_err(|reason| wrong(&reason))),
        (Kind::Flag, Value::Bool(flag)) => Ok(Operand::Flag(*flag)),
        (Kind::Text | Kind::Id, _) => Err(wrong(&"a text is needed")),
        (Kind::Instant | Kind::Date, _) => Err(wrong(
            &"a date such as \"2023-05-30\" is needed; relative values are not supported",
        )),
        (Kind::Count | Kind::Amount, _) => Err(wrong(&"a number without quotes is needed")),
        (Kind::Flag, _) => Err(wrong(&"true or false is needed")),
    }
}

/// The amount in ten-thousandths: no currency has more than four decimal places.
fn ten_thousandths(amount: &Decimal) -> Result<Operand, &'static str> {
    const PLACES: usize = 4;
    let text = amount.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    if fraction.len() > PLACES {
        return Err("no currency has more than four decimal places");
    }
    format!("{whole}{fraction:0<PLACES$}")
        .parse()
        .map(Operand::Number)
        .map_err(|_| "it is too large")
}

/// A value as a message repeats it.
pub(super) fn shown(value: &Value) -> String {
    shortened(&value.to_string())
}

/// A text as a message repeats it: it may be as long as a request.
pub(super) fn shortened(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
