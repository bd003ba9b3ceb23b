//! Carrying a command out: decide and commit, call the processor, commit its answer.
//!
//! A processor call never sits inside a transaction. The attempt is committed first, under a key
//! that the call repeats; so whatever is lost on the way, the attempt can be looked up, and sent
//! again under the same key without moving money twice.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use chrono::Duration;
use contract::id::{AccountId, AttemptId, PaymentId, RefundId, ReservationId};
use contract::{ObjectId, Timestamp};
use money::{Currency, Money};
use processors::{
    Address, Answer, AttemptKey, Charge, Failure, FollowUp, MerchantId, MethodToken, Order,
    TransactionId, Verdict,
};
use serde_json::{Value, json};
use store::{Connection, Lock};

use crate::model::{
    AttemptKind, Command, Event, Folio, Outcome, Payment, Reference, Rejection, Source, State,
    decide,
};
use crate::store::attempt::{self, AttemptRow, AttemptState, Ending};
use crate::store::event::{self, DomainEvent};
use crate::store::folio::{self, Stay};
use crate::store::payment_method::{self, Charged, MethodSummary, Route};
use crate::store::statement::Statement;
use crate::{Error, Platform};

/// After so long without a trace of an attempt at the processor, it is taken to have never arrived.
const GIVE_UP_AFTER: Duration = Duration::hours(24);

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

/// A call of the processor that has been committed to.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    payment: PaymentId,
    attempt: AttemptId,
    kind: AttemptKind,
    route: Route,
    amount: Money,
    /// When the attempt was committed.
    sent: Timestamp,
    /// The method, if the payment is the first of its folio: then there is nothing else to show.
    first_with: Option<MethodSummary>,
    /// The transaction that it follows up.
    original: Option<String>,
    order: Order,
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
    match committed.call {
        Some(call) => {
            // A caller that goes away must not leave the call half made.
            let platform = Arc::clone(platform);
            let made = tokio::spawn(async move { make(&platform, target, call, now).await });
            made.await.map_err(|_| store::Error::Panicked)?
        }
        None => Ok(committed.statement),
    }
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
                let stay = folio::load(connection, target.account, target.reservation)?
                    .ok_or(Rejection::ReservationNotFound)?;
                let Prepared { command, charged } = prepare(connection, &stay)?;
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
                    None => charged_by(connection, target.account, payment)?,
                };
                let takes_new_money = started.is_none_or(|(_, kind, _)| {
                    matches!(kind, AttemptKind::Charge | AttemptKind::Hold)
                });
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
            },
        )
        .await
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
    let posted = events.iter().find_map(|event| match event {
        Event::Posted(payment) => Some((payment.id, None)),
        _ => None,
    });
    let (id, started) = started.or(posted)?;
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
    payment_method::to_charge(connection, account, *method)?
        .ok_or_else(|| Error::Corrupt(format!("payment method {method} is gone")))
}

fn call(
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

/// Makes a call and commits what comes of it.
async fn make(
    platform: &Platform,
    target: Target,
    call: Call,
    now: Timestamp,
) -> Result<Option<Statement>, Error> {
    let answered = match ask(platform, &call).await {
        Err(Failure::Unanswered) => match look_up(platform, &call).await {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) | Err(_) => Err(Failure::Unanswered),
        },
        answered => answered,
    };
    commit_answer(platform, target, &call, answered, now).await
}

async fn ask(platform: &Platform, call: &Call) -> Result<Answer, Failure> {
    let key = AttemptKey::new(call.attempt.as_str());
    let merchant = MerchantId::new(call.route.merchant.as_str());
    let follow_up = |amount| FollowUp {
        key: key.clone(),
        merchant: merchant.clone(),
        original: TransactionId::new(call.original.clone().unwrap_or_default()),
        amount,
        at: call.sent,
    };
    let charge = || Charge {
        key: key.clone(),
        merchant: merchant.clone(),
        method: MethodToken::new(call.route.token.as_str()),
        amount: call.amount,
        order: call.order.clone(),
        at: call.sent,
    };
    match call.kind {
        AttemptKind::Charge => platform.sandbox.charge(charge()).await,
        AttemptKind::Hold => platform.sandbox.hold(charge()).await,
        AttemptKind::Capture => platform.sandbox.capture(follow_up(Some(call.amount))).await,
        AttemptKind::Void => platform.sandbox.void(follow_up(None)).await,
        AttemptKind::Refund => platform.sandbox.refund(follow_up(Some(call.amount))).await,
    }
}

async fn look_up(platform: &Platform, call: &Call) -> Result<Option<Answer>, Failure> {
    let merchant = MerchantId::new(call.route.merchant.as_str());
    platform
        .sandbox
        .lookup(&merchant, &AttemptKey::new(call.attempt.as_str()))
        .await
}

async fn commit_answer(
    platform: &Platform,
    target: Target,
    call: &Call,
    answered: Result<Answer, Failure>,
    now: Timestamp,
) -> Result<Option<Statement>, Error> {
    let (command, payload, now) = match answered {
        Err(Failure::Unanswered) => (
            Command::Unanswered {
                payment: call.payment,
                attempt: call.attempt,
            },
            None,
            now,
        ),
        Err(failure) => (
            answer(
                call,
                Outcome::Declined {
                    reason: failure.to_string(),
                },
            ),
            None,
            now,
        ),
        Ok(given) => {
            let at = given.processed_at.max(now);
            let payload = given.raw.to_string();
            (answer(call, outcome(given)), Some(payload), at)
        }
    };
    let committed = platform
        .store
        .write(Lock::row("reservation", &target.reservation), {
            let call = call.clone();
            move |connection| {
                let stay = folio::load(connection, target.account, target.reservation)?
                    .ok_or(Rejection::ReservationNotFound)?;
                let events = decide(&stay.folio, &command, now)?;
                let after = record(connection, &stay, &events, payload.as_deref(), now)?;
                let attempt = ended(&call, &events, payload.as_deref(), now);
                let is_all = call.first_with.is_some() && after.payments.len() == 1;
                Ok((is_all && attempt.is_some())
                    .then(|| statement(stay, after, attempt, call.first_with.clone())))
            }
        })
        .await;
    match committed {
        // Somebody else has brought the same answer.
        Err(Error::Rejected(Rejection::AttemptEnded)) => Ok(None),
        committed => committed,
    }
}

