//! Random histories of sales, voids, refunds, disputes, payouts that come to nothing, waiting and being
//! killed: what the books say of settlement is compared with sums over the transactions.

mod checks;
mod rules;

use std::collections::HashMap;

use chrono::Duration;
use contract::Timestamp;
use money::Money;
use processors::sandbox::{
    Adjustment, DeclinedBy, Dispute, DisputeOutcome, ReservePolicy, ReserveTerms,
};
use processors::{
    Charge, FollowUp, MerchantId, MethodToken, PayoutId, PayoutStatus, Processor, Request,
    SubAccountId, TransactionId,
};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestError, TestRunner};
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use self::checks::Subject;
use crate::bank::{Bank, money, noon};
use crate::settlement::payouts;

const CURRENCIES: [&str; 3] = ["USD", "JPY", "KWD"];
const CARDS: [&str; 4] = [
    "pm_card_visa",
    "pm_card_chargeDeclined",
    "pm_card_createDispute",
    "pm_card_refundFail",
];
/// Each sub-account has terms of its own.
const TERMS: [ReserveTerms; 3] = [
    terms(ReservePolicy::Kept, ReservePolicy::Returned),
    terms(ReservePolicy::Returned, ReservePolicy::Kept),
    terms(ReservePolicy::Returned, ReservePolicy::Returned),
];

const fn terms(on_refund: ReservePolicy, on_chargeback: ReservePolicy) -> ReserveTerms {
    ReserveTerms {
        on_refund,
        on_chargeback,
    }
}

#[derive(Debug, Clone)]
enum Event {
    Charge {
        card: Index,
        currency: Index,
        minor: i64,
    },
    Hold {
        card: Index,
        currency: Index,
        minor: i64,
    },
    Credit {
        card: Index,
        currency: Index,
        minor: i64,
    },
    Capture {
        target: Index,
    },
    Refund {
        target: Index,
        minor: Option<i64>,
    },
    Dispute {
        target: Index,
    },
    Resolve {
        target: Index,
        won: bool,
    },
    Adjust {
        currency: Index,
        minor: i64,
    },
    Reject {
        payout: Index,
    },
    Decline {
        payout: Index,
        by: DeclinedBy,
    },
    Wait {
        hours: i64,
    },
    /// Time passes, but whoever lets it pass is stopped on the way.
    Killed {
        hours: i64,
        yields: usize,
    },
}

fn event() -> impl Strategy<Value = Event> {
    let any = any::<Index>;
    let minor = || prop_oneof![1..200i64, 1..200_000i64];
    let hours = || prop_oneof![3 => 1..100i64, 1 => 100..2_500i64];
    let by = prop_oneof![Just(DeclinedBy::Processor), Just(DeclinedBy::User)];
    prop_oneof![
        6 => (any(), any(), minor())
            .prop_map(|(card, currency, minor)| Event::Charge { card, currency, minor }),
        3 => (any(), any(), minor())
            .prop_map(|(card, currency, minor)| Event::Hold { card, currency, minor }),
        1 => (any(), any(), minor())
            .prop_map(|(card, currency, minor)| Event::Credit { card, currency, minor }),
        3 => any().prop_map(|target| Event::Capture { target }),
        4 => (any(), proptest::option::of(minor()))
            .prop_map(|(target, minor)| Event::Refund { target, minor }),
        2 => any().prop_map(|target| Event::Dispute { target }),
        2 => (any(), proptest::bool::ANY).prop_map(|(target, won)| Event::Resolve { target, won }),
        1 => (any(), -50_000..50_000i64)
            .prop_map(|(currency, minor)| Event::Adjust { currency, minor }),
        2 => any().prop_map(|payout| Event::Reject { payout }),
        2 => (any(), by).prop_map(|(payout, by)| Event::Decline { payout, by }),
        5 => hours().prop_map(|hours| Event::Wait { hours }),
        3 => (hours(), 0..40usize).prop_map(|(hours, yields)| Event::Killed { hours, yields }),
    ]
}

/// A merchant with a history.
struct Play<'a> {
    bank: &'a Bank,
    merchant: MerchantId,
    cards: Vec<MethodToken>,
    now: Timestamp,
    sales: Vec<TransactionId>,
    chargebacks: Vec<TransactionId>,
    adjusted: HashMap<String, Money>,
    keys: usize,
}

