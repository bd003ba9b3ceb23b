//! Random sequences of requests, against a model that keeps nothing but the sums.

use std::collections::HashMap;

use chrono::Duration;
use contract::Timestamp;
use money::Money;
use processors::{
    Answer, AttemptKey, Charge, Failure, FollowUp, MethodToken, Processor, Request, TransactionId,
    TransactionKind, TransactionStatus, Verdict,
};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestError, TestRunner};
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use crate::bank::{Bank, noon, usd};

#[derive(Debug, Clone)]
enum Step {
    Charge {
        card: Index,
        amount: i64,
    },
    Hold {
        card: Index,
        amount: i64,
    },
    Capture {
        target: Index,
        amount: Option<i64>,
    },
    Void {
        target: Index,
    },
    Refund {
        target: Index,
        amount: Option<i64>,
    },
    /// An earlier request once more, under its own key.
    Repeat {
        earlier: Index,
    },
    Wait {
        hours: i64,
    },
}

const CARDS: [&str; 4] = [
    "pm_card_visa",
    "pm_card_mastercard",
    "pm_card_chargeDeclined",
    "pm_card_noAnswer",
];

fn step() -> impl Strategy<Value = Step> {
    let amount = || prop_oneof![1 => -1..=0i64, 9 => 1..=30i64];
    let maybe = move || proptest::option::of(amount());
    let any = any::<Index>;
    prop_oneof![
        3 => (any(), amount()).prop_map(|(card, amount)| Step::Charge { card, amount }),
        3 => (any(), amount()).prop_map(|(card, amount)| Step::Hold { card, amount }),
        4 => (any(), maybe()).prop_map(|(target, amount)| Step::Capture { target, amount }),
        1 => any().prop_map(|target| Step::Void { target }),
        5 => (any(), maybe()).prop_map(|(target, amount)| Step::Refund { target, amount }),
        2 => any().prop_map(|earlier| Step::Repeat { earlier }),
        1 => (1..72i64).prop_map(|hours| Step::Wait { hours }),
    ]
}

/// One charge or hold, by the sums.
#[derive(Debug)]
struct Folio {
    id: TransactionId,
    amount: i64,
    /// When it ends, if it is a hold that was approved.
    expires: Option<Timestamp>,
    taken: Option<i64>,
    released: bool,
    refunded: i64,
}

/// The model, and the bank that it is compared with.
struct Play<'a> {
    bank: &'a Bank,
    cards: &'a [MethodToken],
    now: Timestamp,
    folios: Vec<Folio>,
    /// What was executed under which key, and how it was answered.
    done: Vec<(String, Request, Answer)>,
    keys: usize,
    run: u32,
}

