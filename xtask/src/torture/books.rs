//! Books of our own: what was asked of the platform, and what it has acknowledged. They are kept on
//! this side of the wire, so a server that dies cannot take anything from them.
//!
//! Each operation has a number. Its amount and its note follow from that, and no two operations of
//! a round share them: so each is known again in whatever the platform or the processor shows.

use serde_json::Value;

use super::chance::Chance;

/// A reservation's fare, in minor units: nobody pays it off in a round, so there is room for holds.
const FARE: i64 = 500_000_000;
/// What a payment is at least, more than all of its refunds; then what its number adds.
const PAYMENT: i64 = 1_000_000;
const HOLD: i64 = 2_000_000;
const CAPTURE: i64 = 500_000;
/// The currencies of reservations, both of two digits.
const CURRENCIES: [&str; 2] = ["USD", "EUR"];

/// How a payment is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// By card, at once.
    Charge,
    /// By card, in so many seconds of business time.
    Later(u64),
    Hold,
    /// Money received elsewhere.
    Record,
}

/// What is asked for. Ids are those that the platform has given.
#[derive(Debug, Clone)]
pub(super) enum What {
    Reservation {
        fare: i64,
        currency: &'static str,
    },
    Method {
        card: &'static str,
        is_stripe: bool,
    },
    Payment {
        reservation: String,
        how: How,
        amount: i64,
        method: Method,
    },
    Refund {
        payment: Paid,
        amount: i64,
        /// In so many seconds of business time.
        later: Option<u64>,
    },
    Capture {
        payment: Paid,
        amount: i64,
    },
    Release {
        payment: Paid,
    },
}

/// A stored method that was acknowledged.
#[derive(Debug, Clone)]
pub(super) struct Method {
    pub(super) id: String,
    /// What a payment calls it.
    pub(super) name: &'static str,
}

/// A payment that was acknowledged.
#[derive(Debug, Clone)]
pub(super) struct Paid {
    pub(super) reservation: String,
    pub(super) id: String,
}

/// What has become of an operation, as far as we were told.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    /// Nothing, or only that the platform could not say.
    Open,
    /// It was not to be, for this reason.
    Refused(String),
    /// It stands, under this id, in this state.
    Acknowledged { id: String, status: String },
    /// The platform said what it never may.
    Broken(String),
}

#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) number: u64,
    pub(super) what: What,
    pub(super) answer: Answer,
}

impl Operation {
    /// By what it is known again.
    pub(super) fn note(&self) -> String {
        format!("operation {}", self.number)
    }

    /// Under what it is asked for again, where that can be: every second one.
    pub(super) fn key(&self) -> Option<String> {
        let can_be = !matches!(self.what, What::Reservation { .. } | What::Release { .. });
        (can_be && self.number.is_multiple_of(2)).then(|| format!("\"operation-{}\"", self.number))
    }

    pub(super) fn is_acknowledged(&self) -> bool {
        matches!(self.answer, Answer::Acknowledged { .. })
    }
}

/// All operations of a round, and what further ones can be about.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) operations: Vec<Operation>,
    /// How often the platform said that it cannot serve now.
    pub(super) unavailable: usize,
    /// How many replies never came.
    pub(super) unanswered: usize,
    reservations: Vec<String>,
    methods: Vec<Method>,
    /// What can be refunded.
    paid: Vec<Paid>,
    /// What can be captured or released, each once.
    held: Vec<Paid>,
}

impl Books {
    /// Writes down an operation that is about to be asked for.
    pub(super) fn begin(&mut self, what: impl FnOnce(u64) -> What) -> Operation {
        let number = self.operations.len() as u64;
        let operation = Operation {
            number,
            what: what(number),
            answer: Answer::Open,
        };
        self.operations.push(operation.clone());
        operation
    }

    /// A new reservation.
    pub(super) fn reservation(number: u64) -> What {
        What::Reservation {
            fare: FARE + minor(number),
            currency: if number.is_multiple_of(2) {
                CURRENCIES[0]
            } else {
                CURRENCIES[1]
            },
        }
    }

