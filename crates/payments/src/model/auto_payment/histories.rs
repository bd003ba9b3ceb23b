//! Random histories of reservations that are paid automatically: what waits always sums to what is
//! due, cards are tried three times at most, and nothing follows once a person has a hand in it.

use std::collections::HashMap;

use chrono::Duration;
use chrono_tz::Tz;
use contract::ObjectId;
use contract::auto_payment::Policy;
use contract::id::{AttemptId, GuestId, PaymentId, PaymentMethodId, ReservationId};
use proptest::prelude::*;

use super::*;
use crate::model::{
    Arrange, AttemptKind, Command, Edit, Event, Folio, Method, Outcome, Payment, PostPayment,
    Reference, Source, State, decide,
};

const START: Timestamp = Timestamp::from_millis(1_692_018_120_000);

fn id<Id: From<ObjectId>>(number: u64) -> Id {
    let mut bytes = [0; 12];
    bytes[4..].copy_from_slice(&number.to_be_bytes());
    ObjectId::from_bytes(bytes).into()
}

fn usd() -> Currency {
    "USD".parse().unwrap()
}

fn card() -> Method {
    Method {
        id: id::<PaymentMethodId>(3),
        guest: id::<GuestId>(2),
        name: "STRIPE".to_owned(),
        is_active: true,
        is_spent: false,
    }
}

fn policy(json: &str) -> Policy {
    let written: PolicyFields = serde_json::from_str(json).unwrap();
    check(&written, usd()).unwrap()
}

fn policies() -> Vec<Policy> {
    [
        r#"{"policy": [{"type": "REST", "when": "CONFIRMATION"}]}"#,
        r#"{"policy": [
            {"type": "PERCENTAGE", "value": 30, "when": "CONFIRMATION"},
            {"type": "PERCENTAGE", "value": 70, "when": "BEFORE_CHECK_IN", "days": 7}]}"#,
        r#"{"policy": [
            {"type": "PERCENTAGE", "value": 33.3333, "when": "BEFORE_CHECK_IN", "days": 20},
            {"type": "FIXED", "value": 150.55, "when": "CONFIRMATION"},
            {"type": "PERCENTAGE", "value": 33.3333, "when": "BEFORE_CHECK_IN", "days": 2},
            {"type": "REST", "when": "AFTER_CHECK_OUT", "days": 1, "time": "09:00"}]}"#,
    ]
    .map(policy)
    .to_vec()
}

/// A reservation with its payments, as time goes by.
struct History {
    folio: Folio,
    dates: Dates,
    cards: Vec<Method>,
    is_cancelled: bool,
    now: Timestamp,
    next: u64,
    /// When each automatic payment was tried, by a charge that the processor has on record.
    tries: HashMap<PaymentId, Vec<Timestamp>>,
    hard: Vec<PaymentId>,
}

impl History {
    fn new(policy: Policy, total: i64, has_card: bool) -> Self {
        let check_in: NaiveDate = "2023-09-15".parse().unwrap();
        Self {
            folio: Folio {
                reservation: id::<ReservationId>(1),
                guest: id::<GuestId>(2),
                currency: usd(),
                total: Money::from_minor(total, usd()),
                is_touched: false,
                policy: Some(policy),
                payments: Vec::new(),
            },
            dates: Dates {
                confirmed: START,
                check_in,
                check_out: check_in + Duration::days(6),
                timezone: Tz::America__New_York,
            },
            cards: has_card.then(card).into_iter().collect(),
            is_cancelled: false,
            now: START,
            next: 100,
            tries: HashMap::new(),
            hard: Vec::new(),
        }
    }

    fn id<Id: From<ObjectId>>(&mut self) -> Id {
        self.next += 1;
        id(self.next)
    }

    fn tell(&mut self, command: &Command) -> Option<Vec<Event>> {
        let events = decide(&self.folio, command, self.now).ok()?;
        for event in &events {
            self.folio.apply(event);
            if let Event::AttemptStarted { payment, .. } = event {
                self.tries.entry(*payment).or_default().push(self.now);
            }
        }
        Some(events)
    }

    /// What the platform does whenever the reservation has changed.
    fn follow(&mut self) -> Vec<Event> {
        let command = if self.is_cancelled {
            Command::CallOff
        } else {
            Command::Arrange(Arrange {
                dates: self.dates,
                cards: self.chargeable(),
                ids: (0..12).map(|_| self.id()).collect(),
            })
        };
        self.tell(&command).unwrap()
    }

