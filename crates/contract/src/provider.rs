//! Payment providers: an account's connections to card processors.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::PaymentProviderId;

/// A provider and how much it is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Provider {
    /// The provider's id.
    #[serde(rename = "_id")]
    pub id: PaymentProviderId,
    /// Its name.
    pub account_name: String,
    /// `ACTIVE`, or why it takes no payments.
    pub status: String,
    /// Whether it serves the listings that name no other.
    pub is_default: bool,
    /// How many listings it serves.
    pub listings_count: i64,
    /// How many of guests' payment methods were made with it.
    pub payment_methods_count: i64,
}

/// The provider that serves a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProviderOfListing {
    /// The provider.
    #[serde(flatten)]
    pub provider: Provider,
    /// Its id again, under the name that listings and payment methods use.
    pub payment_provider_id: PaymentProviderId,
    /// Whether it serves the listing only as the account's default.
    pub fallback_to_default: bool,
}

/// A page of providers, in the shape that `/payment-providers/stats` alone has.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ProviderStats {
    /// The providers.
    pub data: Vec<Provider>,
    /// The largest number of providers asked for.
    pub limit: i64,
    /// How many before this page's were skipped.
    pub skip: i64,
    /// How many there are in all.
    pub total: i64,
}

/// The account's providers in figures. The Open API gives this reply no schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProviderSummary {
    /// How many there are.
    pub total: i64,
    /// How many take payments.
    pub active: i64,
    /// The one that serves the listings that name no other.
    pub default_provider_id: Option<PaymentProviderId>,
}
