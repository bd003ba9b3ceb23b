//! How many tokens a client may have: so many in any 24 hours, counted back from each request.

use std::num::NonZeroU32;

use chrono::Duration;
use contract::Timestamp;

/// For how long a token counts.
pub(crate) const WINDOW: Duration = Duration::hours(24);

/// A request too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exhausted {
    /// Whole seconds until one leaves the window: then, and not before, the next is granted.
    pub(crate) retry_after_seconds: i64,
}

/// Whether one more may be issued `now`, after those `issued` (newest first).
pub(crate) fn admit(
    issued: &[Timestamp],
    per_day: NonZeroU32,
    now: Timestamp,
) -> Result<(), Exhausted> {
    // The one that must leave before there is room: not always the oldest, since the quota may have
    // been lowered.
    let Some(last_to_leave) = issued.get(per_day.get() as usize - 1) else {
        return Ok(());
    };
    let wait = *last_to_leave + WINDOW - now;
    if wait <= Duration::zero() {
        return Ok(());
    }
    Err(Exhausted {
        retry_after_seconds: (wait.num_milliseconds() + 999) / 1000,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY_MS: i64 = 86_400_000;

    proptest! {
        /// Against the definition: look at every instant of the window ending at each grant.
        #[test]
        fn no_window_of_24_hours_holds_more_than_the_quota(
            gaps in prop::collection::vec(0..DAY_MS / 2, 1..60),
            per_day in 1u32..7,
        ) {
            let quota = NonZeroU32::new(per_day).unwrap();
            let mut granted: Vec<i64> = Vec::new();
            let mut now = 0;
            for gap in gaps {
                now += gap;
                let in_window = granted.iter().filter(|at| **at > now - DAY_MS).count();
                let newest_first: Vec<_> =
                    granted.iter().rev().copied().map(Timestamp::from_millis).collect();
                let answer = admit(&newest_first, quota, Timestamp::from_millis(now));
                prop_assert_eq!(answer.is_ok(), in_window < per_day as usize);
                match answer {
                    Ok(()) => granted.push(now),
                    Err(wait) => {
                        let at = |seconds: i64| Timestamp::from_millis(now + 1000 * seconds);
                        let then = wait.retry_after_seconds;
                        prop_assert!(admit(&newest_first, quota, at(then)).is_ok());
                        prop_assert!(admit(&newest_first, quota, at(then - 1)).is_err());
                    }
                }
            }
        }
    }
}
