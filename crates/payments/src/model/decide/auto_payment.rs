//! Automatic payments: what follows from a policy for a reservation's payments. Nothing, once
//! somebody has changed the payments by hand.

use contract::Timestamp;
use contract::auto_payment::{Policy, When};
use contract::id::PaymentId;
use money::Money;

use super::find;
use crate::model::auto_payment::{due_at, spread};
use crate::model::command::{Arrange, Event};
use crate::model::folio::Folio;
use crate::model::payment::{Auto, Method, Payment, Source, State};
use crate::model::rejection::Rejection;

/// The name that stands for a card until the guest has one, as Guesty documents it.
const NO_CARD_YET: &str = "CASH";

/// An instalment that can still be changed, with the payment that waits for its date, if there is one.
struct Open<'a> {
    place: usize,
    payment: Option<&'a Payment>,
}

/// Brings the payments that wait for their date in line with the reservation as it is by now.
pub(super) fn arrange(folio: &Folio, arrange: &Arrange, now: Timestamp) -> Vec<Event> {
    let Some(policy) = active(folio) else {
        return Vec::new();
    };
    let open = open(folio, policy);
    let amounts = amounts(folio, policy, &open);
    let mut ids = arrange.ids.iter();
    let mut events = Vec::new();
    for (Open { place, payment }, amount) in open.into_iter().zip(amounts) {
        let Some(instalment) = policy.policy.get(place) else {
            continue;
        };
        let planned = due_at(instalment, &arrange.dates);
        match payment {
            Some(known) => {
                let is_fixed = instalment.when == When::Confirmation || known.was_tried();
                let changed = Payment {
                    amount,
                    due: if is_fixed {
                        known.due
                    } else {
                        moved(known.due, planned, now)
                    },
                    source: source(Some(&known.source), &arrange.cards),
                    ..known.clone()
                };
                events.extend(change(known, changed));
            }
            None if amount.is_positive() => events.extend(ids.next().map(|id| {
                let due = planned.max(now);
                let auto = Auto::new(place);
                let source = source(None, &arrange.cards);
                Event::Posted(planned_payment(*id, source, amount, due, auto, now))
            })),
            None => {}
        }
    }
    events
}

/// Calls off what the policy has planned: the reservation is cancelled.
pub(super) fn call_off(folio: &Folio) -> Vec<Event> {
    if active(folio).is_none() {
        return Vec::new();
    }
    let automatic = folio.payments.iter().filter(|one| one.auto.is_some());
    automatic
        .filter_map(|payment| match payment.state {
            State::Scheduled | State::AwaitingGuest => Some(Event::Cancelled {
                payment: payment.id,
            }),
            State::Processing if payment.may_be_tried_again() => Some(Event::LastTry {
                payment: payment.id,
            }),
            _ => None,
        })
        .collect()
}

/// A payment's date has come, and there is no way to charge it.
pub(super) fn refuse(
    folio: &Folio,
    payment: PaymentId,
    reason: &str,
) -> Result<Vec<Event>, Rejection> {
    let payment = find(folio, payment)?;
    if payment.state != State::Scheduled || payment.auto.is_none() {
        return Err(Rejection::AttemptEnded);
    }
    Ok(vec![Event::Refused {
        payment: payment.id,
        reason: reason.to_owned(),
    }])
}

/// The policy, as long as nobody has taken the payments over.
fn active(folio: &Folio) -> Option<&Policy> {
    folio.policy.as_ref().filter(|_| !folio.is_touched)
}

