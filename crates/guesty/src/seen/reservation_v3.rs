//! Reservations, in the newer shape: without money.

use contract::id::{AccountId, GuestId, ListingId, ReservationId};
use contract::local::LocalDate;
use contract::{ObjectId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::field::{Field, list, object};

/// A stay or several, without money.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ReservationV3 {
    /// The reservation's id; the same as in the older shape.
    #[serde(rename = "_id")]
    pub id: Field<ReservationId>,
    /// The account.
    pub account_id: Field<AccountId>,
    /// The guest.
    pub booker_id: Field<GuestId>,
    /// The code that people call it by.
    pub confirmation_code: Field<String>,
    /// Where it stands.
    pub status: Field<String>,
    /// The channel.
    pub platform: Field<String>,
    /// Where the booking came from.
    pub source: Field<String>,
    /// The stays.
    #[serde(deserialize_with = "list")]
    pub stay: Vec<Stay>,
    /// Whether the guest has come.
    #[serde(deserialize_with = "object")]
    pub guest_stay: GuestStay,
    /// The group that it belongs to.
    pub group_id: Field<ObjectId>,
    /// Where its money is kept.
    pub money_id: Field<ObjectId>,
    /// When it was agreed.
    pub confirmed_at: Field<Timestamp>,
    /// When it was kept free.
    pub reserved_at: Field<Timestamp>,
    /// When it was called off.
    pub canceled_at: Field<Timestamp>,
    /// Who called it off.
    pub canceled_by: Field<String>,
    /// Why it was called off.
    pub cancellation_reason: Field<String>,
    /// When it was made.
    pub created_at: Field<Timestamp>,
    /// When it last changed.
    pub altered_at: Field<Timestamp>,
}

/// A stay in one property.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Stay {
    /// The first day, by the property's calendar.
    pub check_in_date_localized: Field<LocalDate>,
    /// The last day, by the property's calendar.
    pub check_out_date_localized: Field<LocalDate>,
    /// How many stay.
    pub guests_count: Field<u32>,
    /// The property.
    pub unit_type_id: Field<ListingId>,
    /// The unit of it.
    pub unit_id: Field<ListingId>,
    /// The rate plan.
    pub rate_plan_id: Field<String>,
    /// The instant of arrival.
    pub eta: Field<Timestamp>,
    /// The instant of departure.
    pub etd: Field<Timestamp>,
}

/// Whether the guest has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct GuestStay {
    /// `not_set`, `checked_in`, `checked_out`, `no_show`.
    pub status: Field<String>,
    /// Since when.
    pub updated_at: Field<Timestamp>,
}
