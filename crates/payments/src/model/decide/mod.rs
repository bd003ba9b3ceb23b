//! The decisions: a command on a folio becomes events, or a named refusal.
//!
//! Checks run in one order, so that a wrong command always gets the same refusal: what it names
//! (payment, refund), its form (method's name, amounts, dates), what it refers to (stored methods),
//! the state, and the limits last.

mod attempt;
mod auto_payment;
mod hasten;
mod hold;
mod post;
mod refund;

use contract::Timestamp;
use contract::id::PaymentId;
use money::{Decimal, Money};

use super::command::{Command, Event};
use super::folio::Folio;
use super::payment::{Payment, State};
use super::rejection::Rejection;

/// No amount is larger: ten thousand million in a currency of two digits.
const AMOUNT_MINOR_MAX: i64 = 1_000_000_000_000;
/// The longest note, as the payments API of 2026 limits it.
const NOTE_CHARS_MAX: usize = 500;
/// What follows from a command.
pub(crate) fn decide(
    folio: &Folio,
    command: &Command,
    now: Timestamp,
) -> Result<Vec<Event>, Rejection> {
    match command {
        Command::Post(post) => post::post(folio, post, now),
        Command::Edit(edit) => post::edit(folio, edit, now),
        Command::Cancel { payment, attempt } => hold::cancel(folio, *payment, *attempt, now),
        Command::Capture(capture) => hold::capture(folio, capture, now),
        Command::Refund(refund) => refund::refund(folio, refund, now),
        Command::CancelRefund { payment, refund } => refund::cancel(folio, *payment, *refund),
        Command::PaymentDue { payment, attempt } => post::due(folio, *payment, *attempt, now),
        Command::RefundDue {
            payment,
            refund,
            attempt,
        } => refund::due(folio, *payment, *refund, *attempt, now),
        Command::Expire { payment } => hold::expire(folio, *payment, now),
        Command::Hasten { payment } => hasten::hasten(folio, *payment, now),
        Command::Arrange(arrange) => Ok(auto_payment::arrange(folio, arrange, now)),
        Command::CallOff => Ok(auto_payment::call_off(folio)),
        Command::Refuse { payment, reason } => auto_payment::refuse(folio, *payment, reason),
        Command::Unanswered { payment, attempt } => {
            attempt::unanswered(folio, *payment, *attempt, now)
        }
        Command::Answer {
            payment,
            attempt,
            kind,
            outcome,
        } => attempt::answer(folio, *payment, *attempt, *kind, outcome, now),
    }
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

/// Manual changes turn auto payments off, once.
fn touched(folio: &Folio) -> impl Iterator<Item = Event> {
    (!folio.is_touched).then_some(Event::Touched).into_iter()
}

fn in_currency(folio: &Folio, amount: &Decimal) -> Result<Money, Rejection> {
    let amount = Money::from_decimal(amount, folio.currency)
        .map_err(|error| Rejection::BadAmount(error.to_string()))?;
    if amount.minor().unsigned_abs() > AMOUNT_MINOR_MAX.unsigned_abs() {
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
fn moved(folio: &Folio, amount: &Decimal) -> Result<Money, Rejection> {
    let amount = in_currency(folio, amount)?;
    if amount.is_positive() {
        Ok(amount)
    } else {
        Err(Rejection::NothingToMove)
    }
}
