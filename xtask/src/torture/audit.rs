//! The audit of a round: what was acknowledged against what the platform shows, what it shows
//! against what the processor has on record, and all sums.

pub(super) mod messages;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::books::{Answer, Books, How, Operation, What};
use super::findings::Findings;
use super::minor::show;
use super::state::{Payment, Reservation, State, Transaction};

/// Compares all of it.
pub(super) fn audit(books: &Books, state: &State, findings: &mut Findings) {
    for operation in &books.operations {
        acknowledged(operation, state, findings);
    }
    for reservation in &state.reservations {
        nothing_unasked(books, reservation, findings);
        with_the_processor(reservation, findings);
        sums(reservation, findings);
    }
    counts(books, state, findings);
}

/// What was acknowledged is there as it was acknowledged; what was refused is not; what stayed open
/// is there once or not at all.
fn acknowledged(operation: &Operation, state: &State, findings: &mut Findings) {
    let Operation {
        number,
        what,
        answer,
    } = operation;
    if let Answer::Broken(said) = answer {
        findings.wrong(format!("operation {number} was answered with {said}"));
        return;
    }
    let found = traces(operation, state);
    let name = format!("operation {number} ({what:?}, {answer:?})");
    if found.len() > 1 {
        findings.doubled(format!("{name} was done {} times", found.len()));
    }
    match (answer, found.first()) {
        (Answer::Acknowledged { .. }, None) => findings.lost(format!("{name} is not there")),
        (Answer::Acknowledged { id, status }, Some(trace))
            if *id != trace.id || !follows(status, &trace.status) =>
        {
            let (id, status) = (&trace.id, &trace.status);
            findings.lost(format!("{name} is there as {id}, {status}"));
        }
        (Answer::Refused(why), Some(_)) => {
            findings.wrong(format!("{name} was refused ({why}) and done all the same"));
        }
        _ => {}
    }
}

/// What an operation has left behind.
struct Trace {
    id: String,
    status: String,
}

fn traces(operation: &Operation, state: &State) -> Vec<Trace> {
    let note = operation.note();
    let payments = || state.reservations.iter().flat_map(|one| &one.payments);
    let made = |id: &String| Trace {
        id: id.clone(),
        status: "MADE".to_owned(),
    };
    match &operation.what {
        What::Reservation { fare, .. } => {
            let same = state.reservations.iter().filter(|one| one.fare == *fare);
            same.map(|one| made(&one.id)).collect()
        }
        // Methods cannot be told apart: only one that was acknowledged has a name.
        What::Method { .. } => {
            let Answer::Acknowledged { id, .. } = &operation.answer else {
                return Vec::new();
            };
            state
                .methods
                .iter()
                .filter(|one| *one == id)
                .map(made)
                .collect()
        }
        What::Payment { amount, how, .. } => payments()
            .filter(|one| one.note == note && one.amount == *amount)
            .filter(|one| one.is_hold == (*how == How::Hold))
            .map(trace)
            .collect(),
        What::Refund {
            payment, amount, ..
        } => payments()
            .filter(|one| one.id == payment.id)
            .flat_map(|one| &one.refunds)
            .filter(|one| one.note == note && one.amount == *amount)
            .map(|one| Trace {
                id: one.id.clone(),
                status: one.status.clone(),
            })
            .collect(),
        What::Capture { payment, amount } => payments()
            .filter(|one| one.id == payment.id)
            .flat_map(|one| one.captured.iter().map(move |captured| (one, *captured)))
            .filter(|(_, captured)| captured == amount)
            .map(|(one, _)| trace(one))
            .collect(),
        What::Release { payment } => payments()
            .filter(|one| one.id == payment.id && one.status == "CANCELLED")
            .map(trace)
            .collect(),
    }
}

fn trace(payment: &Payment) -> Trace {
    Trace {
        id: payment.id.clone(),
        status: payment.status.clone(),
    }
}

/// Whether a state that was acknowledged may have become another by now.
fn follows(acknowledged: &str, now: &str) -> bool {
    match acknowledged {
        "PENDING" | "PROCESSING" => now != acknowledged,
        // Captured or released since, or under way when it was acknowledged.
        "AUTHORIZATION_HOLD_SUCCEEDED" => {
            matches!(
                now,
                "AUTHORIZATION_HOLD_SUCCEEDED" | "SUCCEEDED" | "CANCELLED"
            )
        }
        same => same == now,
    }
}

/// Whatever is there, we have asked for.
fn nothing_unasked(books: &Books, reservation: &Reservation, findings: &mut Findings) {
    let is_ours = |note: &str| {
        let number = note.strip_prefix("operation ");
        let number: Option<usize> = number.and_then(|number| number.parse().ok());
        number.is_some_and(|number| number < books.operations.len())
    };
    for payment in &reservation.payments {
        let refunds = payment.refunds.iter().map(|refund| &refund.note);
        for note in std::iter::once(&payment.note).chain(refunds) {
            if !is_ours(note) {
                findings.wrong(format!("nobody asked for \"{note}\" of {}", payment.id));
            }
        }
        if payment.currency != reservation.currency {
            let (is, of) = (&payment.currency, &reservation.currency);
            findings.wrong(format!(
                "{} is in {is}, its reservation in {of}",
                payment.id
            ));
        }
        if payment.captured.len() > 1 {
            findings.doubled(format!("the hold {} was captured twice", payment.id));
        }
    }
}

