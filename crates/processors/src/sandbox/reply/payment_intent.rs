//! A PaymentIntent of 2023, with its charge inside, as charges, holds, captures and releases leave
//! it.

use money::{Money, Rounding};
use serde_json::{Value, json};

use super::stripe::Scene;
use crate::sandbox::declines::Decline;
use crate::{DeclineClass, TransactionKind};

/// Where a PaymentIntent stands.
#[derive(Clone, Copy, PartialEq)]
enum Status {
    Succeeded,
    RequiresCapture,
    Canceled,
    RequiresAction,
    RequiresPaymentMethod,
}

impl Status {
    fn of(scene: &Scene<'_>) -> Self {
        match (scene.transaction.decline(), scene.transaction.kind) {
            (Some(decline), _) if decline.class == DeclineClass::NeedsCardholder => {
                Self::RequiresAction
            }
            (Some(_), _) => Self::RequiresPaymentMethod,
            (None, TransactionKind::Authorization) => Self::RequiresCapture,
            (None, TransactionKind::Void) => Self::Canceled,
            (None, _) => Self::Succeeded,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::RequiresCapture => "requires_capture",
            Self::Canceled => "canceled",
            Self::RequiresAction => "requires_action",
            Self::RequiresPaymentMethod => "requires_payment_method",
        }
    }
}

pub(super) fn render(scene: &Scene<'_>) -> Value {
    let status = Status::of(scene);
    let decline = scene.transaction.decline();
    let amount = scene.minor(scene.root.amount_minor);
    let received = received(scene, status);
    let intent_id = scene.intent_id();
    let charge_id = (status != Status::RequiresAction).then(|| scene.charge_id());
    let charges: Vec<Value> = charge_id
        .iter()
        .map(|id| charge(scene, status, id, &intent_id))
        .collect();
    let charge_count = charges.len();
    let canceled_at = (status == Status::Canceled).then(|| scene.transaction.system_at.seconds());
    let last_error = (status == Status::RequiresPaymentMethod)
        .then(|| decline.map(|decline| scene.error(decline, charge_id.as_deref())))
        .flatten();
    let next_action = (status == Status::RequiresAction)
        .then(|| Scene::redirect(&super::authentication_url(scene.transaction.id)));
    json!({
        "id": intent_id,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": if status == Status::RequiresCapture { amount } else { 0 },
        "amount_received": received,
        "application": scene.application_id(),
        "application_fee_amount": fee(scene, scene.root.amount_minor),
        "automatic_payment_methods": null,
        "canceled_at": canceled_at,
        "cancellation_reason": canceled_at.map(|_| "requested_by_customer"),
        "capture_method": match scene.root.kind {
            TransactionKind::Authorization => "manual",
            _ => "automatic",
        },
        "charges": {
            "object": "list",
            "data": charges,
            "has_more": false,
            "total_count": charge_count,
            "url": format!("/v1/charges?payment_intent={intent_id}"),
        },
        "client_secret": scene.client_secret(&intent_id),
        "confirmation_method": "manual",
        "created": scene.root.merchant_at.seconds(),
        "currency": scene.currency(),
        "customer": scene.customer_id(),
        "description": scene.order.confirmation_code,
        "invoice": null,
        "last_payment_error": last_error,
        "latest_charge": charge_id,
        "livemode": false,
        "metadata": metadata(scene),
        "next_action": next_action,
        "on_behalf_of": null,
        "payment_method": payment_method(scene, status),
        "payment_method_options": {
            "card": {
                "installments": null,
                "mandate_options": null,
                "network": null,
                "request_three_d_secure": "automatic",
            },
        },
        "payment_method_types": ["card"],
        "processing": null,
        "receipt_email": null,
        "review": null,
        "setup_future_usage": null,
        "shipping": shipping(scene),
        "source": null,
        "statement_descriptor": scene.account.descriptor,
        "statement_descriptor_suffix": null,
        "status": status.name(),
        "transfer_data": null,
        "transfer_group": null,
    })
}

