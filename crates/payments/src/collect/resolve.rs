//! What is due: dates that have come, holds that have lapsed, attempts without an answer.

use std::sync::Arc;

use chrono::Duration;
use contract::Timestamp;
use contract::id::{PaymentId, RefundId};
use money::Money;
use processors::Failure;
use store::Lock;

use super::call::{Call, call, look_up};
use super::{Target, charged_by, commit_answer, keep, make, perform};
use crate::model::{Attempt, AttemptKind, Command, Payment, Rejection, State, agenda};
use crate::store::folio::{self, Stay};
use crate::store::statement::Statement;
use crate::{Error, Platform};

/// After so long without a trace of an attempt at the processor, it is taken to have never arrived.
const GIVE_UP_AFTER: Duration = Duration::hours(24);

/// Carries out what is due on a payment, or on one of its refunds: the date has come, a hold has
/// lapsed, or an attempt has gone without an answer for too long.
pub(crate) async fn look_after(
    platform: &Arc<Platform>,
    target: Target,
    payment: PaymentId,
    refund: Option<RefundId>,
    now: Timestamp,
) -> Result<(), Error> {
    let done = match open_call(platform, target, payment, refund, now).await? {
        Open::Overdue(call) => resolve(platform, target, *call, now).await,
        // Another node was faster, and waits for the answer.
        Open::UnderWay(_) => return Ok(()),
        Open::Nothing => {
            perform(platform, target, now, move |_, stay| {
                Ok(command(stay, payment, refund, now).into())
            })
            .await
        }
    };
    match done {
        // Another node was faster.
        Err(Error::Rejected(Rejection::AttemptEnded)) => Ok(()),
        // It would be found due again and again.
        Err(Error::Rejected(why @ Rejection::NoSubAccount(_))) if refund.is_none() => {
            refuse(platform, target, payment, why, now).await
        }
        done => done.map(drop),
    }
}

/// Finds out what became of a payment, or of one of its refunds, whose caller is gone: of its open
/// attempt, if it has one, however fresh that is.
pub(crate) async fn find_out(
    platform: &Platform,
    target: Target,
    payment: PaymentId,
    refund: Option<RefundId>,
    now: Timestamp,
) -> Result<(), Error> {
    match open_call(platform, target, payment, refund, now).await? {
        Open::Nothing => Ok(()),
        Open::UnderWay(call) | Open::Overdue(call) => {
            resolve(platform, target, *call, now).await.map(drop)
        }
    }
}

/// Lets an automatic payment fail that cannot be charged: nobody is there to be told. With any other
/// it stays as it is.
pub(super) async fn refuse(
    platform: &Platform,
    target: Target,
    payment: PaymentId,
    why: Rejection,
    now: Timestamp,
) -> Result<(), Error> {
    let command = Command::Refuse {
        payment,
        reason: why.to_string(),
    };
    let kept = platform
        .store
        .write(Lock::row("reservation", &target.reservation), move |c| {
            keep(c, target, &command, now)
        })
        .await;
    match kept {
        Err(Error::Rejected(Rejection::AttemptEnded)) => Err(why.into()),
        kept => kept,
    }
}

/// What is to be done about a payment, or one of its refunds, whose time has come.
pub(super) fn command(
    stay: &Stay,
    payment: PaymentId,
    refund: Option<RefundId>,
    now: Timestamp,
) -> Command {
    let attempt = agenda::attempt_id(payment, refund, now);
    let found = stay.folio.payment(payment);
    let is_held = found.is_some_and(|payment| payment.state == State::Held);
    match refund {
        Some(refund) => Command::RefundDue {
            payment,
            refund,
            attempt,
        },
        None if is_held => Command::Expire { payment },
        None => Command::PaymentDue { payment, attempt },
    }
}

/// What a payment or refund waits for.
enum Open {
    /// No call is open.
    Nothing,
    /// A call that may still be answered.
    UnderWay(Box<Call>),
    /// A call that should have been answered, as it was committed.
    Overdue(Box<Call>),
}

async fn open_call(
    platform: &Platform,
    target: Target,
    payment: PaymentId,
    refund: Option<RefundId>,
    now: Timestamp,
) -> Result<Open, Error> {
    platform
        .store
        .read(move |connection| {
            let Some(stay) = folio::load(connection, target.account, target.reservation)? else {
                return Ok(Open::Nothing);
            };
            let Some(payment) = stay.folio.payment(payment) else {
                return Ok(Open::Nothing);
            };
            let Some((attempt, kind, amount)) = open_attempt(payment, refund) else {
                return Ok(Open::Nothing);
            };
            let route = charged_by(connection, target.account, payment)?.route;
            let started = (attempt.id, kind, amount);
            let call = Box::new(call(&stay, payment, started, attempt.started, route));
            Ok(if attempt.ask_again > now {
                Open::UnderWay(call)
            } else {
                Open::Overdue(call)
            })
        })
        .await
}

/// The attempt of a payment, or of one of its refunds, that has no answer yet.
pub(super) fn open_attempt(
    payment: &Payment,
    refund: Option<RefundId>,
) -> Option<(Attempt, AttemptKind, Money)> {
    if let Some(refund) = refund.and_then(|id| payment.refund(id)) {
        return Some((refund.attempt?, AttemptKind::Refund, refund.amount));
    }
    let kind = match payment.state {
        State::Capturing => AttemptKind::Capture,
        State::Releasing => AttemptKind::Void,
        _ if payment.is_hold => AttemptKind::Hold,
        _ => AttemptKind::Charge,
    };
    let amount = payment.captured.unwrap_or(payment.amount);
    Some((payment.attempt?, kind, amount))
}

/// Finds out what became of an attempt: by looking it up, else by sending it again under its key.
async fn resolve(
    platform: &Platform,
    target: Target,
    call: Call,
    now: Timestamp,
) -> Result<Option<Statement>, Error> {
    match look_up(platform, &call).await {
        Ok(Some(answer)) => commit_answer(platform, target, call, Ok(answer), now).await,
        Ok(None) if now - call.sent >= GIVE_UP_AFTER => {
            let reason = "The processor never received this attempt: nothing was charged";
            let refused = Failure::Refused {
                code: "never_received",
                message: reason.to_owned(),
            };
            commit_answer(platform, target, call, Err(refused), now).await
        }
        // Under its own key and at its own instant it is the same request.
        Ok(None) => make(platform, target, call, now).await,
        Err(_) => commit_answer(platform, target, call, Err(Failure::Unanswered), now).await,
    }
}
