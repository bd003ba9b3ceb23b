//! How many requests an account may make: a few windows at once, each a bucket that leaks at a
//! constant rate. Whole numbers only; the instant is an argument.

use std::num::NonZeroU32;

use contract::Timestamp;

/// How many requests an account may make. The documented numbers are [`DOCUMENTED`](Self::DOCUMENTED).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimits {
    /// In a second.
    pub per_second: NonZeroU32,
    /// In a minute.
    pub per_minute: NonZeroU32,
    /// In an hour.
    pub per_hour: NonZeroU32,
    /// Side by side.
    pub at_once: NonZeroU32,
}

impl RateLimits {
    /// Those of the Open API: 15 a second, 120 a minute, 5,000 an hour, 15 at once.
    pub const DOCUMENTED: Self = Self {
        per_second: NonZeroU32::new(15).unwrap(),
        per_minute: NonZeroU32::new(120).unwrap(),
        per_hour: NonZeroU32::new(5_000).unwrap(),
        at_once: NonZeroU32::new(15).unwrap(),
    };
}

/// The windows, in the order in which they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interval {
    Second,
    Minute,
    Hour,
}

impl Interval {
    pub(crate) const ALL: [Self; 3] = [Self::Second, Self::Minute, Self::Hour];

    /// The name in headers and texts.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
        }
    }

    const fn millis(self) -> i64 {
        match self {
            Self::Second => 1_000,
            Self::Minute => 60_000,
            Self::Hour => 3_600_000,
        }
    }

    pub(crate) fn limit(self, limits: &RateLimits) -> NonZeroU32 {
        match self {
            Self::Second => limits.per_second,
            Self::Minute => limits.per_minute,
            Self::Hour => limits.per_hour,
        }
    }
}

/// Why a request is one too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TooMany {
    /// A window is full.
    InWindow {
        /// Which; of several, the one that is waited for longest.
        interval: Interval,
        /// Whole seconds until there is room again.
        retry_after_seconds: i64,
    },
    /// So many are under way already.
    AtOnce,
}

/// What an account has taken of its windows.
#[derive(Debug, Clone)]
pub(crate) struct Windows([Bucket; 3]);

impl Windows {
    pub(crate) fn new(limits: &RateLimits, now: Timestamp) -> Self {
        Self(Interval::ALL.map(|interval| Bucket {
            limit: interval.limit(limits).get().into(),
            interval,
            level: 0,
            at: now,
        }))
    }

    /// Takes one request from every window, or from none.
    pub(crate) fn admit(&mut self, now: Timestamp) -> Result<(), TooMany> {
        let longest = self
            .0
            .iter_mut()
            .map(|bucket| {
                bucket.leak(now);
                (bucket.wait_ms(), bucket.interval)
            })
            .max_by_key(|(wait, _)| *wait);
        match longest {
            Some((wait, interval)) if wait > 0 => Err(TooMany::InWindow {
                interval,
                retry_after_seconds: (wait + 999) / 1000,
            }),
            _ => {
                self.0.iter_mut().for_each(Bucket::take);
                Ok(())
            }
        }
    }

    /// How many more would be granted now, in each window.
    pub(crate) fn remaining(&self) -> [i64; 3] {
        self.0.each_ref().map(Bucket::remaining)
    }

    /// Whether nothing of it is taken any more: then it need not be kept.
    pub(crate) fn is_idle(&mut self, now: Timestamp) -> bool {
        self.0.iter_mut().all(|bucket| {
            bucket.leak(now);
            bucket.level == 0
        })
    }
}

/// One window. A request fills it by the interval's milliseconds; every millisecond lets out as much
/// as the limit is: so an empty one takes `limit` requests, and is empty again an interval later.
#[derive(Debug, Clone)]
struct Bucket {
    limit: i64,
    interval: Interval,
    level: i64,
    at: Timestamp,
}

impl Bucket {
    fn leak(&mut self, now: Timestamp) {
        // A clock that was set back lets nothing out, and is the clock from now on.
        let elapsed = now.millis().saturating_sub(self.at.millis()).max(0);
        self.level = self
            .level
            .saturating_sub(elapsed.saturating_mul(self.limit))
            .max(0);
        self.at = now;
    }

    fn capacity(&self) -> i64 {
        self.limit * self.interval.millis()
    }

    fn take(&mut self) {
        self.level += self.interval.millis();
    }

    fn remaining(&self) -> i64 {
        (self.capacity() - self.level) / self.interval.millis()
    }

    /// For how long until one more fits.
    fn wait_ms(&self) -> i64 {
        let too_much = self.level + self.interval.millis() - self.capacity();
        (too_much.max(0) + self.limit - 1) / self.limit
    }
}

