//! What processors report of their payouts comes into the report: whole, exactly once, at its end.

use std::collections::BTreeMap;
use std::sync::Arc;

use processors::PayoutStatus;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use store::on_both_engines;
use tokio::task::JoinSet;

use crate::payouts::{PATH, rows};
use crate::recorded::{Reporting, add_provider};
use crate::support::TestApp;

const MARCH: &str = "startDate=2026-03-01&endDate=2026-03-31";

/// All rows' adjustments, page by page.
async fn all_ids(app: &TestApp, query: &str, take: usize) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let page = rows(app, &format!("{query}&skip={}&take={take}", all.len())).await;
        let is_last = page.len() < take;
        all.extend(
            page.iter()
                .map(|row| row["adjustmentId"].as_str().unwrap().to_owned()),
        );
        if is_last {
            return all;
        }
    }
}

async fn set_up(this: &Reporting) {
    this.processor.open("1387.1", "GBP");
    this.processor.open("1387.2", "USD");
    add_provider(&this.app, this.app.account(), Some("1387")).await;
}

on_both_engines! {
    async fn a_payout_with_thousands_of_lines_is_there_whole_or_not_at_all(this: Reporting) {
        set_up(&this).await;
        let first = this.processor.pay_out_adjustments("1387.1", "2026-03-02T12:00:00Z", 3);
        this.app.platform.run_imports().await;
        let large = this.processor.pay_out_adjustments("1387.1", "2026-03-03T12:00:00Z", 2_600);
        let expected = [first.clone(), large].concat();
        // An importer that is killed again and again, each time a little later.
        let mut pause = 0;
        loop {
            let node = this.app.another_node().await;
            let importing = tokio::spawn(async move { node.run_imports().await });
            for _ in 0..pause {
                // A read of the same database takes about as long as one of the importer's steps.
                let found = this.app.get(&format!("{PATH}?{MARCH}&take=1&skip=3")).await;
                if found.status == 200 && importing.is_finished() {
                    break;
                }
            }
            if importing.is_finished() {
                importing.await.unwrap();
                break;
            }
            importing.abort();
            let _ = importing.await;
            pause += 1;
        }
        assert_eq!(all_ids(&this.app, MARCH, 100).await, expected);
    }

    async fn lines_of_a_payout_that_is_not_whole_yet_are_in_no_report(this: Reporting) {
        set_up(&this).await;
        let expected = this.processor.pay_out_adjustments("1387.1", "2026-03-03T12:00:00Z", 1_100);
        this.app.platform.run_imports().await;
        // As it was before the last piece.
        let back = "UPDATE feed_cursor SET payout_position = 0, payout_under_way = 1 \
                    WHERE sub_account_id = '1387.1'";
        this.app.sql(back).await;
        for table in ["payout", "report_run"] {
            this.app.sql(format!("DELETE FROM {table}")).await;
        }
        this.app.sql("DELETE FROM payout_line WHERE number >= 1000").await;
        assert_eq!(all_ids(&this.app, MARCH, 100).await, [""; 0]);
        this.app.platform.run_imports().await;
        assert_eq!(all_ids(&this.app, MARCH, 100).await, expected);
    }

    async fn many_nodes_that_import_at_once_import_each_payout_once(this: Reporting) {
        set_up(&this).await;
        let mut nodes = vec![Arc::clone(&this.app.platform)];
        for _ in 0..3 {
            nodes.push(this.app.another_node().await);
        }
        let mut expected = Vec::new();
        for round in 0..3 {
            for n in 0..20 {
                let sub_account = format!("1387.{}", n % 2 + 1);
                let at = format!("2026-03-{:02}T12:00:00Z", round * 10 + n / 2 + 1);
                let count = if n == 13 { 1_200 } else { n };
                expected.extend(this.processor.pay_out_adjustments(&sub_account, &at, count));
            }
            let mut importing = JoinSet::new();
            for node in &nodes {
                let node = Arc::clone(node);
                importing.spawn(async move { node.run_imports().await });
            }
            importing.join_all().await;
            let mut found = all_ids(&this.app, MARCH, 100).await;
            found.sort();
            expected.sort();
            assert_eq!(found, expected);
        }
    }

    async fn a_payout_that_changes_stays_where_it_is(this: Reporting) {
        set_up(&this).await;
        let mut payouts = Vec::new();
        for day in 2..=4 {
            let at = format!("2026-03-{day:02}T12:00:00Z");
            this.processor.pay_out_adjustments("1387.1", &at, 2);
            this.app.platform.run_imports().await;
            let last = rows(&this.app, MARCH).await.pop().unwrap();
            payouts.push(last["payoutId"].as_str().unwrap().to_owned());
        }
        let before = all_ids(&this.app, MARCH, 100).await;
        this.processor.change_payout(&payouts[0], |payout| {
            payout.status = PayoutStatus::RejectedByProcessor;
            payout.rejected_at = Some("2026-03-03T09:00:00Z".parse().unwrap());
            payout.authorization_or_error_code = String::from("R03");
            payout.lines.swap(0, 1);
        });
        this.app.platform.run_imports().await;
        let found = rows(&this.app, MARCH).await;
        assert_eq!(found[0]["payoutStatus"], "Rejected by Processor");
        assert_eq!(found[0]["payoutRejectOrReturnDate"], "2026-03-03T09:00:00");
        assert_eq!(found[0]["payoutAuthorizationOrErrorCode"], "R03");
        assert_eq!(found[2]["payoutStatus"], "Processed");
        assert_eq!(found[2]["payoutRejectOrReturnDate"], Value::Null);
        let mut expected = before.clone();
        expected.swap(0, 1);
        assert_eq!(all_ids(&this.app, MARCH, 100).await, expected);
    }

    async fn a_payout_that_comes_with_other_lines_is_refused_as_a_whole(this: Reporting) {
        set_up(&this).await;
        let before = this.processor.pay_out_adjustments("1387.1", "2026-03-02T12:00:00Z", 3);
        this.app.platform.run_imports().await;
        this.processor.change_payout("1387001900000000001", |payout| {
            payout.status = PayoutStatus::RejectedByProcessor;
            payout.lines.truncate(2);
        });
        this.app.platform.run_imports().await;
        assert_eq!(all_ids(&this.app, MARCH, 100).await, before);
        assert_eq!(rows(&this.app, MARCH).await[0]["payoutStatus"], "Processed");
        // A server that has never imported all of it does not answer as if it had.
        let node = this.app.another_node().await;
        let reply = this.app.get_from(&node, &format!("{PATH}?{MARCH}")).await;
        assert_eq!(reply.status, 500);
    }

    async fn a_node_that_comes_late_does_not_put_old_facts_over_new_ones(this: Reporting) {
        set_up(&this).await;
        this.processor.pay_out_adjustments("1387.1", "2026-03-02T12:00:00Z", 2);
        let id = "1387001900000000001";
        let late = this.app.another_node().await;
        let halted = this.processor.halt_next_payouts();
        let importing = tokio::spawn(async move { late.run_imports().await });
        halted.is_reached.await.unwrap();
        this.processor.change_payout(id, |payout| {
            payout.status = PayoutStatus::RejectedByProcessor;
        });
        this.app.platform.run_imports().await;
        // The late one has read the payout as it was, and cannot read again.
        this.processor.set_down(true);
        halted.go_on.send(()).unwrap();
        importing.await.unwrap();

        let found = rows(&this.app, MARCH).await;
        assert_eq!(found.len(), 2);
        assert_eq!(found[0]["payoutId"], id);
        assert_eq!(found[0]["payoutStatus"], "Rejected by Processor");
    }

    async fn the_transaction_of_a_row_is_there_when_the_row_is(this: Reporting) {
        set_up(&this).await;
        let halted = this.processor.halt_next();
        let node = this.app.another_node().await;
        let importing = tokio::spawn(async move { node.run_imports().await });
        halted.is_reached.await.unwrap();
        // After the transactions were read, and before the payouts are.
        let charge = this.processor.report("1387.1", "2026-02-20T10:00:00Z");
        let transaction = processors::TransactionId::new(&charge);
        let kind = processors::TransactionKind::Charge;
        let line = processors::Activity::Transaction { transaction, kind };
        this.processor.pay_out("1387.1", "2026-03-02T12:00:00Z", [(12_34, line)]);
        halted.go_on.send(()).unwrap();
        importing.await.unwrap();
        this.processor.set_down(true);
        this.app.platform.run_imports().await;

        let node = this.app.another_node().await;
        let found = {
            this.processor.set_down(false);
            node.run_imports().await;
            rows(&this.app, MARCH).await
        };
        assert_eq!(found.len(), 1);
        assert_eq!(found[0]["transactionId"], charge);
        assert_eq!(found[0]["last4"], "0042");
    }

    async fn paging_neither_repeats_nor_skips_while_payouts_arrive(this: Reporting) {
        let mut random = TestRunner::deterministic();
        set_up(&this).await;
        let windows = [
            MARCH.to_owned(),
            format!("{MARCH}&subAccountId=1387.2"),
            "startDate=2026-03-04T10:00:00&endDate=2026-03-12T15:00:00".to_owned(),
            "startDate=2026-03-05T12:00:01&endDate=2026-03-09&subAccountId=1387.1".to_owned(),
        ];
        let mut shown: BTreeMap<&String, Vec<String>> = BTreeMap::new();
        // A sub-account, a day after the step's or before it, an hour, and how many lines.
        let arrivals = prop::collection::vec((1..=2, -2..3_i64, 9..17, 1..30_usize), 0..5);
        let mut total = 0;
        for step in 3..20 {
            for (number, day, hour, count) in arrivals.new_tree(&mut random).unwrap().current() {
                let at = format!("2026-03-{:02}T{hour:02}:00:00Z", step + day);
                let sub_account = format!("1387.{number}");
                total += this.processor.pay_out_adjustments(&sub_account, &at, count).len();
            }
            this.app.platform.run_imports().await;
            for window in &windows {
                let found = all_ids(&this.app, window, 7).await;
                let before = shown.entry(window).or_default();
                // Whoever had read so far finds the rest behind it.
                assert_eq!(found[..before.len()], before[..], "{window} moved a row");
                *before = found;
            }
        }
        let mut all = all_ids(&this.app, MARCH, 100).await;
        assert_eq!(all.len(), total);
        all.sort();
        all.dedup();
        assert_eq!(all.len(), total);
        assert!(windows.iter().all(|window| !shown[window].is_empty()));
    }
}
