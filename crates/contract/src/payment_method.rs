//! Guests' payment methods on the wire.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::Timestamp;
use crate::id::{AccountId, GuestId, PaymentMethodId, PaymentProviderId, ReservationId};

/// `POST /v1/guests/{id}/payment-methods`: a method made of what the guest's browser got for a card
/// from the processor. Card numbers are never taken.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[schema(example = json!({"stripeCardToken": "pm_card_visa", "reservationId": "64da254383ad1500284bd0c0", "reuse": true}))]
pub struct NewPaymentMethod {
    /// A Stripe payment method (`pm_…`): makes a `STRIPE` method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stripe_card_token: Option<String>,
    /// The `_id` of GuestyPay's tokenization: makes an `AMARYLLIS` method.
    #[serde(rename = "_id", skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The provider that made the token; absent: the reservation's, else the account's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_provider_id: Option<PaymentProviderId>,
    /// The reservation that it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reservation_id: Option<ReservationId>,
    /// Whether it may be used for the guest's other reservations; absent: no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reuse: Option<bool>,
    /// Whether it may take more than one payment; absent: yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub save_for_future_use: Option<bool>,
}

/// A stored method, in the shape of the guide's example.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PaymentMethod {
    /// The method.
    #[serde(rename = "_id")]
    pub id: PaymentMethodId,
    /// The account.
    pub account_id: AccountId,
    /// The provider that keeps it.
    pub payment_provider_id: PaymentProviderId,
    /// `STRIPE` or `AMARYLLIS`.
    pub method: String,
    /// The processor's reply when it was made.
    #[schema(value_type = Value)]
    pub payload: Box<RawValue>,
    /// Whether it may take more than one payment.
    pub save_for_future_use: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Last four digits of the card.
    pub last4: String,
    /// The card's network.
    pub brand: String,
    /// `ACTIVE`, or why not.
    pub status: String,
    /// `PHYSICAL` or `VIRTUAL`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The document's version, as the Open API prints it.
    #[serde(rename = "__v")]
    pub version: u32,
    /// Whose it is.
    pub guest_id: GuestId,
}
