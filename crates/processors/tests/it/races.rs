//! Many callers at once.

use std::collections::HashSet;
use std::sync::Arc;

use processors::sandbox::Dispute;
use processors::{Failure, FollowUp, Processor, Request, TransactionKind};

use crate::bank::{Bank, noon, refusal, usd};

store::on_both_engines! {
    async fn of_32_charges_under_one_key_one_moves_money(bank: Bank) {
        let method = bank.method("pm_card_visa").await;
        let charges = (0..32).map(|_| {
            let (sandbox, charge) =
                (Arc::clone(&bank.sandbox), bank.charge_of("key", &method, usd(1_000)));
            tokio::spawn(async move { sandbox.execute(Request::Charge(charge)).await.unwrap() })
        });
        let mut ids = HashSet::new();
        for charge in charges.collect::<Vec<_>>() {
            ids.insert(charge.await.unwrap().transaction_id);
        }
        assert_eq!(ids.len(), 1);
        assert_eq!(bank.feed(1).await.len(), 2);
    }

    async fn under_one_key_in_two_currencies_one_moves_money(bank: Bank) {
        let method = bank.method("pm_card_visa").await;
        for round in 0..8 {
            let key = format!("key {round}");
            let [dollars, pounds] = ["USD", "GBP"].map(|currency| {
                let amount = crate::bank::money(1_000, currency);
                let (sandbox, charge) =
                    (Arc::clone(&bank.sandbox), bank.charge_of(&key, &method, amount));
                tokio::spawn(async move { sandbox.execute(Request::Charge(charge)).await })
            });
            let answers = [dollars.await.unwrap(), pounds.await.unwrap()];
            let [approved, refused]: [Vec<_>; 2] =
                [true, false].map(|ok| answers.iter().filter(|a| a.is_ok() == ok).collect());
            assert_eq!(approved.len(), 1);
            assert_eq!(refusal(refused[0].clone()), "key_reused");
        }
        let charges = bank.feed(1).await.len() - 1 + bank.feed(2).await.len();
        assert_eq!(charges, 8);
    }

    async fn of_32_refunds_of_the_whole_one_wins(bank: Bank) {
        let method = bank.method("pm_card_visa").await;
        let charge = bank.charge("charge", &method, usd(1_000)).await.unwrap().transaction_id;
        let refunds = (0..32).map(|n| {
            let refund = bank.follow_up(&format!("refund {n}"), &charge, Some(usd(1_000)));
            let sandbox = Arc::clone(&bank.sandbox);
            tokio::spawn(async move { sandbox.execute(Request::Refund(refund)).await })
        });
        let mut won = 0;
        for refund in refunds.collect::<Vec<_>>() {
            match refund.await.unwrap() {
                Ok(_) => won += 1,
                lost => assert_eq!(refusal(lost), "already_refunded"),
            }
        }
        assert_eq!(won, 1);
    }

    async fn of_one_sale_refunds_and_disputes_at_once_never_take_back_more_than_all(bank: Bank) {
        let method = bank.method("pm_card_visa").await;
        let sale = bank.charge("sale", &method, usd(1_000)).await.unwrap().transaction_id;
        let at = noon() + chrono::Duration::days(1);
        let asked = (0..16).map(|n| {
            let sandbox = Arc::clone(&bank.sandbox);
            let refund = FollowUp { at, ..bank.follow_up(&format!("refund {n}"), &sale, Some(usd(300))) };
            let (case_id, reason) = (format!("CB-{}", n % 4), "13.1".to_owned());
            let dispute = Dispute { transaction: sale.clone(), case_id, reason, at };
            tokio::spawn(async move {
                if n % 4 == 0 {
                    sandbox.execute(Request::Refund(refund)).await.is_ok()
                } else {
                    sandbox.dispute(dispute).await.is_ok()
                }
            })
        });
        for asked in asked.collect::<Vec<_>>() {
            asked.await.unwrap();
        }
        let back = bank.feed(1).await.into_iter().skip(2);
        assert_eq!(back.map(|row| row.amount.minor()).sum::<i64>(), 1_000);
    }

    async fn capture_and_release_of_one_hold_never_both_happen(bank: Bank) {
        let method = bank.method("pm_card_visa").await;
        for round in 0..8 {
            let hold = bank.hold(&format!("hold {round}"), &method, usd(1_000)).await.unwrap();
            let follow_up = |what: &str| {
                bank.follow_up(&format!("{what} {round}"), &hold.transaction_id, None)
            };
            let (capture, void) = (follow_up("capture"), follow_up("void"));
            let (taker, releaser) = (Arc::clone(&bank.sandbox), Arc::clone(&bank.sandbox));
            let taken = tokio::spawn(async move { taker.execute(Request::Capture(capture)).await.is_ok() });
            let released = tokio::spawn(async move { releaser.execute(Request::Void(void)).await.is_ok() });
            assert_ne!(taken.await.unwrap(), released.await.unwrap());
        }
    }

    async fn whoever_follows_the_feed_while_it_grows_misses_nothing(bank: Bank) {
        let method = bank.method("pm_card_visa").await;
        let charges: Vec<_> = (0..64)
            .map(|n| {
                let charge = bank.charge_of(&format!("charge {n}"), &method, usd(n + 1));
                let sandbox = Arc::clone(&bank.sandbox);
                tokio::spawn(async move { sandbox.execute(Request::Charge(charge)).await.unwrap() })
            })
            .collect();
        let sub_account = processors::SubAccountId::new("1387.1");
        let mut positions = Vec::new();
        while positions.len() < 65 {
            let after = processors::Cursor(positions.last().copied().unwrap_or(0));
            let page = bank.sandbox.transactions_after(&sub_account, after, 5).await.unwrap();
            positions.extend(page.iter().map(|row| row.position.0));
        }
        for charge in charges {
            charge.await.unwrap();
        }
        assert_eq!(positions, (1..=65).collect::<Vec<_>>());
    }

    async fn an_insufficient_fund_is_sufficient_the_second_time_and_not_before(bank: Bank) {
        let method = bank.method("pm_card_insufficientFundsThenApproved").await;
        let charges = (0..16).map(|n| {
            let charge = bank.charge_of(&format!("charge {n}"), &method, usd(1_000));
            let sandbox = Arc::clone(&bank.sandbox);
            tokio::spawn(async move { sandbox.execute(Request::Charge(charge)).await.unwrap().verdict })
        });
        for charge in charges.collect::<Vec<_>>() {
            charge.await.unwrap();
        }
        let rows = bank.feed(1).await;
        let codes: Vec<_> = rows
            .iter()
            .filter(|row| row.kind == TransactionKind::Charge)
            .map(|row| row.authorization_or_error_code == "10308")
            .collect();
        assert_eq!(codes.iter().filter(|declined| **declined).count(), 1);
        assert!(codes[0], "the first to be posted is the one that is declined");
    }

    async fn a_lost_answer_is_found_by_whoever_asks_again(bank: Bank) {
        let method = bank.method("pm_card_noAnswer").await;
        let first = bank.charge("key", &method, usd(1_000)).await;
        assert_eq!(first, Err(Failure::Unanswered));
        let again = bank.charge("key", &method, usd(1_000)).await.unwrap();
        assert_eq!(bank.lookup("key").await, Some(again));
        assert_eq!(bank.feed(1).await.len(), 2);
    }
}