impl<'a> Play<'a> {
    /// A merchant without one yet.
    async fn new(bank: &'a Bank) -> Self {
        let currencies = CURRENCIES.map(|code| code.parse().unwrap());
        let opened = bank.sandbox.open_merchant("A history", &currencies);
        let mut play = Self {
            bank,
            merchant: opened.await.unwrap(),
            cards: Vec::new(),
            now: noon(),
            sales: Vec::new(),
            chargebacks: Vec::new(),
            adjusted: HashMap::new(),
            keys: 0,
        };
        for (account, terms) in play.accounts().iter().zip(TERMS) {
            let set = bank.sandbox.set_reserve_terms(account, terms);
            set.await.unwrap();
        }
        for card in CARDS {
            let verify = bank.verify(card, card, processors::Shape::Amaryllis);
            let verify = processors::Verify {
                merchant: play.merchant.clone(),
                ..verify
            };
            play.cards
                .push(bank.sandbox.verify(verify).await.unwrap().method);
        }
        play
    }

    /// In the order of [`CURRENCIES`].
    fn accounts(&self) -> [SubAccountId; 3] {
        [1, 2, 3].map(|number| SubAccountId::new(format!("{}.{number}", self.merchant)))
    }

    fn charge(&self, key: &str, card: Index, currency: Index, minor: i64) -> Charge {
        let amount = money(minor, CURRENCIES[currency.index(3)]);
        let charge = self.bank.charge_of(key, card.get(&self.cards), amount);
        Charge {
            merchant: self.merchant.clone(),
            at: self.now,
            ..charge
        }
    }

    fn follow_up(&self, key: &str, target: Index) -> Option<FollowUp> {
        let sale = (!self.sales.is_empty()).then(|| target.get(&self.sales))?;
        let follow_up = self.bank.follow_up(key, sale, None);
        Some(FollowUp {
            merchant: self.merchant.clone(),
            at: self.now,
            ..follow_up
        })
    }

    /// What the rules refuse leaves no trace, and is another test's matter.
    async fn play(&mut self, event: Event) {
        self.keys += 1;
        let key = format!("key {}", self.keys);
        let sandbox = &self.bank.sandbox;
        match event {
            Event::Charge {
                card,
                currency,
                minor,
            } => {
                let charge = self.charge(&key, card, currency, minor);
                let answer = sandbox.execute(Request::Charge(charge)).await.unwrap();
                self.sales.push(answer.transaction_id);
            }
            Event::Hold {
                card,
                currency,
                minor,
            } => {
                let hold = self.charge(&key, card, currency, minor);
                let answer = sandbox.execute(Request::Hold(hold)).await.unwrap();
                self.sales.push(answer.transaction_id);
            }
            Event::Credit {
                card,
                currency,
                minor,
            } => {
                let credit = self.charge(&key, card, currency, minor);
                sandbox.credit(credit).await.unwrap();
            }
            Event::Capture { target } => {
                if let Some(capture) = self.follow_up(&key, target) {
                    let _ = sandbox.execute(Request::Capture(capture)).await;
                }
            }
            Event::Refund { target, minor } => self.refund(&key, target, minor).await,
            Event::Dispute { target } => self.dispute(key, target).await,
            Event::Resolve { target, won } => self.resolve(target, won).await,
            Event::Adjust { currency, minor } => self.adjust(key, currency, minor).await,
            Event::Reject { payout } => {
                if let Some(payout) = self.payout(payout, &[PayoutStatus::Processed]).await {
                    let rejected = sandbox.reject_payout(&payout, "R02", self.now).await;
                    rejected.unwrap();
                }
            }
            Event::Decline { payout, by } => {
                let declinable = [PayoutStatus::Processed, PayoutStatus::PendingDueDate];
                if let Some(payout) = self.payout(payout, &declinable).await {
                    sandbox.decline_payout(&payout, by, self.now).await.unwrap();
                }
            }
            Event::Wait { hours } => {
                self.now = self.now + Duration::hours(hours);
                self.run().await;
            }
            Event::Killed { hours, yields } => {
                self.now = self.now + Duration::hours(hours);
                self.run_killed(yields).await;
                self.run().await;
            }
        }
    }

