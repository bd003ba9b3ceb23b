//! Refunds: asked for, called off, and made when their date comes.

use contract::Timestamp;
use contract::id::{AttemptId, PaymentId, RefundId};
use money::Money;

use super::{check_note, find, moved, not_idle, touched};
use crate::model::command::{AttemptKind, Event, RefundPayment};
use crate::model::folio::Folio;
use crate::model::payment::{Attempt, Payment, Refund, RefundState, Source, State};
use crate::model::rejection::Rejection;

pub(super) fn refund(
    folio: &Folio,
    refund: &RefundPayment,
    now: Timestamp,
) -> Result<Vec<Event>, Rejection> {
    let payment = find(folio, refund.payment)?;
    let amount = moved(folio, &refund.amount)?;
    check_note(refund.note.as_deref())?;
    check_refundable(payment, amount)?;
    let due = refund.due.filter(|due| *due > now);
    let posted = Refund {
        id: refund.id,
        amount,
        state: RefundState::Scheduled,
        due: Some(due.unwrap_or(now)),
        paid: None,
        note: refund.note.clone(),
        confirmation: None,
        error: None,
        attempt: None,
        created: now,
    };
    let posting = Event::RefundPosted {
        payment: payment.id,
        refund: posted.clone(),
    };
    let at_once = due
        .is_none()
        .then(|| start_refund(payment, &posted, refund.attempt, now));
    Ok(touched(folio).chain([posting]).chain(at_once).collect())
}

pub(super) fn cancel(
    folio: &Folio,
    payment: PaymentId,
    refund: RefundId,
) -> Result<Vec<Event>, Rejection> {
    let payment = find(folio, payment)?;
    let refund = payment.refund(refund).ok_or(Rejection::RefundNotFound)?;
    if refund.state != RefundState::Scheduled {
        return Err(Rejection::RefundNotScheduled(refund.state.public_name()));
    }
    let event = Event::RefundCancelled {
        payment: payment.id,
        refund: refund.id,
    };
    Ok(touched(folio).chain([event]).collect())
}

/// A refund is checked again when it is due: a chargeback may have come between.
pub(super) fn due(
    folio: &Folio,
    payment: PaymentId,
    refund: RefundId,
    attempt: AttemptId,
    now: Timestamp,
) -> Result<Vec<Event>, Rejection> {
    let payment = find(folio, payment)?;
    let refund = payment.refund(refund).ok_or(Rejection::RefundNotFound)?;
    if refund.state != RefundState::Scheduled || refund.due.is_none_or(|due| due > now) {
        return Err(Rejection::AttemptEnded);
    }
    // Its own amount is spoken for already, and must not count against it.
    let left = payment.refundable().minor() + refund.amount.minor();
    if payment.state != State::Succeeded || refund.amount.minor() > left {
        let reason = Rejection::RefundTooLarge {
            left: Money::from_minor(left.max(0), folio.currency).to_string(),
        };
        return Ok(vec![Event::RefundFailed {
            payment: payment.id,
            refund: refund.id,
            reason: reason.to_string(),
        }]);
    }
    Ok(vec![start_refund(payment, refund, attempt, now)])
}

fn check_refundable(payment: &Payment, amount: Money) -> Result<(), Rejection> {
    if let Some(busy) = not_idle(payment) {
        return Err(busy);
    }
    if payment.state != State::Succeeded {
        return Err(Rejection::NotRefundable(payment.state.public_name()));
    }
    let left = payment.refundable();
    if amount.minor() > left.minor() {
        return Err(Rejection::RefundTooLarge {
            left: left.to_string(),
        });
    }
    Ok(())
}

/// Money received elsewhere goes back elsewhere: its refund is a record.
fn start_refund(payment: &Payment, refund: &Refund, attempt: AttemptId, now: Timestamp) -> Event {
    match payment.source {
        Source::Recorded { .. } => Event::RefundRecorded {
            payment: payment.id,
            refund: refund.id,
            at: now,
        },
        Source::Card { .. } => Event::AttemptStarted {
            payment: payment.id,
            refund: Some(refund.id),
            attempt: Attempt::starting(attempt, now),
            kind: AttemptKind::Refund,
            amount: refund.amount,
            state: payment.state,
        },
    }
}
