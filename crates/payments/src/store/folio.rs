//! Folios: a reservation with its payments, read to be decided on and written as it has changed.

use contract::Timestamp;
use contract::id::{
    AccountId, AttemptId, GuestId, ListingId, PaymentId, PaymentMethodId, RefundId, ReservationId,
};
use diesel::prelude::*;
use money::{Currency, Money};
use store::{Connection, both, update_prepared};

use super::auto_payment;
use crate::Error;
use crate::model::{Attempt, Auto, Folio, Payment, Reference, Refund, RefundState, Source, State};
use crate::schema::{guest, payment, refund, reservation};

/// A reservation's folio, with what a processor is told of the stay.
#[derive(Debug, Clone)]
pub(crate) struct Stay {
    pub(crate) account: AccountId,
    pub(crate) listing: ListingId,
    pub(crate) source: String,
    pub(crate) confirmation_code: String,
    pub(crate) guest_name: String,
    pub(crate) guest_email: Option<String>,
    pub(crate) guest_phone: Option<String>,
    pub(crate) guest_body: String,
    pub(crate) folio: Folio,
}

#[derive(Queryable)]
struct StayRow {
    listing: ListingId,
    guest: GuestId,
    source: String,
    confirmation_code: String,
    currency: String,
    total_minor: i64,
    is_touched: bool,
    auto_payments: Option<String>,
    guest_name: String,
    guest_email: Option<String>,
    guest_phone: Option<String>,
    guest_body: String,
}

/// The folio of an account's reservation; none if the account has no such reservation.
pub(crate) fn load(
    connection: &mut Connection,
    account: AccountId,
    id: ReservationId,
) -> Result<Option<Stay>, Error> {
    let stays = reservation::table
        .inner_join(guest::table.on(guest::id.eq(reservation::guest_id)))
        .filter(reservation::id.eq(id))
        .filter(reservation::account_id.eq(account))
        .select((
            reservation::listing_id,
            reservation::guest_id,
            reservation::source,
            reservation::confirmation_code,
            reservation::currency,
            reservation::total_minor,
            reservation::is_touched,
            reservation::auto_payments,
            guest::full_name,
            guest::email,
            guest::phone,
            guest::body,
        ));
    let row = both!(connection, c => stays.first::<StayRow>(c));
    let Some(row) = row.optional()? else {
        return Ok(None);
    };
    let currency = currency(&row.currency)?;
    Ok(Some(Stay {
        account,
        listing: row.listing,
        source: row.source,
        confirmation_code: row.confirmation_code,
        guest_name: row.guest_name,
        guest_email: row.guest_email,
        guest_phone: row.guest_phone,
        guest_body: row.guest_body,
        folio: Folio {
            reservation: id,
            guest: row.guest,
            currency,
            total: Money::from_minor(row.total_minor, currency),
            is_touched: row.is_touched,
            policy: row
                .auto_payments
                .as_deref()
                .map(auto_payment::read)
                .transpose()?,
            payments: payments(connection, id, currency)?,
        },
    }))
}

fn currency(code: &str) -> Result<Currency, Error> {
    code.parse()
        .map_err(|_| Error::Corrupt(format!("currency {code}")))
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = payment, treat_none_as_default_value = false)]
struct PaymentRow {
    id: PaymentId,
    account_id: AccountId,
    reservation_id: ReservationId,
    guest_id: GuestId,
    method: String,
    payment_method_id: Option<PaymentMethodId>,
    amount_minor: i64,
    currency: String,
    state: String,
    is_hold: bool,
    note: Option<String>,
    due_ms: Option<Timestamp>,
    paid_ms: Option<Timestamp>,
    expires_ms: Option<Timestamp>,
    captured_minor: Option<i64>,
    transaction_id: Option<String>,
    confirmation: Option<String>,
    authentication_url: Option<String>,
    attempt_id: Option<AttemptId>,
    attempt_ms: Option<Timestamp>,
    created_ms: Timestamp,
    agenda_ms: Option<Timestamp>,
    instalment: Option<i64>,
    tries_left: Option<i64>,
}

/// What may change of a payment.
#[derive(AsChangeset)]
#[diesel(table_name = payment, treat_none_as_null = true)]
struct PaymentChange {
    method: String,
    payment_method_id: Option<PaymentMethodId>,
    amount_minor: i64,
    state: &'static str,
    note: Option<String>,
    due_ms: Option<Timestamp>,
    paid_ms: Option<Timestamp>,
    expires_ms: Option<Timestamp>,
    captured_minor: Option<i64>,
    transaction_id: Option<String>,
    confirmation: Option<String>,
    authentication_url: Option<String>,
    attempt_id: Option<AttemptId>,
    attempt_ms: Option<Timestamp>,
    agenda_ms: Option<Timestamp>,
    instalment: Option<i64>,
    tries_left: Option<i64>,
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = refund, treat_none_as_null = true, treat_none_as_default_value = false)]
struct RefundRow {
    id: RefundId,
    payment_id: PaymentId,
    amount_minor: i64,
    state: String,
    note: Option<String>,
    due_ms: Option<Timestamp>,
    paid_ms: Option<Timestamp>,
    transaction_id: Option<String>,
    error: Option<String>,
    attempt_id: Option<AttemptId>,
    attempt_ms: Option<Timestamp>,
    created_ms: Timestamp,
    agenda_ms: Option<Timestamp>,
    account_id: AccountId,
}

