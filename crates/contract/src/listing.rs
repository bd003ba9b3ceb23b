//! Listings: properties for rent.

use money::Currency;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::Timestamp;
use crate::id::{AccountId, ListingId, PaymentProviderId};
use crate::local::LocalTime;

/// What a client may write of a listing. Of the documented fields those are typed that something is
/// computed from; the others are kept as they were given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", expecting = "an object")]
#[schema(example = json!({"title": "Harbour Loft", "timezone": "Europe/Lisbon", "prices": {"currency": "EUR"}, "tags": ["sea"]}))]
pub struct ListingFields {
    /// The name that guests see.
    pub title: String,
    /// The name that the house uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    /// Whether it is in use.
    #[serde(default = "yes")]
    pub active: bool,
    /// Whether it is offered.
    #[serde(default = "yes")]
    pub is_listed: bool,
    /// The zone of its dates and times; the account's when none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// From when guests may come.
    #[serde(default = "three_in_the_afternoon")]
    pub default_check_in_time: LocalTime,
    /// Until when guests must leave.
    #[serde(default = "ten_in_the_morning")]
    pub default_check_out_time: LocalTime,
    /// Prices; only their currency is computed with.
    #[serde(default)]
    pub prices: Prices,
    /// Where it is.
    #[serde(default)]
    pub address: Address,
    /// Labels to find it by.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Every other field.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A listing's prices.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(expecting = "an object")]
pub struct Prices {
    /// Their currency, and that of its reservations; the account's when none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// `basePrice`, `cleaningFee` and the others, as they were given.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A listing's address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(expecting = "an object")]
pub struct Address {
    /// The whole in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full: Option<String>,
    /// The city.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// `street`, `country`, `lat`, `lng` and the others, as they were given.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// What the platform adds to what the client wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Listing {
    /// The listing's id.
    #[serde(rename = "_id")]
    pub id: ListingId,
    /// The account that it belongs to.
    pub account_id: AccountId,
    /// What the client wrote.
    #[serde(flatten)]
    pub fields: ListingFields,
    /// The provider that takes its payments, when it is not the account's default.
    pub payment_provider_id: Option<PaymentProviderId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub last_updated_at: Timestamp,
}

const fn yes() -> bool {
    true
}

fn three_in_the_afternoon() -> LocalTime {
    time_of_day(15)
}

fn ten_in_the_morning() -> LocalTime {
    time_of_day(10)
}

fn time_of_day(hour: u32) -> LocalTime {
    LocalTime(chrono::NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default())
}
