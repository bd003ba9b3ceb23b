//! A call of the processor: what it is asked, and how its answer reads.

use contract::Timestamp;
use contract::id::{AttemptId, PaymentId};
use money::Money;
use processors::{
    Address, Answer, AttemptKey, Charge, DeclineClass, Failure, FollowUp, MerchantId, MethodToken,
    Order, Request, TransactionId, Verdict,
};
use serde_json::Value;

use super::Started;
use crate::Platform;
use crate::model::{AttemptKind, Command, Outcome, Payment, Reference, Source};
use crate::store::folio::Stay;
use crate::store::payment_method::{MethodSummary, Route};

/// A call of the processor that has been committed to.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) payment: PaymentId,
    pub(super) attempt: AttemptId,
    pub(super) kind: AttemptKind,
    pub(super) route: Route,
    pub(super) amount: Money,
    /// When the attempt was committed.
    pub(super) sent: Timestamp,
    /// The method, if the payment is the first of its folio: then there is nothing else to show.
    pub(super) first_with: Option<MethodSummary>,
    /// The transaction that it follows up.
    pub(super) original: Option<String>,
    pub(super) order: Order,
}

pub(super) fn call(
    stay: &Stay,
    payment: &Payment,
    (attempt, kind, amount): Started,
    sent: Timestamp,
    route: Route,
) -> Call {
    let method_id = match &payment.source {
        Source::Card { method, .. } => method.to_string(),
        Source::Recorded { .. } => String::new(),
    };
    Call {
        payment: payment.id,
        attempt,
        kind,
        route,
        amount,
        sent,
        first_with: None,
        original: payment
            .reference
            .as_ref()
            .map(|known| known.transaction.clone()),
        order: Order {
            ota: stay.source.clone(),
            account_id: stay.account.to_string(),
            confirmation_code: stay.confirmation_code.clone(),
            guest_name: stay.guest_name.clone(),
            guest_phone: stay.guest_phone.clone(),
            guest_address: address(&stay.guest_body),
            listing_id: stay.listing.to_string(),
            payment_id: payment.id.to_string(),
            payment_method_id: method_id,
            reservation_id: stay.folio.reservation.to_string(),
        },
    }
}

/// The guest's address, as far as it was given.
fn address(guest_body: &str) -> Option<Address> {
    let body: Value = serde_json::from_str(guest_body).ok()?;
    let address = body.get("address")?;
    let part = |name: &str| address.get(name).and_then(Value::as_str).map(str::to_owned);
    Some(Address {
        city: part("city"),
        country: part("country"),
        line1: part("street").or_else(|| part("line1")),
        line2: part("line2"),
        postal_code: part("zipcode").or_else(|| part("postalCode")),
        state: part("state"),
    })
}

/// What the processor is asked.
pub(super) fn request(call: &Call) -> Request {
    let key = AttemptKey::new(call.attempt.as_str());
    let merchant = MerchantId::new(call.route.merchant.as_str());
    let charge = || Charge {
        key: key.clone(),
        merchant: merchant.clone(),
        method: MethodToken::new(call.route.token.as_str()),
        amount: call.amount,
        order: call.order.clone(),
        at: call.sent,
    };
    let follow_up = |amount| FollowUp {
        key: key.clone(),
        merchant: merchant.clone(),
        original: TransactionId::new(call.original.clone().unwrap_or_default()),
        amount,
        at: call.sent,
    };
    match call.kind {
        AttemptKind::Charge => Request::Charge(charge()),
        AttemptKind::Hold => Request::Hold(charge()),
        AttemptKind::Capture => Request::Capture(follow_up(Some(call.amount))),
        AttemptKind::Void => Request::Void(follow_up(None)),
        AttemptKind::Refund => Request::Refund(follow_up(Some(call.amount))),
    }
}

pub(super) async fn look_up(platform: &Platform, call: &Call) -> Result<Option<Answer>, Failure> {
    let merchant = MerchantId::new(call.route.merchant.as_str());
    platform
        .sandbox
        .lookup(&merchant, &AttemptKey::new(call.attempt.as_str()))
        .await
}

pub(super) fn answer(call: &Call, outcome: Outcome) -> Command {
    Command::Answer {
        payment: call.payment,
        attempt: call.attempt,
        kind: call.kind,
        outcome,
    }
}

pub(super) fn outcome(answer: Answer) -> Outcome {
    match answer.verdict {
        Verdict::Approved { .. } => Outcome::Approved {
            reference: Reference {
                transaction: answer.transaction_id.to_string(),
                confirmation: answer.confirmation,
            },
            hold_expires: answer.hold_expires_at,
        },
        Verdict::Declined {
            code,
            reason,
            class,
        } => Outcome::Declined {
            reason: format!("{reason} ({code})"),
            is_hard: class == DeclineClass::Hard,
        },
        Verdict::AuthenticationRequired { url } => Outcome::AuthenticationRequired { url },
    }
}
