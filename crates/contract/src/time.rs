//! Instants: UTC, to the millisecond, as the wire prints them (`2023-08-14T13:05:00.263Z`).

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;

use chrono::{
    DateTime, Datelike, Duration, NaiveDate, NaiveDateTime, SecondsFormat, Timelike, Utc,
};
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

    /// The same instant as a calendar date and time; the calendar's end where it has none.
    pub fn to_datetime(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or(if self.0 < 0 {
            DateTime::<Utc>::MIN_UTC
        } else {
            DateTime::<Utc>::MAX_UTC
        })
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
        // A page prints hundreds: chrono's own format, which is interpreted, takes most of its time.
        let instant = self.to_datetime();
        if !(0..=9999).contains(&instant.year()) {
            return instant.format("%Y-%m-%dT%H:%M:%S").to_string();
        }
        let mut text = String::with_capacity("2025-09-15T02:20:45".len());
        let mut push = |mark: &str, number: u32| {
            text.push_str(mark);
            for place in [10, 1] {
                let digit = number / place % 10;
                text.extend(char::from_digit(digit, 10));
            }
        };
        let year = instant.year().unsigned_abs();
        push("", year / 100);
        push("", year % 100);
        push("-", instant.month());
        push("-", instant.day());
        push("T", instant.hour());
        push(":", instant.minute());
        push(":", instant.second());
        text
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
    use proptest::prelude::*;

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

    #[test]
    fn instants_outside_the_calendar_stand_at_its_ends() {
        let now: Timestamp = "2023-08-14".parse().unwrap();
        assert!(Timestamp::from_millis(i64::MAX).to_datetime() > now.to_datetime());
        assert!(Timestamp::from_millis(i64::MIN).to_datetime() < now.to_datetime());
        assert_eq!(now + Duration::MAX, Timestamp::from_millis(i64::MAX));
        assert_eq!(
            Timestamp::from_millis(i64::MIN) - Duration::MAX,
            Timestamp::from_millis(i64::MIN)
        );
    }

    #[test]
    fn json_has_instants_as_texts_alone() {
        let instant: Timestamp = serde_json::from_str("\"2023-08-14T13:05:00.263Z\"").unwrap();
        assert_eq!(instant.millis(), 1_692_018_300_263);
        assert_eq!(
            serde_json::to_string(&instant).unwrap(),
            "\"2023-08-14T13:05:00.263Z\""
        );
        for json in ["1692018300263", "null", "\"\"", "[]", "\"2023-02-30\""] {
            assert!(serde_json::from_str::<Timestamp>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn reports_print_neither_zone_nor_fraction() {
        let instant: Timestamp = "2025-09-15T02:20:45.999Z".parse().unwrap();
        assert_eq!(instant.to_report_text(), "2025-09-15T02:20:45");
    }

    /// Milliseconds of 1970-01-01 to 9999-12-31.
    fn instants() -> impl Strategy<Value = Timestamp> {
        (0..=253_402_300_799_999_i64).prop_map(Timestamp::from_millis)
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_as_the_same_instant(instant in instants()) {
            let text = instant.to_string();
            prop_assert_eq!(text.len(), "2023-08-14T13:05:00.263Z".len());
            prop_assert_eq!(text.parse(), Ok(instant));
        }

        #[test]
        fn reports_print_what_the_wire_does_but_the_fraction_and_the_zone(instant in instants()) {
            let text = instant.to_string();
            prop_assert_eq!(instant.to_report_text(), text.split('.').next().unwrap_or_default());
        }

        #[test]
        fn texts_stand_in_the_order_of_their_instants(a in instants(), b in instants()) {
            prop_assert_eq!(a.to_string().cmp(&b.to_string()), a.cmp(&b));
        }

        #[test]
        fn a_zone_changes_the_text_and_not_the_instant(
            instant in 0..=253_000_000_000_000_i64,
            minutes in -14 * 60..=14 * 60_i32,
        ) {
            let instant = Timestamp::from_millis(instant + 14 * 3_600_000);
            let zone = chrono::FixedOffset::east_opt(minutes * 60).unwrap();
            let text = instant.to_datetime().with_timezone(&zone).to_rfc3339();
            prop_assert_eq!(text.parse(), Ok(instant));
        }

        #[test]
        fn a_day_begins_at_or_before_its_instants(instant in instants()) {
            let midnight = Timestamp::start_of(instant.date());
            prop_assert!(midnight <= instant);
            prop_assert!(instant < midnight + Duration::days(1));
        }

        #[test]
        fn spans_added_are_found_again(instant in instants(), millis in -1_000_000_000_000..1_000_000_000_000_i64) {
            let span = Duration::milliseconds(millis);
            prop_assert_eq!((instant + span) - instant, span);
            prop_assert_eq!((instant + span) - span, instant);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
            if let Ok(instant) = text.parse::<Timestamp>() {
                prop_assert_eq!(instant.to_string().parse(), Ok(instant));
            }
        }
    }
}
