//! Emptying an account.

use payments::{NewApplication, ResetOrder, Settings};
use serde_json::{Value, json};
use store::on_both_engines;
use store::testing::Engine;

use crate::support::{GuestyDocs, TestApp};

const PAYMENTS: &str = "/v1/reservations/64da254383ad1500284bd0c0/payments";
const RESERVATIONS: &str = "/v1/reservations?limit=100";
const METHOD: &str = "64da2367d8d9771c02befbb2";
const TRANSACTIONS: &str =
    "/v1/payment-transactions/report?startDate=2023-08-14&endDate=2023-09-10&take=100";
const PAYOUTS: &str = "/v1/payment-transactions/reports/payouts-reconciliation\
                       ?startDate=2023-08-14&endDate=2023-09-10&take=100";

impl GuestyDocs {
    /// A charge, settled and paid out, and a payment that is still to come.
    async fn live(&self) {
        let card = json!({"method": "STRIPE", "id": METHOD});
        for body in [
            json!({"paymentMethod": card, "amount": 100}),
            json!({"paymentMethod": card, "amount": 7, "shouldBePaidAt": "2023-12-01T00:00:00Z"}),
        ] {
            self.app.post(PAYMENTS, &body).await.expect(201);
        }
        self.app
            .post("/sandbox/advance", &json!({"by": "2w"}))
            .await
            .expect(200);
    }

    /// What the processor's part of the story looks like from outside.
    async fn told(&self) -> (Value, Value) {
        let transactions = self.app.get(TRANSACTIONS).await.expect(200);
        (transactions, self.app.get(PAYOUTS).await.expect(200))
    }
}

on_both_engines! {
    async fn an_emptied_account_can_begin_anew_under_the_same_credentials(docs: GuestyDocs) {
        docs.live().await;
        let first = docs.told().await;
        assert!(!first.1.as_array().unwrap().is_empty());
        let subscription = json!({"url": "https://example.com/hook", "events": ["listing.new"]});
        docs.app.post("/v1/webhooks", &subscription).await.expect(201);

        let reset = docs.app.post("/sandbox/reset", &json!({"yes": true})).await.expect(200);
        assert_eq!(reset["account"], docs.app.account().to_string());
        assert_eq!(reset["now"], crate::support::START);
        assert_eq!(docs.app.get(RESERVATIONS).await.expect(200)["count"], 0);
        assert_eq!(docs.app.get("/v1/listings").await.expect(200)["count"], 0);
        assert_eq!(docs.told().await, (json!([]), json!([])));
        docs.app.platform.run_imports().await;
        assert_eq!(docs.told().await, (json!([]), json!([])));
        assert_eq!(docs.app.platform.run_due().await.unwrap(), 0);
        assert_eq!(docs.app.get("/v1/webhooks").await.expect(200).as_array().unwrap().len(), 1);

        docs.app.platform.seed_guesty_docs(&docs.app.sandbox).await.unwrap();
        docs.live().await;
        assert_eq!(docs.told().await, first, "the same again, to the last id");
    }

    async fn another_account_stays_as_it_is(docs: GuestyDocs) {
        let app = docs.app.signed_in().await;
        app.post("/v1/listings", &json!({"title": "Elsewhere"})).await.expect(200);
        let before = app.get("/v1/listings").await.expect(200);
        app.post("/sandbox/advance", &json!({"by": "3d"})).await.expect(200);
        docs.live().await;
        docs.app.post("/sandbox/reset", &json!({"yes": true})).await.expect(200);
        assert_eq!(app.get("/v1/listings").await.expect(200), before);
        let clock = app.get("/sandbox/clock").await.expect(200);
        assert_eq!(clock["now"], "2026-11-24T12:00:00.000Z");
    }

    async fn a_reset_that_broke_off_after_the_processor_is_finished_by_the_next(docs: GuestyDocs) {
        docs.live().await;
        let merchant = processors::MerchantId::new("1387");
        docs.app.sandbox.reset(&merchant).await.unwrap();
        // Whatever is charged meanwhile finds no card, and moves no money.
        let body = json!({"paymentMethod": {"method": "STRIPE", "id": METHOD}, "amount": 5});
        let reply = docs.app.post(PAYMENTS, &body).await.expect(201);
        let payments = reply["money"]["payments"].as_array().unwrap();
        assert_eq!(payments.last().unwrap()["status"], "FAILED");
        docs.app.post("/sandbox/reset", &json!({"yes": true})).await.expect(200);
        assert_eq!(docs.told().await, (json!([]), json!([])));
        assert_eq!(docs.app.get(RESERVATIONS).await.expect(200)["count"], 0);
    }

    async fn a_reset_that_failed_leaves_the_clock_to_others(docs: GuestyDocs) {
        let app = &docs.app;
        let node = app.at(&app.another_node().await);
        let (yes, hour) = (json!({"yes": true}), json!({"by": "1h"}));

        app.sandbox_sql("ALTER TABLE method RENAME TO method_away").await;
        app.post("/sandbox/reset", &yes).await.expect(503);
        app.sandbox_sql("ALTER TABLE method_away RENAME TO method").await;
        node.post("/sandbox/advance", &hour).await.expect(200);

        app.sql("ALTER TABLE tax RENAME TO tax_away").await;
        app.post("/sandbox/reset", &yes).await.expect(500);
        app.sql("ALTER TABLE tax_away RENAME TO tax").await;
        node.post("/sandbox/advance", &hour).await.expect(200);

        node.post("/sandbox/reset", &yes).await.expect(200);
        assert_eq!(app.get(RESERVATIONS).await.expect(200)["count"], 0);
    }

    async fn it_must_be_meant_and_by_one_who_may_see_all(docs: GuestyDocs) {
        for body in [json!({}), json!({"yes": false})] {
            let refused = docs.app.post("/sandbox/reset", &body).await.expect(400);
            assert!(refused.as_str().unwrap().contains("\"yes\": true"), "{refused}");
        }
        let limited = NewApplication {
            listings: Some(["64da223eb3de7a002a462fcc".parse().unwrap()].into()),
            ..NewApplication::named(docs.app.account(), "One listing")
        };
        let limited = docs.app.signed_in_as(limited).await;
        limited.post("/sandbox/reset", &json!({"yes": true})).await.expect(403);
        assert_eq!(docs.app.get(RESERVATIONS).await.expect(200)["count"], 1);
    }
}

#[tokio::test]
async fn outside_a_sandbox_nothing_can_be_reset() {
    let settings = Settings {
        is_sandbox: false,
        ..Settings::default()
    };
    let app = TestApp::with(Engine::Sqlite, settings)
        .await
        .signed_in()
        .await;
    app.post("/sandbox/reset", &json!({"yes": true}))
        .await
        .expect(404);
    let refused = app.platform.order_reset(ResetOrder { account: None }).await;
    assert!(refused.unwrap_err().to_string().contains("only a sandbox"));
}