fn payments(
    connection: &mut Connection,
    reservation: ReservationId,
    currency: Currency,
) -> Result<Vec<Payment>, Error> {
    let rows = both!(connection, c => payment::table
        .filter(payment::reservation_id.eq(reservation))
        .order((payment::created_ms, payment::id))
        .select(PaymentRow::as_select())
        .load(c))?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let refunds = both!(connection, c => refund::table
        .inner_join(payment::table.on(payment::id.eq(refund::payment_id)))
        .filter(payment::reservation_id.eq(reservation))
        .order((refund::created_ms, refund::id))
        .select(RefundRow::as_select())
        .load(c))?;
    let mut payments = rows
        .into_iter()
        .map(|row| row.read(currency))
        .collect::<Result<Vec<_>, _>>()?;
    for row in refunds {
        if let Some(payment) = payments
            .iter_mut()
            .find(|payment| payment.id == row.payment_id)
        {
            payment.refunds.push(row.read(currency)?);
        }
    }
    Ok(payments)
}

impl PaymentRow {
    fn read(self, currency: Currency) -> Result<Payment, Error> {
        let state = State::ALL
            .into_iter()
            .find(|state| state.name() == self.state)
            .ok_or_else(|| Error::Corrupt(format!("payment state {}", self.state)))?;
        Ok(Payment {
            id: self.id,
            source: match self.payment_method_id {
                Some(method) => Source::Card {
                    method,
                    name: self.method,
                },
                None => Source::Recorded { name: self.method },
            },
            amount: Money::from_minor(self.amount_minor, currency),
            state,
            is_hold: self.is_hold,
            due: self.due_ms,
            paid: self.paid_ms,
            expires: self.expires_ms,
            captured: self
                .captured_minor
                .map(|minor| Money::from_minor(minor, currency)),
            note: self.note,
            reference: self.transaction_id.zip(self.confirmation).map(
                |(transaction, confirmation)| Reference {
                    transaction,
                    confirmation,
                },
            ),
            authentication_url: self.authentication_url,
            attempt: attempt(self.attempt_id, self.attempt_ms, self.agenda_ms),
            auto: auto(self.instalment, self.tries_left),
            created: self.created_ms,
            refunds: Vec::new(),
        })
    }

    fn of(folio: &Folio, account: AccountId, payment: &Payment) -> Self {
        let now = PaymentChange::to(payment);
        Self {
            id: payment.id,
            account_id: account,
            reservation_id: folio.reservation,
            guest_id: folio.guest,
            method: now.method,
            payment_method_id: now.payment_method_id,
            amount_minor: now.amount_minor,
            currency: folio.currency.code().to_owned(),
            state: now.state.to_owned(),
            is_hold: payment.is_hold,
            note: now.note,
            due_ms: now.due_ms,
            paid_ms: now.paid_ms,
            expires_ms: now.expires_ms,
            captured_minor: now.captured_minor,
            transaction_id: now.transaction_id,
            confirmation: now.confirmation,
            authentication_url: now.authentication_url,
            attempt_id: now.attempt_id,
            attempt_ms: now.attempt_ms,
            created_ms: payment.created,
            agenda_ms: now.agenda_ms,
            instalment: now.instalment,
            tries_left: now.tries_left,
        }
    }
}

impl PaymentChange {
    fn to(payment: &Payment) -> Self {
        let (method, payment_method_id) = match &payment.source {
            Source::Card { method, name } => (name.clone(), Some(*method)),
            Source::Recorded { name } => (name.clone(), None),
        };
        let reference = payment.reference.clone();
        let (transaction_id, confirmation) = reference
            .map(|known| (known.transaction, known.confirmation))
            .unzip();
        Self {
            method,
            payment_method_id,
            amount_minor: payment.amount.minor(),
            state: payment.state.name(),
            note: payment.note.clone(),
            due_ms: payment.due,
            paid_ms: payment.paid,
            expires_ms: payment.expires,
            captured_minor: payment.captured.map(Money::minor),
            transaction_id,
            confirmation,
            authentication_url: payment.authentication_url.clone(),
            attempt_id: payment.attempt.map(|attempt| attempt.id),
            attempt_ms: payment.attempt.map(|attempt| attempt.started),
            agenda_ms: payment.agenda(),
            instalment: payment.place().and_then(|place| place.try_into().ok()),
            tries_left: payment.auto.map(|auto| auto.tries_left.into()),
        }
    }
}

