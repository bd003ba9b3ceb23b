//! Payments of a reservation, as its money lists them.

use contract::id::{AttemptId, CaptureId, GuestId, PaymentId, PaymentMethodId, RefundId};
use contract::{ObjectId, Timestamp};
use money::{Currency, Decimal};
use serde::{Deserialize, Serialize};

use crate::field::{Field, list, object};

/// A payment, planned or made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Payment {
    /// The payment's id.
    #[serde(rename = "_id")]
    pub id: Field<PaymentId>,
    /// `PENDING`, `SUCCEEDED`, `FAILED`, … or a name that no document has.
    pub status: Field<String>,
    /// As posted, in major units.
    pub amount: Field<Decimal>,
    /// Its currency.
    pub currency: Field<Currency>,
    /// Free text.
    pub note: Field<String>,
    /// Whether it is, or was, a hold.
    pub is_authorization_hold: Field<bool>,
    /// The stored method.
    pub payment_method_id: Field<PaymentMethodId>,
    /// How it is paid.
    #[serde(deserialize_with = "object")]
    pub payment_method: Method,
    /// Who pays.
    pub guest_id: Field<GuestId>,
    /// When it is, or was, to be charged.
    pub should_be_paid_at: Field<Timestamp>,
    /// When the money came in.
    pub paid_at: Field<Timestamp>,
    /// The processor's id of it.
    pub confirmation_code: Field<String>,
    /// The receipt's number.
    pub receipt_id: Field<String>,
    /// Every call of the processor.
    #[serde(deserialize_with = "list")]
    pub attempts: Vec<Attempt>,
    /// What went back, or is to.
    #[serde(deserialize_with = "list")]
    pub refunds: Vec<Refund>,
    /// What was taken of a hold.
    #[serde(deserialize_with = "list")]
    pub authorization_hold_captures: Vec<Capture>,
    /// Disputes.
    #[serde(deserialize_with = "object")]
    pub chargebacks_data: Chargebacks,
    /// When it was posted.
    pub created_at: Field<Timestamp>,
}

/// How a payment is paid.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Method {
    /// The stored method; none for what was received elsewhere.
    #[serde(rename = "_id")]
    pub id: Field<PaymentMethodId>,
    /// `STRIPE`, `AMARYLLIS`, `CASH`, …
    pub method: Field<String>,
    /// Last four digits of the card.
    pub last4: Field<String>,
    /// The card's network.
    pub brand: Field<String>,
}

/// One call of a processor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Attempt {
    /// The attempt's id.
    #[serde(rename = "_id")]
    pub id: Field<AttemptId>,
    /// What came of it.
    pub status: Field<String>,
    /// Why it failed.
    pub error: Field<String>,
    /// When it was made.
    pub created_at: Field<Timestamp>,
}

/// A refund, planned or made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Refund {
    /// The refund's id.
    #[serde(rename = "_id")]
    pub id: Field<RefundId>,
    /// Where it stands.
    pub status: Field<String>,
    /// How much, in major units.
    pub amount: Field<Decimal>,
    /// Its currency.
    pub currency: Field<Currency>,
    /// Free text.
    pub note: Field<String>,
    /// When it is, or was, to be made.
    pub should_be_paid_at: Field<Timestamp>,
    /// When the money went back.
    pub refunded_at: Field<Timestamp>,
    /// The processor's id of it.
    pub confirmation_code: Field<String>,
    /// Why it failed.
    pub error: Field<String>,
    /// When it was asked for.
    pub created_at: Field<Timestamp>,
}

/// What was taken of a hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Capture {
    /// The capture's id.
    #[serde(rename = "_id")]
    pub id: Field<CaptureId>,
    /// What came of it.
    pub status: Field<String>,
    /// How much, in major units.
    pub amount: Field<Decimal>,
    /// When it was asked for.
    pub created_at: Field<Timestamp>,
}

/// Disputes of a payment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Chargebacks {
    /// Each with its case.
    #[serde(deserialize_with = "list")]
    pub chargebacks: Vec<Chargeback>,
}

/// A dispute. (Its fields are not documented.)
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Chargeback {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: Field<ObjectId>,
    /// The processor's case.
    pub case_id: Field<String>,
    /// How much.
    pub amount: Field<Decimal>,
    /// Its currency.
    pub currency: Field<Currency>,
    /// The cardholder's reason.
    pub reason: Field<String>,
    /// Where it stands.
    pub status: Field<String>,
    /// When it became known.
    pub created_at: Field<Timestamp>,
}
