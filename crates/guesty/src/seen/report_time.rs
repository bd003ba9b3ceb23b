//! The dates of the reports.

use std::fmt;
use std::str::FromStr;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

/// A date and time without a zone: `2025-09-15T02:20:45`. Which zone it is in, no document says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReportTime(pub NaiveDateTime);

/// A date, with or without a time, with a fraction or a `Z` that only some rows have.
impl FromStr for ReportTime {
    type Err = chrono::ParseError;

    fn from_str(text: &str) -> Result<Self, chrono::ParseError> {
        let local = text.strip_suffix('Z').unwrap_or(text);
        NaiveDateTime::parse_from_str(local, "%Y-%m-%dT%H:%M:%S%.f")
            .or_else(|_| NaiveDateTime::parse_from_str(local, "%Y-%m-%d %H:%M:%S%.f"))
            .or_else(|error| {
                NaiveDate::parse_from_str(text, "%Y-%m-%d")
                    .map(|date| date.and_time(NaiveTime::MIN))
                    .map_err(|_| error)
            })
            .map(Self)
    }
}

impl fmt::Display for ReportTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.format("%Y-%m-%dT%H:%M:%S").fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_reports_are_read_in_every_form_that_is_met() {
        for (text, read) in [
            ("2025-09-15T02:20:45", "2025-09-15T02:20:45"),
            ("2025-09-15T02:20:45.123Z", "2025-09-15T02:20:45"),
            ("2025-09-15 02:20:45", "2025-09-15T02:20:45"),
            ("2025-09-15", "2025-09-15T00:00:00"),
        ] {
            assert_eq!(text.parse::<ReportTime>().unwrap().to_string(), read);
        }
        for text in ["", "15/09/2025", "2025-02-30", "2025-09-15T02:20:45+02:00"] {
            assert!(text.parse::<ReportTime>().is_err(), "{text}");
        }
    }
}