    /// The guest's one card, until it was declined for good.
    fn chargeable(&self) -> Vec<Method> {
        if self.hard.is_empty() {
            self.cards.clone()
        } else {
            Vec::new()
        }
    }

    /// Carries out what is due by now, up to the processor's answer.
    fn run_due(&mut self) {
        let now = self.now;
        let is_due = |payment: &&Payment| {
            payment.attempt.is_none() && payment.agenda().is_some_and(|at| at <= now)
        };
        let due: Vec<PaymentId> = self
            .folio
            .payments
            .iter()
            .filter(is_due)
            .map(|p| p.id)
            .collect();
        for payment in due {
            let attempt = self.id();
            self.tell(&Command::PaymentDue { payment, attempt });
        }
    }

    fn answer(&mut self, outcome: &Outcome) {
        let open = self
            .folio
            .payments
            .iter()
            .find_map(|p| Some((p.id, p.attempt?.id)));
        let Some((payment, attempt)) = open else {
            return;
        };
        if matches!(outcome, Outcome::Declined { is_hard: true, .. }) {
            self.hard.push(payment);
        }
        let outcome = outcome.clone();
        let kind = AttemptKind::Charge;
        self.tell(&Command::Answer {
            payment,
            attempt,
            kind,
            outcome,
        })
        .unwrap();
        let answered = self.folio.payment(payment).unwrap();
        let is_tried_again = answered.auto.is_some() && answered.state == State::Scheduled;
        if is_tried_again || answered.was_declined_for_good() {
            self.follow();
        }
    }

    fn by_hand(&mut self, hand: Hand) -> bool {
        let waiting = |p: &&Payment| p.state == State::Scheduled;
        let waiting = self.folio.payments.iter().find(waiting).map(|p| p.id);
        let attempt: AttemptId = self.id();
        let command = match (hand, waiting) {
            (Hand::Record(minor), _) => Command::Post(PostPayment {
                id: self.id(),
                attempt,
                method_name: "CHECK".to_owned(),
                names_method: false,
                method: None,
                amount: Money::from_minor(minor, usd()).to_decimal(),
                due: None,
                paid: None,
                note: None,
                is_hold: false,
            }),
            (Hand::Cancel, Some(payment)) => Command::Cancel { payment, attempt },
            (Hand::Edit(minor), Some(payment)) => Command::Edit(Edit {
                payment,
                attempt,
                amount: Some(Money::from_minor(minor, usd()).to_decimal()),
                due: None,
                note: None,
                names_method: false,
                method: None,
            }),
            _ => return false,
        };
        self.tell(&command).is_some()
    }

    /// What must wait, worked out anew: the total, less all that came in, is on its way, or came to
    /// nothing when it was tried.
    fn naive_due(&self) -> i64 {
        let mut due = self.folio.total.minor();
        for payment in &self.folio.payments {
            match payment.state {
                State::Scheduled | State::Cancelled => {}
                State::Succeeded | State::Processing | State::AwaitingGuest | State::Failed => {
                    due -= payment.amount.minor();
                }
                other => panic!("an automatic payment is never {other:?}"),
            }
        }
        due.max(0)
    }

