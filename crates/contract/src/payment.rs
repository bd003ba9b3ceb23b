//! Payments on the wire: requests and replies of posting a guest payment, in the shapes of the
//! Open API's guide "Posting a Guest Payment".

use money::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::Timestamp;
use crate::id::{
    AttemptId, CaptureId, GuestId, PaymentId, PaymentMethodId, RefundId, ReservationId,
};

/// `POST /v1/reservations/{id}/payments`: a payment to take now or later, a hold to place, or a
/// payment received elsewhere to record.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[schema(example = json!({"paymentMethod": {"method": "AMARYLLIS", "saveForFutureUse": true, "id": "64da2367d8d9771c02befbb2"}, "amount": 500, "note": "Deposit"}))]
pub struct NewPayment {
    /// How it is paid. Required.
    #[schema(required = true, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_method: Option<PaymentMethodRef>,
    /// In major units of the reservation's currency, more than 0. Required.
    #[schema(required = true, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Decimal>,
    /// When to charge; absent or past: at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub should_be_paid_at: Option<Timestamp>,
    /// When a recorded payment was received; absent: now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<Timestamp>,
    /// Free text, at most 500 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Hold the amount on the card instead of charging it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_authorization_hold: Option<bool>,
}

/// Which method a payment uses.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PaymentMethodRef {
    /// `STRIPE` or `AMARYLLIS` for a stored card; `CASH`, `CHECK`, … for money received elsewhere.
    #[schema(required = true, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Whether the stored method may take further payments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub save_for_future_use: Option<bool>,
    /// The stored method; needed for cards only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<PaymentMethodId>,
}

/// `PUT /v1/reservations/{id}/payments/{paymentId}`: changes of a scheduled payment. What is
/// absent stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[schema(example = json!({"amount": 1100, "shouldBePaidAt": "2023-09-02T12:00:00.000Z"}))]
pub struct PaymentChange {
    /// `CANCELLED` cancels; another value must be the payment's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Another stored method of the guest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_method: Option<PaymentMethodRef>,
    /// Another amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Decimal>,
    /// Another date; a past one charges at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub should_be_paid_at: Option<Timestamp>,
    /// A Stripe payment method (`pm_…`) to be charged instead: it is stored for the guest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stripe_payment_method_token: Option<String>,
    /// Another note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// `POST …/payments/{paymentId}/refund`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[schema(example = json!({"amount": 100, "note": "Late check-in"}))]
pub struct NewRefund {
    /// How much goes back. Required.
    #[schema(required = true, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Decimal>,
    /// When; absent or past: at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub should_be_paid_at: Option<Timestamp>,
    /// Free text, at most 500 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// `POST …/payments/{paymentId}/capture`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[schema(example = json!({"amount": 120}))]
pub struct NewCapture {
    /// How much of the hold to take; absent: all of it. The rest is released.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Decimal>,
}

/// The reply to every change of a reservation's payments: all of them, the newest last.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ReservationPayments {
    /// The reservation.
    #[serde(rename = "_id")]
    pub id: ReservationId,
    /// Its payments.
    pub money: PaymentsOnly,
}

/// A reservation's money, payments only.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PaymentsOnly {
    /// In the order of their posting.
    pub payments: Vec<Payment>,
}

/// A payment, planned or made.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Payment {
    /// Whether the stored method can be used; absent for recorded payments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_method_status: Option<String>,
    /// Whether it is, or was, a hold.
    pub is_authorization_hold: bool,
    /// `PENDING`, `PENDING_AUTH`, `AUTHORIZATION_HOLD_SUCCEEDED`, `SUCCEEDED`, `FAILED` or
    /// `CANCELLED`.
    pub status: String,
    /// The payment.
    #[serde(rename = "_id")]
    pub id: PaymentId,
    /// Disputes.
    pub chargebacks_data: ChargebacksData,
    /// As posted, in major units.
    pub amount: Decimal,
    /// When it is, or was, to be charged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub should_be_paid_at: Option<Timestamp>,
    /// When the money came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<Timestamp>,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The stored method; absent for recorded payments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_method_id: Option<PaymentMethodId>,
    /// Who pays.
    pub guest_id: GuestId,
    /// ISO 4217 code.
    pub currency: String,
    /// Every call of the processor.
    pub attempts: Vec<Attempt>,
    /// The processor's id of it, once it has gone through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmation_code: Option<String>,
    /// What went back, or is to.
    pub refunds: Vec<Refund>,
    /// What was taken of a hold.
    pub authorization_hold_captures: Vec<Capture>,
    /// When it was posted.
    pub created_at: Timestamp,
    /// Where receipts were sent.
    pub receipt_targets: Vec<String>,
    /// The receipt's number, once the money is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt_id: Option<u64>,
    /// Where the guest confirms with their bank, while that is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authentication_required_data: Option<AuthenticationRequired>,
    /// Who pays, by name.
    pub guest: PayingGuest,
    /// How it is paid.
    pub payment_method: PaymentMethodSummary,
}

/// Disputes of a payment.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct ChargebacksData {
    /// Each with its case.
    #[schema(value_type = Vec<Value>)]
    pub chargebacks: Vec<Box<RawValue>>,
}

/// One call of a processor.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// The attempt, which is also its key at the processor.
    #[serde(rename = "_id")]
    pub id: AttemptId,
    /// `SUCCEEDED`, `FAILED`, or `PENDING` while there is no answer.
    pub status: String,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The processor's reply, as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    pub payload: Option<Box<RawValue>>,
    /// When the call was made, or answered.
    pub created_at: Timestamp,
}

/// A refund, planned or made. (Its fields are not documented: they follow the payment's.)
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Refund {
    /// The refund.
    #[serde(rename = "_id")]
    pub id: RefundId,
    /// `PENDING`, `PROCESSING`, `SUCCEEDED`, `FAILED` or `CANCELLED`.
    pub status: String,
    /// In major units.
    pub amount: Decimal,
    /// ISO 4217 code.
    pub currency: String,
    /// When it is, or was, to be made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub should_be_paid_at: Option<Timestamp>,
    /// When the money went back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refunded_at: Option<Timestamp>,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The processor's id of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmation_code: Option<String>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Every call of the processor.
    pub attempts: Vec<Attempt>,
    /// When it was asked for.
    pub created_at: Timestamp,
}

/// What was taken of a hold. (Its fields are not documented: they follow the payment's.)
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Capture {
    /// The capture.
    #[serde(rename = "_id")]
    pub id: CaptureId,
    /// `SUCCEEDED`, `FAILED`, or `PENDING` while there is no answer.
    pub status: String,
    /// In major units.
    pub amount: Decimal,
    /// When it was asked for.
    pub created_at: Timestamp,
}

/// Where a guest confirms a payment with their bank.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthenticationRequired {
    /// The bank's page.
    pub authentication_url: String,
}

/// Who pays.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PayingGuest {
    /// The guest.
    #[serde(rename = "_id")]
    pub id: GuestId,
    /// E-mail address, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Full name.
    pub full_name: String,
}

/// How a payment is paid.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PaymentMethodSummary {
    /// The stored method; absent for recorded payments.
    #[serde(rename = "_id", default, skip_serializing_if = "Option::is_none")]
    pub id: Option<PaymentMethodId>,
    /// `STRIPE`, `AMARYLLIS`, or how it was received elsewhere.
    pub method: String,
    /// Last four digits of the card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last4: Option<String>,
    /// The card's network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
}
