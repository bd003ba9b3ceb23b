//! Dates and times of day as a property's own calendar and clock show them, without a zone.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate, NaiveTime};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Years outside this range are taken for a mistake and refused.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=9999;

/// A text that is not a date.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a date: give YYYY-MM-DD, such as 2023-05-30, from 1970 to 9999")]
pub struct InvalidDate;

/// A text that is not a time of day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a time of day: give HH:MM, such as 15:00")]
pub struct InvalidTime;

/// A date at the property: `2023-05-30`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalDate(pub NaiveDate);

/// A time of day at the property, to the minute: `15:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalTime(pub NaiveTime);

impl FromStr for LocalDate {
    type Err = InvalidDate;

    fn from_str(text: &str) -> Result<Self, InvalidDate> {
        const LENGTH: usize = "2023-05-30".len();
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| InvalidDate)?;
        if text.len() != LENGTH || !YEARS.contains(&date.year()) {
            return Err(InvalidDate);
        }
        Ok(Self(date))
    }
}

impl FromStr for LocalTime {
    type Err = InvalidTime;

    fn from_str(text: &str) -> Result<Self, InvalidTime> {
        NaiveTime::parse_from_str(text, "%H:%M")
            .or_else(|_| NaiveTime::parse_from_str(text, "%H:%M:00"))
            .map(Self)
            .map_err(|_| InvalidTime)
    }
}

impl fmt::Display for LocalDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.format("%H:%M").fmt(f)
    }
}

macro_rules! written_as_text {
    ($($kind:ty),+) => {$(
        impl Serialize for $kind {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $kind {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}

written_as_text!(LocalDate, LocalTime);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_read_and_print_alike() {
        for text in ["2023-05-30", "1970-01-01", "9999-12-31", "2024-02-29"] {
            assert_eq!(text.parse::<LocalDate>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "2023-5-30",
            "2023-02-29",
            "0001-01-01",
            "10000-01-01",
            "2023-05-30T00:00",
        ] {
            assert_eq!(text.parse::<LocalDate>(), Err(InvalidDate), "{text}");
        }
    }

    #[test]
    fn times_read_and_print_alike() {
        assert_eq!("15:00".parse::<LocalTime>().unwrap().to_string(), "15:00");
        assert_eq!(
            "09:30:00".parse::<LocalTime>().unwrap().to_string(),
            "09:30"
        );
        for text in ["", "24:00", "noon", "15:00:30"] {
            assert_eq!(text.parse::<LocalTime>(), Err(InvalidTime), "{text}");
        }
    }
}
