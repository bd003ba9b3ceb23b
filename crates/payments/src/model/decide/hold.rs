//! Capturing a hold, letting it go, and calling off what has not been charged.

use contract::Timestamp;
use contract::id::{AttemptId, PaymentId};

use super::{find, moved, not_idle, touched};
use crate::model::command::{AttemptKind, Capture, Event};
use crate::model::folio::Folio;
use crate::model::payment::{Attempt, Source, State};
use crate::model::rejection::Rejection;

pub(super) fn cancel(
    folio: &Folio,
    payment: PaymentId,
    attempt: AttemptId,
    now: Timestamp,
) -> Result<Vec<Event>, Rejection> {
    let payment = find(folio, payment)?;
    if let Some(busy) = not_idle(payment) {
        return Err(busy);
    }
    let event = match (payment.state, &payment.source) {
        (State::Scheduled | State::AwaitingGuest, _) => Event::Cancelled {
            payment: payment.id,
        },
        (State::Held, _) => Event::AttemptStarted {
            payment: payment.id,
            refund: None,
            attempt: Attempt::starting(attempt, now),
            kind: AttemptKind::Void,
            amount: payment.amount,
            state: State::Releasing,
        },
        (State::Succeeded, Source::Recorded { .. }) => {
            if payment.refundable() != payment.amount {
                return Err(Rejection::CancelWithRefunds);
            }
            Event::Cancelled {
                payment: payment.id,
            }
        }
        (state, _) => return Err(Rejection::CannotCancel(state.public_name())),
    };
    Ok(touched(folio).chain([event]).collect())
}

pub(super) fn capture(
    folio: &Folio,
    capture: &Capture,
    now: Timestamp,
) -> Result<Vec<Event>, Rejection> {
    let payment = find(folio, capture.payment)?;
    let amount = capture
        .amount
        .as_ref()
        .map(|amount| moved(folio, amount))
        .transpose()?;
    if let Some(busy) = not_idle(payment) {
        return Err(busy);
    }
    let can_lapse = matches!(payment.state, State::Held | State::Expired);
    if let Some(expires) = payment
        .expires
        .filter(|expires| can_lapse && *expires <= now)
    {
        return Err(Rejection::HoldExpired(expires));
    }
    if payment.state != State::Held {
        return Err(Rejection::NotHeld(payment.state.public_name()));
    }
    let amount = amount.unwrap_or(payment.amount);
    if amount.minor() > payment.amount.minor() {
        return Err(Rejection::CaptureTooLarge {
            held: payment.amount.to_string(),
        });
    }
    let start = Event::AttemptStarted {
        payment: payment.id,
        refund: None,
        attempt: Attempt::starting(capture.attempt, now),
        kind: AttemptKind::Capture,
        amount,
        state: State::Capturing,
    };
    Ok(touched(folio).chain([start]).collect())
}

pub(super) fn expire(
    folio: &Folio,
    payment: PaymentId,
    now: Timestamp,
) -> Result<Vec<Event>, Rejection> {
    let payment = find(folio, payment)?;
    if payment.state != State::Held || payment.expires.is_none_or(|expires| expires > now) {
        return Err(Rejection::AttemptEnded);
    }
    Ok(vec![Event::Expired {
        payment: payment.id,
    }])
}
