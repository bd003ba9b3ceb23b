//! Writing what happened: the rows that changed, the attempts, and the domain events.

use contract::{ObjectId, Timestamp};
use serde_json::{Value, json};
use store::Connection;

use crate::Error;
use crate::model::webhook::PAYMENTS;
use crate::model::{AttemptKind, Event, Folio, Outcome, State};
use crate::store::attempt::{self, AttemptRow, AttemptState, Ending};
use crate::store::event::{self, DomainEvent};
use crate::store::folio::{self, Stay};

/// Writes what happened: the rows that changed, the attempts, and the domain events.
pub(super) fn record(
    connection: &mut Connection,
    stay: &Stay,
    events: &[Event],
    payload: Option<&str>,
    now: Timestamp,
) -> Result<Folio, Error> {
    let mut after = stay.folio.clone();
    for event in events {
        after.apply(event);
    }
    folio::save(connection, stay.account, &stay.folio, &after, now)?;
    for event in events {
        record_attempt(connection, event, payload, now)?;
    }
    for event in domain_events(events, &after) {
        event::record(connection, stay.account, &event, now)?;
    }
    Ok(after)
}

fn record_attempt(
    connection: &mut Connection,
    event: &Event,
    payload: Option<&str>,
    now: Timestamp,
) -> Result<(), Error> {
    match event {
        Event::AttemptStarted {
            payment,
            refund,
            attempt,
            kind,
            amount,
            ..
        } => {
            let (id, minor) = (attempt.id, amount.minor());
            let row = AttemptRow::starting(id, *payment, *refund, *kind, minor, now);
            attempt::start(connection, row)
        }
        Event::AttemptUnknown { attempt, .. } => attempt::mark_unknown(connection, attempt.id),
        Event::Answered {
            attempt, outcome, ..
        } => attempt::end(connection, *attempt, &ending(outcome, payload, now)),
        _ => Ok(()),
    }
}

pub(super) fn ending<'a>(
    outcome: &'a Outcome,
    payload: Option<&'a str>,
    at: Timestamp,
) -> Ending<'a> {
    let (state, error) = match outcome {
        Outcome::Approved { .. } => (AttemptState::Succeeded, None),
        Outcome::Declined { reason, .. } => (AttemptState::Failed, Some(reason.as_str())),
        Outcome::AuthenticationRequired { .. } => {
            (AttemptState::Failed, Some("authentication_required"))
        }
    };
    Ending {
        state,
        error,
        payload,
        at,
    }
}

/// What subscribers are told: of money that moved, or would not, in the payments' own events; of
/// every other change as a change of the reservation.
fn domain_events(events: &[Event], after: &Folio) -> Vec<DomainEvent> {
    let about = |kind: &'static str, payment: ObjectId, body: Value| DomainEvent {
        kind,
        reservation: Some(after.reservation),
        subject: payment,
        body,
    };
    let of_payments: Vec<DomainEvent> = events
        .iter()
        .filter_map(|event| match event {
            Event::Posted(payment) if payment.state == State::Succeeded => {
                Some(about("payments.received", payment.id.0, json!({})))
            }
            Event::Answered {
                payment,
                refund: None,
                kind,
                outcome,
                attempt,
                state,
                ..
            } => {
                let name = match (kind, outcome) {
                    (AttemptKind::Charge | AttemptKind::Capture, Outcome::Approved { .. }) => {
                        "payments.received"
                    }
                    // One that is tried again has not failed yet.
                    (AttemptKind::Charge, Outcome::Declined { .. }) if *state == State::Failed => {
                        "payments.failed"
                    }
                    (AttemptKind::Hold, Outcome::Declined { .. }) => {
                        "payments.authorizationHoldFailed"
                    }
                    (_, Outcome::AuthenticationRequired { .. }) => {
                        "payments.authenticationRequired"
                    }
                    _ => return None,
                };
                Some(about(name, payment.0, json!({ "attemptId": attempt })))
            }
            Event::Answered {
                payment,
                refund: Some(refund),
                outcome,
                ..
            } if outcome.is_approved() => Some(about(
                "payments.refunded",
                payment.0,
                json!({ "refundId": refund }),
            )),
            Event::Refused { payment, reason } => Some(about(
                "payments.failed",
                payment.0,
                json!({ "failureReason": reason }),
            )),
            Event::RefundRecorded {
                payment, refund, ..
            } => Some(about(
                "payments.refunded",
                payment.0,
                json!({ "refundId": refund }),
            )),
            _ => None,
        })
        .collect();
    let is_under_way = events.iter().any(|event| {
        matches!(
            event,
            Event::AttemptStarted { .. } | Event::AttemptUnknown { .. }
        )
    });
    if of_payments.is_empty() && !is_under_way {
        let changes = json!({ "changes": [PAYMENTS] });
        return vec![about("reservation.updated", after.reservation.0, changes)];
    }
    of_payments
}
