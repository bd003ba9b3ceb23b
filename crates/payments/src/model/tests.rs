//! The rules, held against random histories: whatever is asked in whatever order, money is
//! conserved and only legal states follow each other.

#![expect(
    clippy::too_many_lines,
    reason = "tables of cases are read in one piece"
)]

use chrono::Duration;
use contract::id::{AttemptId, GuestId, PaymentId, PaymentMethodId, RefundId, ReservationId};
use contract::{ObjectId, Timestamp};
use money::{Currency, Decimal, Money};
use proptest::prelude::*;

use super::*;

const START: Timestamp = Timestamp::from_millis(1_692_018_120_000);
const TOTAL_MINOR: i64 = 200_000;

fn id<Id: From<ObjectId>>(number: u64) -> Id {
    let mut bytes = [0; 12];
    bytes[4..].copy_from_slice(&number.to_be_bytes());
    ObjectId::from_bytes(bytes).into()
}

fn usd() -> Currency {
    "USD".parse().unwrap()
}

fn decimal(minor: i64) -> Decimal {
    Money::from_minor(minor, usd()).to_decimal()
}

fn folio() -> Folio {
    Folio {
        reservation: id::<ReservationId>(1),
        guest: id::<GuestId>(2),
        currency: usd(),
        total: Money::from_minor(TOTAL_MINOR, usd()),
        is_touched: false,
        policy: None,
        payments: Vec::new(),
    }
}

fn method() -> Method {
    Method {
        id: id::<PaymentMethodId>(3),
        guest: id::<GuestId>(2),
        name: "STRIPE".to_owned(),
        is_active: true,
        is_spent: false,
    }
}

fn post(number: u64, minor: i64) -> PostPayment {
    PostPayment {
        id: id(number),
        attempt: id(number + 1),
        method_name: "AMARYLLIS".to_owned(),
        names_method: true,
        method: Some(method()),
        amount: decimal(minor),
        due: None,
        paid: None,
        note: None,
        is_hold: false,
    }
}

fn approved() -> Outcome {
    Outcome::Approved {
        reference: Reference {
            transaction: "t".to_owned(),
            confirmation: "c".to_owned(),
        },
        hold_expires: Some(START + Duration::days(7)),
    }
}

/// A folio, told one command after the other.
struct History {
    folio: Folio,
    now: Timestamp,
    next: u64,
}

impl History {
    fn new() -> Self {
        Self {
            folio: folio(),
            now: START,
            next: 100,
        }
    }

    fn id<Id: From<ObjectId>>(&mut self) -> Id {
        self.next += 2;
        id(self.next)
    }

    fn tell(&mut self, command: &Command) -> Result<Vec<Event>, Rejection> {
        let events = decide(&self.folio, command, self.now)?;
        for event in &events {
            self.folio.apply(event);
        }
        Ok(events)
    }

    /// Posts a payment and has the processor answer it.
    fn paid(&mut self, post: PostPayment, outcome: Outcome) -> PaymentId {
        let (payment, attempt) = (post.id, post.attempt);
        let kind = if post.is_hold {
            AttemptKind::Hold
        } else {
            AttemptKind::Charge
        };
        self.tell(&Command::Post(post)).unwrap();
        self.tell(&Command::Answer {
            payment,
            attempt,
            kind,
            outcome,
        })
        .unwrap();
        payment
    }

    fn refund(&mut self, payment: PaymentId, minor: i64) -> Result<RefundId, Rejection> {
        let (refund, attempt) = (self.id(), self.id());
        self.tell(&Command::Refund(RefundPayment {
            payment,
            id: refund,
            attempt,
            amount: decimal(minor),
            due: None,
            note: None,
        }))?;
        Ok(refund)
    }

    fn status(&self, payment: PaymentId) -> State {
        self.folio.payment(payment).unwrap().state
    }
}