/// The instalments that can still be changed: those that wait, and those that came to nothing without
/// being tried. When there is none, what is due comes with the last of the policy.
fn open<'a>(folio: &'a Folio, policy: &Policy) -> Vec<Open<'a>> {
    let has_begun = |place: usize| {
        let of_place = |payment: &&Payment| payment.place() == Some(place);
        let is_kept = |payment: &Payment| payment.state != State::Cancelled;
        folio.payments.iter().filter(of_place).any(is_kept)
    };
    let mut open: Vec<Open<'_>> = folio.payments.iter().filter_map(waiting).collect();
    let untouched = (0..policy.policy.len()).filter(|place| !has_begun(*place));
    open.extend(untouched.map(|place| Open {
        place,
        payment: None,
    }));
    open.sort_by_key(|open| open.place);
    if open.is_empty() {
        open.extend(policy.policy.len().checked_sub(1).map(|place| Open {
            place,
            payment: None,
        }));
    }
    open
}

fn waiting(payment: &Payment) -> Option<Open<'_>> {
    let place = payment.place()?;
    (payment.state == State::Scheduled).then_some(Open {
        place,
        payment: Some(payment),
    })
}

/// What each open instalment comes to. What fits already stays as it is.
fn amounts(folio: &Folio, policy: &Policy, open: &[Open<'_>]) -> Vec<Money> {
    let planned = |open: &Open<'_>| {
        open.payment
            .map_or(Money::zero(folio.currency), |payment| payment.amount)
    };
    let due = still_due(folio);
    let sum: i64 = open.iter().map(|open| planned(open).minor()).sum();
    if sum == due.minor() {
        return open.iter().map(planned).collect();
    }
    let places: Vec<usize> = open.iter().map(|open| open.place).collect();
    spread(policy, folio.total, due, &places)
}

/// What the payments that wait must bring in: the balance, without what is on its way, and without
/// what was tried in vain. The second is for people to collect.
fn still_due(folio: &Folio) -> Money {
    let is_spoken_for = |payment: &&Payment| {
        !matches!(
            payment.state,
            State::Scheduled | State::Succeeded | State::Cancelled | State::Expired
        )
    };
    let spoken_for = folio.payments.iter().filter(is_spoken_for);
    let minor: i64 = spoken_for.map(|payment| payment.amount.minor()).sum();
    Money::from_minor((folio.balance().minor() - minor).max(0), folio.currency)
}

/// A changed payment: nothing if nothing has changed, and called off if nothing is left of it.
fn change(known: &Payment, changed: Payment) -> Option<Event> {
    if !changed.amount.is_positive() {
        return Some(Event::Cancelled { payment: known.id });
    }
    (changed != *known).then_some(Event::Edited {
        payment: changed.id,
        amount: changed.amount,
        due: changed.due,
        note: changed.note,
        source: changed.source,
        auto: changed.auto,
    })
}

/// When a payment is due whose stay has moved. One whose date has come already stays where it is.
fn moved(due: Option<Timestamp>, planned: Timestamp, now: Timestamp) -> Option<Timestamp> {
    if due.is_some_and(|due| due <= now) && planned <= now {
        return due;
    }
    Some(planned.max(now))
}

/// The method that is charged: the one that was, as long as it can be; else the guest's newest.
fn source(known: Option<&Source>, cards: &[Method]) -> Source {
    let is_usable = |source: &&Source| match source {
        Source::Card { method, .. } => cards.iter().any(|card| card.id == *method),
        Source::Recorded { .. } => false,
    };
    if let Some(known) = known.filter(is_usable) {
        return known.clone();
    }
    cards.first().map_or_else(
        || Source::Recorded {
            name: NO_CARD_YET.to_owned(),
        },
        |card| Source::Card {
            method: card.id,
            name: card.name.clone(),
        },
    )
}

fn planned_payment(
    id: PaymentId,
    source: Source,
    amount: Money,
    due: Timestamp,
    auto: Auto,
    now: Timestamp,
) -> Payment {
    Payment {
        id,
        source,
        amount,
        state: State::Scheduled,
        is_hold: false,
        due: Some(due),
        paid: None,
        expires: None,
        captured: None,
        note: None,
        reference: None,
        authentication_url: None,
        attempt: None,
        auto: Some(auto),
        created: now,
        refunds: Vec::new(),
    }
}
