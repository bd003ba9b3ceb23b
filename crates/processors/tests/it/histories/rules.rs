//! The rules of settlement, said anew: what a sub-account's feed of transactions adds up to.

use std::collections::HashMap;

use chrono::Duration;
use contract::Timestamp;
use processors::sandbox::{ReservePolicy, ReserveTerms};
use processors::{
    Fee, TransactionId, TransactionKind as Kind, TransactionRecord, TransactionStatus,
};

/// Reserves are held for so many days.
const RESERVE_DAYS: i64 = 90;

/// A sub-account's transactions.
pub(super) struct Feed {
    pub(super) rows: Vec<TransactionRecord>,
    /// What voids have left of each sale, by the charge or hold that began it.
    left: HashMap<TransactionId, i64>,
}

impl Feed {
    pub(super) fn new(rows: Vec<TransactionRecord>) -> Self {
        let mut left = HashMap::new();
        for sale in rows.iter().filter(|row| is_processed(row)) {
            if matches!(sale.kind.whole(), Kind::Charge | Kind::Capture) {
                left.insert(root(sale), sale.amount.minor());
            }
        }
        for void in rows.iter().filter(|row| is_processed(row)) {
            if void.kind.whole() == Kind::Void {
                let sale = left.entry(root(void));
                sale.and_modify(|left| *left -= void.amount.minor());
            }
        }
        Self { rows, left }
    }

    pub(super) fn row(&self, id: &TransactionId) -> &TransactionRecord {
        self.rows.iter().find(|row| row.id == *id).unwrap()
    }

    /// What is left of the sale that a transaction made or voided.
    fn left(&self, row: &TransactionRecord) -> Option<i64> {
        let of_sale = matches!(row.kind.whole(), Kind::Charge | Kind::Capture | Kind::Void);
        (of_sale && is_processed(row)).then(|| self.left.get(&root(row)).copied())?
    }

    /// Whether it gets a settlement date, in the end.
    pub(super) fn settles(&self, row: &TransactionRecord) -> bool {
        is_processed(row) && row.kind != Kind::Authorization && self.left(row) != Some(0)
    }

    /// What a sale sold, without what of it was voided.
    fn sold(&self, row: &TransactionRecord) -> i64 {
        match row.kind.whole() {
            Kind::Void => 0,
            _ => self.left(row).unwrap_or(0),
        }
    }

    /// What a transaction adds to the settlements, once it is settled.
    pub(super) fn moved(&self, row: &TransactionRecord) -> i64 {
        let amount = row.amount.minor();
        match row.kind.whole() {
            _ if !self.settles(row) => 0,
            Kind::Charge | Kind::Capture | Kind::ReversalChargeback => amount,
            Kind::Refund | Kind::Credit | Kind::Chargeback => -amount,
            Kind::Void if self.left(row).is_some() => -amount,
            _ => 0,
        }
    }

    pub(super) fn fee(&self, row: &TransactionRecord, fee: Fee) -> i64 {
        let fixed = match row.amount.currency().code() {
            "KWD" => 100,
            _ => 30,
        };
        let has_fixed = matches!(
            row.kind.whole(),
            Kind::Authorization | Kind::Charge | Kind::Refund | Kind::Credit
        );
        match fee {
            Fee::Percentage => rounded(self.sold(row), 29),
            Fee::Fixed if has_fixed => fixed,
            Fee::Dispute if row.kind == Kind::Chargeback => 50 * fixed,
            Fee::Fixed | Fee::Dispute => 0,
        }
    }

    pub(super) fn fees(&self, row: &TransactionRecord) -> i64 {
        let fees = [Fee::Percentage, Fee::Fixed, Fee::Dispute];
        fees.into_iter().map(|fee| self.fee(row, fee)).sum()
    }

    pub(super) fn all_fees(&self) -> i64 {
        self.rows.iter().map(|row| self.fees(row)).sum()
    }

    /// What is held of a sale when it is settled.
    pub(super) fn reserve(&self, row: &TransactionRecord) -> i64 {
        rounded(self.sold(row), 100)
    }

    /// What is held at an instant, when all that was due by then is done.
    pub(super) fn held(&self, terms: ReserveTerms, now: Timestamp) -> i64 {
        let mut held: HashMap<TransactionId, (i64, Timestamp)> = HashMap::new();
        // What is settled is in the feed in the order in which it was.
        for row in &self.rows {
            let Some(settled_at) = row.settled_at else {
                continue;
            };
            if self.reserve(row) > 0 {
                held.insert(root(row), (self.reserve(row), release_of(settled_at)));
            }
            let policy = match row.kind.whole() {
                Kind::Refund => terms.on_refund,
                Kind::Chargeback => terms.on_chargeback,
                _ => ReservePolicy::Kept,
            };
            if policy == ReservePolicy::Returned {
                let share = rounded(row.amount.minor(), 100);
                let sale = held.entry(root(row));
                sale.and_modify(|(held, _)| *held -= share.min(*held));
            }
        }
        let still = held.into_values().filter(|(_, release)| *release > now);
        still.map(|(held, _)| held).sum()
    }

    /// Of no sale goes back more than was taken.
    pub(super) fn check_sales(&self) {
        let mut gone: HashMap<TransactionId, i64> = HashMap::new();
        for row in self.rows.iter().filter(|row| is_processed(row)) {
            let amount = row.amount.minor();
            *gone.entry(root(row)).or_default() += match row.kind.whole() {
                Kind::Refund | Kind::Chargeback => amount,
                Kind::ReversalChargeback => -amount,
                _ => 0,
            };
        }
        for (sale, left) in &self.left {
            assert!((0..=*left).contains(&gone[sale]), "{sale}: {left}");
        }
    }
}

/// When what is held of a sale is released.
pub(super) fn release_of(settled_at: Timestamp) -> Timestamp {
    settled_at + Duration::days(RESERVE_DAYS)
}

fn is_processed(row: &TransactionRecord) -> bool {
    row.status == TransactionStatus::Processed
}

/// The charge or hold that a transaction is, or follows up.
fn root(row: &TransactionRecord) -> TransactionId {
    row.original.clone().unwrap_or_else(|| row.id.clone())
}

/// So many thousandths, a half going up.
fn rounded(minor: i64, thousandths: i64) -> i64 {
    (minor * thousandths + 500) / 1_000
}