#[test]
fn a_hold_is_captured_once_and_in_part() {
    let mut history = History::new();
    let hold = history.paid(
        PostPayment {
            is_hold: true,
            ..post(10, 50_000)
        },
        approved(),
    );
    assert_eq!(history.status(hold), State::Held);
    assert_eq!(history.folio.paid().minor(), 0);

    let attempt: AttemptId = history.id();
    let capture = |minor| {
        Command::Capture(Capture {
            payment: hold,
            attempt,
            amount: Some(decimal(minor)),
        })
    };
    assert!(matches!(
        history.tell(&capture(50_001)),
        Err(Rejection::CaptureTooLarge { .. })
    ));
    history.tell(&capture(30_000)).unwrap();
    assert_eq!(history.tell(&capture(30_000)), Err(Rejection::InProgress));
    let kind = AttemptKind::Capture;
    history
        .tell(&Command::Answer {
            payment: hold,
            attempt,
            kind,
            outcome: approved(),
        })
        .unwrap();

    assert_eq!(history.status(hold), State::Succeeded);
    assert_eq!(history.folio.paid().minor(), 30_000);
    assert_eq!(
        history.tell(&capture(100)),
        Err(Rejection::NotHeld("SUCCEEDED"))
    );
}

#[test]
fn a_hold_lapses_and_can_no_longer_be_captured() {
    let mut history = History::new();
    let hold = history.paid(
        PostPayment {
            is_hold: true,
            ..post(10, 50_000)
        },
        approved(),
    );
    assert_eq!(
        history.tell(&Command::Expire { payment: hold }),
        Err(Rejection::AttemptEnded)
    );

    history.now = START + Duration::days(7);
    let capture = Command::Capture(Capture {
        payment: hold,
        attempt: id(9),
        amount: None,
    });
    assert!(matches!(
        history.tell(&capture),
        Err(Rejection::HoldExpired(_))
    ));
    history.tell(&Command::Expire { payment: hold }).unwrap();
    assert_eq!(history.status(hold).public_name(), "CANCELLED");
    assert!(matches!(
        history.tell(&capture),
        Err(Rejection::HoldExpired(_))
    ));
}

#[test]
fn no_more_goes_back_than_came_in() {
    let mut history = History::new();
    let payment = history.paid(post(10, 50_000), approved());
    history.refund(payment, 20_000).unwrap();
    let refused = history.refund(payment, 30_001).unwrap_err();
    assert_eq!(
        refused,
        Rejection::RefundTooLarge {
            left: "300.00 USD".to_owned()
        }
    );
    history.refund(payment, 30_000).unwrap();
    assert!(matches!(
        history.refund(payment, 1),
        Err(Rejection::RefundTooLarge { .. })
    ));
}

#[test]
fn a_failed_payment_brings_nothing_in_and_has_nothing_to_refund() {
    let mut history = History::new();
    let declined = Outcome::Declined {
        reason: "insufficient funds".to_owned(),
        is_hard: false,
    };
    let payment = history.paid(post(10, 50_000), declined);
    assert_eq!(history.status(payment), State::Failed);
    assert_eq!(
        history.refund(payment, 1),
        Err(Rejection::NotRefundable("FAILED"))
    );
    assert_eq!(history.folio.balance().minor(), TOTAL_MINOR);
}