#[cfg(test)]
mod tests {
    use chrono::Duration;
    use proptest::prelude::*;

    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_763_726_400_000);

    fn at(ms: i64) -> Timestamp {
        START + Duration::milliseconds(ms)
    }

    fn limits(per_second: u32, per_minute: u32, per_hour: u32) -> RateLimits {
        let number = |n| NonZeroU32::new(n).unwrap();
        RateLimits {
            per_second: number(per_second),
            per_minute: number(per_minute),
            per_hour: number(per_hour),
            at_once: number(1),
        }
    }

    #[test]
    fn a_full_second_is_restored_bit_by_bit_and_not_at_the_edge() {
        let mut windows = Windows::new(&RateLimits::DOCUMENTED, at(0));
        for left in (0..15).rev() {
            assert_eq!(windows.admit(at(0)), Ok(()));
            assert_eq!(windows.remaining(), [left, 105 + left, 4_985 + left]);
        }
        let full = Err(TooMany::InWindow {
            interval: Interval::Second,
            retry_after_seconds: 1,
        });
        assert_eq!(windows.admit(at(0)), full);
        // A fifteenth of a second is 66.7 ms.
        assert_eq!(windows.admit(at(66)), full);
        assert_eq!(windows.admit(at(67)), Ok(()));
        assert_eq!(windows.admit(at(67)), full);
    }

    #[test]
    fn what_one_window_refuses_is_taken_from_none() {
        let mut windows = Windows::new(&limits(1, 10, 100), at(0));
        assert_eq!(windows.admit(at(0)), Ok(()));
        for _ in 0..50 {
            assert!(windows.admit(at(1)).is_err());
        }
        assert_eq!(windows.remaining(), [0, 9, 99]);
    }

    #[test]
    fn the_wait_is_that_of_the_window_that_takes_longest() {
        let mut windows = Windows::new(&limits(5, 5, 5), at(0));
        for _ in 0..5 {
            assert_eq!(windows.admit(at(0)), Ok(()));
        }
        // A fifth of an hour.
        let wait = TooMany::InWindow {
            interval: Interval::Hour,
            retry_after_seconds: 720,
        };
        assert_eq!(windows.admit(at(0)), Err(wait));
        assert!(windows.admit(at(719_999)).is_err());
        assert_eq!(windows.admit(at(720_000)), Ok(()));
    }

    #[test]
    fn a_clock_that_is_set_back_neither_restores_nor_blocks_for_long() {
        let mut windows = Windows::new(&limits(1, 100, 1000), at(10_000_000));
        assert_eq!(windows.admit(at(10_000_000)), Ok(()));
        assert!(windows.admit(at(0)).is_err());
        assert_eq!(windows.admit(at(1_000)), Ok(()));
    }

    #[test]
    fn an_account_that_rests_is_forgotten() {
        let mut windows = Windows::new(&RateLimits::DOCUMENTED, at(0));
        assert_eq!(windows.admit(at(0)), Ok(()));
        assert!(!windows.is_idle(at(1)));
        assert!(windows.is_idle(at(3_600_000)));
    }

    proptest! {
        /// The naive model counts in thousandths of a request for each window, a millisecond at a
        /// time; and the wait that is told is the shortest that is enough.
        #[test]
        fn windows_leak_as_a_clock_that_ticks(
            (second, minute, hour) in (1..6_u32, 1..20_u32, 1..40_u32),
            gaps in prop::collection::vec(0..700_i64, 1..60),
        ) {
            let limits = limits(second, minute, hour);
            let mut windows = Windows::new(&limits, at(0));
            let mut levels = [0_i128; 3];
            let mut now = 0;
            for gap in gaps {
                now += gap;
                for (level, interval) in levels.iter_mut().zip(Interval::ALL) {
                    for _ in 0..gap {
                        *level = (*level - i128::from(interval.limit(&limits).get())).max(0);
                    }
                }
                let fits = levels.iter().zip(Interval::ALL).all(|(level, interval)| {
                    let size = i128::from(interval.millis());
                    *level + size <= size * i128::from(interval.limit(&limits).get())
                });
                let before = windows.clone();
                let admitted = windows.admit(at(now));
                prop_assert_eq!(admitted.is_ok(), fits);
                if fits {
                    for (level, interval) in levels.iter_mut().zip(Interval::ALL) {
                        *level += i128::from(interval.millis());
                    }
                }
                if let Err(TooMany::InWindow { retry_after_seconds, .. }) = admitted {
                    let wait = retry_after_seconds * 1000;
                    prop_assert!(before.clone().admit(at(now + wait)).is_ok());
                    prop_assert!(before.clone().admit(at(now + wait - 1000)).is_err());
                }
            }
        }
    }
}
