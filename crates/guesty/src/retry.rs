//! How often and when to ask again.

use std::time::Duration;

/// The most times that a call is made which nobody answers: each costs a whole timeout.
pub(crate) const SILENCES_MAX: u32 = 2;

/// How often and when a call that only reads is made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The most times that a call is made.
    pub tries: u32,
    /// The longest wait before the second time; it doubles from time to time.
    pub first_wait: Duration,
    /// The longest wait of all.
    pub longest_wait: Duration,
    /// The longest wait that the source may ask for. What it asks for beyond is an error.
    pub patience: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            tries: 5,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(30),
            patience: Duration::from_mins(5),
        }
    }
}

impl RetryPolicy {
    /// How long to wait after so many tries: any span up to the longest, so that many who failed at
    /// once do not come back at once.
    pub(crate) fn delay(&self, tries: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(tries.saturating_sub(1));
        let longest = (self.first_wait.saturating_mul(doubled)).min(self.longest_wait);
        let nanos = u64::try_from(longest.as_nanos()).unwrap_or(u64::MAX);
        // Without randomness all wait as long: slower, and not wrong.
        let random = getrandom::u64().unwrap_or(u64::MAX);
        Duration::from_nanos(random % nanos.saturating_add(1).max(1))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn waits_are_bounded_and_grow_no_faster_than_by_doubling(tries in 1..=u32::MAX) {
            let policy = RetryPolicy::default();
            let doubled = policy.first_wait.saturating_mul(2_u32.saturating_pow(tries - 1));
            prop_assert!(policy.delay(tries) <= doubled.min(policy.longest_wait));
        }
    }

    #[test]
    fn waits_differ() {
        let policy = RetryPolicy::default();
        let waits: std::collections::HashSet<_> = (0..20).map(|_| policy.delay(5)).collect();
        assert!(waits.len() > 10);
    }
}
