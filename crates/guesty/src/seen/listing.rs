//! Listings: properties for rent.

use contract::Timestamp;
use contract::id::{AccountId, ListingId, PaymentProviderId};
use money::{Currency, Decimal};
use serde::{Deserialize, Serialize};

use crate::field::{Field, object};

/// A property.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Listing {
    /// The listing's id.
    #[serde(rename = "_id")]
    pub id: Field<ListingId>,
    /// The account.
    pub account_id: Field<AccountId>,
    /// The name that guests see.
    pub title: Field<String>,
    /// The name that the house uses.
    pub nickname: Field<String>,
    /// Whether it is in use.
    pub active: Field<bool>,
    /// Whether it is offered.
    pub is_listed: Field<bool>,
    /// The zone of its dates, by its IANA name.
    pub timezone: Field<String>,
    /// Where it is.
    #[serde(deserialize_with = "object")]
    pub address: Address,
    /// How many bedrooms.
    pub bedrooms: Field<Decimal>,
    /// How many bathrooms; half ones are known.
    pub bathrooms: Field<Decimal>,
    /// How many it sleeps.
    pub accommodates: Field<u32>,
    /// Its prices.
    #[serde(deserialize_with = "object")]
    pub prices: Prices,
    /// Its picture.
    #[serde(deserialize_with = "object")]
    pub picture: Picture,
    /// The provider that takes its payments, if not the account's default.
    pub payment_provider_id: Field<PaymentProviderId>,
    /// When it was made.
    pub created_at: Field<Timestamp>,
    /// When it last changed.
    pub last_updated_at: Field<Timestamp>,
}

/// Where a property is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Address {
    /// The whole in one line.
    pub full: Field<String>,
    /// Street and number.
    pub street: Field<String>,
    /// The city.
    pub city: Field<String>,
    /// The state or region.
    pub state: Field<String>,
    /// The postal code.
    pub zipcode: Field<String>,
    /// The country.
    pub country: Field<String>,
}

/// The prices of a property.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Prices {
    /// Their currency.
    pub currency: Field<Currency>,
    /// For a night.
    pub base_price: Field<Decimal>,
    /// The default cleaning fee.
    pub cleaning_fee: Field<Decimal>,
    /// For each guest above those included.
    pub extra_person_fee: Field<Decimal>,
    /// The security deposit.
    pub security_deposit_fee: Field<Decimal>,
}

/// A picture of a property.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Picture {
    /// Where the small one is.
    pub thumbnail: Field<String>,
    /// Where the ordinary one is.
    pub regular: Field<String>,
    /// Where the large one is.
    pub large: Field<String>,
}
