//! A folio: a reservation with its payments. It is what payment commands are decided on.

use contract::Timestamp;
use contract::auto_payment::Policy;
use contract::id::{GuestId, PaymentId, RefundId, ReservationId};
use money::{Currency, Money};

use super::command::{AttemptKind, Event, Outcome};
use super::payment::{Auto, Payment, Reference, Refund, RefundState, Source, State};

/// A reservation, as far as payments ask, with its payments in the order of their posting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Folio {
    pub(crate) reservation: ReservationId,
    pub(crate) guest: GuestId,
    pub(crate) currency: Currency,
    /// The sum of the invoice.
    pub(crate) total: Money,
    /// Whether somebody has changed the payments by hand, which turns auto payments off.
    pub(crate) is_touched: bool,
    /// The policy of automatic payments when the reservation was confirmed.
    pub(crate) policy: Option<Policy>,
    pub(crate) payments: Vec<Payment>,
}

impl Folio {
    /// What came in, refunds not taken off.
    pub(crate) fn paid(&self) -> Money {
        self.sum(Payment::collected)
    }

    /// What went back.
    pub(crate) fn refunded(&self) -> Money {
        self.sum(Payment::refunded)
    }

    /// What the guest still owes; negative when they paid more than the invoice.
    pub(crate) fn balance(&self) -> Money {
        let minor = self.total.minor() - self.paid().minor() + self.refunded().minor();
        Money::from_minor(minor, self.currency)
    }

    /// A payment by its id.
    pub(crate) fn payment(&self, id: PaymentId) -> Option<&Payment> {
        self.payments.iter().find(|payment| payment.id == id)
    }

    fn sum(&self, of: impl Fn(&Payment) -> Money) -> Money {
        let minor = self
            .payments
            .iter()
            .map(|payment| of(payment).minor())
            .sum();
        Money::from_minor(minor, self.currency)
    }

    /// The folio after what happened. Events name payments that exist: others change nothing.
    pub(crate) fn apply(&mut self, event: &Event) {
        match event {
            Event::Posted(payment) => self.payments.push(payment.clone()),
            Event::Touched => self.is_touched = true,
            Event::Edited {
                payment,
                amount,
                due,
                note,
                source,
                auto,
            } => self.change(*payment, |p| {
                p.amount = *amount;
                p.due = *due;
                p.note.clone_from(note);
                p.source = source.clone();
                p.auto = *auto;
            }),
            Event::AttemptStarted {
                payment,
                refund: None,
                state,
                attempt,
                kind,
                amount,
            } => {
                self.change(*payment, |p| {
                    p.state = *state;
                    p.attempt = Some(*attempt);
                    match kind {
                        AttemptKind::Capture => p.captured = Some(*amount),
                        AttemptKind::Charge => p.tried(),
                        _ => {}
                    }
                });
            }
            Event::AttemptUnknown {
                payment,
                refund: None,
                attempt,
            } => {
                self.change(*payment, |p| p.attempt = Some(*attempt));
            }
            Event::Answered {
                payment,
                refund: None,
                outcome,
                state,
                at,
                ..
            } => {
                self.change(*payment, |p| p.answered(outcome, *state, *at));
            }
            Event::LastTry { payment } => self.change(*payment, Payment::no_more_tries),
            Event::Refused { payment, .. } => self.change(*payment, |p| p.state = State::Failed),
            Event::Cancelled { payment } => self.change(*payment, |p| p.state = State::Cancelled),
            Event::Expired { payment } => self.change(*payment, |p| p.state = State::Expired),
            Event::HoldEnds { payment, at } => self.change(*payment, |p| p.expires = Some(*at)),
            Event::RefundPosted { payment, refund } => {
                self.change(*payment, |p| p.refunds.push(refund.clone()));
            }
            of_refund => self.apply_to_refund(of_refund),
        }
    }

