//! What processors report comes into the report: at once, exactly once, at its end.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use chrono::Duration;
use contract::Timestamp;
use contract::id::GuestId;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use store::on_both_engines;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::recorded::{Reporting, add_provider};
use crate::support::TestApp;

const PATH: &str = "/v1/payment-transactions/reports";
const MARCH: &str = "startDate=2026-03-01&endDate=2026-03-31";

async fn rows(app: &TestApp, query: &str) -> Vec<Value> {
    let reply = app.get(&format!("{PATH}?{query}")).await.expect(200);
    reply.as_array().unwrap().clone()
}

async fn ids(app: &TestApp, query: &str) -> Vec<String> {
    let rows = rows(app, query).await;
    rows.iter()
        .map(|row| row["transactionId"].as_str().unwrap().to_owned())
        .collect()
}

/// All rows, page by page, of the size given.
async fn all_ids(app: &TestApp, query: &str, take: usize) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let page = ids(app, &format!("{query}&skip={}&take={take}", all.len())).await;
        let is_last = page.len() < take;
        all.extend(page);
        if is_last {
            return all;
        }
    }
}

on_both_engines! {
    async fn a_card_that_was_just_verified_is_in_the_report(app: TestApp) {
        let app = app.signed_in().await;
        let account = app.account();
        let currencies = ["USD", "GBP"].map(|code| code.parse().unwrap());
        let merchant = app.sandbox.open_merchant("My Company", &currencies).await.unwrap();
        add_provider(&app, account, Some(merchant.as_str())).await;
        let guest: GuestId = store::new_id();
        app.sql(format!(
            "INSERT INTO guest (id, account_id, full_name, body, created_ms, updated_ms) \
             VALUES ('{guest}', '{account}', 'Ida', '{{}}', 0, 0)"
        ))
        .await;

        let today = "startDate=2026-11-21&endDate=2026-11-21";
        for already in 0..3 {
            assert_eq!(rows(&app, today).await.len(), already);
            app.post(
                &format!("/v1/guests/{guest}/payment-methods"),
                &json!({"stripeCardToken": "pm_card_visa"}),
            )
            .await
            .expect(201);
        }
        let found = rows(&app, today).await;
        assert_eq!(found.len(), 3);
        let row = &found[2];
        assert_eq!(row["transactionType"], "Verify");
        assert_eq!(row["amount"].to_string(), "0.00");
        assert_eq!(row["subAccount"], format!("{merchant}.1 - My Company - USD"));
        assert_eq!(row["merchantDate"], "2026-11-21T12:00:00");
    }

    async fn what_a_processor_does_by_itself_comes_in_the_background(this: Reporting) {
        this.processor.open("1387.1", "GBP");
        add_provider(&this.app, this.app.account(), Some("1387")).await;
        assert_eq!(ids(&this.app, MARCH).await, [""; 0]);
        let id = this.processor.report("1387.1", "2026-03-01T10:00:00Z");
        // Nobody called the processor: only the jobs can find it.
        let stop = CancellationToken::new();
        let jobs = tokio::spawn(Arc::clone(&this.app.platform).run_jobs(stop.clone()));
        while ids(&this.app, MARCH).await != [id.as_str()] {}
        stop.cancel();
        jobs.await.unwrap();
    }

    async fn a_history_longer_than_a_batch_arrives_in_the_order_of_its_dates(this: Reporting) {
        this.processor.open("1387.1", "USD");
        this.processor.open("1387.2", "GBP");
        add_provider(&this.app, this.app.account(), Some("1387")).await;
        let start: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
        let mut expected = Vec::new();
        for minute in 0..1500 {
            let at = (start + Duration::minutes(minute)).to_string();
            let sub_account = if minute % 5 == 0 { "1387.2" } else { "1387.1" };
            expected.push(this.processor.report(sub_account, &at));
        }
        assert_eq!(all_ids(&this.app, MARCH, 100).await, expected);
        let fifth: Vec<_> = expected.iter().step_by(5).cloned().collect();
        assert_eq!(all_ids(&this.app, &format!("{MARCH}&subAccountId=1387.2"), 100).await, fifth);
    }

    async fn a_transaction_that_changes_stays_where_it_is(this: Reporting) {
        this.processor.open("1387.1", "GBP");
        add_provider(&this.app, this.app.account(), Some("1387")).await;
        let known: Vec<_> = (1..=3)
            .map(|day| this.processor.report("1387.1", &format!("2026-03-0{day}T10:00:00Z")))
            .collect();
        assert_eq!(ids(&this.app, MARCH).await, known);

        this.processor.change(&known[0], |record| {
            record.settled_at = Some("2026-03-02T23:59:59Z".parse().unwrap());
            record.arn = None;
        });
        this.app.platform.run_imports().await;
        let found = rows(&this.app, MARCH).await;
        assert_eq!(ids(&this.app, MARCH).await, known);
        assert_eq!(found[0]["settlementDate"], "2026-03-02T23:59:59");
        assert_eq!(found[0]["processorARN"], Value::Null);
        assert_eq!(found[1]["settlementDate"], Value::Null);
    }

    async fn a_processor_that_is_down_makes_the_report_wait_and_loses_nothing(this: Reporting) {
        this.processor.open("1387.1", "GBP");
        add_provider(&this.app, this.app.account(), Some("1387")).await;
        let first = this.processor.report("1387.1", "2026-03-01T10:00:00Z");
        this.processor.set_down(true);
        let reply = this.app.get(&format!("{PATH}?{MARCH}")).await;
        assert_eq!(reply.status, 503);
        assert!(reply.headers.contains_key("retry-after"));

        this.processor.set_down(false);
        assert_eq!(ids(&this.app, MARCH).await, [first.as_str()]);

        // When nothing of ours can be missing, the report does not need the processor.
        this.processor.set_down(true);
        this.app.platform.run_imports().await;
        assert_eq!(ids(&this.app, MARCH).await, [first.as_str()]);
        let second = this.processor.report("1387.1", "2026-03-01T10:00:00Z");
        this.processor.set_down(false);
        this.app.platform.run_imports().await;
        assert_eq!(ids(&this.app, MARCH).await, [first, second]);
    }

    async fn many_nodes_that_import_at_once_import_each_transaction_once(this: Reporting) {
        for (number, currency) in [(1, "USD"), (2, "GBP"), (3, "EUR")] {
            this.processor.open(&format!("1387.{number}"), currency);
        }
        add_provider(&this.app, this.app.account(), Some("1387")).await;
        let mut nodes = vec![Arc::clone(&this.app.platform)];
        for _ in 0..3 {
            nodes.push(this.app.another_node().await);
        }
        let mut expected = HashSet::new();
        for round in 0..4 {
            for n in 0..300 {
                let sub_account = format!("1387.{}", n % 3 + 1);
                let at = format!("2026-03-{:02}T{:02}:00:00Z", round * 7 + 1, n % 24);
                expected.insert(this.processor.report(&sub_account, &at));
            }
            let mut importing = JoinSet::new();
            for node in &nodes {
                let node = Arc::clone(node);
                importing.spawn(async move { node.run_imports().await });
            }
            importing.join_all().await;
            let found = all_ids(&this.app, MARCH, 100).await;
            assert_eq!(found.len(), expected.len());
            assert_eq!(found.into_iter().collect::<HashSet<_>>(), expected);
        }
    }

    async fn a_node_that_comes_late_does_not_put_old_facts_over_new_ones(this: Reporting) {
        this.processor.open("1387.1", "GBP");
        add_provider(&this.app, this.app.account(), Some("1387")).await;
        let id = this.processor.report("1387.1", "2026-03-01T10:00:00Z");
        let late = this.app.another_node().await;

        let halted = this.processor.halt_next();
        let importing = tokio::spawn(async move { late.run_imports().await });
        halted.is_reached.await.unwrap();
        this.processor.change(&id, |record| {
            record.settled_at = Some("2026-03-02T23:59:59Z".parse().unwrap());
        });
        this.app.platform.run_imports().await;
        // The late one has read the transaction as it was, and cannot read again.
        this.processor.set_down(true);
        halted.go_on.send(()).unwrap();
        importing.await.unwrap();

        let found = rows(&this.app, MARCH).await;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0]["settlementDate"], "2026-03-02T23:59:59");
    }

    async fn paging_neither_repeats_nor_skips_while_rows_arrive(this: Reporting) {
        let mut random = TestRunner::deterministic();
        for scenario in 0..12 {
            let app = this.app.signed_in().await;
            let merchant = 2000 + scenario;
            for (number, currency) in [(1, "USD"), (2, "GBP")] {
                this.processor.open(&format!("{merchant}.{number}"), currency);
            }
            add_provider(&app, app.account(), Some(&merchant.to_string())).await;
            Story::new(&this, &app, merchant).play(&mut random).await;
        }
    }
}

