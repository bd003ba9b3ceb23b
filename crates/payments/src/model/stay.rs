//! When a stay begins and ends.

use chrono::{Duration, NaiveDate, NaiveTime, TimeZone};
use chrono_tz::Tz;
use contract::Timestamp;

use super::Rejection;

/// The longest stay: beyond it, a mistake.
const NIGHTS_MAX: i64 = 3 * 366;

/// Refuses a stay that ends before it begins, or nearly never.
pub(crate) fn check(check_in: NaiveDate, check_out: NaiveDate) -> Result<(), Rejection> {
    let nights = nights(check_in, check_out);
    if nights < 1 {
        return Err(Rejection::invalid(
            "checkOutDateLocalized",
            format!("{check_out} is not after the check-in on {check_in}"),
        ));
    }
    if nights > NIGHTS_MAX {
        return Err(Rejection::invalid(
            "checkOutDateLocalized",
            format!("a stay has at most {NIGHTS_MAX} nights, not {nights}"),
        ));
    }
    Ok(())
}

/// How many nights.
pub(crate) fn nights(check_in: NaiveDate, check_out: NaiveDate) -> i64 {
    (check_out - check_in).num_days()
}

/// The instant of a date and time of day in a zone: the earlier of two when clocks are set back,
/// the first that exists when they are set forward.
pub(crate) fn instant(date: NaiveDate, time: NaiveTime, zone: Tz) -> Timestamp {
    // The longest gap was a whole day, when Samoa crossed the date line.
    (0..=24)
        .find_map(|hours| {
            let local = date.and_time(time) + Duration::hours(hours);
            zone.from_local_datetime(&local).earliest()
        })
        .map_or_else(
            || Timestamp::from(date.and_time(time).and_utc()),
            |instant| instant.to_utc().into(),
        )
}

/// The date of an instant in a zone.
pub(crate) fn date(instant: Timestamp, zone: Tz) -> NaiveDate {
    instant.to_datetime().with_timezone(&zone).date_naive()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(date: &str, time: &str, zone: &str) -> String {
        instant(
            date.parse().unwrap(),
            NaiveTime::parse_from_str(time, "%H:%M").unwrap(),
            zone.parse().unwrap(),
        )
        .to_string()
    }

    #[test]
    fn instants_follow_the_property_clock() {
        for (date, time, zone, instant) in [
            (
                "2026-07-01",
                "15:00",
                "America/New_York",
                "2026-07-01T19:00:00.000Z",
            ),
            (
                "2026-01-01",
                "15:00",
                "America/New_York",
                "2026-01-01T20:00:00.000Z",
            ),
            (
                "2026-01-01",
                "10:00",
                "Asia/Kathmandu",
                "2026-01-01T04:15:00.000Z",
            ),
            // Set back at 2:00 on this day: 1:30 was twice.
            (
                "2026-11-01",
                "01:30",
                "America/New_York",
                "2026-11-01T05:30:00.000Z",
            ),
            // Set forward at 2:00 on this day: 2:30 was not.
            (
                "2026-03-08",
                "02:30",
                "America/New_York",
                "2026-03-08T07:30:00.000Z",
            ),
            // This day was not at all: the next began at 14 hours before UTC.
            (
                "2011-12-30",
                "15:00",
                "Pacific/Apia",
                "2011-12-30T10:00:00.000Z",
            ),
        ] {
            assert_eq!(at(date, time, zone), instant, "{date} {time} {zone}");
        }
    }

    #[test]
    fn stays_have_one_night_or_more() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert!(check(day("2026-01-01"), day("2026-01-02")).is_ok());
        assert!(check(day("2026-01-01"), day("2026-01-01")).is_err());
        assert!(check(day("2026-01-02"), day("2026-01-01")).is_err());
        assert!(check(day("2026-01-01"), day("2036-01-01")).is_err());
    }
}
