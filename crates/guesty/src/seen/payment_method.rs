//! Guests' payment methods.

use contract::Timestamp;
use contract::id::{AccountId, GuestId, PaymentMethodId, PaymentProviderId};
use serde::{Deserialize, Serialize};

use crate::field::Field;

/// A stored method.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PaymentMethod {
    /// The method's id.
    #[serde(rename = "_id")]
    pub id: Field<PaymentMethodId>,
    /// The account.
    pub account_id: Field<AccountId>,
    /// Whose it is.
    pub guest_id: Field<GuestId>,
    /// The provider that keeps it.
    pub payment_provider_id: Field<PaymentProviderId>,
    /// `STRIPE` or `AMARYLLIS`.
    pub method: Field<String>,
    /// `ACTIVE`, or why not.
    pub status: Field<String>,
    /// `PHYSICAL` or `VIRTUAL`.
    #[serde(rename = "type")]
    pub kind: Field<String>,
    /// Last four digits of the card.
    pub last4: Field<String>,
    /// The card's network.
    pub brand: Field<String>,
    /// Whether it may take more than one payment.
    pub save_for_future_use: Field<bool>,
    /// When it was made.
    pub created_at: Field<Timestamp>,
    /// When it last changed.
    pub updated_at: Field<Timestamp>,
}
