//! How a folio's payments are shown.

use std::collections::HashMap;

use contract::id::{GuestId, PaymentId, PaymentMethodId};
use contract::payment as wire;
use money::Money;
use serde_json::value::RawValue;
use store::Connection;

use crate::Error;
use crate::model::{AttemptKind, Folio, Payment, Refund, Source, State};
use crate::store::attempt::AttemptRow;
use crate::store::folio::Stay;
use crate::store::payment_method::MethodSummary;
use crate::store::statement::Statement;

/// What a folio's payments are shown with.
pub(crate) struct View {
    folio: Folio,
    guest: wire::PayingGuest,
    attempts: HashMap<PaymentId, Vec<AttemptRow>>,
    methods: HashMap<PaymentMethodId, MethodSummary>,
}

impl View {
    /// Reads what the folio itself does not hold.
    pub(crate) fn load(connection: &mut Connection, stay: Stay) -> Result<Self, Error> {
        Ok(Self::of(Statement::read(connection, stay)?))
    }

    /// Shows a statement.
    pub(crate) fn of(statement: Statement) -> Self {
        let Statement {
            stay,
            attempts,
            methods,
        } = statement;
        let mut of_payments: HashMap<PaymentId, Vec<AttemptRow>> = HashMap::new();
        for attempt in attempts {
            of_payments
                .entry(attempt.payment_id)
                .or_default()
                .push(attempt);
        }
        Self {
            guest: guest(stay.folio.guest, stay.guest_name, stay.guest_email),
            folio: stay.folio,
            attempts: of_payments,
            methods: methods
                .into_iter()
                .map(|method| (method.id, method))
                .collect(),
        }
    }

    /// The payments, in the order of their posting.
    pub(crate) fn payments(self) -> Result<Vec<wire::Payment>, Error> {
        let Self {
            folio,
            guest,
            mut attempts,
            methods,
        } = self;
        folio
            .payments
            .into_iter()
            .map(|payment| {
                let attempts = attempts.remove(&payment.id).unwrap_or_default();
                show(payment, folio.guest, &guest, attempts, &methods)
            })
            .collect()
    }
}

fn guest(id: GuestId, full_name: String, email: Option<String>) -> wire::PayingGuest {
    wire::PayingGuest {
        id,
        email,
        full_name,
    }
}

fn show(
    payment: Payment,
    guest_id: GuestId,
    guest: &wire::PayingGuest,
    attempts: Vec<AttemptRow>,
    methods: &HashMap<PaymentMethodId, MethodSummary>,
) -> Result<wire::Payment, Error> {
    let (of_refunds, own): (Vec<_>, Vec<_>) = attempts
        .into_iter()
        .partition(|attempt| attempt.refund_id.is_some());
    let captures = own
        .iter()
        .filter(|attempt| attempt.is(AttemptKind::Capture))
        .map(|attempt| capture(attempt, &payment))
        .collect();
    let method = match &payment.source {
        Source::Card { method, .. } => methods.get(method),
        Source::Recorded { .. } => None,
    };
    let currency = payment.amount.currency().code().to_owned();
    Ok(wire::Payment {
        payment_method_status: method.map(|method| method.status.clone()),
        is_authorization_hold: payment.is_hold,
        status: payment.state.public_name().to_owned(),
        id: payment.id,
        chargebacks_data: wire::ChargebacksData::default(),
        amount: payment.amount.to_decimal(),
        should_be_paid_at: payment.due,
        paid_at: payment.paid,
        payment_method_id: method.map(|method| method.id),
        guest_id,
        currency: currency.clone(),
        attempts: own
            .into_iter()
            .map(show_attempt)
            .collect::<Result<_, _>>()?,
        confirmation_code: payment
            .reference
            .as_ref()
            .map(|known| known.confirmation.clone()),
        refunds: payment
            .refunds
            .iter()
            .map(|refund| show_refund(refund, &currency, &of_refunds))
            .collect::<Result<_, _>>()?,
        authorization_hold_captures: captures,
        created_at: payment.created,
        receipt_targets: Vec::new(),
        receipt_id: (payment.state == State::Succeeded).then(|| receipt_number(payment.id)),
        authentication_required_data: payment
            .authentication_url
            .map(|authentication_url| wire::AuthenticationRequired { authentication_url }),
        guest: guest.clone(),
        payment_method: wire::PaymentMethodSummary {
            id: method.map(|method| method.id),
            method: match payment.source {
                Source::Card { name, .. } | Source::Recorded { name } => name,
            },
            last4: method.map(|method| method.last4.clone()),
            brand: method.map(|method| method.brand.clone()),
        },
        note: payment.note,
    })
}

fn show_attempt(row: AttemptRow) -> Result<wire::Attempt, Error> {
    let status = row.public_status().to_owned();
    let payload = row
        .payload
        .map(RawValue::from_string)
        .transpose()
        .map_err(|error| Error::Corrupt(format!("payload of attempt {}: {error}", row.id)))?;
    Ok(wire::Attempt {
        id: row.id,
        status,
        error: row.error,
        payload,
        created_at: row.ended_ms.unwrap_or(row.created_ms),
    })
}

fn show_refund(
    refund: &Refund,
    currency: &str,
    attempts: &[AttemptRow],
) -> Result<wire::Refund, Error> {
    Ok(wire::Refund {
        id: refund.id,
        status: refund.state.public_name().to_owned(),
        amount: refund.amount.to_decimal(),
        currency: currency.to_owned(),
        should_be_paid_at: refund.due,
        refunded_at: refund.paid,
        note: refund.note.clone(),
        confirmation_code: refund.confirmation.clone(),
        error: refund.error.clone(),
        attempts: attempts
            .iter()
            .filter(|attempt| attempt.refund_id == Some(refund.id))
            .map(|attempt| show_attempt(attempt.clone()))
            .collect::<Result<_, _>>()?,
        created_at: refund.created,
    })
}

fn capture(attempt: &AttemptRow, payment: &Payment) -> wire::Capture {
    let amount = Money::from_minor(attempt.amount_minor, payment.amount.currency());
    wire::Capture {
        id: attempt.id.0.into(),
        status: attempt.public_status().to_owned(),
        amount: amount.to_decimal(),
        created_at: attempt.created_ms,
    }
}

/// A payment's receipt number: its id's seconds and counter, as a number that JSON readers keep
/// exact (below 2^53).
fn receipt_number(id: PaymentId) -> u64 {
    let part = |range| u64::from_str_radix(&id.as_str()[range], 16).unwrap_or_default();
    let (seconds, counter) = (part(0..8), part(18..24));
    ((seconds & 0x3fff_ffff) << 23) | (counter & 0x7f_ffff)
}
