//! What must hold of an account at its end, found from its two reports and its sub-accounts' balances.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Duration;
use contract::Timestamp;
use processors::sandbox::Balance;
use serde_json::Value;

use crate::support::TestApp;

const TRANSACTIONS: &str = "/v1/payment-transactions/report";
const PAYOUTS: &str = "/v1/payment-transactions/reports/payouts-reconciliation";

/// All rows of a report from one day until another, window by window and page by page.
async fn all_rows(app: &TestApp, path: &str, from: Timestamp, until: Timestamp) -> Vec<Value> {
    let (mut all, mut start) = (Vec::new(), from);
    while start < until {
        let (first, last) = (start.date(), (start + Duration::days(30)).date());
        let mut skip = 0;
        loop {
            let query = format!("startDate={first}&endDate={last}&take=100&skip={skip}");
            let page = app.get(&format!("{path}?{query}")).await.expect(200);
            let page = page.as_array().unwrap();
            all.extend(page.iter().cloned());
            skip += page.len();
            if page.len() < 100 {
                break;
            }
        }
        start = start + Duration::days(31);
    }
    all
}

/// Both reports, of all times.
pub(super) struct Reports {
    pub(super) transactions: Vec<Value>,
    payouts: Vec<Value>,
}

impl Reports {
    pub(super) async fn read(app: &TestApp, from: Timestamp, until: Timestamp) -> Self {
        Self {
            transactions: all_rows(app, TRANSACTIONS, from, until).await,
            payouts: all_rows(app, PAYOUTS, from, until).await,
        }
    }

    /// The rows of what arrived at the bank.
    fn standing<'a>(&'a self, account: &'a str) -> impl Iterator<Item = &'a Value> {
        let rows = self.payouts.iter().filter(move |row| is_of(row, account));
        rows.filter(|row| row["payoutStatus"] == "Processed")
    }

    /// Each payout's rows sum to it, by what they add and by what their own amounts say. One that came
    /// back is sent again with the same rows.
    pub(super) fn check_payouts(&self) {
        let mut payouts: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for row in &self.payouts {
            payouts.entry(text(row, "payoutId")).or_default().push(row);
        }
        for (id, rows) in &payouts {
            let amount = minor(rows[0], "payoutAmount");
            assert!(rows.iter().all(|row| minor(row, "payoutAmount") == amount));
            let adds = rows.iter().map(|row| minor(row, "activityAmount"));
            assert_eq!(adds.sum::<i64>(), amount, "{id}");
            assert_eq!(equation(rows), amount, "{id}");
            match text(rows[0], "payoutStatus") {
                "Processed" => {}
                "Pending Due Date" => panic!("{id} was never sent"),
                _ => {
                    let name = format!("Re-issue of {id}");
                    let again = payouts.values().find(|rows| rows[0]["payoutName"] == name);
                    let again = again.unwrap_or_else(|| panic!("{id} was not sent again"));
                    let activities = |rows: &[&Value]| -> Vec<String> {
                        rows.iter().map(|row| activity(row)).collect()
                    };
                    assert_eq!(activities(again), activities(rows), "{id}");
                }
            }
        }
        let mut paid = BTreeSet::new();
        let standing = self
            .payouts
            .iter()
            .filter(|row| row["payoutStatus"] == "Processed");
        for row in standing {
            assert!(paid.insert(activity(row)), "paid out twice: {row:#}");
        }
    }

    /// What is settled, adjusted and charged was paid out: nothing is left, and the balance says so.
    pub(super) fn check_balance(&self, account: &str, balance: &Balance) {
        let of_account = self.transactions.iter().filter(|row| is_of(row, account));
        let of_account: Vec<&Value> = of_account.collect();
        let settled = of_account
            .iter()
            .filter(|row| !row["settlementDate"].is_null());
        let settlements: i64 = settled
            .map(|row| moved(row, &row["amount"].to_string()))
            .sum();
        assert_eq!(balance.settlements.minor(), settlements, "{account}");
        let sum = |kind: &str, name: &str| -> i64 {
            let rows = self
                .standing(account)
                .filter(|row| row["activityType"] == kind);
            rows.map(|row| minor(row, name)).sum()
        };
        let adjustments = sum("Adjustment", "adjustmentAmount");
        assert_eq!(balance.adjustments.minor(), adjustments, "{account}");
        let fees = sum("Fee", "feeAmount");
        assert_eq!(balance.fees.minor(), fees, "{account}");
        let mut payouts: BTreeMap<&str, i64> = BTreeMap::new();
        for row in self.standing(account) {
            payouts.insert(text(row, "payoutId"), minor(row, "payoutAmount"));
        }
        let payouts: i64 = payouts.values().sum();
        assert_eq!(balance.payouts.minor(), payouts, "{account}");
        assert_eq!(settlements + adjustments - fees - payouts, 0, "{account}");
        assert_eq!(balance.account.minor(), 0, "{account}");
        self.check_fees(account, &of_account);
    }

