//! Posting a payment, changing it while it waits, charging it when its date comes.

use contract::Timestamp;
use contract::id::{AttemptId, PaymentId};
use money::{Decimal, Money};

use super::{check_note, find, in_currency, not_idle, touched};
use crate::model::command::{AttemptKind, Edit, Event, PostPayment};
use crate::model::folio::Folio;
use crate::model::payment::{Attempt, Method, Payment, Source, State};
use crate::model::rejection::{RECORDED_METHODS, Rejection};

/// The names that stand for a stored method.
const CARD_METHODS: [&str; 2] = ["STRIPE", "AMARYLLIS"];

pub(super) fn post(
    folio: &Folio,
    post: &PostPayment,
    now: Timestamp,
) -> Result<Vec<Event>, Rejection> {
    let name = post.method_name.as_str();
    let is_card = CARD_METHODS.contains(&name);
    if name.is_empty() {
        return Err(Rejection::MethodRequired);
    }
    if !is_card && !RECORDED_METHODS.contains(&name) {
        return Err(Rejection::UnknownMethodName(name.to_owned()));
    }
    let amount = payment_amount(folio, &post.amount)?;
    check_note(post.note.as_deref())?;
    let source = if is_card {
        check_card_form(post, now)?;
        card(folio, name, post.names_method, post.method.as_ref())?
    } else {
        check_recorded_form(post, now)?;
        Source::Recorded {
            name: name.to_owned(),
        }
    };
    if post.is_hold && amount.minor() > folio.balance().minor() {
        return Err(Rejection::HoldAboveBalance {
            balance: folio.balance().to_string(),
        });
    }
    let due = post.due.filter(|due| *due > now);
    let payment = Payment {
        id: post.id,
        source,
        amount,
        state: if is_card {
            State::Scheduled
        } else {
            State::Succeeded
        },
        is_hold: post.is_hold,
        due: if is_card {
            Some(due.unwrap_or(now))
        } else {
            None
        },
        paid: if is_card {
            None
        } else {
            Some(post.paid.unwrap_or(now))
        },
        expires: None,
        captured: None,
        note: post.note.clone(),
        reference: None,
        authentication_url: None,
        attempt: None,
        auto: None,
        created: now,
        refunds: Vec::new(),
    };
    let starts = (is_card && due.is_none()).then(|| start(&payment, post.attempt, now));
    Ok(touched(folio)
        .chain([Event::Posted(payment)])
        .chain(starts)
        .collect())
}

fn check_card_form(post: &PostPayment, now: Timestamp) -> Result<(), Rejection> {
    if post.paid.is_some() {
        return Err(Rejection::PaidAtOfCard);
    }
    if post.is_hold && post.due.is_some_and(|due| due > now) {
        return Err(Rejection::HoldCannotWait);
    }
    Ok(())
}

fn check_recorded_form(post: &PostPayment, now: Timestamp) -> Result<(), Rejection> {
    if post.names_method {
        return Err(Rejection::MethodIdNotExpected(post.method_name.clone()));
    }
    if post.is_hold {
        return Err(Rejection::HoldWithoutCard);
    }
    if post.due.is_some_and(|due| due > now) {
        return Err(Rejection::RecordedCannotWait);
    }
    if post.paid.is_some_and(|paid| paid > now) {
        return Err(Rejection::PaidInFuture);
    }
    Ok(())
}

pub(super) fn edit(folio: &Folio, edit: &Edit, now: Timestamp) -> Result<Vec<Event>, Rejection> {
    let payment = find(folio, edit.payment)?;
    let amount = edit
        .amount
        .as_ref()
        .map(|amount| payment_amount(folio, amount))
        .transpose()?;
    check_note(edit.note.as_deref())?;
    let source = if edit.names_method {
        if !is_card(&payment.source) && payment.state != State::Scheduled {
            return Err(Rejection::NotScheduled(payment.state.public_name()));
        }
        let name = match &payment.source {
            Source::Card { name, .. } | Source::Recorded { name } => name,
        };
        card(folio, name, true, edit.method.as_ref())?
    } else {
        payment.source.clone()
    };
    if payment.state != State::Scheduled {
        return Err(
            not_idle(payment).unwrap_or(Rejection::NotScheduled(payment.state.public_name()))
        );
    }
    let edited = Payment {
        amount: amount.unwrap_or(payment.amount),
        due: edit.due.map(|due| due.max(now)).or(payment.due),
        note: edit.note.clone().or_else(|| payment.note.clone()),
        source,
        ..payment.clone()
    };
    // Without a card, it waits until the guest has one.
    let starts = edit
        .due
        .is_some_and(|due| due <= now && is_card(&edited.source))
        .then(|| start(&edited, edit.attempt, now));
    let change = Event::Edited {
        payment: edited.id,
        amount: edited.amount,
        due: edited.due,
        note: edited.note,
        source: edited.source,
        // Whoever changes it, takes it over.
        auto: None,
    };
    Ok(touched(folio).chain([change]).chain(starts).collect())
}

pub(super) fn due(
    folio: &Folio,
    payment: PaymentId,
    attempt: AttemptId,
    now: Timestamp,
) -> Result<Vec<Event>, Rejection> {
    let payment = find(folio, payment)?;
    let is_due = payment.due.is_some_and(|due| due <= now) && is_card(&payment.source);
    if payment.state != State::Scheduled || !is_due {
        return Err(Rejection::AttemptEnded);
    }
    Ok(vec![start(payment, attempt, now)])
}

fn is_card(source: &Source) -> bool {
    matches!(source, Source::Card { .. })
}

/// The stored method as a payment's source. Either card name is taken: the stored method decides.
fn card(
    folio: &Folio,
    name: &str,
    names_method: bool,
    method: Option<&Method>,
) -> Result<Source, Rejection> {
    if !names_method {
        return Err(Rejection::MethodIdRequired(name.to_owned()));
    }
    let method = method
        .filter(|m| m.guest == folio.guest)
        .ok_or(Rejection::MethodNotFound)?;
    if !method.is_active {
        return Err(Rejection::MethodInactive);
    }
    if method.is_spent {
        return Err(Rejection::MethodSpent);
    }
    Ok(Source::Card {
        method: method.id,
        name: method.name.clone(),
    })
}

fn start(payment: &Payment, attempt: AttemptId, now: Timestamp) -> Event {
    Event::AttemptStarted {
        payment: payment.id,
        refund: None,
        attempt: Attempt::starting(attempt, now),
        kind: if payment.is_hold {
            AttemptKind::Hold
        } else {
            AttemptKind::Charge
        },
        amount: payment.amount,
        state: State::Processing,
    }
}

fn payment_amount(folio: &Folio, amount: &Decimal) -> Result<Money, Rejection> {
    let amount = in_currency(folio, amount)?;
    if amount.is_positive() {
        Ok(amount)
    } else {
        Err(Rejection::AmountNotPositive)
    }
}