    /// Writes down whatever chance wants next.
    pub(super) fn plan(&mut self, chance: &mut Chance, cards: &[&'static str]) -> Operation {
        let what = self.choose(chance, cards);
        self.begin(|_| what)
    }

    fn choose(&mut self, chance: &mut Chance, cards: &[&'static str]) -> What {
        let number = self.operations.len() as u64;
        let roll = chance.below(100);
        let follow_up = match roll {
            0..14 => chance.pick(&self.paid).map(|payment| What::Refund {
                payment: payment.clone(),
                amount: 1 + minor(number),
                later: (roll < 4).then_some(1 + roll),
            }),
            14..21 => chance.take(&mut self.held).map(|payment| What::Capture {
                payment,
                amount: CAPTURE + minor(number),
            }),
            21..25 => chance
                .take(&mut self.held)
                .map(|payment| What::Release { payment }),
            25..29 => Some(Self::reservation(number)),
            29..32 => chance.pick(cards).map(|card| What::Method {
                card,
                is_stripe: number.is_multiple_of(2),
            }),
            _ => None,
        };
        follow_up.unwrap_or_else(|| self.payment(chance, number, roll))
    }

    fn payment(&self, chance: &mut Chance, number: u64, roll: u64) -> What {
        let (how, least) = match roll {
            32..44 => (How::Hold, HOLD),
            44..52 => (How::Record, PAYMENT),
            52..64 => (How::Later(1 + chance.below(8)), PAYMENT),
            _ => (How::Charge, PAYMENT),
        };
        What::Payment {
            reservation: chance.pick(&self.reservations).cloned().unwrap_or_default(),
            how,
            amount: least + minor(number),
            method: chance.pick(&self.methods).cloned().unwrap_or(Method {
                id: String::new(),
                name: "STRIPE",
            }),
        }
    }

    /// Writes down that no answer came.
    pub(super) fn silence(&mut self) {
        self.unanswered += 1;
    }

    /// Writes down a reply.
    pub(super) fn reply(&mut self, operation: &Operation, status: u16, body: &Value) {
        let answer = match status {
            200 | 201 => self.acknowledged(operation, body),
            503 => {
                self.unavailable += 1;
                Answer::Open
            }
            // Its first sending is still under way, as far as servers know.
            409 => Answer::Open,
            400..500 => Answer::Refused(format!("{status} {body}")),
            _ => Answer::Broken(format!("{status} {body}")),
        };
        if let Some(own) = self
            .operations
            .get_mut(usize::try_from(operation.number).unwrap_or(usize::MAX))
        {
            own.answer = answer;
        }
    }

    fn acknowledged(&mut self, operation: &Operation, body: &Value) -> Answer {
        let Some((id, status)) = shown(operation, body) else {
            let what = format!("acknowledged, but not shown in the reply: {body}");
            return Answer::Broken(what.chars().take(400).collect());
        };
        let paid = |reservation: &str, id: &str| Paid {
            reservation: reservation.to_owned(),
            id: id.to_owned(),
        };
        match (&operation.what, status.as_str()) {
            (What::Reservation { .. }, _) => self.reservations.push(id.clone()),
            (What::Method { is_stripe, .. }, _) => self.methods.push(Method {
                id: id.clone(),
                name: if *is_stripe { "STRIPE" } else { "AMARYLLIS" },
            }),
            (What::Payment { reservation, .. }, "SUCCEEDED") => {
                self.paid.push(paid(reservation, &id));
            }
            (What::Payment { reservation, .. }, "AUTHORIZATION_HOLD_SUCCEEDED") => {
                self.held.push(paid(reservation, &id));
            }
            (What::Capture { payment, .. }, "SUCCEEDED") => self.paid.push(payment.clone()),
            _ => {}
        }
        Answer::Acknowledged { id, status }
    }
}

fn minor(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The id and the state of what an operation has made, as its reply shows them.
fn shown(operation: &Operation, body: &Value) -> Option<(String, String)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let by_note = |list: &Value| {
        let note = operation.note();
        let mut found = list.as_array()?.iter();
        let found = found.find(|one| one["note"] == note.as_str())?;
        Some((text(&found["_id"])?, text(&found["status"])?))
    };
    let of_payment = |paid: &Paid| {
        let mut payments = body["money"]["payments"].as_array()?.iter();
        payments.find(|one| one["_id"] == paid.id.as_str())
    };
    match &operation.what {
        What::Reservation { .. } | What::Method { .. } => {
            Some((text(&body["_id"])?, "MADE".to_owned()))
        }
        What::Payment { .. } => by_note(&body["money"]["payments"]),
        What::Refund { payment, .. } => by_note(&of_payment(payment)?["refunds"]),
        What::Capture { payment, .. } | What::Release { payment } => {
            let found = of_payment(payment)?;
            Some((payment.id.clone(), text(&found["status"])?))
        }
    }
}
