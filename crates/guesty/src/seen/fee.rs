//! Additional fees of the catalog.

use contract::id::{AccountId, FeeId, ListingId};
use money::Decimal;
use serde::{Deserialize, Serialize};

use crate::field::{Field, list};

/// A fee of the account or of one listing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Fee {
    /// The fee's id.
    #[serde(rename = "_id")]
    pub id: Field<FeeId>,
    /// The account.
    pub account_id: Field<AccountId>,
    /// The listing that it is for; none: all of the account.
    pub listing_id: Field<ListingId>,
    /// What it is called.
    pub name: Field<String>,
    /// `CLEANING`, `PARKING`, …
    #[serde(rename = "type")]
    pub kind: Field<String>,
    /// A percentage, or an amount in major units.
    pub value: Field<Decimal>,
    /// Whether the value is a percentage.
    pub is_percentage: Field<bool>,
    /// `PER_STAY`, `PER_NIGHT`, `PER_GUEST` or `PER_GUEST_PER_NIGHT`.
    pub multiplier: Field<String>,
    /// What a percentage is of.
    pub target_fee: Field<String>,
    /// Whether new reservations get it.
    pub is_automated: Field<bool>,
    /// The channels whose new reservations get it.
    #[serde(deserialize_with = "list")]
    pub automation_platforms: Vec<Field<String>>,
    /// Whether all channels do.
    pub all_platforms: Field<bool>,
    /// Whether it is taken off the host's payout.
    pub is_deducted: Field<bool>,
    /// Whether it is hidden in the fare.
    pub is_bundled: Field<bool>,
}