#[test]
fn a_wrong_command_always_gets_the_same_refusal() {
    let history = History::new();
    let refusal =
        |post: PostPayment| decide(&history.folio, &Command::Post(post), START).unwrap_err();
    let good = || post(10, 100);
    let later = Some(START + Duration::days(1));
    for (post, expected) in [
        (
            PostPayment {
                method_name: String::new(),
                ..good()
            },
            Rejection::MethodRequired,
        ),
        (
            PostPayment {
                method_name: "BITCOIN".to_owned(),
                ..good()
            },
            Rejection::UnknownMethodName("BITCOIN".to_owned()),
        ),
        (
            PostPayment {
                amount: decimal(0),
                ..good()
            },
            Rejection::AmountNotPositive,
        ),
        (
            PostPayment {
                amount: decimal(-1),
                ..good()
            },
            Rejection::AmountNotPositive,
        ),
        (
            PostPayment {
                note: Some("x".repeat(501)),
                ..good()
            },
            Rejection::NoteTooLong,
        ),
        (
            PostPayment {
                names_method: false,
                ..good()
            },
            Rejection::MethodIdRequired("AMARYLLIS".to_owned()),
        ),
        (
            PostPayment {
                method: None,
                ..good()
            },
            Rejection::MethodNotFound,
        ),
        (
            PostPayment {
                method: Some(Method {
                    guest: id(99),
                    ..method()
                }),
                ..good()
            },
            Rejection::MethodNotFound,
        ),
        (
            PostPayment {
                method: Some(Method {
                    is_active: false,
                    ..method()
                }),
                ..good()
            },
            Rejection::MethodInactive,
        ),
        (
            PostPayment {
                method: Some(Method {
                    is_spent: true,
                    ..method()
                }),
                ..good()
            },
            Rejection::MethodSpent,
        ),
        (
            PostPayment {
                paid: Some(START),
                ..good()
            },
            Rejection::PaidAtOfCard,
        ),
        (
            PostPayment {
                is_hold: true,
                due: later,
                ..good()
            },
            Rejection::HoldCannotWait,
        ),
        (
            PostPayment {
                is_hold: true,
                amount: decimal(TOTAL_MINOR + 1),
                ..good()
            },
            Rejection::HoldAboveBalance {
                balance: "2000.00 USD".to_owned(),
            },
        ),
        (
            PostPayment {
                method_name: "CASH".to_owned(),
                ..good()
            },
            Rejection::MethodIdNotExpected("CASH".to_owned()),
        ),
        (
            PostPayment {
                method_name: "CASH".to_owned(),
                names_method: false,
                is_hold: true,
                ..good()
            },
            Rejection::HoldWithoutCard,
        ),
        (
            PostPayment {
                method_name: "CHECK".to_owned(),
                names_method: false,
                due: later,
                ..good()
            },
            Rejection::RecordedCannotWait,
        ),
        (
            PostPayment {
                method_name: "CHECK".to_owned(),
                names_method: false,
                paid: later,
                ..good()
            },
            Rejection::PaidInFuture,
        ),
    ] {
        assert_eq!(refusal(post), expected);
    }
    for amount in ["10.005", "10000000000.01", "1000000000000000"] {
        let post = PostPayment {
            amount: amount.parse().unwrap(),
            ..good()
        };
        assert!(matches!(refusal(post), Rejection::BadAmount(_)), "{amount}");
    }
}

/// Something that may be asked, of the payment or refund with this number, if there is one.
#[derive(Debug, Clone)]
enum Ask {
    Post {
        minor: i64,
        hold: bool,
        days: i64,
        recorded: bool,
    },
    Edit {
        payment: usize,
        minor: i64,
        days: i64,
    },
    Cancel {
        payment: usize,
    },
    Capture {
        payment: usize,
        minor: Option<i64>,
    },
    Refund {
        payment: usize,
        minor: i64,
        days: i64,
    },
    CancelRefund {
        payment: usize,
        refund: usize,
    },
    Due {
        payment: usize,
        refund: Option<usize>,
    },
    Expire {
        payment: usize,
    },
    Answer {
        payment: usize,
        approve: u8,
    },
    Unanswered {
        payment: usize,
    },
    Wait {
        days: i64,
    },
}

fn asks() -> impl Strategy<Value = Vec<Ask>> {
    let minor = 1..120_000_i64;
    let (payment, refund, days) = (0..6_usize, 0..3_usize, -1..9_i64);
    let ask = prop_oneof![
        3 => (minor.clone(), any::<bool>(), days.clone(), prop::bool::weighted(0.2)).prop_map(
            |(minor, hold, days, recorded)| Ask::Post { minor, hold, days, recorded }),
        1 => (payment.clone(), minor.clone(), days.clone()).prop_map(
            |(payment, minor, days)| Ask::Edit { payment, minor, days }),
        1 => payment.clone().prop_map(|payment| Ask::Cancel { payment }),
        2 => (payment.clone(), prop::option::of(minor.clone())).prop_map(
            |(payment, minor)| Ask::Capture { payment, minor }),
        3 => (payment.clone(), minor, days.clone()).prop_map(
            |(payment, minor, days)| Ask::Refund { payment, minor, days }),
        1 => (payment.clone(), refund.clone()).prop_map(
            |(payment, refund)| Ask::CancelRefund { payment, refund }),
        2 => (payment.clone(), prop::option::of(refund)).prop_map(
            |(payment, refund)| Ask::Due { payment, refund }),
        1 => payment.clone().prop_map(|payment| Ask::Expire { payment }),
        6 => (payment.clone(), 0..4_u8).prop_map(
            |(payment, approve)| Ask::Answer { payment, approve }),
        1 => payment.prop_map(|payment| Ask::Unanswered { payment }),
        1 => days.prop_map(|days| Ask::Wait { days: days.max(0) }),
    ];
    prop::collection::vec(ask, 1..60)
}

