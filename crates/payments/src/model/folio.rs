//! A folio: a reservation with its payments. It is what payment commands are decided on.

use contract::Timestamp;
use contract::id::{GuestId, PaymentId, RefundId, ReservationId};
use money::{Currency, Money};

use super::command::{AttemptKind, Event, Outcome};
use super::payment::{Payment, Reference, Refund, RefundState, State};

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
            } => {
                if let Some(p) = self.find(*payment) {
                    p.amount = *amount;
                    p.due = *due;
                    p.note.clone_from(note);
                    p.source = source.clone();
                }
            }
            Event::AttemptStarted {
                payment,
                refund: None,
                state,
                attempt,
                kind,
                amount,
            } => {
                if let Some(p) = self.find(*payment) {
                    p.state = *state;
                    p.attempt = Some(*attempt);
                    if *kind == AttemptKind::Capture {
                        p.captured = Some(*amount);
                    }
                }
            }
            Event::AttemptStarted {
                payment,
                refund: Some(id),
                attempt,
                ..
            } => {
                if let Some(r) = self.find_refund(*payment, *id) {
                    r.state = RefundState::Processing;
                    r.attempt = Some(*attempt);
                }
            }
            Event::AttemptUnknown {
                payment,
                refund: None,
                attempt,
            } => {
                if let Some(p) = self.find(*payment) {
                    p.attempt = Some(*attempt);
                }
            }
            Event::AttemptUnknown {
                payment,
                refund: Some(id),
                attempt,
            } => {
                if let Some(r) = self.find_refund(*payment, *id) {
                    r.attempt = Some(*attempt);
                }
            }
            Event::Answered {
                payment,
                refund: None,
                outcome,
                state,
                at,
                ..
            } => {
                if let Some(p) = self.find(*payment) {
                    p.answered(outcome, *state, *at);
                }
            }
            Event::Answered {
                payment,
                refund: Some(id),
                outcome,
                at,
                ..
            } => {
                if let Some(r) = self.find_refund(*payment, *id) {
                    r.answered(outcome, *at);
                }
            }
            Event::Cancelled { payment } => self.set(*payment, State::Cancelled),
            Event::Expired { payment } => self.set(*payment, State::Expired),
            Event::RefundPosted { payment, refund } => {
                if let Some(p) = self.find(*payment) {
                    p.refunds.push(refund.clone());
                }
            }
            Event::RefundRecorded {
                payment,
                refund,
                at,
            } => {
                if let Some(r) = self.find_refund(*payment, *refund) {
                    r.state = RefundState::Succeeded;
                    r.paid = Some(*at);
                }
            }
            Event::RefundFailed {
                payment,
                refund,
                reason,
            } => {
                if let Some(r) = self.find_refund(*payment, *refund) {
                    r.state = RefundState::Failed;
                    r.error = Some(reason.clone());
                }
            }
            Event::RefundCancelled { payment, refund } => {
                if let Some(r) = self.find_refund(*payment, *refund) {
                    r.state = RefundState::Cancelled;
                }
            }
        }
    }

    fn find(&mut self, id: PaymentId) -> Option<&mut Payment> {
        self.payments.iter_mut().find(|payment| payment.id == id)
    }

    fn find_refund(&mut self, payment: PaymentId, id: RefundId) -> Option<&mut Refund> {
        self.find(payment)?
            .refunds
            .iter_mut()
            .find(|refund| refund.id == id)
    }

    fn set(&mut self, id: PaymentId, state: State) {
        if let Some(payment) = self.find(id) {
            payment.state = state;
            payment.attempt = None;
        }
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
            // A capture that was refused leaves the hold as it was.
            Outcome::Declined { .. } => self.captured = None,
            Outcome::AuthenticationRequired { url } => {
                self.authentication_url = Some(url.clone());
            }
        }
    }

    /// When the agenda must look at the payment next; `None`: never again.
    pub(crate) fn agenda(&self) -> Option<Timestamp> {
        match (self.state, self.attempt) {
            (_, Some(attempt)) => Some(attempt.ask_again),
            (State::Scheduled, None) => self.due,
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
            Outcome::Declined { reason } => {
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
