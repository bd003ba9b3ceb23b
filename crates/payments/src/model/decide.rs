//! The decisions: a command on a folio becomes events, or a named refusal.
//!
//! Checks run in one order, so that a wrong command always gets the same refusal: what it names
//! (payment, refund), its form (method's name, amounts, dates), what it refers to (stored methods),
//! the state, and the limits last.

use contract::Timestamp;
use contract::id::{AttemptId, PaymentId, RefundId};
use money::{Decimal, Money};

use super::command::{
    AttemptKind, Capture, Command, Edit, Event, Outcome, PostPayment, RefundPayment,
};
use super::folio::Folio;
use super::payment::{Attempt, Method, Payment, Refund, RefundState, Source, State};
use super::rejection::{RECORDED_METHODS, Rejection};

/// No amount is larger: ten thousand million in a currency of two digits.
const AMOUNT_MINOR_MAX: i64 = 1_000_000_000_000;
/// The longest note, as the payments API of 2026 limits it.
const NOTE_CHARS_MAX: usize = 500;
/// The names that stand for a stored method.
const CARD_METHODS: [&str; 2] = ["STRIPE", "AMARYLLIS"];

/// What follows from a command.
pub(crate) fn decide(
    folio: &Folio,
    command: &Command,
    now: Timestamp,
) -> Result<Vec<Event>, Rejection> {
    match command {
        Command::Post(post) => decide_post(folio, post, now),
        Command::Edit(edit) => decide_edit(folio, edit, now),
        Command::Cancel { payment, attempt } => cancel(folio, *payment, *attempt, now),
        Command::Capture(capture) => decide_capture(folio, capture, now),
        Command::Refund(refund) => decide_refund(folio, refund, now),
        Command::CancelRefund { payment, refund } => cancel_refund(folio, *payment, *refund),
        Command::PaymentDue { payment, attempt } => payment_due(folio, *payment, *attempt, now),
        Command::RefundDue {
            payment,
            refund,
            attempt,
        } => refund_due(folio, *payment, *refund, *attempt, now),
        Command::Expire { payment } => expire(folio, *payment, now),
        Command::Unanswered { payment, attempt } => unanswered(folio, *payment, *attempt, now),
        Command::Answer {
            payment,
            attempt,
            kind,
            outcome,
        } => answer(folio, *payment, *attempt, *kind, outcome, now),
    }
}

