//! A portfolio with life, played on both engines.

use std::collections::BTreeMap;
use std::sync::Arc;

use payments::fixtures::{PortfolioError, PortfolioMade, PortfolioOrder};
use payments::{ApplicationOrder, NewApplication, Until};
use processors::Processor;
use serde_json::Value;
use store::on_both_engines;
use store::testing::{Engine, Fixture};

use crate::support::{START, TestApp};

fn order(reservations: u32, from: &str) -> PortfolioOrder {
    PortfolioOrder {
        account: None,
        listings: 6,
        reservations,
        seed: 7,
        from: Some(from.parse().unwrap()),
    }
}

/// 120 days before the tests' present.
const FROM: &str = "2026-07-24";

async fn make(app: &TestApp, order: PortfolioOrder) -> Result<PortfolioMade, PortfolioError> {
    app.platform
        .order_portfolio(&app.sandbox, order, |_| {})
        .await
}

/// An account's reservations, as they are listed, and what its processor has in its books.
async fn told(app: &TestApp, made: &PortfolioMade) -> (Vec<Value>, Vec<String>) {
    let app = app
        .signed_in_as(NewApplication::named(made.account, "Tests"))
        .await;
    let mut all = Vec::new();
    loop {
        let path = format!(
            "/v1/reservations?limit=100&skip={}&fields=money%20status%20source%20guest%20listing%20confirmationCode%20createdAt",
            all.len()
        );
        let page = app.get(&path).await.expect(200);
        let page = page["results"].as_array().unwrap().clone();
        if page.is_empty() {
            break;
        }
        all.extend(page);
    }
    let mut books = Vec::new();
    let merchant = processors::MerchantId::new("1387");
    for account in app.sandbox.sub_accounts(&merchant).await.unwrap() {
        let start = processors::Cursor::START;
        let feed = app
            .sandbox
            .transactions_after(&account.id, start, 10_000)
            .await;
        let rows = feed.unwrap().into_iter();
        books.extend(rows.map(|row| {
            format!(
                "{} {:?} {} {} {}",
                row.id, row.kind, row.amount, row.key, row.merchant_at
            )
        }));
        let payouts = app.sandbox.payouts_after(&account.id, start, 10_000).await;
        let rows = payouts.unwrap().into_iter();
        books.extend(rows.map(|row| {
            format!(
                "{} {:?} {} {}",
                row.id, row.status, row.amount, row.process_at
            )
        }));
    }
    (all, books)
}