fn charge(scene: &Scene<'_>, status: Status, id: &str, intent_id: &str) -> Value {
    let decline = scene.transaction.decline();
    let card = &scene.method.card;
    let taken = status == Status::Succeeded;
    let received = received(scene, status);
    let fee = taken.then(|| fee(scene, scene.transaction.amount_minor));
    json!({
        "id": id,
        "object": "charge",
        "amount": scene.minor(scene.root.amount_minor),
        "amount_captured": received,
        "amount_refunded": 0,
        "application": scene.application_id(),
        "application_fee": taken.then(|| scene.fee_id()),
        "application_fee_amount": fee,
        "balance_transaction": taken.then(|| scene.balance_transaction_id()),
        "billing_details": scene.billing_details(),
        "calculated_statement_descriptor": scene.account.descriptor.to_uppercase(),
        "captured": taken,
        "created": scene.root.merchant_at.seconds(),
        "currency": scene.currency(),
        "customer": scene.customer_id(),
        "description": scene.order.confirmation_code,
        "destination": null,
        "dispute": null,
        "disputed": false,
        "failure_balance_transaction": null,
        "failure_code": decline.map(|decline| decline.code),
        "failure_message": decline.map(|decline| decline.message),
        "invoice": null,
        "livemode": false,
        "metadata": metadata(scene),
        "on_behalf_of": null,
        "order": null,
        "outcome": outcome(decline),
        "paid": decline.is_none(),
        "payment_intent": intent_id,
        "payment_method": scene.method.token.as_str(),
        "payment_method_details": {
            "card": {
                "brand": card.brand,
                "checks": scene.checks(),
                "country": card.country,
                "ds_transaction_id": null,
                "exp_month": card.exp_month,
                "exp_year": card.exp_year,
                "fingerprint": scene.fingerprint(),
                "funding": card.funding,
                "installments": null,
                "last4": card.last4,
                "mandate": null,
                "moto": null,
                "network": card.brand,
                "network_token": {"used": false},
                "three_d_secure": null,
                "wallet": null,
            },
            "type": "card",
        },
        "receipt_email": null,
        "receipt_number": null,
        "receipt_url": null,
        "refunded": false,
        "refunds": {
            "object": "list",
            "data": [],
            "has_more": false,
            "total_count": 0,
            "url": format!("/v1/charges/{id}/refunds"),
        },
        "review": null,
        "shipping": shipping(scene),
        "source": null,
        "source_transfer": null,
        "statement_descriptor": scene.account.descriptor,
        "statement_descriptor_suffix": null,
        "status": if decline.is_none() { "succeeded" } else { "failed" },
        "transfer_data": null,
        "transfer_group": null,
    })
}

/// What the merchant got.
fn received(scene: &Scene<'_>, status: Status) -> i64 {
    match status {
        Status::Succeeded => scene.minor(scene.transaction.amount_minor),
        _ => 0,
    }
}

/// The sub-account's fee on an amount.
fn fee(scene: &Scene<'_>, amount_minor: i64) -> i64 {
    let amount = Money::from_minor(amount_minor, scene.account.currency);
    let fee = amount
        .times(&scene.account.fee_rate, Rounding::HalfUp)
        .and_then(|share| share.checked_add(scene.account.fee_fixed));
    // An amount whose fee does not fit 64 bits has no fee that could be printed.
    fee.map_or(0, |fee| scene.minor(fee.minor()))
}

/// A declined method is taken off the PaymentIntent, which waits for another.
fn payment_method<'a>(scene: &Scene<'a>, status: Status) -> Option<&'a str> {
    (status != Status::RequiresPaymentMethod).then(|| scene.method.token.as_str())
}

fn metadata(scene: &Scene<'_>) -> Value {
    let order = &scene.order;
    json!({
        "OTA": order.ota,
        "accountId": order.account_id,
        "confirmationCode": order.confirmation_code,
        "guestName": order.guest_name,
        "listingId": order.listing_id,
        "paymentId": order.payment_id,
        "paymentMethodId": order.payment_method_id,
        "reservationId": order.reservation_id,
    })
}

fn shipping(scene: &Scene<'_>) -> Value {
    let order = &scene.order;
    json!({
        "address": order.guest_address.clone().unwrap_or_default(),
        "carrier": null,
        "name": order.guest_name,
        "phone": order.guest_phone,
        "tracking_number": null,
    })
}

fn outcome(decline: Option<&Decline>) -> Value {
    match decline {
        None => json!({
            "network_status": "approved_by_network",
            "reason": null,
            "risk_level": "normal",
            "risk_score": 6,
            "seller_message": "Payment complete.",
            "type": "authorized",
        }),
        Some(decline) => json!({
            "network_status": "declined_by_network",
            "reason": decline.reason_code,
            "risk_level": "normal",
            "risk_score": 6,
            "seller_message": format!("The bank declined the payment: {}.", decline.text),
            "type": "issuer_declined",
        }),
    }
}