fn decide_post(folio: &Folio, post: &PostPayment, now: Timestamp) -> Result<Vec<Event>, Rejection> {
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

fn decide_edit(folio: &Folio, edit: &Edit, now: Timestamp) -> Result<Vec<Event>, Rejection> {
    let payment = find(folio, edit.payment)?;
    let amount = edit
        .amount
        .as_ref()
        .map(|amount| payment_amount(folio, amount))
        .transpose()?;
    check_note(edit.note.as_deref())?;
    let source = if edit.names_method {
        let Source::Card { name, .. } = &payment.source else {
            return Err(Rejection::NotScheduled(payment.state.public_name()));
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
    let starts = edit
        .due
        .is_some_and(|due| due <= now)
        .then(|| start(&edited, edit.attempt, now));
    let change = Event::Edited {
        payment: edited.id,
        amount: edited.amount,
        due: edited.due,
        note: edited.note,
        source: edited.source,
    };
    Ok(touched(folio).chain([change]).chain(starts).collect())
}

fn cancel(
    folio: &Folio,
    payment: PaymentId,
    attempt: AttemptId,
    now: Timestamp,
) -> Result<Vec<Event>, Rejection> {
    let payment = find(folio, payment)?;
    if let Some(busy) = not_idle(payment) {
        return Err(busy);
    }
    let event = match (payment.state, &payment.source) {
        (State::Scheduled | State::AwaitingGuest, _) => Event::Cancelled {
            payment: payment.id,
        },
        (State::Held, _) => Event::AttemptStarted {
            payment: payment.id,
            refund: None,
            attempt: Attempt::starting(attempt, now),
            kind: AttemptKind::Void,
            amount: payment.amount,
            state: State::Releasing,
        },
        (State::Succeeded, Source::Recorded { .. }) => {
            if payment.refundable() != payment.amount {
                return Err(Rejection::CancelWithRefunds);
            }
            Event::Cancelled {
                payment: payment.id,
            }
        }
        (state, _) => return Err(Rejection::CannotCancel(state.public_name())),
    };
    Ok(touched(folio).chain([event]).collect())
}

fn decide_capture(
    folio: &Folio,
    capture: &Capture,
    now: Timestamp,
) -> Result<Vec<Event>, Rejection> {
    let payment = find(folio, capture.payment)?;
    let amount = capture
        .amount
        .as_ref()
        .map(|amount| moved(folio, amount))
        .transpose()?;
    if let Some(busy) = not_idle(payment) {
        return Err(busy);
    }
    let can_lapse = matches!(payment.state, State::Held | State::Expired);
    if let Some(expires) = payment
        .expires
        .filter(|expires| can_lapse && *expires <= now)
    {
        return Err(Rejection::HoldExpired(expires));
    }
    if payment.state != State::Held {
        return Err(Rejection::NotHeld(payment.state.public_name()));
    }
    let amount = amount.unwrap_or(payment.amount);
    if amount.minor() > payment.amount.minor() {
        return Err(Rejection::CaptureTooLarge {
            held: payment.amount.to_string(),
        });
    }
    let start = Event::AttemptStarted {
        payment: payment.id,
        refund: None,
        attempt: Attempt::starting(capture.attempt, now),
        kind: AttemptKind::Capture,
        amount,
        state: State::Capturing,
    };
    Ok(touched(folio).chain([start]).collect())
}

fn decide_refund(
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

fn cancel_refund(
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

fn payment_due(
    folio: &Folio,
    payment: PaymentId,
    attempt: AttemptId,
    now: Timestamp,
) -> Result<Vec<Event>, Rejection> {
    let payment = find(folio, payment)?;
    if payment.state != State::Scheduled || payment.due.is_none_or(|due| due > now) {
        return Err(Rejection::AttemptEnded);
    }
    Ok(vec![start(payment, attempt, now)])
}

/// A refund is checked again when it is due: a chargeback may have come between.
fn refund_due(
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

fn expire(folio: &Folio, payment: PaymentId, now: Timestamp) -> Result<Vec<Event>, Rejection> {
    let payment = find(folio, payment)?;
    if payment.state != State::Held || payment.expires.is_none_or(|expires| expires > now) {
        return Err(Rejection::AttemptEnded);
    }
    Ok(vec![Event::Expired {
        payment: payment.id,
    }])
}

fn unanswered(
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

fn answer(
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

fn find(folio: &Folio, payment: PaymentId) -> Result<&Payment, Rejection> {
    folio.payment(payment).ok_or(Rejection::PaymentNotFound)
}

/// The refusal while a processor call for the payment itself is under way.
fn not_idle(payment: &Payment) -> Option<Rejection> {
    let busy = matches!(
        payment.state,
        State::Processing | State::Capturing | State::Releasing
    );
    busy.then_some(Rejection::InProgress)
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

/// Manual changes turn auto payments off, once.
fn touched(folio: &Folio) -> impl Iterator<Item = Event> {
    (!folio.is_touched).then_some(Event::Touched).into_iter()
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

fn payment_amount(folio: &Folio, amount: &Decimal) -> Result<Money, Rejection> {
    let amount = in_currency(folio, amount)?;
    if amount.is_positive() {
        Ok(amount)
    } else {
        Err(Rejection::AmountNotPositive)
    }
}

fn moved(folio: &Folio, amount: &Decimal) -> Result<Money, Rejection> {
    let amount = in_currency(folio, amount)?;
    if amount.is_positive() {
        Ok(amount)
    } else {
        Err(Rejection::NothingToMove)
    }
}

fn in_currency(folio: &Folio, amount: &Decimal) -> Result<Money, Rejection> {
    let amount = Money::from_decimal(amount, folio.currency)
        .map_err(|error| Rejection::BadAmount(error.to_string()))?;
    if amount.minor().abs() > AMOUNT_MINOR_MAX {
        let limit = Money::from_minor(AMOUNT_MINOR_MAX, folio.currency);
        return Err(Rejection::BadAmount(format!(
            "{amount} is more than the limit of {limit}"
        )));
    }
    Ok(amount)
}

fn check_note(note: Option<&str>) -> Result<(), Rejection> {
    if note.is_some_and(|note| note.chars().count() > NOTE_CHARS_MAX) {
        return Err(Rejection::NoteTooLong);
    }
    Ok(())
}