impl History {
    /// What an ask means here; `None` where it names nothing that exists.
    fn command(&mut self, ask: &Ask) -> Option<Command> {
        let at = |days: i64| Some(self.now + Duration::days(days));
        let payment = |number: usize| self.folio.payments.get(number).map(|p| p.id);
        Some(match ask {
            Ask::Post {
                minor,
                hold,
                days,
                recorded,
            } => {
                let due = at(*days).filter(|_| !hold && !recorded);
                let number = self.next + 1000;
                self.next += 2;
                let card = PostPayment {
                    is_hold: *hold && !recorded,
                    due,
                    ..post(number, *minor)
                };
                Command::Post(if *recorded {
                    PostPayment {
                        method_name: "BANK_TRANSFER".to_owned(),
                        names_method: false,
                        ..card
                    }
                } else {
                    card
                })
            }
            Ask::Edit {
                payment: number,
                minor,
                days,
            } => Command::Edit(Edit {
                payment: payment(*number)?,
                due: at(*days),
                attempt: self.id(),
                amount: Some(decimal(*minor)),
                note: None,
                names_method: false,
                method: None,
            }),
            Ask::Cancel { payment: number } => Command::Cancel {
                payment: payment(*number)?,
                attempt: self.id(),
            },
            Ask::Capture {
                payment: number,
                minor,
            } => Command::Capture(Capture {
                payment: payment(*number)?,
                attempt: self.id(),
                amount: minor.map(decimal),
            }),
            Ask::Refund {
                payment: number,
                minor,
                days,
            } => Command::Refund(RefundPayment {
                payment: payment(*number)?,
                due: at(*days),
                id: self.id(),
                attempt: self.id(),
                amount: decimal(*minor),
                note: None,
            }),
            Ask::CancelRefund {
                payment: number,
                refund,
            } => {
                let refund = self.folio.payments.get(*number)?.refunds.get(*refund)?.id;
                Command::CancelRefund {
                    payment: payment(*number)?,
                    refund,
                }
            }
            Ask::Due {
                payment: number,
                refund: None,
            } => Command::PaymentDue {
                payment: payment(*number)?,
                attempt: self.id(),
            },
            Ask::Due {
                payment: number,
                refund: Some(refund),
            } => {
                let refund = self.folio.payments.get(*number)?.refunds.get(*refund)?.id;
                Command::RefundDue {
                    payment: payment(*number)?,
                    refund,
                    attempt: self.id(),
                }
            }
            Ask::Expire { payment: number } => Command::Expire {
                payment: payment(*number)?,
            },
            Ask::Answer {
                payment: number,
                approve,
            } => {
                let payment = self.folio.payments.get(*number)?;
                let of_refund = payment.refunds.iter().find_map(|refund| refund.attempt);
                let attempt = payment.attempt.or(of_refund)?;
                let kind = match payment.state {
                    _ if payment.attempt.is_none() => AttemptKind::Refund,
                    State::Capturing => AttemptKind::Capture,
                    State::Releasing => AttemptKind::Void,
                    _ if payment.is_hold => AttemptKind::Hold,
                    _ => AttemptKind::Charge,
                };
                let outcome = match approve {
                    0 => Outcome::Declined {
                        reason: "declined".to_owned(),
                        is_hard: false,
                    },
                    _ => Outcome::Approved {
                        reference: Reference {
                            transaction: attempt.id.to_string(),
                            confirmation: attempt.id.to_string(),
                        },
                        hold_expires: Some(self.now + Duration::days(7)),
                    },
                };
                Command::Answer {
                    payment: payment.id,
                    attempt: attempt.id,
                    kind,
                    outcome,
                }
            }
            Ask::Unanswered { payment: number } => {
                let payment = self.folio.payments.get(*number)?;
                Command::Unanswered {
                    payment: payment.id,
                    attempt: payment.attempt?.id,
                }
            }
            Ask::Wait { days } => {
                self.now = self.now + Duration::days(*days);
                return None;
            }
        })
    }
}

