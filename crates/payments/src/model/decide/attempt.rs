//! What comes of a call of the processor: an answer, or none.

use contract::Timestamp;
use contract::id::{AttemptId, PaymentId, RefundId};

use super::find;
use crate::model::command::{AttemptKind, Event, Outcome};
use crate::model::folio::Folio;
use crate::model::payment::{Attempt, Payment, State};
use crate::model::rejection::Rejection;

pub(super) fn unanswered(
    folio: &Folio,
    payment: PaymentId,
    attempt: AttemptId,
    now: Timestamp,
) -> Result<Vec<Event>, Rejection> {
    let open = open_attempt(folio, payment, attempt)?;
    Ok(vec![Event::AttemptUnknown {
        payment: open.payment.id,
        refund: open.refund,
        attempt: open.attempt.asked(now),
    }])
}

pub(super) fn answer(
    folio: &Folio,
    payment: PaymentId,
    attempt: AttemptId,
    kind: AttemptKind,
    outcome: &Outcome,
    now: Timestamp,
) -> Result<Vec<Event>, Rejection> {
    let open = open_attempt(folio, payment, attempt)?;
    let approved = outcome.is_approved();
    let state = match (kind, outcome) {
        (AttemptKind::Refund, _) => open.payment.state,
        (AttemptKind::Charge | AttemptKind::Hold, Outcome::AuthenticationRequired { .. }) => {
            State::AwaitingGuest
        }
        (AttemptKind::Charge | AttemptKind::Capture, _) if approved => State::Succeeded,
        (AttemptKind::Hold, _) if approved => State::Held,
        (AttemptKind::Void, _) if approved => State::Cancelled,
        (AttemptKind::Charge, Outcome::Declined { is_hard: false, .. })
            if open.payment.may_be_tried_again() =>
        {
            State::Scheduled
        }
        (AttemptKind::Charge | AttemptKind::Hold, _) => State::Failed,
        (AttemptKind::Capture | AttemptKind::Void, _) => State::Held,
    };
    Ok(vec![Event::Answered {
        payment: open.payment.id,
        refund: open.refund,
        attempt,
        kind,
        outcome: outcome.clone(),
        state,
        at: now,
    }])
}

/// An attempt that still waits for an answer.
struct Open<'a> {
    payment: &'a Payment,
    refund: Option<RefundId>,
    attempt: Attempt,
}

fn open_attempt(folio: &Folio, payment: PaymentId, id: AttemptId) -> Result<Open<'_>, Rejection> {
    let payment = find(folio, payment)?;
    let of_refunds = payment
        .refunds
        .iter()
        .map(|refund| (Some(refund.id), refund.attempt));
    std::iter::once((None, payment.attempt))
        .chain(of_refunds)
        .find_map(|(refund, attempt)| {
            let attempt = attempt.filter(|attempt| attempt.id == id)?;
            Some(Open {
                payment,
                refund,
                attempt,
            })
        })
        .ok_or(Rejection::AttemptEnded)
}
