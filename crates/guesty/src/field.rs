//! Fields as they are met: the source prints one amount as a number and the next as a string,
//! leaves fields out, and has values that no document names. Reading a field never fails; what
//! cannot be read is kept as the text that it was.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// A field of a reply.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Field<T> {
    /// Left out, null, or an empty string.
    #[default]
    Absent,
    /// Read.
    Value(T),
    /// Something else than the field should hold: its text, or its JSON if it is no scalar.
    Odd(String),
}

impl<T> Field<T> {
    /// The value, if there is one that can be read.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Odd(_) => None,
        }
    }

    /// What could not be read, so that it can be flagged.
    pub fn odd(&self) -> Option<&str> {
        match self {
            Self::Odd(text) => Some(text),
            Self::Absent | Self::Value(_) => None,
        }
    }

    /// Whether there is nothing.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

impl<T: Copy> Field<T> {
    /// The value itself, if there is one that can be read.
    pub fn get(&self) -> Option<T> {
        self.value().copied()
    }
}

impl Field<String> {
    /// The text, empty if there is none.
    pub fn text(&self) -> &str {
        match self {
            Self::Value(text) | Self::Odd(text) => text,
            Self::Absent => "",
        }
    }
}

impl<T: FromStr> Field<T> {
    fn read(text: &str) -> Self {
        if text.is_empty() {
            return Self::Absent;
        }
        match text.parse() {
            Ok(value) => Self::Value(value),
            Err(_) => Self::Odd(text.to_owned()),
        }
    }
}

impl<'de, T: FromStr> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldVisitor(PhantomData))
    }
}

/// Marks what could not be read when a field is written.
const ODD: &str = "?";

impl<T: fmt::Display> Serialize for Field<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent => serializer.serialize_unit(),
            Self::Value(value) => serializer.collect_str(value),
            Self::Odd(text) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry(ODD, text)?;
                map.end()
            }
        }
    }
}

/// The text of an odd field that was written by us.
fn written_odd(value: &Value) -> Option<&str> {
    let fields = value.as_object().filter(|fields| fields.len() == 1)?;
    fields.get(ODD)?.as_str()
}

struct FieldVisitor<T>(PhantomData<T>);

impl<'de, T: FromStr> Visitor<'de> for FieldVisitor<T> {
    type Value = Field<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Field<T>, E> {
        Ok(Field::read(text))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Field<T>, E> {
        Ok(Field::read(if value { "true" } else { "false" }))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Field<T>, E> {
        Ok(Field::read(&number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Field<T>, E> {
        Ok(Field::read(&number.to_string()))
    }

    fn visit_unit<E>(self) -> Result<Field<T>, E> {
        Ok(Field::Absent)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Field<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element::<Value>()? {
            list.push(item);
        }
        Ok(Field::Odd(Value::Array(list).to_string()))
    }

    /// An object, or a number: with `arbitrary_precision` numbers come as maps that only
    /// `serde_json` can read, with all their digits.
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Field<T>, A::Error> {
        Ok(match Value::deserialize(MapAccessDeserializer::new(map))? {
            Value::Number(number) => Field::read(number.as_str()),
            other => Field::Odd(match written_odd(&other) {
                Some(text) => text.to_owned(),
                None => other.to_string(),
            }),
        })
    }
}

/// Reads the body of a reply that is one object. Without this a list would do as well: its items would be taken for the fields
/// in their order.
pub fn read_object<T: DeserializeOwned>(body: &[u8]) -> Result<T, serde_json::Error> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    if first != Some(&b'{') {
        serde_json::from_slice::<IgnoredAny>(body)?;
        return Err(serde_json::Error::custom("it is no object"));
    }
    serde_json::from_slice(body)
}

/// Reads a list that may be null.
pub(crate) fn list<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads an object that may be null.
pub(crate) fn object<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Deserialize<'de> + Default,
    D: Deserializer<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use contract::Timestamp;
    use money::{Currency, Decimal};
    use proptest::prelude::*;

    use super::*;

    fn read<T: FromStr>(json: &str) -> Field<T> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn an_amount_is_read_from_a_number_and_from_a_string_with_all_its_digits() {
        for digits in [
            "1000.00",
            "-0.05",
            "563000000000000.29",
            "0",
            "12345678901234567890",
        ] {
            let amount = Field::Value(digits.parse::<Decimal>().unwrap());
            assert_eq!(read(digits), amount, "{digits}");
            assert_eq!(read(&format!("\"{digits}\"")), amount, "{digits}");
        }
    }

    #[test]
    fn what_is_no_amount_is_kept_as_it_was() {
        for (json, text) in [
            ("\"1,000.00\"", "1,000.00"),
            ("\"n/a\"", "n/a"),
            // The exponent is no amount, though `serde_json` gives it a sign.
            ("1e3", "1e+3"),
            ("true", "true"),
            ("[1, 2.50]", "[1,2.50]"),
            ("{\"amount\": 1.10}", "{\"amount\":1.10}"),
        ] {
            assert_eq!(read::<Decimal>(json), Field::Odd(text.to_owned()), "{json}");
        }
    }

    #[test]
    fn a_field_that_was_written_is_read_as_it_was() {
        fn again<T: FromStr + fmt::Display + PartialEq + fmt::Debug>(json: &str) {
            let field = read::<T>(json);
            let written = serde_json::to_string(&field).unwrap();
            assert_eq!(read::<T>(&written), field, "{json}, {written}");
        }
        for json in [
            "1000.50",
            "\"n/a\"",
            "null",
            "true",
            "[1, 2.50]",
            "{\"?\": 1}",
            "{}",
        ] {
            again::<Decimal>(json);
            again::<bool>(json);
            again::<String>(json);
            again::<Timestamp>(json);
        }
        assert_eq!(
            serde_json::to_string(&read::<Decimal>("1e3")).unwrap(),
            r#"{"?":"1e+3"}"#
        );
        assert_eq!(
            serde_json::to_string(&read::<Decimal>("10.50")).unwrap(),
            r#""10.5""#
        );
    }

    #[test]
    fn null_and_the_empty_string_are_nothing() {
        assert!(read::<Decimal>("null").is_absent());
        assert!(read::<String>("\"\"").is_absent());
    }

    #[test]
    fn a_text_keeps_the_digits_of_a_number() {
        assert_eq!(read::<String>("1234").text(), "1234");
        assert_eq!(read::<String>("\"0042\"").text(), "0042");
    }

    #[test]
    fn an_unknown_currency_is_kept_to_be_flagged() {
        assert_eq!(read::<Currency>("\"XXQ\"").odd(), Some("XXQ"));
        assert_eq!(read::<Timestamp>("\"soon\"").odd(), Some("soon"));
    }

    proptest! {
        #[test]
        fn any_json_text_is_read(text in "\\PC{0,60}") {
            let json = serde_json::to_string(&text).unwrap();
            let field: Field<Decimal> = read(&json);
            match (text.is_empty(), text.parse::<Decimal>()) {
                (true, _) => prop_assert!(field.is_absent()),
                (_, Ok(value)) => prop_assert_eq!(field, Field::Value(value)),
                (_, Err(_)) => prop_assert_eq!(field, Field::Odd(text)),
            }
        }

        #[test]
        fn no_digit_of_a_number_is_lost(whole in 0..=i64::MAX, cents in 0..100_u8, negative: bool) {
            let sign = if negative { "-" } else { "" };
            let digits = format!("{sign}{whole}.{cents:02}");
            prop_assert_eq!(read::<Decimal>(&digits), Field::Value(digits.parse().unwrap()));
        }
    }
}
