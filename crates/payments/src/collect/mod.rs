//! Carrying a command out: decide and commit, call the processor, commit its answer.
//!
//! A processor call never sits inside a transaction. The attempt is committed first, under a key
//! that the call repeats; so whatever is lost on the way, the attempt can be looked up, and sent
//! again under the same key without moving money twice.

pub(crate) mod batch;
mod call;
mod method;
mod record;
mod resolve;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use contract::Timestamp;
use contract::id::{AccountId, AttemptId, ReservationId};
use money::{Currency, Money};
use processors::{Answer, Failure, MerchantId};
use store::{Connection, Lock};

pub(crate) use method::{NewMethod, make_method};
pub(crate) use resolve::{find_out, look_after};

use self::call::{Call, answer, call, look_up, outcome, request};
use self::record::{ending, record};
use crate::model::{
    AttemptKind, Command, Event, Folio, Outcome, Payment, Rejection, Source, decide,
};
use crate::store::attempt::AttemptRow;
use crate::store::folio::{self, Stay};
use crate::store::payment_method::{self, Charged, MethodSummary};
use crate::store::statement::Statement;
use crate::{Error, Platform, auto_payments};

/// Whose folio a command is for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    pub(crate) account: AccountId,
    pub(crate) reservation: ReservationId,
}

/// A command with what it needs of the database besides the folio.
pub(crate) struct Prepared {
    pub(crate) command: Command,
    /// The method that is charged, if preparing the command has found it already.
    pub(crate) charged: Option<Charged>,
}

impl From<Command> for Prepared {
    fn from(command: Command) -> Self {
        Self {
            command,
            charged: None,
        }
    }
}

/// What a commit has come to.
struct Committed {
    /// What must be asked of the processor now.
    call: Option<Call>,
    statement: Option<Statement>,
}

/// The currencies in which each merchant has a sub-account, as far as processors have said.
#[derive(Default)]
pub(crate) struct Merchants(RwLock<HashMap<String, HashSet<Currency>>>);

impl Merchants {
    fn takes(&self, merchant: &str, currency: Currency) -> bool {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known
            .get(merchant)
            .is_some_and(|currencies| currencies.contains(&currency))
    }

    fn learn(&self, merchant: String, currencies: HashSet<Currency>) {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(merchant, currencies);
    }
}

/// Carries out a command on a reservation's payments. `prepare` makes it inside the transaction,
/// where it may read what else it needs. Answers with the folio after it, if all that is shown of it
/// is known without reading it again.
pub(crate) async fn perform(
    platform: &Arc<Platform>,
    target: Target,
    now: Timestamp,
    prepare: impl Fn(&mut Connection, &Stay) -> Result<Prepared, Error> + Clone + Send + 'static,
) -> Result<Option<Statement>, Error> {
    let committed = commit(platform, target, now, prepare.clone()).await;
    let committed = match committed {
        // Perhaps the sub-account was opened since the processor was last asked.
        Err(Error::NoSubAccount { merchant, currency }) => {
            learn_sub_accounts(platform, &merchant).await?;
            match commit(platform, target, now, prepare).await {
                Err(Error::NoSubAccount { .. }) => {
                    return Err(Rejection::NoSubAccount(currency).into());
                }
                retried => retried?,
            }
        }
        committed => committed?,
    };
    let Some(call) = committed.call else {
        return Ok(committed.statement);
    };
    let payment = call.payment;
    // A caller that goes away must not leave the call half made.
    let platform = Arc::clone(platform);
    let made = tokio::spawn(async move { make(&platform, target, call, now).await });
    let made = made.await.map_err(|_| store::Error::Panicked);
    // Told of a failure, the caller would pay again, while this attempt stands committed. The agenda
    // finds out what became of it.
    Ok(made.map_err(Error::from).flatten().unwrap_or_else(|error| {
        tracing::error!(%error, %payment, "what became of an attempt is not known yet");
        None
    }))
}

/// Decides and records what needs no processor now, inside a transaction of the caller's, with the
/// reservation locked.
pub(crate) fn keep(
    connection: &mut Connection,
    target: Target,
    command: &Command,
    now: Timestamp,
) -> Result<(), Error> {
    let stay = find(connection, target)?;
    let events = decide(&stay.folio, command, now)?;
    if events.is_empty() {
        return Ok(());
    }
    let calls = |event: &Event| matches!(event, Event::AttemptStarted { .. });
    if events.iter().any(calls) {
        let what = format!("a processor must be asked now about {}", target.reservation);
        return Err(Error::Corrupt(what));
    }
    record(connection, &stay, &events, None, now)?;
    Ok(())
}