    /// Each transaction that has a fixed fee was charged it once, and so with disputes.
    fn check_fees(&self, account: &str, transactions: &[&Value]) {
        for (fee, kinds) in [
            (
                "Fixed Fee",
                &[
                    "Authorization",
                    "Charge",
                    "Refund",
                    "Partial Refund",
                    "Credit",
                ][..],
            ),
            ("Dispute Fee", &["Chargeback"][..]),
        ] {
            let owed = transactions
                .iter()
                .filter(|row| kinds.contains(&text(row, "transactionType")))
                .map(|row| text(row, "transactionId"));
            let owed: BTreeSet<&str> = owed.collect();
            let charged = self.standing(account).filter(|row| row["feeName"] == fee);
            let charged = charged.map(|row| text(row, "processorTransactionId"));
            assert_eq!(
                charged.collect::<BTreeSet<&str>>(),
                owed,
                "{account}: {fee}"
            );
        }
    }

    /// What was held of a sale was released 90 days later, and nothing else was.
    pub(super) fn check_reserve(&self, account: &str, balance: &Balance, now: Timestamp) {
        let mut held: BTreeMap<(&str, &str), i64> = BTreeMap::new();
        for row in self.standing(account) {
            if !text(row, "activityType").starts_with("Reserve") {
                continue;
            }
            let collected = text(row, "reserveCollectionDate");
            let released = text(row, "reserveReleaseDate");
            let day = |date: &str| -> Timestamp { date.parse().unwrap() };
            assert_eq!(
                day(collected) + Duration::days(90),
                day(released),
                "{row:#}"
            );
            assert!(day(released) < now, "{row:#}");
            let of = (text(row, "processorTransactionId"), collected);
            *held.entry(of).or_default() += minor(row, "activityAmount");
        }
        assert!(held.values().all(|left| *left == 0), "{held:?}");
        assert_eq!(balance.reserve.minor(), 0, "{account}");
    }
}

/// Captures − refunds − chargebacks + reversals − fees − reserve held + reserve released ± adjustments.
fn equation(rows: &[&Value]) -> i64 {
    let each = rows.iter().map(|row| match text(row, "activityType") {
        "Transaction" => moved(row, text(row, "transactionAmount")),
        "Fee" => -minor(row, "feeAmount"),
        "Reserve Held" => minor(row, "activityAmount"),
        "Reserve Released" => minor(row, "reserveReleaseAmount"),
        "Adjustment" => minor(row, "adjustmentAmount"),
        other => panic!("{other}?"),
    });
    each.sum()
}

/// What a settled transaction adds.
fn moved(row: &Value, amount: &str) -> i64 {
    let amount = digits(amount);
    match text(row, "transactionType") {
        "Charge" | "Capture" | "Partial Capture" | "Reversal Chargeback" => amount,
        "Refund" | "Partial Refund" | "Partial Void" | "Chargeback" => -amount,
        // A sale that is voided whole never settles, and holds move nothing.
        "Void" | "Authorization" | "Verify" => 0,
        other => panic!("{other}?"),
    }
}

/// What tells an activity from all others.
fn activity(row: &Value) -> String {
    let names = [
        "activityType",
        "processorTransactionId",
        "feeName",
        "reserveReleaseType",
        "reserveCollectionDate",
        "adjustmentId",
        "subAccount",
    ];
    names.map(|name| row[name].to_string()).join(" ")
}

fn is_of(row: &Value, account: &str) -> bool {
    text(row, "subAccount").split(" - ").next() == Some(account)
}

pub(super) fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name}: {row:#}"))
}

fn minor(row: &Value, name: &str) -> i64 {
    digits(text(row, name))
}

/// An amount that is printed with all digits of its currency.
fn digits(amount: &str) -> i64 {
    amount.replace('.', "").parse().unwrap()
}
