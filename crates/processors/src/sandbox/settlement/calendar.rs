//! When days are closed and payouts sent. Pure: every instant is an argument.

use chrono::{Datelike, Duration, NaiveDate, Weekday};
use contract::Timestamp;

/// Calendar days from a settlement to its payout.
const PAYOUT_DAYS: i64 = 7;
/// The hour of a business day, UTC, at which payouts are sent. Never when days are closed.
const PAYOUT_HOUR: i64 = 12;

/// The last instant of a business day, which is one of UTC: reports print it as `T23:59:59`.
pub(crate) fn day_end(at: Timestamp) -> Timestamp {
    Timestamp::start_of(at.date()) + Duration::days(1) - Duration::milliseconds(1)
}

/// When what is settled at an instant is paid out.
pub(crate) fn payout_of(settled_at: Timestamp) -> Timestamp {
    sending_on((settled_at + Duration::days(PAYOUT_DAYS)).date())
}

/// When a card holder who objects to a sale that is settled at an instant says so: at noon of the
/// next day, when no day is closed.
pub(crate) fn dispute_of(settled_at: Timestamp) -> Timestamp {
    let next_day = Timestamp::start_of((settled_at + Duration::days(1)).date());
    next_day + Duration::hours(12)
}

/// When payouts are sent next.
pub(crate) fn payout_after(at: Timestamp) -> Timestamp {
    let today = sending_on(at.date());
    if today > at {
        today
    } else {
        sending_on((at + Duration::days(1)).date())
    }
}

/// When payouts are sent on a date, or on the first business day after it.
fn sending_on(date: NaiveDate) -> Timestamp {
    let weekend = match date.weekday() {
        Weekday::Sat => 2,
        Weekday::Sun => 1,
        _ => 0,
    };
    Timestamp::start_of(date) + Duration::days(weekend) + Duration::hours(PAYOUT_HOUR)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_ends_with_its_last_millisecond() {
        for instant in [
            "2023-08-14",
            "2023-08-14T13:05:00.263Z",
            "2023-08-14T23:59:59.999Z",
        ] {
            assert_eq!(day_end(at(instant)), at("2023-08-14T23:59:59.999Z"));
        }
        assert_eq!(
            day_end(at("2023-08-14")).to_report_text(),
            "2023-08-14T23:59:59"
        );
    }

    #[test]
    fn payouts_are_sent_a_week_on_and_never_at_weekends() {
        // Settled on Monday the 14th of August 2023, and on the days after it.
        let expected = ["21", "22", "23", "24", "25", "28", "28"];
        for (day, payout) in (14..).zip(expected) {
            let settled = at(&format!("2023-08-{day}T23:59:59.999Z"));
            assert_eq!(
                payout_of(settled),
                at(&format!("2023-08-{payout}T12:00:00Z"))
            );
        }
    }

    #[test]
    fn the_next_payout_is_on_the_next_business_day() {
        let friday = at("2023-08-18T12:00:00Z");
        assert_eq!(payout_after(at("2023-08-18T11:59:59.999Z")), friday);
        assert_eq!(payout_after(friday), at("2023-08-21T12:00:00Z"));
        assert_eq!(
            payout_after(at("2023-08-20T23:00:00Z")),
            at("2023-08-21T12:00:00Z")
        );
    }
}