/// What kind of movement, and how much: no two operations share both.
type Movement = (&'static str, i64);

/// Everything that the platform shows as done, the processor has done exactly once, and nothing else.
fn with_the_processor(reservation: &Reservation, findings: &mut Findings) {
    let mut counts: BTreeMap<Movement, (usize, usize)> = BTreeMap::new();
    for payment in &reservation.payments {
        for movement in shown(payment) {
            counts.entry(movement).or_default().0 += 1;
        }
    }
    for transaction in &reservation.transactions {
        if transaction.is_processed {
            counts.entry(movement(transaction)).or_default().1 += 1;
        }
        if transaction.currency != reservation.currency {
            let (is, of) = (&transaction.currency, &reservation.currency);
            findings.wrong(format!("a transaction in {is} of a reservation in {of}"));
        }
    }
    for ((kind, amount), (shown, done)) in counts {
        let what = format!(
            "a {kind} of {} on {}: {shown} by the platform, {done} by the processor",
            show(amount),
            reservation.id
        );
        match (shown, done) {
            (1, 1) => {}
            (_, 2..) => findings.doubled(what),
            _ => findings.lost(what),
        }
    }
}

/// What the processor must have done for a payment to stand as it does.
fn shown(payment: &Payment) -> Vec<Movement> {
    let mut movements = Vec::new();
    if !payment.is_card {
        return movements;
    }
    let status = payment.status.as_str();
    if payment.is_hold {
        if matches!(
            status,
            "AUTHORIZATION_HOLD_SUCCEEDED" | "SUCCEEDED" | "CANCELLED"
        ) {
            movements.push(("hold", payment.amount));
        }
        if status == "CANCELLED" {
            movements.push(("release", payment.amount));
        }
        movements.extend(payment.captured.iter().map(|captured| ("sale", *captured)));
    } else if status == "SUCCEEDED" {
        movements.push(("sale", payment.amount));
    }
    let returned = payment
        .refunds
        .iter()
        .filter(|refund| refund.status == "SUCCEEDED");
    movements.extend(returned.map(|refund| ("refund", refund.amount)));
    movements
}

fn movement(transaction: &Transaction) -> Movement {
    let kind = match transaction.kind.as_str() {
        "Charge" | "Capture" | "Partial Capture" => "sale",
        "Authorization" => "hold",
        "Void" => "release",
        _ => "refund",
    };
    (kind, transaction.amount)
}

/// A reservation's totals are the sums of its payments, and of the processor's transactions.
fn sums(reservation: &Reservation, findings: &mut Findings) {
    let Reservation {
        id,
        total,
        paid,
        refunded,
        balance,
        payments,
        ..
    } = reservation;
    let sum = |of: fn(&Payment) -> i64, is_counted: fn(&&Payment) -> bool| -> i64 {
        payments.iter().filter(is_counted).map(of).sum()
    };
    let mut equal = |what: &str, left: i64, right: i64| {
        if left != right {
            let (left, right) = (show(left), show(right));
            findings.wrong(format!("{what} of {id}: {left} against {right}"));
        }
    };
    equal("totalPaid", *paid, sum(Payment::collected, |_| true));
    equal("totalRefunded", *refunded, sum(Payment::returned, |_| true));
    equal("balanceDue", *balance, total - paid + refunded);
    let processed = |wanted: &str| -> i64 {
        let rows = reservation
            .transactions
            .iter()
            .filter(|row| row.is_processed);
        let rows = rows.map(movement).filter(|(kind, _)| *kind == wanted);
        rows.map(|(_, amount)| amount).sum()
    };
    let by_card = |payment: &&Payment| payment.is_card;
    equal(
        "charges",
        processed("sale"),
        sum(Payment::collected, by_card),
    );
    equal(
        "refunds",
        processed("refund"),
        sum(Payment::returned, by_card),
    );
}

/// Rows, reservations and methods are as many as there can be.
fn counts(books: &Books, state: &State, findings: &mut Findings) {
    let of_reservations = state.reservations.iter().map(|one| one.transactions.len());
    let of_reservations: usize = of_reservations.sum();
    let rows = of_reservations + state.verifications;
    let all = state.report.len();
    if rows != all {
        findings.wrong(format!(
            "the report has {all} rows by date, and {rows} by reservation and method"
        ));
    }
    let asked = |is_wanted: fn(&What) -> bool| {
        let all = books.operations.iter();
        all.filter(|operation| is_wanted(&operation.what)).count()
    };
    let most = asked(|what| matches!(what, What::Method { .. }));
    // One method and one reservation were there before.
    let (methods, verifications) = (state.methods.len(), state.verifications);
    if methods > most + 1 || verifications > most {
        findings.doubled(format!(
            "{most} methods were asked for; there are {methods}, verified {verifications} times"
        ));
    }
    let most = asked(|what| matches!(what, What::Reservation { .. })) + 1;
    let reservations = state.reservations.len();
    if reservations > most {
        findings.doubled(format!(
            "{reservations} reservations, where {most} were asked for"
        ));
    }
}