/// A history that arrives little by little, against a list of all that was reported.
struct Story<'a> {
    this: &'a Reporting,
    app: &'a TestApp,
    merchant: i32,
    reported: BTreeMap<String, (String, Timestamp)>,
    /// What each query has shown so far.
    shown: BTreeMap<String, Vec<String>>,
}

/// How long it takes from one step of a story to the next.
const STEP_MINUTES: i64 = 1000;

/// Rows that arrive together: the sub-account of each, and its minute after the step's. Most belong
/// to the step, in any order; some are late, or early.
fn arrivals() -> impl Strategy<Value = Vec<(i32, i64)>> {
    let minute = prop_oneof![3 => 0..STEP_MINUTES, 1 => -9000..9000_i64];
    prop::collection::vec((1..=2, minute), 0..40)
}

/// A window by its first minute and its length in minutes, whether its ends have a time, whose rows
/// are wanted, and how many at once.
fn queries() -> impl Strategy<Value = (i64, i64, bool, Option<i32>, usize)> {
    (
        -3000..9000_i64,
        0..6000_i64,
        prop::bool::weighted(0.7),
        prop::option::of(1..=2),
        1..=30_usize,
    )
}

fn drawn<S: Strategy>(random: &mut TestRunner, strategy: &S) -> S::Value {
    strategy.new_tree(random).unwrap().current()
}

