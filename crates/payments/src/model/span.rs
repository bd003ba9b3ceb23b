//! Spans of business time, as people write them: `90m`, `12h`, `7d`, `2w`, `1d12h`, or as ISO 8601
//! does: `P7D`, `PT90M`. Months and years, which are not always as long, are none.

use std::fmt;
use std::str::FromStr;

use chrono::Duration;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

/// The longest span: ten years, leap days included.
const DAYS_MAX: i64 = 3653;

/// Units with their lengths in seconds, the longest first.
const UNITS: [(char, i64); 5] = [
    ('w', 7 * 86_400),
    ('d', 86_400),
    ('h', 3_600),
    ('m', 60),
    ('s', 1),
];

/// A span of time: whole seconds, more than none, at most ten years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, example = "7d")]
pub struct Span(Duration);

impl Span {
    /// The longest.
    pub(crate) const MAX: Duration = Duration::days(DAYS_MAX);

    /// As a duration.
    pub const fn duration(self) -> Duration {
        self.0
    }
}

/// A text that is no span.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a span of time that can pass: give weeks, days, hours, minutes and seconds, such as 90m, \
     12h, 7d, 2w, 1d12h or P7D, in all more than none and at most 3653d, which is ten years"
)]
pub struct InvalidSpan;

impl FromStr for Span {
    type Err = InvalidSpan;

    fn from_str(text: &str) -> Result<Self, InvalidSpan> {
        let text = text.to_ascii_lowercase();
        let seconds = match text.strip_prefix('p') {
            Some(iso) => iso_seconds(iso)?,
            None => seconds(&text, "wdhms")?,
        };
        if seconds < 1 || seconds > Self::MAX.num_seconds() {
            return Err(InvalidSpan);
        }
        Ok(Self(Duration::seconds(seconds)))
    }
}

/// What follows the `P`: a `T` stands before the hours.
fn iso_seconds(text: &str) -> Result<i64, InvalidSpan> {
    let Some((date, time)) = text.split_once('t') else {
        return seconds(text, "wd");
    };
    let date = if date.is_empty() {
        0
    } else {
        seconds(date, "wd")?
    };
    seconds(time, "hms")?.checked_add(date).ok_or(InvalidSpan)
}

/// Adds up numbers with their units, each unit once at most, the longest first.
fn seconds(mut text: &str, units: &str) -> Result<i64, InvalidSpan> {
    let mut allowed = UNITS.iter().filter(|(name, _)| units.contains(*name));
    let mut sum: i64 = 0;
    loop {
        let digits = text.find(|c: char| !c.is_ascii_digit());
        let (count, rest) = text.split_at(digits.ok_or(InvalidSpan)?);
        let mut rest = rest.chars();
        let unit = rest.next();
        let (_, length) = allowed
            .find(|(name, _)| Some(*name) == unit)
            .ok_or(InvalidSpan)?;
        let count: i64 = count.parse().map_err(|_| InvalidSpan)?;
        sum = count
            .checked_mul(*length)
            .and_then(|part| sum.checked_add(part))
            .ok_or(InvalidSpan)?;
        text = rest.as_str();
        if text.is_empty() {
            return Ok(sum);
        }
    }
}

/// In days and less: `14d`, `1d12h`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = self.0.num_seconds();
        for (name, length) in &UNITS[1..] {
            if left >= *length {
                write!(f, "{}{name}", left / length)?;
                left %= length;
            }
        }
        Ok(())
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn minutes(text: &str) -> Option<i64> {
        let span: Span = text.parse().ok()?;
        Some(span.duration().num_minutes())
    }

    #[test]
    fn spans_are_read_as_people_and_as_iso_8601_write_them() {
        for (text, expected) in [
            ("90m", 90),
            ("12h", 12 * 60),
            ("7d", 7 * 24 * 60),
            ("7D", 7 * 24 * 60),
            ("2w", 14 * 24 * 60),
            ("1d12h", 36 * 60),
            ("120s", 2),
            ("3653d", 3653 * 24 * 60),
            ("P7D", 7 * 24 * 60),
            ("P1W", 7 * 24 * 60),
            ("PT90M", 90),
            ("P1DT12H", 36 * 60),
        ] {
            assert_eq!(minutes(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_cannot_pass_is_refused() {
        for text in [
            "",
            "7",
            "d",
            "-7d",
            "0d",
            "0h0m",
            "1.5d",
            "7 d",
            "7d ",
            "12h1d",
            "1d1d",
            "1y",
            "7x",
            "3654d",
            "522w",
            "P",
            "PT",
            "P1DT",
            "P1M",
            "P1Y",
            "PT1D",
            "P12H",
            "-P7D",
            "tomorrow",
            "99999999999999999999d",
            "9223372036854775807w",
            "١d",
        ] {
            assert_eq!(minutes(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_as_the_same_span(seconds in 1..=Span::MAX.num_seconds()) {
            let span = Span(Duration::seconds(seconds));
            prop_assert_eq!(span.to_string().parse(), Ok(span));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,20}") {
            if let Ok(span) = text.parse::<Span>() {
                prop_assert!(span.duration() > Duration::zero() && span.duration() <= Span::MAX);
            }
        }
    }
}