    fn holds(&self) -> Result<(), TestCaseError> {
        for payment in &self.folio.payments {
            prop_assert!(payment.amount.is_positive(), "{payment:?}");
            let none = Vec::new();
            let tries = self.tries.get(&payment.id).unwrap_or(&none);
            prop_assert!(tries.len() <= 3, "{payment:?}");
            prop_assert!(
                tries
                    .windows(2)
                    .all(|pair| pair[1] - pair[0] >= Duration::hours(1)),
                "{tries:?}"
            );
            let is_automatic = payment.auto.is_some() && !self.is_cancelled;
            if payment.state == State::Failed && is_automatic {
                prop_assert!(tries.len() == 3 || self.hard.contains(&payment.id));
            }
        }
        if self.folio.is_touched {
            return Ok(());
        }
        let waits = |p: &&Payment| p.state == State::Scheduled;
        let waiting = self.folio.payments.iter().filter(waits);
        let sum: i64 = waiting.clone().map(|p| p.amount.minor()).sum();
        let due = if self.is_cancelled {
            0
        } else {
            self.naive_due()
        };
        prop_assert_eq!(sum, due, "{:?}", self.folio.payments);
        let is_charged = |p: &Payment| matches!(p.source, Source::Card { .. });
        if self.chargeable().is_empty() {
            prop_assert!(!waiting.clone().any(is_charged), "a refused card stayed");
        } else {
            prop_assert!(waiting.clone().all(is_charged), "a placeholder stayed");
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy)]
enum Hand {
    Record(i64),
    Edit(i64),
    Cancel,
}

#[derive(Debug, Clone)]
enum Step {
    Total(i64),
    Move(i64),
    Wait(i64),
    Answer(Outcome),
    AddCard,
    Cancel,
    Hand(Hand),
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let declined = |is_hard| Outcome::Declined {
        reason: "declined".to_owned(),
        is_hard,
    };
    let approved = Outcome::Approved {
        reference: Reference {
            transaction: "t".to_owned(),
            confirmation: "c".to_owned(),
        },
        hold_expires: None,
    };
    let confirm = Outcome::AuthenticationRequired {
        url: "https://bank".to_owned(),
    };
    prop_oneof![
        6 => Just(approved),
        6 => Just(declined(false)),
        1 => Just(declined(true)),
        1 => Just(confirm),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let hand = prop_oneof![
        (1_i64..100_000).prop_map(Hand::Record),
        (1_i64..100_000).prop_map(Hand::Edit),
        Just(Hand::Cancel),
    ];
    let step = prop_oneof![
        8 => (0_i64..300_000).prop_map(Step::Total),
        4 => (-30_i64..60).prop_map(Step::Move),
        8 => (1_i64..400).prop_map(Step::Wait),
        16 => outcome().prop_map(Step::Answer),
        2 => Just(Step::AddCard),
        1 => Just(Step::Cancel),
        1 => hand.prop_map(Step::Hand),
    ];
    prop::collection::vec(step, 1..60)
}

#[test]
fn a_card_that_is_declined_for_good_at_last_is_charged_no_more() {
    let mut history = History::new(policies().remove(1), 100_000, true);
    history.follow();
    for is_hard in [false, false, true] {
        history.run_due();
        let reason = "declined".to_owned();
        history.answer(&Outcome::Declined { reason, is_hard });
        history.now = history.now + Duration::hours(1);
    }
    let payments = &history.folio.payments;
    assert_eq!(payments[0].state, State::Failed);
    assert_eq!(payments[1].state, State::Scheduled);
    history.holds().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn what_waits_is_what_is_due_until_a_person_has_a_hand_in_it(
        which in 0_usize..3,
        total in 0_i64..300_000,
        has_card in any::<bool>(),
        steps in steps(),
    ) {
        let mut history = History::new(policies().swap_remove(which), total, has_card);
        history.follow();
        history.holds()?;
        for step in steps {
            let was_touched = history.folio.is_touched;
            let others = |history: &History, answered: Option<PaymentId>| -> Vec<Payment> {
                let all = history.folio.payments.iter();
                all.filter(|p| Some(p.id) != answered).cloned().collect()
            };
            let open = history.folio.payments.iter().find(|p| p.attempt.is_some()).map(|p| p.id);
            let before = others(&history, open);
            match step.clone() {
                Step::Answer(outcome) => history.answer(&outcome),
                Step::Hand(hand) => {
                    if history.by_hand(hand) {
                        prop_assert!(history.folio.is_touched);
                    }
                }
                Step::Wait(hours) => {
                    history.now = history.now + Duration::hours(hours);
                    history.run_due();
                }
                Step::Total(_) | Step::Move(_) | Step::AddCard | Step::Cancel => {
                    match step {
                        Step::Total(minor) => history.folio.total = Money::from_minor(minor, usd()),
                        Step::Move(days) => {
                            history.dates.check_in += Duration::days(days);
                            history.dates.check_out += Duration::days(days);
                        }
                        Step::AddCard => history.cards = vec![card()],
                        _ => history.is_cancelled = true,
                    }
                    let events = history.follow();
                    prop_assert!(!was_touched || events.is_empty(), "{events:?}");
                    let again = history.follow();
                    prop_assert!(again.is_empty(), "nothing has changed since: {again:?}");
                }
            }
            if was_touched && !matches!(step, Step::Wait(_) | Step::Hand(_)) {
                prop_assert_eq!(before, others(&history, open), "another payment changed");
            }
            history.holds()?;
        }
    }
}