impl<'a> Story<'a> {
    fn new(this: &'a Reporting, app: &'a TestApp, merchant: i32) -> Self {
        Self {
            this,
            app,
            merchant,
            reported: BTreeMap::new(),
            shown: BTreeMap::new(),
        }
    }

    async fn play(mut self, random: &mut TestRunner) {
        let first: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
        let windows: Vec<_> = (0..6).map(|_| drawn(random, &queries())).collect();
        for step in 0..8 {
            for (number, minute) in drawn(random, &arrivals()) {
                let sub_account = format!("{}.{number}", self.merchant);
                let at = first + Duration::minutes(step * STEP_MINUTES + minute);
                let id = self.this.processor.report(&sub_account, &at.to_string());
                self.reported.insert(id, (sub_account, at));
            }
            self.app.platform.run_imports().await;
            for (from, length, has_time, number, take) in &windows {
                let start = first + Duration::minutes(*from);
                let window = (start, start + Duration::minutes(*length));
                let sub_account = number.map(|number| format!("{}.{number}", self.merchant));
                self.check(window, *has_time, sub_account, *take).await;
            }
        }
    }

    async fn check(
        &mut self,
        (start, end): (Timestamp, Timestamp),
        has_time: bool,
        sub_account: Option<String>,
        take: usize,
    ) {
        let is_inside = |at: Timestamp| {
            if has_time {
                start <= at && at <= end
            } else {
                start.date() <= at.date() && at.date() <= end.date()
            }
        };
        let text = |at: Timestamp| {
            if has_time {
                at.to_string()
            } else {
                at.date().to_string()
            }
        };
        let wanted = sub_account.as_deref().unwrap_or_default();
        let query = format!(
            "startDate={}&endDate={}&subAccountId={wanted}",
            text(start),
            text(end)
        );
        let expected: HashSet<&String> = self
            .reported
            .iter()
            .filter(|(_, (of, at))| {
                is_inside(*at) && sub_account.as_ref().is_none_or(|wanted| wanted == of)
            })
            .map(|(id, _)| id)
            .collect();

        let found = all_ids(self.app, &query, take).await;
        assert_eq!(found.iter().collect::<HashSet<_>>(), expected, "{query}");
        assert_eq!(found.len(), expected.len(), "{query} repeats a row");
        // Whoever had read so far finds the rest behind it.
        let before = self.shown.entry(query.clone()).or_default();
        assert_eq!(found[..before.len()], before[..], "{query} moved a row");
        *before = found;
    }
}
