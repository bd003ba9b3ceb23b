//! Much that is due, carried out together: all attempts are committed, then the processor is called
//! in the agenda's order, then all answers are committed.
//!
//! It serves a clock that is advanced, which must do the same again after an interruption, and
//! servers that share what is due in wall time.

use std::sync::Arc;
use std::time::Instant;

use contract::Timestamp;
use contract::id::{PaymentId, RefundId};
use money::Currency;
use processors::{Answer, Failure};
use store::{Connection, Lock};

use super::call::{Call, call, look_up, request};
use super::resolve::{command, open_attempt, refuse};
use super::{
    Ended, Merchants, Target, begin, charged_by, end, find, learn_sub_accounts, made_sure,
};
use crate::model::Rejection;
use crate::model::agenda::attempt_id;
use crate::{Error, Platform};

/// Something to carry out, as of an instant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Item {
    pub(crate) target: Target,
    pub(crate) payment: PaymentId,
    pub(crate) refund: Option<RefundId>,
    pub(crate) at: Timestamp,
}

/// For whom it is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// For the one journey of a clock. An open attempt for the same occasion is what an interrupted
    /// one has left, and is gone on with. After an answer that is lost nothing else is called.
    Journey,
    /// For one server among others. An open attempt is another's, who waits for the answer. Nothing
    /// waits for an answer that is lost.
    Server,
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum Fate {
    /// It is carried out; the payment or refund tells what came of it.
    Done,
    /// Nothing could be done.
    Refused(Error),
    /// Its attempt is committed, and its call not made: an answer before it is lost, and what
    /// becomes of that has its turn first.
    Waiting,
}

/// Carries out what is due, of different reservations, in its order.
///
/// # Errors
/// [`Error::Store`] when the database fails. What was committed already is found by the next.
pub(crate) async fn carry_out(
    platform: &Arc<Platform>,
    items: Vec<Item>,
    manner: Manner,
) -> Result<Vec<Fate>, Error> {
    let mut fates = Vec::with_capacity(items.len());
    let mut calls = Vec::new();
    let started = start_all(platform, &items, manner).await?;
    for (index, (item, started)) in items.iter().zip(started).enumerate() {
        fates.push(match started {
            Ok(None) => Fate::Done,
            Ok(Some(call)) => {
                calls.push((index, item.target, call));
                Fate::Waiting
            }
            Err(why) => refused(platform, item, why).await,
        });
    }
    let mut ended = Vec::with_capacity(calls.len());
    for ((index, target, call), answered) in call_all(platform, calls, manner).await {
        fates[index] = Fate::Done;
        let now = call.sent;
        ended.push(Ended::new(target, call, answered, now));
    }
    end_all(platform, ended).await?;
    Ok(fates)
}

/// An automatic payment that cannot be charged has failed. All else that is refused stays as it is.
async fn refused(platform: &Platform, item: &Item, why: Error) -> Fate {
    let done = match why {
        Error::Rejected(why @ Rejection::NoSubAccount(_)) if item.refund.is_none() => {
            refuse(platform, item.target, item.payment, why, item.at).await
        }
        why => Err(why),
    };
    done.map_or_else(Fate::Refused, |()| Fate::Done)
}

type Started = Result<Option<Next>, Error>;

/// A call that must be made.
struct Next {
    call: Call,
    /// Whether one that was interrupted may have made it already.
    perhaps_made: bool,
}

/// Commits to what must be asked of the processor.
async fn start_all(
    platform: &Platform,
    items: &[Item],
    manner: Manner,
) -> Result<Vec<Started>, Error> {
    let mut all = try_start(platform, items.to_vec(), manner).await?;
    // Perhaps sub-accounts were opened since the processor was last asked.
    let mut again = Vec::new();
    for (index, started) in all.iter_mut().enumerate() {
        if let Err(Error::NoSubAccount { merchant, currency }) = started {
            let is_known = platform.merchants.takes(merchant, *currency);
            let learnt = if is_known {
                Ok(())
            } else {
                learn_sub_accounts(platform, merchant).await
            };
            match learnt {
                Ok(()) => again.push(index),
                Err(failure) => *started = Err(failure),
            }
        }
    }
    let items = again.iter().map(|index| items[*index]).collect();
    let retried = try_start(platform, items, manner).await?;
    for (index, started) in again.into_iter().zip(retried) {
        all[index] = started.map_err(|refused| match refused {
            Error::NoSubAccount { currency, .. } => Rejection::NoSubAccount(currency).into(),
            other => other,
        });
    }
    Ok(all)
}

async fn try_start(
    platform: &Platform,
    items: Vec<Item>,
    manner: Manner,
) -> Result<Vec<Started>, Error> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    let merchants = Arc::clone(&platform.merchants);
    let work = move |connection: &mut Connection| {
        lock_all(connection, items.iter().map(|item| item.target))?;
        let started = items.iter().map(|item| {
            in_savepoint(connection, |connection| {
                start(connection, &merchants, item, manner)
            })
        });
        started.collect()
    };
    platform.store.write(Lock::none(), work).await
}

