//! Amounts in JSON: read and written digit by digit, never through a float.
//!
//! With `arbitrary_precision` `serde_json` hands over a fraction as a map that only its own
//! [`Number`] understands. Unlike `RawValue`, that survives `flatten` and untagged enums.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Unexpected, Visitor};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Number;

use crate::error::excerpt;
use crate::{Decimal, Money};

/// Serialises an amount as a JSON number with all the digits its currency has: `1000.00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fixed(pub Money);

/// Serialises an amount as a string with all the digits its currency has: `"1000.00"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FixedText(pub Money);

impl Serialize for Fixed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_number(&self.0.fixed(), serializer)
    }
}

impl Serialize for FixedText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.fixed())
    }
}

/// A JSON number in its shortest form.
impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_number(&self.to_string(), serializer)
    }
}

fn serialize_number<S: Serializer>(digits: &str, serializer: S) -> Result<S::Ok, S::Error> {
    let number: Number = digits.parse().map_err(S::Error::custom)?;
    number.serialize(serializer)
}

/// Only from a JSON number; [`number_or_text`] reads a string too.
impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DecimalVisitor { texts: false })
    }
}

/// Reads a decimal from a JSON number or from a string with its digits, for senders that are not
/// of one mind: `#[serde(deserialize_with = "money::number_or_text")]`.
pub fn number_or_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    deserializer.deserialize_any(DecimalVisitor { texts: true })
}

struct DecimalVisitor {
    texts: bool,
}

impl<'de> Visitor<'de> for DecimalVisitor {
    type Value = Decimal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.texts {
            "a number, or a string with its digits, such as 100.5 or \"100.5\""
        } else {
            "a JSON number without quotes, such as 100.5"
        })
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Decimal, E> {
        parse(&value.to_string())
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Decimal, E> {
        parse(&value.to_string())
    }

    fn visit_i128<E: serde::de::Error>(self, value: i128) -> Result<Decimal, E> {
        parse(&value.to_string())
    }

    fn visit_u128<E: serde::de::Error>(self, value: u128) -> Result<Decimal, E> {
        parse(&value.to_string())
    }

    /// JSON text never comes this way, but a `serde_json::Value` does when its float prints as the
    /// text that was read. It compares two printers, which break ties differently
    /// (563000000000000.2 and .3 are one float), so only digits that every float keeps are taken.
    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Decimal, E> {
        let number: Decimal = parse(&value.to_string())?;
        if number.mantissa().unsigned_abs() < 10_u128.pow(f64::DIGITS) {
            return Ok(number);
        }
        Err(E::custom(format_args!(
            "a float keeps only {} digits of a number: read this one from its JSON text",
            f64::DIGITS
        )))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Decimal, E> {
        if self.texts {
            return parse(text);
        }
        Err(E::invalid_type(Unexpected::Str(&excerpt(text)), &self))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Decimal, A::Error> {
        match Number::deserialize(MapAccessDeserializer::new(map)) {
            Ok(number) => parse(number.as_str()),
            Err(_) => Err(A::Error::invalid_type(Unexpected::Map, &self)),
        }
    }
}

fn parse<E: serde::de::Error>(digits: &str) -> Result<Decimal, E> {
    digits.parse().map_err(E::custom)
}
