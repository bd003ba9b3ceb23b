//! The windows that reports are read by: calendar months. A row is always met in the same window,
//! and no month is longer than a report may be, whether that is said as 31 days or as a month.

use chrono::{Datelike, Days, Months, NaiveDate};
use guesty::Window;

use super::Span;

/// The whole months that hold all dates of a span.
pub(super) fn months(span: Span) -> impl Iterator<Item = Window> {
    let first = span.from().with_day(1);
    std::iter::successors(first, |first| first.checked_add_months(Months::new(1)))
        .take_while(move |first| *first <= span.to())
        .filter_map(month)
}

/// The month after a window.
pub(super) fn next(window: Window) -> Option<Window> {
    month(window.end().succ_opt()?)
}

fn month(first: NaiveDate) -> Option<Window> {
    let next = first.checked_add_months(Months::new(1))?;
    Window::new(first, next.checked_sub_days(Days::new(1))?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn months_cover_every_date_once(start in 0..20_000_u64, days in 0..3_000_u64) {
            let from = NaiveDate::from_ymd_opt(1990, 1, 1).unwrap() + Days::new(start);
            let span = Span::new(from, from + Days::new(days)).unwrap();
            let windows: Vec<Window> = months(span).collect();
            prop_assert!(windows[0].start() <= span.from());
            prop_assert!(windows[windows.len() - 1].end() >= span.to());
            for pair in windows.windows(2) {
                prop_assert_eq!(pair[0].end().succ_opt(), Some(pair[1].start()));
                prop_assert_eq!(next(pair[0]), Some(pair[1]));
            }
            prop_assert!(windows.iter().all(|window| window.start().day() == 1));
        }
    }
}