    fn apply_to_refund(&mut self, event: &Event) {
        match event {
            Event::AttemptStarted {
                payment,
                refund: Some(id),
                attempt,
                ..
            } => {
                self.change_refund(*payment, *id, |r| {
                    r.state = RefundState::Processing;
                    r.attempt = Some(*attempt);
                });
            }
            Event::AttemptUnknown {
                payment,
                refund: Some(id),
                attempt,
            } => {
                self.change_refund(*payment, *id, |r| r.attempt = Some(*attempt));
            }
            Event::Answered {
                payment,
                refund: Some(id),
                outcome,
                at,
                ..
            } => {
                self.change_refund(*payment, *id, |r| r.answered(outcome, *at));
            }
            Event::RefundRecorded {
                payment,
                refund,
                at,
            } => {
                self.change_refund(*payment, *refund, |r| {
                    r.state = RefundState::Succeeded;
                    r.paid = Some(*at);
                });
            }
            Event::RefundFailed {
                payment,
                refund,
                reason,
            } => {
                self.change_refund(*payment, *refund, |r| {
                    r.state = RefundState::Failed;
                    r.error = Some(reason.clone());
                });
            }
            Event::RefundCancelled { payment, refund } => {
                self.change_refund(*payment, *refund, |r| r.state = RefundState::Cancelled);
            }
            _ => {}
        }
    }

    fn change(&mut self, id: PaymentId, change: impl FnOnce(&mut Payment)) {
        if let Some(payment) = self.payments.iter_mut().find(|payment| payment.id == id) {
            change(payment);
        }
    }

    fn change_refund(
        &mut self,
        payment: PaymentId,
        id: RefundId,
        change: impl FnOnce(&mut Refund),
    ) {
        self.change(payment, |payment| {
            if let Some(refund) = payment.refunds.iter_mut().find(|refund| refund.id == id) {
                change(refund);
            }
        });
    }
}

impl Payment {
    fn answered(&mut self, outcome: &Outcome, state: State, at: Timestamp) {
        self.attempt = None;
        self.state = state;
        self.authentication_url = None;
        match outcome {
            Outcome::Approved {
                reference,
                hold_expires,
            } => {
                // A capture has a transaction of its own; what people were shown stays.
                let shown = self.reference.take().map(|known| known.confirmation);
                self.reference = Some(Reference {
                    transaction: reference.transaction.clone(),
                    confirmation: shown.unwrap_or_else(|| reference.confirmation.clone()),
                });
                match state {
                    State::Held => self.expires = *hold_expires,
                    State::Succeeded => self.paid = Some(at),
                    _ => {}
                }
            }
            Outcome::Declined { .. } if state == State::Scheduled => {
                self.due = Some(at + Auto::TRY_AGAIN_AFTER);
            }
            Outcome::Declined { is_hard, .. } => {
                // A capture that was refused leaves the hold as it was.
                self.captured = None;
                if *is_hard {
                    self.declined_for_good();
                }
            }
            Outcome::AuthenticationRequired { url } => {
                self.authentication_url = Some(url.clone());
            }
        }
    }

    fn tried(&mut self) {
        if let Some(auto) = &mut self.auto {
            auto.tries_left = auto.tries_left.saturating_sub(1);
        }
    }

    /// A try that is left over tells it from cards that were tried in vain.
    fn declined_for_good(&mut self) {
        if let Some(auto) = &mut self.auto {
            auto.tries_left = auto.tries_left.max(1);
        }
    }

    fn no_more_tries(&mut self) {
        if let Some(auto) = &mut self.auto {
            auto.tries_left = 0;
        }
    }

    /// When the agenda must look at the payment next; `None`: never again.
    pub(crate) fn agenda(&self) -> Option<Timestamp> {
        match (self.state, self.attempt) {
            (_, Some(attempt)) => Some(attempt.ask_again),
            // Without a card, it waits until the guest has one.
            (State::Scheduled, None) => match self.source {
                Source::Card { .. } => self.due,
                Source::Recorded { .. } => None,
            },
            (State::Held, None) => self.expires,
            _ => None,
        }
    }
}

impl Refund {
    fn answered(&mut self, outcome: &Outcome, at: Timestamp) {
        self.attempt = None;
        match outcome {
            Outcome::Approved { reference, .. } => {
                self.state = RefundState::Succeeded;
                self.paid = Some(at);
                self.confirmation = Some(reference.confirmation.clone());
            }
            Outcome::Declined { reason, .. } => {
                self.state = RefundState::Failed;
                self.error = Some(reason.clone());
            }
            Outcome::AuthenticationRequired { .. } => self.state = RefundState::Failed,
        }
    }

    /// When the agenda must look at the refund next; `None`: never again.
    pub(crate) fn agenda(&self) -> Option<Timestamp> {
        match (self.state, self.attempt) {
            (_, Some(attempt)) => Some(attempt.ask_again),
            (RefundState::Scheduled, None) => self.due,
            _ => None,
        }
    }
}