/// The attempt of a call, if these events answer it.
fn ended(
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

fn answer(call: &Call, outcome: Outcome) -> Command {
    Command::Answer {
        payment: call.payment,
        attempt: call.attempt,
        kind: call.kind,
        outcome,
    }
}

fn outcome(answer: Answer) -> Outcome {
    match answer.verdict {
        Verdict::Approved { .. } => Outcome::Approved {
            reference: Reference {
                transaction: answer.transaction_id.to_string(),
                confirmation: answer.confirmation,
            },
            hold_expires: answer.hold_expires_at,
        },
        Verdict::Declined { code, reason, .. } => Outcome::Declined {
            reason: format!("{reason} ({code})"),
        },
        Verdict::AuthenticationRequired { url } => Outcome::AuthenticationRequired { url },
    }
}

/// Carries out what is due on a payment, or on one of its refunds: the date has come, a hold has
/// lapsed, or an attempt has gone without an answer for too long.
pub(crate) async fn look_after(
    platform: &Arc<Platform>,
    target: Target,
    payment: PaymentId,
    refund: Option<RefundId>,
    now: Timestamp,
) -> Result<(), Error> {
    let open = open_call(platform, target, payment, refund).await?;
    let done = if let Some(call) = open {
        resolve(platform, target, call, now).await
    } else {
        perform(platform, target, now, move |_, stay| {
            let attempt = store::new_id();
            let held = stay
                .folio
                .payment(payment)
                .is_some_and(|p| p.state == State::Held);
            Ok(match refund {
                Some(refund) => Command::RefundDue {
                    payment,
                    refund,
                    attempt,
                },
                None if held => Command::Expire { payment },
                None => Command::PaymentDue { payment, attempt },
            }
            .into())
        })
        .await
    };
    match done {
        // Another node was faster.
        Err(Error::Rejected(Rejection::AttemptEnded)) => Ok(()),
        done => done.map(drop),
    }
}

/// The call that a payment or refund waits for, as it was committed.
async fn open_call(
    platform: &Platform,
    target: Target,
    payment: PaymentId,
    refund: Option<RefundId>,
) -> Result<Option<Call>, Error> {
    platform
        .store
        .read(move |connection| {
            let Some(stay) = folio::load(connection, target.account, target.reservation)? else {
                return Ok(None);
            };
            let Some(payment) = stay.folio.payment(payment) else {
                return Ok(None);
            };
            let refund = refund.and_then(|id| payment.refund(id));
            let (attempt, kind, amount) = if let Some(refund) = refund {
                (refund.attempt, AttemptKind::Refund, refund.amount)
            } else {
                let kind = match payment.state {
                    State::Capturing => AttemptKind::Capture,
                    State::Releasing => AttemptKind::Void,
                    _ if payment.is_hold => AttemptKind::Hold,
                    _ => AttemptKind::Charge,
                };
                (
                    payment.attempt,
                    kind,
                    payment.captured.unwrap_or(payment.amount),
                )
            };
            let Some(attempt) = attempt else {
                return Ok(None);
            };
            let route = charged_by(connection, target.account, payment)?.route;
            let started = (attempt.id, kind, amount);
            Ok(Some(call(&stay, payment, started, attempt.started, route)))
        })
        .await
}

/// Finds out what became of an attempt: by looking it up, else by sending it again under its key.
async fn resolve(
    platform: &Platform,
    target: Target,
    call: Call,
    now: Timestamp,
) -> Result<Option<Statement>, Error> {
    match look_up(platform, &call).await {
        Ok(Some(answer)) => commit_answer(platform, target, &call, Ok(answer), now).await,
        Ok(None) if now - call.sent >= GIVE_UP_AFTER => {
            let reason = "The processor never received this attempt: nothing was charged";
            let refused = Failure::Refused {
                code: "never_received",
                message: reason.to_owned(),
            };
            commit_answer(platform, target, &call, Err(refused), now).await
        }
        // Under its own key and at its own instant it is the same request.
        Ok(None) => make(platform, target, call, now).await,
        Err(_) => commit_answer(platform, target, &call, Err(Failure::Unanswered), now).await,
    }
}

/// Writes what happened: the rows that changed, the attempts, and the domain events.
fn record(
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

fn ending<'a>(outcome: &'a Outcome, payload: Option<&'a str>, at: Timestamp) -> Ending<'a> {
    let (state, error) = match outcome {
        Outcome::Approved { .. } => (AttemptState::Succeeded, None),
        Outcome::Declined { reason } => (AttemptState::Failed, Some(reason.as_str())),
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
                ..
            } => {
                let name = match (kind, outcome) {
                    (AttemptKind::Charge | AttemptKind::Capture, Outcome::Approved { .. }) => {
                        "payments.received"
                    }
                    (AttemptKind::Charge, Outcome::Declined { .. }) => "payments.failed",
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
        return vec![about("reservation.updated", after.reservation.0, json!({}))];
    }
    of_payments
}
