//! Webhooks on the wire: subscriptions, what is sent to them, and what came of that.

use money::{Currency, Decimal};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::id::{
    AccountId, GuestId, ListingId, PaymentId, PaymentMethodId, ReservationId, WebhookAttemptId,
    WebhookId,
};
use crate::local::LocalDate;
use crate::reservation::Status;
use crate::{ObjectId, Timestamp};

/// `POST /v1/webhooks`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(expecting = "an object")]
#[schema(example = json!({"url": "https://example.com/webhooks", "events": ["payments.received"]}))]
pub struct NewWebhook {
    /// Where to send.
    pub url: String,
    /// What of, by the events' names.
    pub events: Vec<String>,
}

/// `PUT /v1/webhooks/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(expecting = "an object")]
#[schema(example = json!({"events": ["payments.received", "payments.refunded"]}))]
pub struct WebhookChange {
    /// What to send from now on, by the events' names.
    pub events: Vec<String>,
    /// The url that it has already; it cannot be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// The account whose events are sent.
    pub account_id: AccountId,
    /// The subscription's id.
    #[serde(rename = "_id")]
    pub id: WebhookId,
    /// Where to.
    pub url: String,
    /// Which, by their names.
    pub events: Vec<String>,
    /// Since when nothing arrives, if that is so. Not in the Open API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Timestamp>,
    /// When it was given up: nothing more is sent. Not in the Open API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled_at: Option<Timestamp>,
    /// Why it was given up, and what to do. Not in the Open API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled_reason: Option<String>,
}

/// `GET /v1/webhooks-v2/secret`: what verifies the signatures of a url's messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebhookSecret {
    /// `whsec_` and the key's bytes in base64.
    pub key: String,
}

/// A message as it was sent once. Not in the Open API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookAttempt {
    /// The attempt's id.
    #[serde(rename = "_id")]
    pub id: WebhookAttemptId,
    /// The subscription.
    pub webhook_id: WebhookId,
    /// The message's `svix-id`.
    pub message_id: String,
    /// The event's name.
    pub event: String,
    /// When it was sent, in wall time.
    pub attempted_at: Timestamp,
    /// How long the receiver took to answer, in milliseconds.
    pub latency_ms: i64,
    /// `SUCCEEDED` or `FAILED`.
    pub result: String,
    /// The receiver's answer; absent: it gave none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_code: Option<i64>,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How the receiver's answer begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<String>,
    /// Where the message stands by now: `PENDING`, `SUCCEEDED` or `FAILED`.
    pub message_status: String,
    /// When it is sent again, in wall time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<Timestamp>,
}

/// Where a message stands after it was asked to be sent again. Not in the Open API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookReplay {
    /// The subscription.
    pub webhook_id: WebhookId,
    /// The message's `svix-id`, the same as before.
    pub message_id: String,
    /// The event's name.
    pub event: String,
    /// `PENDING`.
    pub message_status: String,
    /// When it is sent again, in wall time.
    pub next_attempt_at: Timestamp,
}

/// `listing.new`, `listing.updated`, `listing.removed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListingEvent {
    /// The event's name.
    pub event: String,
    /// The listing, by its id alone.
    pub listing: ListingOfEvent,
    /// What to call the event and its message.
    pub meta: Meta,
}

/// The listing of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListingOfEvent {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: ListingId,
}

/// What to call an event and its message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Meta {
    /// The event, the same in all that follows from it.
    pub event_id: ObjectId,
    /// The message's `svix-id`.
    pub message_id: String,
}

/// `reservation.new`, `reservation.updated`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReservationEvent {
    /// The whole reservation, as `GET /v1/reservations/{id}` shows it.
    pub reservation: Value,
    /// The event's name.
    pub event: String,
}

/// `reservation.created.v2`, `reservation.updated.v2`: the stay without its money.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StayEvent {
    /// The event's name.
    pub event: String,
    /// When the message was made, in wall time; later ones of a reservation are newer.
    pub published_at: Timestamp,
    /// What changed; empty: it is new.
    pub changes: Vec<String>,
    /// The account.
    pub account_id: AccountId,
    /// The reservation.
    pub reservation_id: ReservationId,
    /// The property.
    pub unit_id: ListingId,
    /// The guest.
    pub guest_id: GuestId,
    /// Where it stands.
    pub status: Status,
    /// The code that people call it by.
    pub confirmation_code: String,
    /// Where the booking came from.
    pub source: String,
    /// The channel that it came through.
    pub platform: String,
    /// The first day, by the property's calendar.
    pub check_in_date_localized: LocalDate,
    /// The last day, by the property's calendar.
    pub check_out_date_localized: LocalDate,
    /// How many stay.
    pub guests_count: i64,
    /// Who stays.
    pub number_of_guests: Value,
    /// The instant of arrival.
    pub eta: Timestamp,
    /// The instant of departure.
    pub etd: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub altered_at: Timestamp,
}

/// `guest.created`, `guest.updated`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GuestEvent {
    /// The guest, as `GET /v1/guests-crud/{id}` shows them.
    pub guest: Value,
    /// Who did it.
    pub by: String,
    /// The event's name.
    pub event: String,
}

/// `payments.*`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PaymentEvent {
    /// The payment, and what happened to it.
    pub payment: PaymentOfEvent,
    /// The event's name.
    pub event: String,
}

/// The payment of an event: each event has those of the fields that say something of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PaymentOfEvent {
    /// The account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
    /// The reservation that is paid for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reservation_id: Option<ReservationId>,
    /// The payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<PaymentId>,
    /// What came in; of a payment that failed or waits for the guest, what was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Decimal>,
    /// The currency of all amounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// The processor's code of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmation_code: Option<String>,
    /// When the money came in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<Timestamp>,
    /// The stored method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_method_id: Option<PaymentMethodId>,
    /// Last four digits of the card.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last4: Option<String>,
    /// The card's network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// Who pays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who pays, by their id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guest_id: Option<GuestId>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_reason: Option<String>,
    /// What went back with this refund.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_amount: Option<Decimal>,
    /// The same, under the name that some receivers read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refunded_amount: Option<Decimal>,
    /// What went back of the payment in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_refunded: Option<Decimal>,
    /// What else the event itself says, as of a dispute its type, reason and case.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
    /// What to ask support with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ctx: Option<EventContext>,
}

/// What to ask support with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventContext {
    /// The message's `svix-id`.
    pub request_id: String,
}

/// `guest-folio.created`, `guest-folio.updated`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FolioEvent {
    /// The event's name.
    pub event: String,
    /// The invoice and what was paid of it.
    pub guest_folio: FolioOfEvent,
}

/// The folio of an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FolioOfEvent {
    /// The reservation.
    pub reservation_id: ReservationId,
    /// The account.
    pub account_id: AccountId,
    /// The code that people call it by.
    pub confirmation_code: String,
    /// The reservation's `money`, but for its payments: totals and invoice items.
    #[serde(flatten)]
    pub money: Map<String, Value>,
    /// When the reservation was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}