impl RefundRow {
    fn read(self, currency: Currency) -> Result<Refund, Error> {
        let state = RefundState::ALL
            .into_iter()
            .find(|state| state.name() == self.state)
            .ok_or_else(|| Error::Corrupt(format!("refund state {}", self.state)))?;
        Ok(Refund {
            id: self.id,
            amount: Money::from_minor(self.amount_minor, currency),
            state,
            due: self.due_ms,
            paid: self.paid_ms,
            note: self.note,
            confirmation: self.transaction_id,
            error: self.error,
            attempt: attempt(self.attempt_id, self.attempt_ms, self.agenda_ms),
            created: self.created_ms,
        })
    }

    fn of(account: AccountId, payment: PaymentId, refund: &Refund) -> Self {
        Self {
            id: refund.id,
            payment_id: payment,
            amount_minor: refund.amount.minor(),
            state: refund.state.name().to_owned(),
            note: refund.note.clone(),
            due_ms: refund.due,
            paid_ms: refund.paid,
            transaction_id: refund.confirmation.clone(),
            error: refund.error.clone(),
            attempt_id: refund.attempt.map(|attempt| attempt.id),
            attempt_ms: refund.attempt.map(|attempt| attempt.started),
            created_ms: refund.created,
            agenda_ms: refund.agenda(),
            account_id: account,
        }
    }
}

fn auto(instalment: Option<i64>, tries_left: Option<i64>) -> Option<Auto> {
    let (place, tries_left) = instalment.zip(tries_left)?;
    Some(Auto {
        place: place.try_into().ok()?,
        tries_left: tries_left.try_into().ok()?,
    })
}

fn attempt(
    id: Option<AttemptId>,
    started: Option<Timestamp>,
    ask_again: Option<Timestamp>,
) -> Option<Attempt> {
    let (id, started) = id.zip(started)?;
    Some(Attempt {
        id,
        started,
        ask_again: ask_again.unwrap_or(started),
    })
}

/// Writes what differs between two states of a folio: new and changed payments and refunds, and the
/// reservation's totals with when it last changed: whoever reads what changed since then must meet
/// the payments that failed or wait, too.
pub(crate) fn save(
    connection: &mut Connection,
    account: AccountId,
    before: &Folio,
    after: &Folio,
    now: Timestamp,
) -> Result<(), Error> {
    let mut is_settled = false;
    for changed in &after.payments {
        let known = before.payment(changed.id);
        if known != Some(changed) {
            save_payment(connection, account, after, changed, known)?;
            // What waits for the processor changes once more with its answer.
            let refunds_wait = changed
                .refunds
                .iter()
                .any(|refund| refund.attempt.is_some());
            is_settled |= changed.attempt.is_none() && !refunds_wait;
        }
    }
    let totals = |folio: &Folio| (folio.paid(), folio.refunded(), folio.is_touched);
    if is_settled || totals(before) != totals(after) {
        let totals = (
            reservation::paid_minor.eq(after.paid().minor()),
            reservation::refunded_minor.eq(after.refunded().minor()),
            reservation::is_touched.eq(after.is_touched),
            reservation::updated_ms.eq(now),
        );
        let reservation = reservation::table.find(after.reservation);
        update_prepared!(connection, reservation, totals)?;
    }
    Ok(())
}

fn save_payment(
    connection: &mut Connection,
    account: AccountId,
    folio: &Folio,
    changed: &Payment,
    known: Option<&Payment>,
) -> Result<(), Error> {
    match known {
        None => {
            let row = PaymentRow::of(folio, account, changed);
            both!(connection, c => diesel::insert_into(payment::table).values(row).execute(c))?;
        }
        // Its refunds may be all that has changed.
        Some(known) if known.without_refunds() == changed.without_refunds() => {}
        Some(_) => {
            let change = PaymentChange::to(changed);
            let payment = payment::table.find(changed.id);
            update_prepared!(connection, payment, change)?;
        }
    }
    for refund in &changed.refunds {
        let row = RefundRow::of(account, changed.id, refund);
        match known.and_then(|known| known.refund(refund.id)) {
            None => {
                diesel::insert_into(refund::table)
                    .values(&row)
                    .execute(connection)?;
            }
            Some(known) if known == refund => {}
            Some(_) => {
                let refund = refund::table.find(refund.id);
                update_prepared!(connection, refund, &row)?;
            }
        }
    }
    Ok(())
}
