//! Instants: UTC, to the millisecond, as the wire prints them (`2023-08-14T13:05:00.263Z`).

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;

use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveDateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Years outside this range are taken for a mistake and refused.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=9999;

/// A text that is not an instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a date: give an ISO 8601 date such as 2023-05-30 or 2023-05-30T12:00:00.000Z, \
     from 1970 to 9999"
)]
pub struct InvalidTimestamp;

/// An instant in UTC, in whole milliseconds since 1970: SQLite and PostgreSQL keep more digits than
/// the wire does, and not the same ones, so the rest is cut before anything is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "diesel",
    derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow),
    diesel(sql_type = diesel::sql_types::BigInt)
)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant so many milliseconds after 1970 began in UTC.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970 began in UTC.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970 began in UTC.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The same instant as a calendar date and time.
    pub fn to_datetime(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or_default()
    }

    /// The calendar date in UTC.
    pub fn date(self) -> NaiveDate {
        self.to_datetime().date_naive()
    }

    /// Midnight, UTC, at the start of a date.
    pub fn start_of(date: NaiveDate) -> Self {
        Self(
            date.and_time(chrono::NaiveTime::MIN)
                .and_utc()
                .timestamp_millis(),
        )
    }

    /// Without a zone and to the second, as GuestyPay's reports print it: `2025-09-15T02:20:45`.
    pub fn to_report_text(self) -> String {
        self.to_datetime().format("%Y-%m-%dT%H:%M:%S").to_string()
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(instant: DateTime<Utc>) -> Self {
        Self(instant.timestamp_millis())
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span.num_milliseconds()))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(span.num_milliseconds()))
    }
}

impl Sub for Timestamp {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        Duration::milliseconds(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            &self
                .to_datetime()
                .to_rfc3339_opts(SecondsFormat::Millis, true),
        )
    }
}

/// Reads a date, a date with a time (taken for UTC), or one with a zone.
impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        let instant = DateTime::parse_from_rfc3339(text)
            .map(|instant| instant.naive_utc())
            .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f"))
            .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M"))
            .or_else(|_| {
                NaiveDate::parse_from_str(text, "%Y-%m-%d")
                    .map(|date| date.and_time(chrono::NaiveTime::MIN))
            })
            .map_err(|_| InvalidTimestamp)?;
        if !YEARS.contains(&instant.year()) {
            return Err(InvalidTimestamp);
        }
        Ok(Self(instant.and_utc().timestamp_millis()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "diesel")]
mod sql {
    use diesel::backend::Backend;
    use diesel::deserialize::{self, FromSql};
    use diesel::serialize::{self, Output, ToSql};
    use diesel::sql_types::BigInt;

    use super::Timestamp;

    impl<DB: Backend> ToSql<BigInt, DB> for Timestamp
    where
        i64: ToSql<BigInt, DB>,
    {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
            self.0.to_sql(out)
        }
    }

    impl<DB: Backend> FromSql<BigInt, DB> for Timestamp
    where
        i64: FromSql<BigInt, DB>,
    {
        fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
            Ok(Self(i64::from_sql(bytes)?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        text.parse::<Timestamp>()
            .ok()
            .map(|instant| instant.to_string())
    }

    #[test]
    fn dates_are_read_with_and_without_time_and_zone() {
        for (text, instant) in [
            ("2023-08-14", "2023-08-14T00:00:00.000Z"),
            ("2023-08-14T13:05", "2023-08-14T13:05:00.000Z"),
            ("2023-08-14T13:05:00", "2023-08-14T13:05:00.000Z"),
            ("2023-08-14T13:05:00.263Z", "2023-08-14T13:05:00.263Z"),
            ("2023-08-14T13:05:00.263999Z", "2023-08-14T13:05:00.263Z"),
            ("2023-08-14T15:05:00.263+02:00", "2023-08-14T13:05:00.263Z"),
        ] {
            assert_eq!(read(text).as_deref(), Some(instant), "{text}");
        }
    }

    #[test]
    fn absurd_dates_are_refused() {
        for text in [
            "",
            "tomorrow",
            "2023-02-30",
            "0001-01-01",
            "99999-01-01",
            "2023-08-14T25:00:00Z",
            "1692018300",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