/// Without what processors' replies say: they are printed as they came, with ids of their own.
fn without_payloads(mut reservations: Vec<Value>) -> Vec<Value> {
    for reservation in &mut reservations {
        for payment in reservation["money"]["payments"].as_array_mut().unwrap() {
            let refunds = payment["refunds"].as_array().unwrap().len();
            for attempt in payment["attempts"].as_array_mut().unwrap() {
                attempt.as_object_mut().unwrap().remove("payload");
            }
            for refund in 0..refunds {
                let refund = &mut payment["refunds"][refund];
                for attempt in refund["attempts"].as_array_mut().unwrap() {
                    attempt.as_object_mut().unwrap().remove("payload");
                }
            }
        }
    }
    reservations
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_seed_has_the_same_world_and_another_has_not() {
    let mut worlds = Vec::new();
    let engines = match std::env::var(store::testing::SERVER_VARIABLE) {
        Ok(_) => vec![Engine::Sqlite, Engine::Sqlite, Engine::Postgres],
        Err(_) => vec![Engine::Sqlite, Engine::Sqlite],
    };
    for engine in engines {
        let app = TestApp::on(engine).await;
        let made = make(&app, order(60, FROM)).await.unwrap();
        let (reservations, books) = told(&app, &made).await;
        assert_eq!(reservations.len(), 60);
        worlds.push((made, without_payloads(reservations), books));
    }
    let first = worlds.remove(0);
    for other in worlds {
        assert_eq!(first.0, other.0);
        assert_eq!(first.2, other.2);
        for (one, two) in first.1.iter().zip(&other.1) {
            assert_eq!(one, two);
        }
    }
    let app = TestApp::on(Engine::Sqlite).await;
    let another = PortfolioOrder {
        seed: 8,
        ..order(60, FROM)
    };
    let made = make(&app, another).await.unwrap();
    assert_ne!(made.account, first.0.account);
    assert_ne!(made.sums, first.0.sums);
}

on_both_engines! {
    async fn every_outcome_of_a_payment_is_there(app: TestApp) {
        let made = make(&app, PortfolioOrder { listings: 20, ..order(300, "2025-11-21") }).await.unwrap();
        let count = |what: &str| -> BTreeMap<String, i64> {
            made.counts.iter().find(|group| group.what == what).unwrap().by.clone()
        };
        let has = |what: &str, names: &[&str]| {
            let found = count(what);
            for name in names {
                assert!(found.contains_key(*name), "{what} {name}: {found:?}");
            }
        };
        has("reservations", &["confirmed", "canceled"]);
        has("payments", &["SCHEDULED", "SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED", "AWAITING_GUEST", "HELD"]);
        has("refunds", &["SUCCEEDED", "FAILED", "CANCELLED"]);
        has("transactions", &[
            "Authorization", "Partial Capture", "Charge", "Refund", "Partial Refund", "Void", "Chargeback",
            "Reversal Chargeback",
        ]);
        has("payouts", &["Processed", "Rejected by Processor"]);
        let currencies: Vec<&str> = made.sums.iter().map(|sums| sums.currency.code()).collect();
        assert_eq!(currencies, ["EUR", "GBP", "JPY", "KWD", "USD"]);
        assert_eq!(made.examples.len(), 14, "{:?}", made.examples);

        let client = app.signed_in_as(NewApplication::named(made.account, "Tests")).await;
        let clock = client.get("/sandbox/clock").await.expect(200);
        assert_eq!(clock["now"], START, "business time is wall time");
        let due = made.examples["700 or more still due"];
        let shown = client.get(&format!("/v1/reservations/{due}")).await.expect(200);
        assert_eq!(shown["status"], "confirmed");
        let balance = shown["money"]["balanceDue"].to_string();
        let whole: i64 = balance.split('.').next().unwrap().parse().unwrap();
        assert!(whole >= 700, "{balance}");
        let guest = shown["guestId"].as_str().unwrap();
        let methods = client.get(&format!("/v1/guests/{guest}/payment-methods")).await.expect(200);
        let method = methods[0]["_id"].as_str().unwrap();
        let path = format!("/v1/reservations/{due}/payments");
        let paid = client.post(&path, &serde_json::json!({
            "paymentMethod": {"method": "STRIPE", "id": method}, "amount": 700,
        })).await.expect(201);
        let last = paid["money"]["payments"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(last["status"], "SUCCEEDED", "{last}");
        assert_eq!(app.platform.run_due().await.unwrap(), 0, "nothing was left undone");
    }

    async fn what_cannot_be_is_refused_with_what_can(app: TestApp) {
        let good = order(60, FROM);
        for (order, says) in [
            (PortfolioOrder { listings: 0, ..good }, "from 1 to"),
            (PortfolioOrder { reservations: 0, ..good }, "from 1 to"),
            // 6 listings of 120 days, and 118 that can be booked ahead.
            (PortfolioOrder { reservations: 1429, ..good }, "1428 reservations"),
            (PortfolioOrder { from: "2027-01-01".parse().ok(), ..good }, "to 2026-10-22"),
            (PortfolioOrder { from: "2001-01-01".parse().ok(), ..good }, "from 2016-11-20"),
            (PortfolioOrder { account: "64da2084867c12ee0c2ca47f".parse().ok(), ..good }, "no account"),
        ] {
            let refused = make(&app, order).await.unwrap_err();
            assert!(refused.to_string().contains(says), "{refused}");
        }
        let made = make(&app, order(5, FROM)).await.unwrap();
        let again = make(&app, order(5, FROM)).await.unwrap_err();
        assert!(matches!(again, PortfolioError::Exists(id) if id == made.account), "{again}");
        let in_use = make(&app, PortfolioOrder { account: Some(made.account), ..good }).await.unwrap_err();
        assert!(matches!(in_use, PortfolioError::AccountInUse(_)), "{in_use}");
    }

    async fn accounts_stand_side_by_side(app: TestApp) {
        let first = make(&app, order(20, FROM)).await.unwrap();
        let signed = app.signed_in().await;
        let empty = signed.account();
        let second = make(&app, PortfolioOrder { account: Some(empty), ..order(20, FROM) }).await;
        // The tests' account has no merchant.
        assert!(matches!(second, Err(PortfolioError::NoProvider(_))), "{second:?}");
        let other = make(&app, PortfolioOrder { seed: 8, ..order(20, FROM) }).await.unwrap();
        assert_ne!(first.account, other.account);
    }

    async fn one_that_cannot_be_begun_leaves_the_clock_to_others(app: TestApp) {
        let asked = ApplicationOrder {
            name: "Empty".to_owned(), account: None, scopes: None, listings: None,
        };
        let made = app.platform.order_application(&app.sandbox, asked).await.unwrap();
        let wanted = PortfolioOrder { account: Some(made.account), ..order(5, FROM) };
        // Its first listing is written, and its second is one too many.
        app.sql("CREATE UNIQUE INDEX one_listing ON listing (account_id)").await;
        make(&app, wanted).await.unwrap_err();
        let by = Until::By("1h".parse().unwrap());
        app.another_node().await.advance(made.account, by).await.unwrap();
        app.sql("DROP INDEX one_listing").await;
        make(&app, wanted).await.unwrap();
    }

    async fn one_that_was_interrupted_is_noticed(app: TestApp) {
        let (platform, sandbox) = (Arc::clone(&app.platform), Arc::clone(&app.sandbox));
        let (reached, mut interrupted) = tokio::sync::mpsc::unbounded_channel();
        let making = tokio::spawn(async move {
            platform.order_portfolio(&sandbox, order(60, FROM), move |progress| {
                let _ = reached.send(progress.days);
            }).await
        });
        while interrupted.recv().await.is_some_and(|days| days < 30) {}
        making.abort();
        assert!(making.await.is_err());
        let next = make(&app, PortfolioOrder { seed: 9, ..order(60, FROM) }).await.unwrap_err();
        assert!(matches!(next, PortfolioError::Unfinished { .. }), "{next}");
        assert!(next.to_string().contains("sandbox reset"), "{next}");
    }
}
