use serde_json::{Value, json};

use super::super::books::{Books, How, Method, Paid, What};
use super::super::findings::Findings;
use super::super::state::{Payment, Refund, Reservation, State, Transaction};
use super::{audit, messages};

/// A reservation with a charge of 100.00, of which 1.00 went back: asked for, acknowledged, done,
/// on record and told.
struct World {
    books: Books,
    state: State,
    messages: Vec<Value>,
}

impl World {
    fn new() -> Self {
        let mut books = Books::default();
        let asked = books.begin(|_| What::Reservation {
            fare: 100_000,
            currency: "USD",
        });
        books.reply(&asked, 200, &json!({"_id": "stay"}));
        let asked = books.begin(|_| What::Payment {
            reservation: "stay".to_owned(),
            how: How::Charge,
            amount: 10_000,
            method: Method {
                id: "card".to_owned(),
                name: "STRIPE",
            },
        });
        let shown = json!({"_id": "paid", "note": asked.note(), "status": "SUCCEEDED"});
        books.reply(&asked, 201, &json!({"money": {"payments": [shown]}}));
        let asked = books.begin(|_| What::Refund {
            payment: Paid {
                reservation: "stay".to_owned(),
                id: "paid".to_owned(),
            },
            amount: 100,
            later: None,
        });
        let shown = json!({"_id": "back", "note": asked.note(), "status": "SUCCEEDED"});
        let shown = json!({"_id": "paid", "refunds": [shown]});
        books.reply(&asked, 201, &json!({"money": {"payments": [shown]}}));
        Self {
            books,
            state: state(),
            messages: messages(),
        }
    }

    fn stay(&mut self) -> &mut Reservation {
        &mut self.state.reservations[0]
    }

    fn payment(&mut self) -> &mut Payment {
        &mut self.stay().payments[0]
    }

    /// How much was found lost, doubled and wrong.
    fn findings(&self) -> [usize; 3] {
        let mut findings = Findings::default();
        audit(&self.books, &self.state, &mut findings);
        messages::compare(&self.books, &self.state, &self.messages, &mut findings);
        let Findings {
            lost,
            doubled,
            wrong,
        } = findings;
        [lost.len(), doubled.len(), wrong.len()]
    }
}

fn state() -> State {
    let refund = Refund {
        id: "back".to_owned(),
        note: "operation 2".to_owned(),
        status: "SUCCEEDED".to_owned(),
        amount: 100,
    };
    let payment = Payment {
        id: "paid".to_owned(),
        note: "operation 1".to_owned(),
        status: "SUCCEEDED".to_owned(),
        amount: 10_000,
        currency: "USD".to_owned(),
        is_hold: false,
        is_card: true,
        open_attempts: 0,
        refunds: vec![refund],
        captured: Vec::new(),
    };
    let reservation = Reservation {
        id: "stay".to_owned(),
        currency: "USD".to_owned(),
        fare: 100_000,
        total: 100_000,
        paid: 10_000,
        refunded: 100,
        balance: 90_100,
        payments: vec![payment],
        transactions: vec![
            transaction("Charge", 10_000),
            transaction("Partial Void", 100),
        ],
    };
    State {
        reservations: vec![reservation],
        methods: Vec::new(),
        report: vec!["1".to_owned(), "2".to_owned()],
        verifications: 0,
    }
}

fn transaction(kind: &str, amount: i64) -> Transaction {
    Transaction {
        kind: kind.to_owned(),
        is_processed: true,
        amount,
        currency: "USD".to_owned(),
    }
}

fn messages() -> Vec<Value> {
    let mut payment = json!({"paymentId": "paid", "reservationId": "stay", "amount": 100});
    let received = json!({"event": "payments.received", "payment": payment});
    payment["refundAmount"] = 1.into();
    vec![
        json!({"event": "reservation.new", "reservation": {"_id": "stay"}}),
        json!({"event": "reservation.created.v2", "reservationId": "stay"}),
        json!({"event": "guest-folio.created", "guestFolio": {"reservationId": "stay"}}),
        received,
        json!({"event": "payments.refunded", "payment": payment}),
    ]
}

#[test]
fn a_world_in_which_all_agrees_has_nothing_found() {
    assert_eq!(World::new().findings(), [0, 0, 0]);
}

#[test]
fn a_payment_that_was_acknowledged_and_is_gone_is_lost() {
    let mut world = World::new();
    world.stay().payments.clear();
    world.stay().transactions.clear();
    let [lost, doubled, _] = world.findings();
    assert_eq!((lost, doubled), (2, 0));
}

#[test]
fn a_payment_that_fails_after_it_was_acknowledged_is_lost() {
    let mut world = World::new();
    world.payment().status = "FAILED".to_owned();
    assert!(world.findings()[0] > 0);
}

#[test]
fn a_charge_that_the_processor_made_twice_is_doubled() {
    let mut world = World::new();
    world
        .stay()
        .transactions
        .push(transaction("Charge", 10_000));
    world.state.report.push("3".to_owned());
    let [lost, doubled, wrong] = world.findings();
    // The sum of charges is not that of payments either.
    assert_eq!((lost, doubled, wrong), (0, 1, 1));
}

#[test]
fn a_charge_of_which_no_payment_tells_is_lost() {
    let mut world = World::new();
    world
        .stay()
        .transactions
        .push(transaction("Charge", 77_700));
    world.state.report.push("3".to_owned());
    assert_eq!(world.findings(), [1, 0, 1]);
}

#[test]
fn a_payment_that_the_processor_knows_nothing_of_is_lost() {
    let mut world = World::new();
    world.stay().transactions.remove(0);
    world.state.report.pop();
    assert_eq!(world.findings(), [1, 0, 1]);
}

#[test]
fn a_payment_that_is_there_twice_is_doubled() {
    let mut world = World::new();
    let mut again = state().reservations.remove(0).payments.remove(0);
    again.id = "another".to_owned();
    world.stay().payments.push(again);
    assert!(world.findings()[1] > 0);
}

#[test]
fn a_message_that_nobody_got_is_lost_and_another_of_the_same_is_doubled() {
    let mut world = World::new();
    let refunded = world.messages.pop().unwrap();
    assert_eq!(world.findings(), [1, 0, 0]);
    world.messages.extend([refunded.clone(), refunded]);
    assert_eq!(world.findings(), [0, 1, 0]);
}

#[test]
fn a_message_with_another_amount_is_found() {
    let mut world = World::new();
    world.messages[3]["payment"]["amount"] = 99.into();
    assert_eq!(world.findings(), [1, 0, 1]);
}

#[test]
fn totals_that_are_not_sums_are_found() {
    let mut world = World::new();
    world.stay().paid += 1;
    // The balance does not fit either.
    assert_eq!(world.findings(), [0, 0, 2]);
}

#[test]
fn what_was_refused_and_done_all_the_same_is_found() {
    let mut world = World::new();
    let refused = world.books.operations[2].clone();
    world.books.reply(&refused, 400, &json!("no"));
    assert_eq!(world.findings(), [0, 0, 1]);
}

#[test]
fn a_reply_that_may_never_be_is_found() {
    let mut world = World::new();
    let broken = world.books.operations[2].clone();
    world
        .books
        .reply(&broken, 500, &json!("Internal Server Error"));
    assert_eq!(world.findings(), [0, 0, 1]);
}
