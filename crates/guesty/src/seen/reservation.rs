//! Reservations, in the older shape: with their money.

use contract::Timestamp;
use contract::id::{AccountId, GuestId, ListingId, ReservationId};
use contract::local::LocalDate;
use money::Decimal;
use serde::{Deserialize, Serialize};

use super::money::Money;
use crate::field::{Field, list, object};

/// A stay.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Reservation {
    /// The reservation's id.
    #[serde(rename = "_id")]
    pub id: Field<ReservationId>,
    /// The account.
    pub account_id: Field<AccountId>,
    /// The property.
    pub listing_id: Field<ListingId>,
    /// The guest.
    pub guest_id: Field<GuestId>,
    /// Where it stands: `confirmed`, `canceled`, … or a name that no document has.
    pub status: Field<String>,
    /// The code that people call it by.
    pub confirmation_code: Field<String>,
    /// Where the booking came from.
    pub source: Field<String>,
    /// The channel that it came through.
    #[serde(deserialize_with = "object")]
    pub integration: Integration,
    /// The instant of arrival.
    pub check_in: Field<Timestamp>,
    /// The instant of departure.
    pub check_out: Field<Timestamp>,
    /// The first day, by the property's calendar.
    pub check_in_date_localized: Field<LocalDate>,
    /// The last day, by the property's calendar.
    pub check_out_date_localized: Field<LocalDate>,
    /// How many nights.
    pub nights_count: Field<u32>,
    /// How many stay.
    pub guests_count: Field<u32>,
    /// The guest in short.
    #[serde(deserialize_with = "object")]
    pub guest: Guest,
    /// The property in short.
    #[serde(deserialize_with = "object")]
    pub listing: ListingInShort,
    /// What it costs, and what became of that.
    #[serde(deserialize_with = "object")]
    pub money: Money,
    /// When it was made.
    pub created_at: Field<Timestamp>,
    /// When it was agreed.
    pub confirmed_at: Field<Timestamp>,
    /// When it was called off.
    pub canceled_at: Field<Timestamp>,
    /// Who called it off.
    pub canceled_by: Field<String>,
    /// Why it was called off.
    pub cancellation_reason: Field<String>,
    /// When it last changed.
    pub last_updated_at: Field<Timestamp>,
    /// What held when it was agreed.
    #[serde(deserialize_with = "object")]
    pub at_time_of_confirmation: Confirmation,
}

/// A channel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Integration {
    /// Its name.
    pub platform: Field<String>,
}

/// A guest, in short.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Guest {
    /// The guest's id.
    #[serde(rename = "_id")]
    pub id: Field<GuestId>,
    /// First and last name.
    pub full_name: Field<String>,
    /// Mail address.
    pub email: Field<String>,
}

/// A property, in short.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ListingInShort {
    /// The listing's id.
    #[serde(rename = "_id")]
    pub id: Field<ListingId>,
    /// The name that guests see.
    pub title: Field<String>,
    /// The name that the house uses.
    pub nickname: Field<String>,
}

/// What held when a reservation was agreed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Confirmation {
    /// The taxes of that day.
    #[serde(deserialize_with = "list")]
    pub taxes: Vec<super::tax::Tax>,
    /// The channel's commission.
    pub channel_commission: Field<Decimal>,
}