impl Play<'_> {
    async fn play(&mut self, step: Step) {
        self.keys += 1;
        let key = format!("run {} key {}", self.run, self.keys);
        match step {
            Step::Wait { hours } => self.now = self.now + Duration::hours(hours),
            Step::Repeat { earlier } if !self.done.is_empty() => {
                let (_, asked, answer) = earlier.get(&self.done).clone();
                assert_eq!(self.send(asked).await, Ok(answer));
            }
            other => {
                if let Some(asked) = self.ask(&key, &other) {
                    self.try_new(key, asked).await;
                }
            }
        }
    }

    /// What the bank is asked, when there is something that it can be about.
    fn ask(&self, key: &str, step: &Step) -> Option<Request> {
        let charge = |card: &Index, amount: i64| {
            let charge = self.bank.charge_of(key, card.get(self.cards), usd(amount));
            Charge {
                at: self.now,
                ..charge
            }
        };
        let follow_up = |target: &Index, amount: Option<i64>| {
            let folio = (!self.folios.is_empty()).then(|| target.get(&self.folios))?;
            let follow_up = self.bank.follow_up(key, &folio.id, amount.map(usd));
            Some(FollowUp {
                at: self.now,
                ..follow_up
            })
        };
        match step {
            Step::Charge { card, amount } => Some(Request::Charge(charge(card, *amount))),
            Step::Hold { card, amount } => Some(Request::Hold(charge(card, *amount))),
            Step::Capture { target, amount } => follow_up(target, *amount).map(Request::Capture),
            Step::Void { target } => follow_up(target, None).map(Request::Void),
            Step::Refund { target, amount } => follow_up(target, *amount).map(Request::Refund),
            Step::Repeat { .. } | Step::Wait { .. } => None,
        }
    }

    async fn send(&self, asked: Request) -> Result<Answer, Failure> {
        self.bank.sandbox.execute(asked).await
    }

    async fn try_new(&mut self, key: String, asked: Request) {
        let allowed = self.allows(&asked);
        let answer = match self.send(asked.clone()).await {
            Ok(answer) => answer,
            Err(Failure::Unanswered) => self.bank.lookup(&key).await.expect("it was executed"),
            Err(Failure::Refused { .. }) => {
                assert!(!allowed, "{asked:?} was refused");
                assert_eq!(self.bank.lookup(&key).await, None);
                return;
            }
            Err(Failure::Unavailable) => panic!("the sandbox is available"),
        };
        assert!(allowed, "{asked:?} was executed");
        self.keep(&asked, &answer);
        self.done.push((key, asked, answer));
    }

    fn folio(&self, follow_up: &FollowUp) -> &Folio {
        self.folios
            .iter()
            .find(|folio| folio.id == follow_up.original)
            .unwrap()
    }

    fn folio_mut(&mut self, follow_up: &FollowUp) -> &mut Folio {
        self.folios
            .iter_mut()
            .find(|folio| folio.id == follow_up.original)
            .unwrap()
    }

    /// The rules, said anew.
    fn allows(&self, asked: &Request) -> bool {
        let held = |folio: &Folio| {
            folio.expires.is_some_and(|end| self.now < end)
                && folio.taken.is_none()
                && !folio.released
        };
        match asked {
            Request::Charge(charge) | Request::Hold(charge) => charge.amount.is_positive(),
            Request::Capture(capture) => {
                let folio = self.folio(capture);
                let amount = capture.amount.map_or(folio.amount, Money::minor);
                held(folio) && (1..=folio.amount).contains(&amount)
            }
            Request::Void(void) => held(self.folio(void)),
            Request::Refund(refund) => {
                let folio = self.folio(refund);
                let left = folio.taken.unwrap_or(0) - folio.refunded;
                (1..=left).contains(&refund.amount.map_or(left, Money::minor))
            }
        }
    }

    fn keep(&mut self, asked: &Request, answer: &Answer) {
        let approved = matches!(answer.verdict, Verdict::Approved { .. });
        let amount = answer.amount.minor();
        match asked {
            Request::Charge(_) | Request::Hold(_) => self.folios.push(Folio {
                id: answer.transaction_id.clone(),
                amount,
                expires: answer.hold_expires_at,
                taken: (approved && matches!(asked, Request::Charge(_))).then_some(amount),
                released: false,
                refunded: 0,
            }),
            Request::Capture(capture) => self.folio_mut(capture).taken = Some(amount),
            Request::Void(void) => self.folio_mut(void).released = true,
            Request::Refund(refund) => self.folio_mut(refund).refunded += amount,
        }
    }

    /// The books' own rows, summed, say the same as the model.
    async fn compare(&self) {
        let feed = self.bank.feed(1).await;
        let mut sums: HashMap<&TransactionId, (i64, i64)> = HashMap::new();
        for row in feed
            .iter()
            .filter(|row| row.status == TransactionStatus::Processed)
        {
            let original = row.original.as_ref().unwrap_or(&row.id);
            let (taken, refunded) = sums.entry(original).or_default();
            match row.kind.whole() {
                TransactionKind::Charge | TransactionKind::Capture => *taken += row.amount.minor(),
                TransactionKind::Refund => *refunded += row.amount.minor(),
                // As long as nothing is taken, it is a hold's release.
                TransactionKind::Void if *taken > 0 => *refunded += row.amount.minor(),
                _ => {}
            }
        }
        for folio in &self.folios {
            let (taken, refunded) = sums.get(&folio.id).copied().unwrap_or_default();
            assert_eq!(
                (taken, refunded),
                (folio.taken.unwrap_or(0), folio.refunded),
                "{folio:?}"
            );
            assert!(refunded <= taken && taken <= folio.amount, "{folio:?}");
        }
        let positions: Vec<_> = feed.iter().map(|row| row.position.0).collect();
        let gapless: Vec<_> = (1..).take(feed.len()).collect();
        assert_eq!(positions, gapless);
        let ours = format!("run {} ", self.run);
        let keys: Vec<_> = feed
            .iter()
            .map(|row| row.key.as_str())
            .filter(|key| key.starts_with(&ours))
            .collect();
        let executed: Vec<_> = self.done.iter().map(|(key, ..)| key.as_str()).collect();
        assert_eq!(
            keys, executed,
            "one row for each executed attempt, in order"
        );
        for key in executed {
            let found = self
                .bank
                .sandbox
                .lookup(&self.bank.merchant, &AttemptKey::new(key))
                .await;
            assert!(found.unwrap().is_some());
        }
    }
}

store::on_both_engines! {
    async fn whatever_is_asked_no_money_is_made_or_lost(bank: Bank) {
        let mut cards = Vec::new();
        for card in CARDS {
            cards.push(bank.method(card).await);
        }
        let mut runner = TestRunner::new(Config { cases: 48, failure_persistence: None, ..Config::default() });
        let run = std::sync::atomic::AtomicU32::new(0);
        let outcome = runner.run(&proptest::collection::vec(step(), 1..60), |steps| {
            let mut play = Play {
                bank: &bank,
                cards: &cards,
                now: noon(),
                folios: Vec::new(),
                done: Vec::new(),
                keys: 0,
                run: run.fetch_add(1, std::sync::atomic::Ordering::Relaxed),
            };
            block_in_place(|| Handle::current().block_on(async {
                for step in steps {
                    play.play(step).await;
                }
                play.compare().await;
            }));
            Ok(())
        });
        if let Err(TestError::Fail(reason, steps)) = outcome {
            panic!("{reason}: {steps:#?}");
        }
    }
}