/// The states that may follow a state.
fn may_follow(before: State, after: State) -> bool {
    use State::{
        AwaitingGuest, Cancelled, Capturing, Expired, Failed, Held, Processing, Releasing,
        Scheduled, Succeeded,
    };
    before == after
        || match before {
            Scheduled => matches!(after, Processing | Cancelled),
            Processing => matches!(after, Succeeded | Held | Failed | AwaitingGuest),
            Held => matches!(after, Capturing | Releasing | Expired),
            Capturing => matches!(after, Succeeded | Held),
            Releasing => matches!(after, Cancelled | Held),
            // What succeeded is cancelled only if it was recorded, which `holds_together` checks.
            AwaitingGuest | Succeeded => after == Cancelled,
            Failed | Cancelled | Expired => false,
        }
}

/// What must hold between a folio and the one that follows it.
fn holds_together(before: &Folio, after: &Folio) -> Result<(), TestCaseError> {
    for payment in &after.payments {
        let collected = payment.collected().minor();
        let sum = |counts: fn(RefundState) -> bool| -> i64 {
            payment
                .refunds
                .iter()
                .filter(|r| counts(r.state))
                .map(|r| r.amount.minor())
                .sum()
        };
        let alive = sum(|state| !matches!(state, RefundState::Failed | RefundState::Cancelled));
        prop_assert!(payment.amount.is_positive());
        prop_assert!(
            collected <= payment.amount.minor(),
            "captured more than was held"
        );
        if payment.state == State::Succeeded {
            prop_assert!(alive <= collected, "more goes back than came in");
            prop_assert_eq!(payment.refundable().minor(), collected - alive);
        }
        prop_assert_eq!(
            payment.refunded().minor(),
            sum(|state| state == RefundState::Succeeded)
        );
        let under_way = matches!(
            payment.state,
            State::Processing | State::Capturing | State::Releasing
        );
        prop_assert_eq!(under_way, payment.attempt.is_some(), "{:?}", payment);
        prop_assert_eq!(
            payment.paid.is_some(),
            payment.paid.is_some_and(|paid| paid >= START)
        );
        if let Some(known) = before.payment(payment.id) {
            prop_assert!(
                may_follow(known.state, payment.state),
                "{:?} {:?}",
                known,
                payment
            );
            let is_card = matches!(payment.source, Source::Card { .. });
            prop_assert!(
                known.state != State::Succeeded || payment.state == known.state || !is_card
            );
        }
    }
    let collected: i64 = after.payments.iter().map(|p| p.collected().minor()).sum();
    let refunded: i64 = after.payments.iter().map(|p| p.refunded().minor()).sum();
    prop_assert_eq!(after.balance().minor(), TOTAL_MINOR - collected + refunded);
    prop_assert!(
        before.payments.len() <= after.payments.len(),
        "no payment is ever lost"
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn money_is_conserved_in_every_history(asks in asks()) {
        let mut history = History::new();
        for ask in &asks {
            let before = history.folio.clone();
            let Some(command) = history.command(ask) else { continue };
            let is_accepted = history.tell(&command).is_ok();
            // Asked too early, an unanswered attempt is asked about when it was to be.
            if !matches!(ask, Ask::Unanswered { .. }) {
                prop_assert_eq!(is_accepted, before != history.folio);
            }
            holds_together(&before, &history.folio)?;
        }
    }
}
