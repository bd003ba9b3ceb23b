//! The limits on requests, kept in memory: each node counts for itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use contract::Timestamp;
use contract::id::AccountId;

use crate::model::limit::{Interval, RateLimits, TooMany, Windows};

/// From so many accounts on, those that rest are forgotten.
const REMEMBERED_MAX: usize = 1024;

const HEADERS: [(HeaderName, HeaderName); 3] = [
    (
        HeaderName::from_static("x-ratelimit-limit-second"),
        HeaderName::from_static("x-ratelimit-remaining-second"),
    ),
    (
        HeaderName::from_static("x-ratelimit-limit-minute"),
        HeaderName::from_static("x-ratelimit-remaining-minute"),
    ),
    (
        HeaderName::from_static("x-ratelimit-limit-hour"),
        HeaderName::from_static("x-ratelimit-remaining-hour"),
    ),
];

/// What every account has taken of its limits.
pub(crate) struct Limits {
    limits: Option<RateLimits>,
    accounts: Arc<Mutex<HashMap<AccountId, Taken>>>,
}

struct Taken {
    windows: Windows,
    under_way: u32,
}

/// What a reply tells of an account's limits; while it lives, its request is under way.
pub(crate) struct Admission {
    limits: RateLimits,
    remaining: [i64; 3],
    /// Nobody's, if the request was refused.
    place: Option<Place>,
}

/// A request's place among those under way, given back when it is dropped.
struct Place {
    account: AccountId,
    accounts: Arc<Mutex<HashMap<AccountId, Taken>>>,
}

impl Limits {
    /// With these limits, or with none.
    pub(crate) fn new(limits: Option<RateLimits>) -> Self {
        Self {
            limits,
            accounts: Arc::default(),
        }
    }

    /// Counts a request of an account. What the reply tells of the limits is there also when it is
    /// one too many.
    pub(super) fn admit(
        &self,
        account: AccountId,
        now: Timestamp,
    ) -> Option<(Admission, Result<(), TooMany>)> {
        let limits = self.limits?;
        let mut accounts = lock(&self.accounts);
        if accounts.len() >= REMEMBERED_MAX && !accounts.contains_key(&account) {
            accounts.retain(|_, taken| taken.under_way > 0 || !taken.windows.is_idle(now));
        }
        let taken = accounts.entry(account).or_insert_with(|| Taken {
            windows: Windows::new(&limits, now),
            under_way: 0,
        });
        let admitted = if taken.under_way >= limits.at_once.get() {
            Err(TooMany::AtOnce)
        } else {
            taken.windows.admit(now)
        };
        taken.under_way += u32::from(admitted.is_ok());
        let remaining = taken.windows.remaining();
        drop(accounts);
        let place = admitted.is_ok().then(|| Place {
            account,
            accounts: Arc::clone(&self.accounts),
        });
        let admission = Admission {
            limits,
            remaining,
            place,
        };
        Some((admission, admitted))
    }
}

impl Admission {
    /// Tells the limits, and what is left of them, in the documented headers.
    pub(super) fn tell(&self, headers: &mut HeaderMap) {
        for ((interval, (limit, remaining)), left) in
            Interval::ALL.into_iter().zip(HEADERS).zip(self.remaining)
        {
            headers.insert(limit, HeaderValue::from(interval.limit(&self.limits).get()));
            headers.insert(remaining, HeaderValue::from(left));
        }
    }

    /// Whether the request was refused.
    pub(super) fn is_refused(&self) -> bool {
        self.place.is_none()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(taken) = lock(&self.accounts).get_mut(&self.account) {
            taken.under_way = taken.under_way.saturating_sub(1);
        }
    }
}

fn lock(accounts: &Mutex<HashMap<AccountId, Taken>>) -> MutexGuard<'_, HashMap<AccountId, Taken>> {
    accounts.lock().unwrap_or_else(PoisonError::into_inner)
}
