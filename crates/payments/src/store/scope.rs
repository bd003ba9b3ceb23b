//! Whose rows a query may touch.

use std::collections::HashSet;
use std::sync::Arc;

use contract::id::{AccountId, ListingId};

/// An account, or some of its listings and what hangs on them.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    pub(crate) account: AccountId,
    /// `None`: all of the account's.
    pub(crate) listings: Option<Arc<HashSet<ListingId>>>,
}

impl Scope {
    /// Whether a listing and what hangs on it lies within.
    pub(crate) fn covers(&self, listing: ListingId) -> bool {
        self.listings
            .as_ref()
            .is_none_or(|listings| listings.contains(&listing))
    }

    /// The listings to which queries must keep; `None`: all of the account's.
    pub(crate) fn only(&self) -> Option<Vec<ListingId>> {
        self.listings
            .as_ref()
            .map(|listings| listings.iter().copied().collect())
    }
}
