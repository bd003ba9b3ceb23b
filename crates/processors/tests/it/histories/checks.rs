//! What must hold of a sub-account, whatever has happened to it.

use std::collections::{HashMap, HashSet};

use chrono::{Datelike, Duration, Weekday};
use contract::Timestamp;
use money::Money;
use processors::sandbox::ReserveTerms;
use processors::{
    Activity, Cursor, PayoutLine, PayoutRecord, PayoutStatus, Processor, SubAccountId,
    TransactionRecord,
};

use super::rules::{Feed, release_of};
use crate::bank::Bank;
use crate::settlement::payouts;

/// A sub-account, and what was done to it that its feed does not tell.
pub(super) struct Subject<'a> {
    pub(super) bank: &'a Bank,
    pub(super) account: &'a SubAccountId,
    pub(super) terms: ReserveTerms,
    pub(super) adjusted: &'a HashMap<String, Money>,
    pub(super) now: Timestamp,
}

impl Subject<'_> {
    async fn feed(&self) -> Feed {
        let sandbox = &self.bank.sandbox;
        let feed = sandbox.transactions_after(self.account, Cursor::START, 10_000);
        Feed::new(feed.await.unwrap())
    }

    fn adjustments(&self, currency: &str) -> i64 {
        let of_currency = |amount: &&Money| amount.currency().code() == currency;
        let amounts = self.adjusted.values().filter(of_currency);
        amounts.map(|amount| amount.minor()).sum()
    }

    /// Everything that the books say of settlement, computed anew from the transactions.
    pub(super) async fn check(&self) {
        let feed = self.feed().await;
        let balance = self.bank.sandbox.balance(self.account).await.unwrap();
        let settled = feed.rows.iter().filter(|row| row.settled_at.is_some());
        let settlements: i64 = settled.map(|row| feed.moved(row)).sum();
        assert_eq!(balance.settlements.minor(), settlements);
        assert_eq!(balance.reserve.minor(), feed.held(self.terms, self.now));
        let adjusted = self.adjustments(balance.account.currency().code());
        assert_eq!(balance.adjustments.minor(), adjusted);
        let closed = |row: &&TransactionRecord| {
            let day = Timestamp::start_of(row.system_at.date());
            row.settled_at.is_some() || day + Duration::days(3) < self.now
        };
        let charged = |row| feed.fees(row);
        let least: i64 = feed.rows.iter().filter(closed).map(charged).sum();
        assert!((least..=feed.all_fees()).contains(&balance.fees.minor()));
        let paid = self.check_payouts(&feed).await;
        assert_eq!(balance.payouts.minor(), paid);
        let owed = settlements + adjusted - balance.fees.minor() - paid;
        assert_eq!(balance.account.minor(), owed);
    }

    /// Checks each payout, and answers with what was sent.
    async fn check_payouts(&self, feed: &Feed) -> i64 {
        let payouts = payouts(self.bank, self.account).await;
        let (mut standing, mut sent) = (HashSet::new(), 0);
        for payout in &payouts {
            let amount = payout.amount.minor();
            let lines = payout.lines.iter().map(|line| line.amount.minor());
            assert_eq!(lines.sum::<i64>(), amount, "{payout:#?}");
            assert!(amount > 0);
            let weekday = payout.process_at.date().weekday();
            assert!(!matches!(weekday, Weekday::Sat | Weekday::Sun));
            match payout.status {
                PayoutStatus::Processed => sent += amount,
                PayoutStatus::PendingDueDate => assert!(payout.process_at > self.now),
                _ => {
                    let is_again = |p: &&PayoutRecord| p.reissue_of.as_ref() == Some(&payout.id);
                    let again = payouts.iter().find(is_again).unwrap();
                    assert_eq!(again.lines, payout.lines);
                    continue;
                }
            }
            for line in &payout.lines {
                assert!(standing.insert(line.number), "{line:?} is paid twice");
                self.check_line(feed, payout, line);
            }
        }
        sent
    }

    /// A line is what the transaction that it is of makes it.
    fn check_line(&self, feed: &Feed, payout: &PayoutRecord, line: &PayoutLine) {
        let expected = match &line.activity {
            Activity::Transaction { transaction, kind } => {
                assert_eq!(feed.row(transaction).kind, *kind);
                feed.moved(feed.row(transaction))
            }
            Activity::Fee { transaction, fee } => -feed.fee(feed.row(transaction), *fee),
            Activity::ReserveHeld {
                transaction,
                release_at,
            } => {
                assert_eq!(*release_at, release_of(line.settled_at));
                -feed.reserve(feed.row(transaction))
            }
            Activity::ReserveReleased { .. } => {
                assert!(line.amount.is_positive());
                line.amount.minor()
            }
            Activity::Adjustment { id, .. } => self.adjusted[id].minor(),
        };
        assert_eq!(line.amount.minor(), expected, "{line:?}");
        let waited = payout.process_at - line.settled_at;
        let in_time = matches!(line.activity, Activity::ReserveReleased { .. });
        assert!(waited > Duration::days(if in_time { 0 } else { 6 }));
    }

    /// When all days are over, all is settled, nothing is held, and nothing is owed to the merchant.
    pub(super) async fn check_end(&self) {
        let feed = self.feed().await;
        feed.check_sales();
        for row in &feed.rows {
            assert_eq!(row.settled_at.is_some(), feed.settles(row), "{row:?}");
        }
        let balance = self.bank.sandbox.balance(self.account).await.unwrap();
        assert_eq!(balance.fees.minor(), feed.all_fees());
        assert_eq!(balance.reserve.minor(), 0);
        assert!(!balance.account.is_positive(), "{balance:?}");
        if balance.account.is_zero() {
            self.check_all_paid(&feed).await;
        }
    }

    /// Whatever moved the balance is in the payouts that stand, once, and every reserve was released
    /// as it was collected. What is left comes to nothing: of a fee and an adjustment of the same
    /// amount, no payout is made.
    async fn check_all_paid(&self, feed: &Feed) {
        let payouts = payouts(self.bank, self.account).await;
        let (mut paid, mut charged, mut adjusted) = (Vec::new(), 0, 0);
        let mut held: HashMap<Timestamp, i64> = HashMap::new();
        let standing = payouts
            .iter()
            .filter(|payout| payout.status == PayoutStatus::Processed);
        for line in standing.flat_map(|payout| &payout.lines) {
            let amount = line.amount.minor();
            match &line.activity {
                Activity::Transaction { transaction, .. } => {
                    paid.push((transaction.clone(), amount));
                }
                Activity::Fee { .. } => charged -= amount,
                Activity::ReserveHeld { .. } => *held.entry(line.settled_at).or_default() += amount,
                Activity::ReserveReleased { collected_at, .. } => {
                    *held.entry(*collected_at).or_default() += amount;
                }
                Activity::Adjustment { .. } => adjusted += amount,
            }
        }
        let moved = feed
            .rows
            .iter()
            .map(|row| (row.id.clone(), feed.moved(row)));
        let mut left: Vec<_> = moved.filter(|(_, minor)| *minor != 0).collect();
        for one in paid {
            let place = left.iter().position(|moved| *moved == one);
            left.swap_remove(place.unwrap_or_else(|| panic!("{one:?} is paid and was not moved")));
        }
        let balance = self.bank.sandbox.balance(self.account).await.unwrap();
        let left: i64 = left.iter().map(|(_, minor)| minor).sum();
        let (uncharged, unadjusted) = (
            feed.all_fees() - charged,
            balance.adjustments.minor() - adjusted,
        );
        assert_eq!(left - uncharged + unadjusted, 0);
        assert!(held.values().all(|left| *left == 0), "{held:?}");
    }
}