async fn learn_sub_accounts(platform: &Platform, merchant: &str) -> Result<(), Error> {
    let found = platform
        .sandbox
        .sub_accounts(&MerchantId::new(merchant))
        .await?;
    let currencies = found
        .into_iter()
        .map(|sub_account| sub_account.currency)
        .collect();
    platform.merchants.learn(merchant.to_owned(), currencies);
    Ok(())
}

/// Decides and commits.
async fn commit(
    platform: &Platform,
    target: Target,
    now: Timestamp,
    prepare: impl Fn(&mut Connection, &Stay) -> Result<Prepared, Error> + Send + 'static,
) -> Result<Committed, Error> {
    let merchants = Arc::clone(&platform.merchants);
    platform
        .store
        .write(
            Lock::row("reservation", &target.reservation),
            move |connection| {
                let stay = find(connection, target)?;
                let prepared = prepare(connection, &stay)?;
                begin(connection, &merchants, stay, prepared, now)
            },
        )
        .await
}

fn find(connection: &mut Connection, target: Target) -> Result<Stay, Error> {
    let found = folio::load(connection, target.account, target.reservation)?;
    Ok(found.ok_or(Rejection::ReservationNotFound)?)
}

/// Decides, inside a transaction with the reservation locked.
fn begin(
    connection: &mut Connection,
    merchants: &Merchants,
    stay: Stay,
    Prepared { command, charged }: Prepared,
    now: Timestamp,
) -> Result<Committed, Error> {
    let events = decide(&stay.folio, &command, now)?;
    let after = record(connection, &stay, &events, None, now)?;
    let is_first = stay.folio.payments.is_empty();
    let Some((payment, started)) = on_card(&events, &after) else {
        let statement = is_first.then(|| statement(stay, after, None, None));
        let call = None;
        return Ok(Committed { call, statement });
    };
    let Charged { route, summary, .. } = match charged {
        Some(charged) => charged,
        None => charged_by(connection, stay.account, payment)?,
    };
    let takes_new_money =
        started.is_none_or(|(_, kind, _)| matches!(kind, AttemptKind::Charge | AttemptKind::Hold));
    if takes_new_money && !merchants.takes(&route.merchant, after.currency) {
        return Err(Error::NoSubAccount {
            merchant: route.merchant,
            currency: after.currency,
        });
    }
    let Some(started) = started else {
        let statement = is_first.then(|| statement(stay, after, None, Some(summary)));
        let call = None;
        return Ok(Committed { call, statement });
    };
    let call = Call {
        first_with: is_first.then_some(summary),
        ..call(&stay, payment, started, now, route)
    };
    Ok(Committed {
        call: Some(call),
        statement: None,
    })
}

/// The folio after its first payment, with all that is shown of it.
fn statement(
    stay: Stay,
    after: Folio,
    attempt: Option<AttemptRow>,
    method: Option<MethodSummary>,
) -> Statement {
    Statement {
        stay: Stay {
            folio: after,
            ..stay
        },
        attempts: attempt.into_iter().collect(),
        methods: method.into_iter().collect(),
    }
}

type Started = (AttemptId, AttemptKind, Money);

/// The card payment that the events are about, with the attempt that they start, if any.
fn on_card<'a>(events: &[Event], after: &'a Folio) -> Option<(&'a Payment, Option<Started>)> {
    let started = events.iter().find_map(|event| match event {
        Event::AttemptStarted {
            payment,
            attempt,
            kind,
            amount,
            ..
        } => Some((*payment, Some((attempt.id, *kind, *amount)))),
        _ => None,
    });
    let planned = events.iter().find_map(|event| match event {
        Event::Posted(Payment { id, .. }) | Event::Edited { payment: id, .. } => Some((*id, None)),
        _ => None,
    });
    let (id, started) = started.or(planned)?;
    let payment = after.payment(id)?;
    matches!(payment.source, Source::Card { .. }).then_some((payment, started))
}

