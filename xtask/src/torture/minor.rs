//! Amounts in minor units, of currencies with two digits, read from the very digits on the wire.

use anyhow::{Context, Result, bail};
use serde_json::{Number, Value};

/// An amount as a reply prints it: a JSON number, in major units.
pub(super) fn read(value: &Value) -> Result<i64> {
    let Value::Number(number) = value else {
        bail!("{value} is no amount");
    };
    let text = number.to_string();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.as_str()),
    };
    let (major, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = match fraction.len() {
        0 => "00".to_owned(),
        1 => format!("{fraction}0"),
        2 => fraction.to_owned(),
        _ => bail!("{text} has more than two digits"),
    };
    let minor: i64 = format!("{major}{fraction}")
        .parse()
        .with_context(|| format!("{text} is no amount"))?;
    Ok(sign * minor)
}

/// The same way back.
pub(super) fn print(minor: i64) -> Result<Number> {
    Ok(format!("{}.{:02}", minor / 100, minor % 100).parse()?)
}

/// An amount for people.
pub(super) fn show(minor: i64) -> String {
    format!("{}.{:02}", minor / 100, (minor % 100).abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_and_printed_to_the_cent() {
        for (text, minor) in [("12", 1200), ("12.5", 1250), ("12.05", 1205), ("0.01", 1)] {
            let value: Value = serde_json::from_str(text).unwrap();
            assert_eq!(read(&value).unwrap(), minor);
            let printed = Value::Number(print(minor).unwrap());
            assert_eq!(read(&printed).unwrap(), minor);
        }
        let value: Value = serde_json::from_str("-3.10").unwrap();
        assert_eq!(read(&value).unwrap(), -310);
    }

    #[test]
    fn what_is_no_amount_of_two_digits_is_refused() {
        for text in ["\"1\"", "1.001", "1e2", "null"] {
            let value: Value = serde_json::from_str(text).unwrap();
            assert!(read(&value).is_err(), "{text}");
        }
    }
}
