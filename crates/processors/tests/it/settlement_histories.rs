//! Random histories of sales, refunds, rejected payouts, waiting and being killed: what the books say
//! of settlement is compared with sums over the transactions.

use std::collections::{HashMap, HashSet};

use chrono::{Datelike, Duration, Weekday};
use contract::Timestamp;
use money::Money;
use processors::sandbox::Adjustment;
use processors::{
    Activity, Charge, FollowUp, MerchantId, MethodToken, PayoutStatus, Processor, SubAccountId,
    TransactionId, TransactionKind, TransactionRecord, TransactionStatus,
};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestError, TestRunner};
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use crate::bank::{Bank, money, noon};
use crate::settlement::payouts;

const CURRENCIES: [&str; 3] = ["USD", "JPY", "KWD"];
const CARDS: [&str; 2] = ["pm_card_visa", "pm_card_chargeDeclined"];
/// Reserves are held for so many days.
const RESERVE_DAYS: i64 = 90;

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
    Capture {
        target: Index,
    },
    Refund {
        target: Index,
        minor: i64,
    },
    Adjust {
        currency: Index,
        minor: i64,
    },
    Reject {
        payout: Index,
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
    prop_oneof![
        6 => (any(), any(), minor())
            .prop_map(|(card, currency, minor)| Event::Charge { card, currency, minor }),
        3 => (any(), any(), minor())
            .prop_map(|(card, currency, minor)| Event::Hold { card, currency, minor }),
        3 => any().prop_map(|target| Event::Capture { target }),
        4 => (any(), minor()).prop_map(|(target, minor)| Event::Refund { target, minor }),
        1 => (any(), -50_000..50_000i64)
            .prop_map(|(currency, minor)| Event::Adjust { currency, minor }),
        2 => any().prop_map(|payout| Event::Reject { payout }),
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
    adjusted: HashMap<String, i64>,
    keys: usize,
}

impl Play<'_> {
    fn account(&self, currency: &str) -> SubAccountId {
        let number = CURRENCIES.iter().position(|one| *one == currency).unwrap() + 1;
        SubAccountId::new(format!("{}.{number}", self.merchant))
    }

    fn charge(&self, key: &str, card: Index, currency: Index, minor: i64) -> Charge {
        let amount = money(minor, CURRENCIES[currency.index(CURRENCIES.len())]);
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
                let answer = sandbox
                    .charge(self.charge(&key, card, currency, minor))
                    .await;
                self.sales.push(answer.unwrap().transaction_id);
            }
            Event::Hold {
                card,
                currency,
                minor,
            } => {
                let answer = sandbox.hold(self.charge(&key, card, currency, minor)).await;
                self.sales.push(answer.unwrap().transaction_id);
            }
            // What the rules refuse leaves no trace, and is another test's matter.
            Event::Capture { target } => {
                if let Some(capture) = self.follow_up(&key, target) {
                    let _ = sandbox.capture(capture).await;
                }
            }
            Event::Refund { target, minor } => {
                if let Some(whole) = self.follow_up(&key, target) {
                    for currency in CURRENCIES {
                        let amount = Some(money(minor, currency));
                        let _ = sandbox
                            .refund(FollowUp {
                                amount,
                                ..whole.clone()
                            })
                            .await;
                    }
                }
            }
            Event::Adjust { currency, minor } if minor != 0 => {
                let currency = CURRENCIES[currency.index(CURRENCIES.len())];
                let adjustment = Adjustment {
                    sub_account: self.account(currency),
                    id: key,
                    category: "Correction".to_owned(),
                    amount: money(minor, currency),
                    at: self.now,
                };
                sandbox.adjust(adjustment).await.unwrap();
                *self.adjusted.entry(currency.to_owned()).or_default() += minor;
            }
            Event::Adjust { .. } => {}
            Event::Reject { payout } => self.reject(payout).await,
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

    async fn run(&self) {
        let steps = self
            .bank
            .sandbox
            .run_until(&self.merchant, self.now)
            .await
            .unwrap();
        assert!(steps.is_sorted_by_key(|step| step.at));
        let next = self.bank.sandbox.next_due(&self.merchant).await.unwrap();
        assert!(
            next.is_none_or(|next| next > self.now),
            "{next:?} is due by {}",
            self.now
        );
        for currency in CURRENCIES {
            self.check(currency).await;
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

    async fn reject(&self, which: Index) {
        let mut sent = Vec::new();
        for currency in CURRENCIES {
            let payouts = payouts(self.bank, &self.account(currency)).await;
            sent.extend(
                payouts
                    .into_iter()
                    .filter(|p| p.status == PayoutStatus::Processed),
            );
        }
        if !sent.is_empty() {
            let payout = which.get(&sent);
            let rejected = self.bank.sandbox.reject_payout(&payout.id, "R02", self.now);
            rejected.await.unwrap();
        }
    }

    /// Everything that the books say of settlement, computed anew from the transactions.
    async fn check(&self, currency: &str) {
        let account = self.account(currency);
        let feed =
            self.bank
                .sandbox
                .transactions_after(&account, processors::Cursor::START, 10_000);
        let feed = Feed::new(feed.await.unwrap());
        let balance = self.bank.sandbox.balance(&account).await.unwrap();
        let settled = || feed.rows.iter().filter(|row| row.settled_at.is_some());
        let sum = |of: &dyn Fn(&TransactionRecord) -> i64| settled().map(of).sum::<i64>();
        assert_eq!(
            balance.settlements.minor(),
            sum(&|row| feed.signed(row)),
            "{currency}"
        );
        let held = |row: &TransactionRecord| {
            let release_at = row.settled_at.unwrap() + Duration::days(RESERVE_DAYS);
            if release_at > self.now {
                rounded(feed.sold(row), 100)
            } else {
                0
            }
        };
        assert_eq!(balance.reserve.minor(), sum(&held), "{currency}");
        let adjusted = self.adjusted.get(currency).copied().unwrap_or(0);
        assert_eq!(balance.adjustments.minor(), adjusted);
        let closed = |row: &&TransactionRecord| {
            let day = Timestamp::start_of(row.system_at.date());
            row.settled_at.is_some() || day + Duration::days(3) < self.now
        };
        let charged = |row| feed.fees(row);
        let least: i64 = feed.rows.iter().filter(closed).map(charged).sum();
        let all = feed.all_fees();
        assert!((least..=all).contains(&balance.fees.minor()), "{currency}");
        self.check_payouts(&account, balance.payouts).await;
        let owed = balance.settlements.minor() + adjusted - balance.fees.minor();
        assert_eq!(balance.account.minor(), owed - balance.payouts.minor());
    }

    async fn check_payouts(&self, account: &SubAccountId, paid: Money) {
        let payouts = payouts(self.bank, account).await;
        let (mut standing, mut sent) = (HashSet::new(), 0);
        for payout in &payouts {
            let sum: i64 = payout.lines.iter().map(|line| line.amount.minor()).sum();
            assert_eq!(sum, payout.amount.minor(), "{payout:#?}");
            assert!(sum > 0);
            assert!(!matches!(
                payout.process_at.date().weekday(),
                Weekday::Sat | Weekday::Sun
            ));
            match payout.status {
                PayoutStatus::RejectedByProcessor => {
                    let again = payouts
                        .iter()
                        .find(|p| p.reissue_of.as_ref() == Some(&payout.id));
                    assert_eq!(again.unwrap().lines, payout.lines);
                    continue;
                }
                PayoutStatus::Processed => sent += sum,
                PayoutStatus::PendingDueDate => assert!(payout.process_at > self.now),
            }
            for line in &payout.lines {
                assert!(standing.insert(line.number), "{line:?} is paid twice");
                let waited = payout.process_at - line.settled_at;
                let release = matches!(line.activity, Activity::ReserveReleased { .. });
                assert!(
                    waited > Duration::days(if release { 0 } else { 6 }),
                    "{line:?}"
                );
            }
        }
        assert_eq!(sent, paid.minor());
    }

    /// When all days are over, all is settled, nothing is held, and nothing is owed to the merchant.
    async fn end(&mut self) {
        self.now = self.now + Duration::days(200);
        self.run().await;
        for currency in CURRENCIES {
            let account = self.account(currency);
            let feed =
                self.bank
                    .sandbox
                    .transactions_after(&account, processors::Cursor::START, 10_000);
            let feed = Feed::new(feed.await.unwrap());
            for row in &feed.rows {
                let settles = row.status == TransactionStatus::Processed
                    && row.kind != TransactionKind::Authorization
                    && feed.left(row) != Some(0);
                assert_eq!(row.settled_at.is_some(), settles, "{row:?}");
            }
            let balance = self.bank.sandbox.balance(&account).await.unwrap();
            assert_eq!(balance.fees.minor(), feed.all_fees());
            assert_eq!(balance.reserve.minor(), 0);
            assert!(!balance.account.is_positive(), "{balance:?}");
            if balance.account.is_zero() {
                self.check_all_paid(&account, &feed).await;
            }
        }
    }

    /// Each transaction that moved money is in the payouts that stand, once.
    async fn check_all_paid(&self, account: &SubAccountId, feed: &Feed) {
        let payouts = payouts(self.bank, account).await;
        let standing = payouts
            .iter()
            .filter(|p| p.status == PayoutStatus::Processed);
        let mut paid: Vec<_> = standing
            .flat_map(|payout| &payout.lines)
            .filter_map(|line| match &line.activity {
                Activity::Transaction { transaction, .. } => {
                    Some((transaction.clone(), line.amount.minor()))
                }
                _ => None,
            })
            .collect();
        let moved = feed
            .rows
            .iter()
            .map(|row| (row.id.clone(), feed.signed(row)));
        let mut moved: Vec<_> = moved.filter(|(_, minor)| *minor != 0).collect();
        paid.sort();
        moved.sort();
        assert_eq!(paid, moved);
    }
}

/// A sub-account's transactions, with the rules said anew.
struct Feed {
    rows: Vec<TransactionRecord>,
    /// What voids have left of each sale, by the charge or hold that began it.
    left: HashMap<TransactionId, i64>,
}

impl Feed {
    fn new(rows: Vec<TransactionRecord>) -> Self {
        use TransactionKind::{Capture, Charge, Void};
        let processed = |row: &&TransactionRecord| row.status == TransactionStatus::Processed;
        let mut left = HashMap::new();
        for sale in rows.iter().filter(processed) {
            if matches!(sale.kind.whole(), Charge | Capture) {
                left.insert(root(sale), sale.amount.minor());
            }
        }
        for void in rows.iter().filter(processed) {
            if void.kind.whole() == Void {
                let sale = left.entry(root(void));
                sale.and_modify(|left| *left -= void.amount.minor());
            }
        }
        Self { rows, left }
    }

    /// What is left of the sale that a transaction made or voided.
    fn left(&self, row: &TransactionRecord) -> Option<i64> {
        use TransactionKind::{Capture, Charge, Void};
        let of_sale = matches!(row.kind.whole(), Charge | Capture | Void);
        let processed = row.status == TransactionStatus::Processed;
        (of_sale && processed).then(|| self.left.get(&root(row)).copied())?
    }

    /// What a sale sold, without what of it was voided.
    fn sold(&self, row: &TransactionRecord) -> i64 {
        match row.kind.whole() {
            TransactionKind::Void => 0,
            _ => self.left(row).unwrap_or(0),
        }
    }

    /// What a transaction adds to the settlements, once it is settled.
    fn signed(&self, row: &TransactionRecord) -> i64 {
        use TransactionKind::{Capture, Charge, Refund, Void};
        let amount = row.amount.minor();
        match (row.status, row.kind.whole()) {
            (TransactionStatus::Declined, _) => 0,
            (_, Refund) => -amount,
            (_, Charge | Capture) if self.sold(row) != 0 => amount,
            (_, Void) if self.left(row).is_some_and(|left| left != 0) => -amount,
            _ => 0,
        }
    }

    fn fees(&self, row: &TransactionRecord) -> i64 {
        use TransactionKind::{Authorization, Charge, PartialRefund, Refund};
        let fixed = match row.amount.currency().code() {
            "KWD" => 100,
            _ => 30,
        };
        let has_fixed = matches!(row.kind, Authorization | Charge | Refund | PartialRefund);
        rounded(self.sold(row), 29) + if has_fixed { fixed } else { 0 }
    }

    fn all_fees(&self) -> i64 {
        self.rows.iter().map(|row| self.fees(row)).sum()
    }
}

/// The charge or hold that a transaction is, or follows up.
fn root(row: &TransactionRecord) -> TransactionId {
    row.original.clone().unwrap_or_else(|| row.id.clone())
}

/// So many thousandths, a half going up.
fn rounded(minor: i64, thousandths: i64) -> i64 {
    (minor * thousandths + 500) / 1_000
}

store::on_both_engines! {
    async fn whatever_happens_every_payout_adds_up_and_nothing_is_paid_twice(bank: Bank) {
        let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
        let outcome = runner.run(&proptest::collection::vec(event(), 1..50), |events| {
            block_in_place(|| Handle::current().block_on(async {
                let currencies = CURRENCIES.map(|code| code.parse().unwrap());
                let merchant = bank.sandbox.open_merchant("A history", &currencies).await.unwrap();
                let mut cards = Vec::new();
                for card in CARDS {
                    let verify = bank.verify(card, card, processors::Shape::Amaryllis);
                    let verify = processors::Verify { merchant: merchant.clone(), ..verify };
                    cards.push(bank.sandbox.verify(verify).await.unwrap().method);
                }
                let mut play = Play {
                    bank: &bank,
                    merchant,
                    cards,
                    now: noon(),
                    sales: Vec::new(),
                    adjusted: HashMap::new(),
                    keys: 0,
                };
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
