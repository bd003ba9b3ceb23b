//! What happens to payments by card: declines, refunds that fail, holds that lapse.

use contract::id::{PaymentId, ReservationId};
use processors::{MethodToken, TransactionId, TransactionKind};
use store::new_id;

use super::{Scene, TriggerError, Triggered, nothing_fits};
use crate::Error;
use crate::collect::{Target, look_after, perform};
use crate::model::{Command, Payment, RefundPayment, Rejection, Source, State};
use crate::store::folio::{self, Stay};
use crate::store::payment_method;
use crate::store::trigger::{self, Wanted};

/// A general refusal, and a refund denied: GuestyPay's numbers.
const REFUSED: &str = "10004";
const REFUND_DENIED: &str = "10329";

impl Scene<'_> {
    pub(super) async fn hold_expired(&self) -> Result<Triggered, TriggerError> {
        let none = "no authorization hold is open: place one with isAuthorizationHold on \
                    POST /v1/reservations/{id}/payments";
        let (stay, payment) = self.chosen(Wanted::Held, none).await?;
        self.hasten(&stay, &payment).await?;
        let happened = format!("the hold of {} lapsed", payment.amount);
        self.after(&stay, payment.id, happened).await
    }

    pub(super) async fn payment_failed(&self) -> Result<Triggered, TriggerError> {
        let none = "no card payment is scheduled: post one with shouldBePaidAt, or trigger \
                    direct-booking";
        let (stay, payment) = self.chosen(Wanted::Scheduled, none).await?;
        let code = self.code_or(REFUSED);
        let asked = if payment.is_hold {
            TransactionKind::Authorization
        } else {
            TransactionKind::Charge
        };
        self.refuse_next(&payment, asked, &code).await?;
        self.hasten(&stay, &payment).await?;
        let happened = format!(
            "the payment of {} was charged, and declined",
            payment.amount
        );
        self.after(&stay, payment.id, happened).await
    }

    pub(super) async fn refund_failed(&self) -> Result<Triggered, TriggerError> {
        let none = "no card payment is left to refund: take one first, with \
                    POST /v1/reservations/{id}/payments";
        let (stay, payment) = self.chosen(Wanted::Refundable, none).await?;
        let code = self.code_or(REFUND_DENIED);
        let amount = self.amount_or(payment.refundable().to_decimal());
        let refund = new_id();
        let command = Command::Refund(RefundPayment {
            payment: payment.id,
            id: refund,
            attempt: new_id(),
            amount,
            due: None,
            note: None,
        });
        // Refused by the rules, it must not leave the card waiting to decline.
        crate::model::decide(&stay.folio, &command, self.now)?;
        self.refuse_next(&payment, TransactionKind::Refund, &code)
            .await?;
        self.command(stay.folio.reservation, command).await?;
        let stay = self.load(stay.folio.reservation).await?;
        let made = stay
            .folio
            .payment(payment.id)
            .and_then(|p| p.refund(refund));
        let status = made.map(|refund| refund.state.public_name().to_owned());
        let amount = made.map(|refund| refund.amount.to_string());
        Ok(Triggered {
            happened: format!(
                "a refund of {} was asked for, and declined",
                amount.as_deref().unwrap_or_default()
            ),
            refunds: vec![refund],
            amount,
            status,
            ..about(&stay, payment.id)
        })
    }

    /// The transaction by which a named payment came in.
    pub(super) async fn transaction_of_payment(&self) -> Result<TransactionId, TriggerError> {
        let (_, payment) = self.chosen(Wanted::Held, "").await?;
        let reference = payment.reference.ok_or_else(|| {
            nothing_fits(format!(
                "payment {} has no transaction at the processor: it is {}",
                payment.id,
                payment.state.public_name()
            ))
        })?;
        Ok(TransactionId::new(reference.transaction))
    }

    /// The payment that was named, else the first that fits, with its folio.
    async fn chosen(&self, wanted: Wanted, none: &str) -> Result<(Stay, Payment), TriggerError> {
        let (account, named) = (self.account.id, self.request.payment);
        let candidates = self
            .platform
            .store
            .read(move |c| match named {
                Some(payment) => trigger::payment(c, account, payment),
                None => trigger::payments(c, account, wanted),
            })
            .await?;
        for (reservation, id) in candidates {
            let stay = self.load(reservation).await?;
            let payment = stay.folio.payment(id).cloned();
            let payment = payment.ok_or(Rejection::PaymentNotFound)?;
            if named.is_some() || wanted != Wanted::Refundable || payment.refundable().is_positive()
            {
                return Ok((stay, payment));
            }
        }
        match named {
            Some(_) => Err(Rejection::PaymentNotFound.into()),
            None => Err(nothing_fits(none)),
        }
    }

    /// Its card declines what it is asked next.
    async fn refuse_next(
        &self,
        payment: &Payment,
        asked: TransactionKind,
        code: &str,
    ) -> Result<(), TriggerError> {
        let Source::Card { method, .. } = payment.source else {
            let message = "this payment was received elsewhere: no card can decline it";
            return Err(nothing_fits(message));
        };
        if asked != TransactionKind::Refund && payment.state != State::Scheduled {
            return Err(Rejection::NotScheduled(payment.state.public_name()).into());
        }
        let account = self.account.id;
        let found = self
            .platform
            .store
            .read(move |c| payment_method::find(c, account, method))
            .await?;
        let found = found.ok_or(Rejection::MethodNotFound)?;
        let token = MethodToken::new(found.route.token);
        Ok(self.sandbox()?.refuse_next(&token, asked, code).await?)
    }

    /// Its time comes now, and the agenda's own code does what is to be done then.
    async fn hasten(&self, stay: &Stay, payment: &Payment) -> Result<(), TriggerError> {
        let (reservation, id) = (stay.folio.reservation, payment.id);
        self.command(reservation, Command::Hasten { payment: id })
            .await?;
        let target = self.target(reservation);
        Ok(look_after(self.platform, target, id, None, self.now).await?)
    }

    pub(super) async fn command(
        &self,
        reservation: ReservationId,
        command: Command,
    ) -> Result<(), Error> {
        let target = self.target(reservation);
        let prepare = move |_: &mut store::Connection, _: &Stay| Ok(command.clone().into());
        perform(self.platform, target, self.now, prepare)
            .await
            .map(drop)
    }

    fn target(&self, reservation: ReservationId) -> Target {
        Target {
            account: self.account.id,
            reservation,
        }
    }

    pub(super) async fn load(&self, reservation: ReservationId) -> Result<Stay, Error> {
        let account = self.account.id;
        let found = self
            .platform
            .store
            .read(move |c| folio::load(c, account, reservation))
            .await?;
        Ok(found.ok_or(Rejection::ReservationNotFound)?)
    }

    async fn after(
        &self,
        stay: &Stay,
        payment: PaymentId,
        happened: String,
    ) -> Result<Triggered, TriggerError> {
        let stay = self.load(stay.folio.reservation).await?;
        let standing = stay.folio.payment(payment);
        Ok(Triggered {
            happened,
            amount: standing.map(|payment| payment.amount.to_string()),
            status: standing.map(|payment| payment.state.public_name().to_owned()),
            ..about(&stay, payment)
        })
    }
}

fn about(stay: &Stay, payment: PaymentId) -> Triggered {
    Triggered {
        reservation: Some(stay.folio.reservation),
        confirmation_code: Some(stay.confirmation_code.clone()),
        payment: Some(payment),
        ..Triggered::default()
    }
}