fn charged_by(
    connection: &mut Connection,
    account: AccountId,
    payment: &Payment,
) -> Result<Charged, Error> {
    let Source::Card { method, .. } = &payment.source else {
        return Err(Error::Corrupt(format!(
            "payment {} has no stored method",
            payment.id
        )));
    };
    payment_method::find(connection, account, *method)?
        .ok_or_else(|| Error::Corrupt(format!("payment method {method} is gone")))
}

/// Makes a call and commits what comes of it.
async fn make(
    platform: &Platform,
    target: Target,
    call: Call,
    now: Timestamp,
) -> Result<Option<Statement>, Error> {
    let asked = Instant::now();
    let answered = platform.sandbox.execute(request(&call)).await;
    platform.metrics.processor_took(asked.elapsed());
    let answered = made_sure(platform, &call, answered).await;
    commit_answer(platform, target, call, answered, now).await
}

/// Neither silence nor a refusal tells what became of an earlier sending under the same key.
async fn made_sure(
    platform: &Platform,
    call: &Call,
    answered: Result<Answer, Failure>,
) -> Result<Answer, Failure> {
    platform
        .metrics
        .processor_answered(call.kind.name(), &answered);
    match answered {
        Err(failure) => match look_up(platform, call).await {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) | Err(Failure::Refused { .. }) => Err(failure),
            Err(_) => Err(Failure::Unanswered),
        },
        answered => answered,
    }
}

async fn commit_answer(
    platform: &Platform,
    target: Target,
    call: Call,
    answered: Result<Answer, Failure>,
    now: Timestamp,
) -> Result<Option<Statement>, Error> {
    let ended = Ended::new(target, call, answered, now);
    platform
        .store
        .write(Lock::row("reservation", &target.reservation), move |c| {
            end(c, &ended)
        })
        .await
}

/// A call that was made, and what came of it.
struct Ended {
    target: Target,
    call: Call,
    command: Command,
    payload: Option<String>,
    at: Timestamp,
}

impl Ended {
    fn new(target: Target, call: Call, answered: Result<Answer, Failure>, now: Timestamp) -> Self {
        let (command, payload, at) = match answered {
            Err(Failure::Unanswered) => {
                let (payment, attempt) = (call.payment, call.attempt);
                (Command::Unanswered { payment, attempt }, None, now)
            }
            Err(failure) => {
                let reason = failure.to_string();
                let declined = Outcome::Declined {
                    reason,
                    is_hard: false,
                };
                (answer(&call, declined), None, now)
            }
            Ok(given) => {
                let at = given.processed_at.max(now);
                let payload = given.raw.to_string();
                (answer(&call, outcome(given)), Some(payload), at)
            }
        };
        Self {
            target,
            call,
            command,
            payload,
            at,
        }
    }
}

/// Keeps what came of a call, inside a transaction with the reservation locked.
fn end(connection: &mut Connection, ended: &Ended) -> Result<Option<Statement>, Error> {
    let (call, payload, now) = (&ended.call, ended.payload.as_deref(), ended.at);
    let stay = find(connection, ended.target)?;
    let events = match decide(&stay.folio, &ended.command, now) {
        // Somebody else has brought the same answer.
        Err(Rejection::AttemptEnded) => return Ok(None),
        decided => decided?,
    };
    let after = record(connection, &stay, &events, payload, now)?;
    if let Some(payment) = after.payment(call.payment) {
        auto_payments::answered(connection, ended.target, after.guest, payment, now)?;
    }
    let attempt = attempt_row(call, &events, payload, now);
    let is_all = call.first_with.is_some() && after.payments.len() == 1;
    Ok((is_all && attempt.is_some())
        .then(|| statement(stay, after, attempt, call.first_with.clone())))
}

/// The attempt of a call, if these events answer it.
fn attempt_row(
    call: &Call,
    events: &[Event],
    payload: Option<&str>,
    now: Timestamp,
) -> Option<AttemptRow> {
    let outcome = events.iter().find_map(|event| match event {
        Event::Answered {
            attempt, outcome, ..
        } if *attempt == call.attempt => Some(outcome),
        _ => None,
    })?;
    let (id, minor) = (call.attempt, call.amount.minor());
    let row = AttemptRow::starting(id, call.payment, None, call.kind, minor, call.sent);
    Some(row.ended(&ending(outcome, payload, now)))
}