    async fn refund(&self, key: &str, target: Index, minor: Option<i64>) {
        let Some(whole) = self.follow_up(key, target) else {
            return;
        };
        // In the currency of the sale, whichever that is.
        for currency in CURRENCIES {
            let amount = minor.map(|minor| money(minor, currency));
            let refund = FollowUp {
                amount,
                ..whole.clone()
            };
            let _ = self.bank.sandbox.execute(Request::Refund(refund)).await;
        }
    }

    async fn dispute(&mut self, case_id: String, target: Index) {
        let Some(sale) = self.follow_up(&case_id, target) else {
            return;
        };
        let dispute = Dispute {
            transaction: sale.original,
            case_id: format!("{} of {}", case_id, self.merchant),
            reason: "13.1".to_owned(),
            at: self.now,
        };
        if let Ok(chargeback) = self.bank.sandbox.dispute(dispute).await {
            self.chargebacks.push(chargeback);
        }
    }

    async fn resolve(&self, target: Index, won: bool) {
        let outcome = if won {
            DisputeOutcome::Won
        } else {
            DisputeOutcome::Lost
        };
        if !self.chargebacks.is_empty() {
            let chargeback = target.get(&self.chargebacks);
            let sandbox = &self.bank.sandbox;
            let _ = sandbox.resolve_dispute(chargeback, outcome, self.now).await;
        }
    }

    async fn adjust(&mut self, id: String, currency: Index, minor: i64) {
        if minor == 0 {
            return;
        }
        let amount = money(minor, CURRENCIES[currency.index(3)]);
        let adjustment = Adjustment {
            sub_account: currency.get(&self.accounts()).clone(),
            id: id.clone(),
            category: "Correction".to_owned(),
            amount,
            at: self.now,
        };
        self.bank.sandbox.adjust(adjustment).await.unwrap();
        self.adjusted.insert(id, amount);
    }

    async fn payout(&self, which: Index, statuses: &[PayoutStatus]) -> Option<PayoutId> {
        let mut found = Vec::new();
        for account in self.accounts() {
            let payouts = payouts(self.bank, &account).await.into_iter();
            found.extend(payouts.filter(|payout| statuses.contains(&payout.status)));
        }
        (!found.is_empty()).then(|| which.get(&found).id.clone())
    }

    fn subject<'s>(&'s self, account: &'s SubAccountId, terms: ReserveTerms) -> Subject<'s> {
        Subject {
            bank: self.bank,
            account,
            terms,
            adjusted: &self.adjusted,
            now: self.now,
        }
    }

    async fn run(&self) {
        let sandbox = &self.bank.sandbox;
        let steps = sandbox.run_until(&self.merchant, self.now).await.unwrap();
        assert!(steps.is_sorted_by_key(|step| step.at));
        let next = sandbox.next_due(&self.merchant).await.unwrap();
        let (is_past, now) = (next.is_some_and(|next| next <= self.now), self.now);
        assert!(!is_past, "{next:?} is due by {now}");
        for (account, terms) in self.accounts().iter().zip(TERMS) {
            self.subject(account, terms).check().await;
        }
    }

    /// On books that were opened anew, as by another process.
    async fn run_killed(&self, yields: usize) {
        let (sandbox, merchant, until) = (self.bank.reopened(), self.merchant.clone(), self.now);
        let running = tokio::spawn(async move { sandbox.run_until(&merchant, until).await });
        for _ in 0..yields {
            tokio::task::yield_now().await;
        }
        running.abort();
        let _ = running.await;
    }

    async fn end(&mut self) {
        self.now = self.now + Duration::days(200);
        self.run().await;
        for (account, terms) in self.accounts().iter().zip(TERMS) {
            self.subject(account, terms).check_end().await;
        }
    }
}

store::on_both_engines! {
    async fn whatever_happens_every_payout_adds_up_and_nothing_is_paid_twice(bank: Bank) {
        let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
        let outcome = runner.run(&proptest::collection::vec(event(), 1..60), |events| {
            block_in_place(|| Handle::current().block_on(async {
                let mut play = Play::new(&bank).await;
                for event in events {
                    play.play(event).await;
                }
                play.end().await;
            }));
            Ok(())
        });
        if let Err(TestError::Fail(reason, events)) = outcome {
            panic!("{reason}: {events:#?}");
        }
    }
}