fn start(
    connection: &mut Connection,
    merchants: &Merchants,
    item: &Item,
    manner: Manner,
) -> Result<Option<Next>, Error> {
    let stay = find(connection, item.target)?;
    let payment = stay.folio.payment(item.payment);
    let payment = payment.ok_or(Rejection::PaymentNotFound)?;
    if let Some((attempt, kind, amount)) = open_attempt(payment, item.refund) {
        // Sent again under its key it moves nothing twice.
        let is_ours = manner == Manner::Journey
            && attempt.id == attempt_id(item.payment, item.refund, item.at);
        if !is_ours {
            return Ok(None);
        }
        let route = charged_by(connection, stay.account, payment)?.route;
        let started = (attempt.id, kind, amount);
        return Ok(Some(Next {
            call: call(&stay, payment, started, attempt.started, route),
            perhaps_made: true,
        }));
    }
    let command = command(&stay, item.payment, item.refund, item.at);
    match begin(connection, merchants, stay, command.into(), item.at) {
        // Another was faster.
        Err(Error::Rejected(Rejection::AttemptEnded)) => Ok(None),
        begun => Ok(begun?.call.map(|call| Next {
            call,
            perhaps_made: false,
        })),
    }
}

/// A call with its place in the chunk.
type Placed = (usize, Target, Call);

/// Makes the calls, those of each sub-account in their order. What is missing in the answer was not
/// called.
async fn call_all(
    platform: &Platform,
    calls: Vec<(usize, Target, Next)>,
    manner: Manner,
) -> Vec<(Placed, Result<Answer, Failure>)> {
    let mut made = Vec::with_capacity(calls.len());
    let mut to_make = Vec::with_capacity(calls.len());
    for (index, target, Next { call, perhaps_made }) in calls {
        if perhaps_made && let Ok(Some(answer)) = look_up(platform, &call).await {
            made.push(((index, target, call), Ok(answer)));
        } else {
            to_make.push((index, target, call));
        }
    }
    for mut waiting in by_sub_account(to_make) {
        while !waiting.is_empty() {
            let requests = waiting.iter().map(|(.., call)| request(call)).collect();
            let asked = Instant::now();
            let answers = platform.sandbox.execute_all(requests).await;
            platform.metrics.processor_took(asked.elapsed());
            let called = waiting.drain(..answers.len().min(waiting.len()));
            let is_stuck = called.len() == 0;
            for (placed, answered) in called.zip(answers) {
                let answered = made_sure(platform, &placed.2, answered).await;
                made.push((placed, answered));
            }
            if is_stuck || manner == Manner::Journey {
                break;
            }
        }
    }
    made
}

fn by_sub_account(calls: Vec<Placed>) -> Vec<Vec<Placed>> {
    let of = |call: &Call| -> (String, Currency) {
        (call.route.merchant.clone(), call.amount.currency())
    };
    let mut groups: Vec<((String, Currency), Vec<_>)> = Vec::new();
    for one in calls {
        let whose = of(&one.2);
        match groups.iter_mut().find(|(known, _)| *known == whose) {
            Some((_, group)) => group.push(one),
            None => groups.push((whose, vec![one])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// Commits all answers.
async fn end_all(platform: &Platform, ended: Vec<Ended>) -> Result<(), Error> {
    if ended.is_empty() {
        return Ok(());
    }
    let work = move |connection: &mut Connection| {
        lock_all(connection, ended.iter().map(|ended| ended.target))?;
        for ended in &ended {
            if let Err(error) = in_savepoint(connection, |connection| end(connection, ended))? {
                let payment = ended.call.payment;
                tracing::error!(%error, %payment, "an answer could not be kept");
            }
        }
        Ok(())
    };
    platform.store.write(Lock::none(), work).await
}

/// Always in one order, so that two who lock several do not wait for each other.
fn lock_all(
    connection: &mut Connection,
    targets: impl Iterator<Item = Target>,
) -> Result<(), Error> {
    let mut reservations: Vec<_> = targets.map(|target| target.reservation).collect();
    reservations.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
    for reservation in reservations {
        Lock::row("reservation", &reservation).take(connection)?;
    }
    Ok(())
}

/// What is refused rolls back alone; a fault of the database ends it all.
fn in_savepoint<T>(
    connection: &mut Connection,
    work: impl FnOnce(&mut Connection) -> Result<T, Error>,
) -> Result<Result<T, Error>, Error> {
    use diesel::Connection as _;
    match connection.transaction(work) {
        Err(fault @ Error::Store(_)) => Err(fault),
        outcome => Ok(outcome),
    }
}
