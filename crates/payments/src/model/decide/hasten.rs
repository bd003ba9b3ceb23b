//! Bringing forward what waits for its time. Only a sandbox does that: it is nobody's change of the
//! payments by hand.

use contract::Timestamp;
use contract::id::PaymentId;

use super::{find, not_idle};
use crate::model::command::Event;
use crate::model::folio::Folio;
use crate::model::payment::State;
use crate::model::rejection::Rejection;

pub(super) fn hasten(
    folio: &Folio,
    payment: PaymentId,
    now: Timestamp,
) -> Result<Vec<Event>, Rejection> {
    let payment = find(folio, payment)?;
    if let Some(busy) = not_idle(payment) {
        return Err(busy);
    }
    let event = match payment.state {
        State::Scheduled => Event::Edited {
            payment: payment.id,
            amount: payment.amount,
            due: Some(now),
            note: payment.note.clone(),
            source: payment.source.clone(),
            auto: payment.auto,
        },
        State::Held => Event::HoldEnds {
            payment: payment.id,
            at: now,
        },
        state => return Err(Rejection::NotWaiting(state.public_name())),
    };
    Ok(vec![event])
}
