//! Messages against what happened: each thing that subscribers are to hear of was told, once, and
//! as it is.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::books::{Answer, Books, What};
use super::super::findings::Findings;
use super::super::minor::{self, show};
use super::super::state::{Payment, State};

/// What is told: the event, what it is about, and how much, where it is about money.
type Told = (String, String, i64);

/// Whether all that must be told has been.
pub(in super::super) fn is_complete(books: &Books, state: &State, messages: &[Value]) -> bool {
    let told = told(messages);
    expected(books, state)
        .keys()
        .all(|what| told.contains_key(what))
}

/// Compares what was told with what happened.
pub(in super::super) fn compare(
    books: &Books,
    state: &State,
    messages: &[Value],
    findings: &mut Findings,
) {
    let expected = expected(books, state);
    let mut told = told(messages);
    for (what, reservation) in &expected {
        let (event, subject, amount) = what;
        let name = format!("{event} of {subject} ({})", show(*amount));
        match told.remove(what).unwrap_or_default().as_slice() {
            [] => findings.lost(format!("nobody was told: {name}")),
            [message] => {
                let says = &message["payment"]["reservationId"];
                if let Some(reservation) = reservation
                    && says != reservation.as_str()
                {
                    findings.wrong(format!("{name} is told of reservation {says}"));
                }
            }
            several => findings.doubled(format!("{} messages: {name}", several.len())),
        }
    }
    let is_compared = |event: &str| event.starts_with("payments.") && event != METHOD;
    for (event, subject, amount) in told.into_keys().filter(|(event, ..)| is_compared(event)) {
        findings.wrong(format!(
            "told, but not so: {event} of {subject} ({})",
            show(amount)
        ));
    }
}

const METHOD: &str = "payments.method.received";

/// What must be told, with the reservation where a message names it.
fn expected(books: &Books, state: &State) -> BTreeMap<Told, Option<String>> {
    let mut expected = BTreeMap::new();
    for operation in &books.operations {
        let Answer::Acknowledged { id, .. } = &operation.answer else {
            continue;
        };
        match &operation.what {
            What::Reservation { .. } => {
                for event in [
                    "reservation.new",
                    "reservation.created.v2",
                    "guest-folio.created",
                ] {
                    expected.insert((event.to_owned(), id.clone(), 0), None);
                }
            }
            What::Method { .. } => {
                expected.insert((METHOD.to_owned(), id.clone(), 0), None);
            }
            _ => {}
        }
    }
    for reservation in &state.reservations {
        for payment in &reservation.payments {
            for (event, amount) in of_payment(payment) {
                let told = (event.to_owned(), payment.id.clone(), amount);
                expected.insert(told, Some(reservation.id.clone()));
            }
        }
    }
    expected
}

fn of_payment(payment: &Payment) -> Vec<(&'static str, i64)> {
    let mut events = Vec::new();
    match payment.status.as_str() {
        "SUCCEEDED" => events.push(("payments.received", payment.collected())),
        "FAILED" if payment.is_hold => {
            events.push(("payments.authorizationHoldFailed", payment.amount));
        }
        "FAILED" => events.push(("payments.failed", payment.amount)),
        _ => {}
    }
    let returned = payment
        .refunds
        .iter()
        .filter(|refund| refund.status == "SUCCEEDED");
    events.extend(returned.map(|refund| ("payments.refunded", refund.amount)));
    events
}

fn told(messages: &[Value]) -> BTreeMap<Told, Vec<&Value>> {
    let mut told: BTreeMap<Told, Vec<&Value>> = BTreeMap::new();
    for message in messages {
        let event = message["event"].as_str().unwrap_or_default();
        let payment = &message["payment"];
        let (subject, amount) = match event {
            "reservation.new" => (&message["reservation"]["_id"], &Value::Null),
            "reservation.created.v2" => (&message["reservationId"], &Value::Null),
            "guest-folio.created" => (&message["guestFolio"]["reservationId"], &Value::Null),
            METHOD => (&payment["paymentMethodId"], &Value::Null),
            "payments.refunded" => (&payment["paymentId"], &payment["refundAmount"]),
            _ => (&payment["paymentId"], &payment["amount"]),
        };
        let subject = subject.as_str().unwrap_or_default().to_owned();
        let amount = minor::read(amount).unwrap_or_default();
        let what = (event.to_owned(), subject, amount);
        told.entry(what).or_default().push(message);
    }
    told
}
