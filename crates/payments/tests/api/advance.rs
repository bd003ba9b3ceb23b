//! Letting business time pass.

use std::num::NonZeroU32;

use axum::http::Method;
use chrono::Duration;
use contract::Timestamp;
use payments::{AdvanceError, NewApplication, Settings, Until};
use serde_json::{Value, json};
use store::on_both_engines;
use store::testing::Engine;

use crate::support::{GuestyDocs, START, TestApp};

const RESERVATION: &str = "/v1/reservations/64da254383ad1500284bd0c0";
const PAYMENTS: &str = "/v1/reservations/64da254383ad1500284bd0c0/payments";
const METHOD: &str = "64da2367d8d9771c02befbb2";
const LISTING: &str = "64da223eb3de7a002a462fcc";

/// When the guide's story begins, in business time.
const BEGINS: &str = "2023-08-14T13:02:00.000Z";

impl GuestyDocs {
    async fn post(&self, mut body: Value) -> Value {
        body["paymentMethod"] = json!({"method": "STRIPE", "id": METHOD});
        let reply = self.app.post(PAYMENTS, &body).await.expect(201);
        reply["money"]["payments"]
            .as_array()
            .unwrap()
            .last()
            .unwrap()
            .clone()
    }

    async fn schedule(&self, amount: u32, due: &str) -> Value {
        self.post(json!({"amount": amount, "shouldBePaidAt": due}))
            .await
    }

    async fn payments(&self) -> Vec<Value> {
        let path = format!("{RESERVATION}?fields=money.payments");
        let reply = self.app.get(&path).await.expect(200);
        reply["money"]["payments"].as_array().unwrap().clone()
    }

    async fn advance(&self, body: &Value) -> Value {
        self.app.post("/sandbox/advance", body).await.expect(200)
    }

    async fn now(&self) -> String {
        let clock = self.app.get("/sandbox/clock").await.expect(200);
        clock["now"].as_str().unwrap().to_owned()
    }
}

/// When, what and how: all that happened.
pub(crate) fn told(advanced: &Value) -> Vec<(&str, &str, &str)> {
    advanced["happened"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["at"].as_str().unwrap(),
                one["kind"].as_str().unwrap(),
                one["result"].as_str().unwrap(),
            )
        })
        .collect()
}

/// The same without what the processor did by itself.
pub(crate) fn told_of_ours(advanced: &Value) -> Vec<(&str, &str, &str)> {
    let mut told = told(advanced);
    told.retain(|(_, kind, _)| !["settlement", "payout"].contains(kind));
    told
}

on_both_engines! {
    async fn each_thing_happens_in_its_order_at_its_own_instant(docs: GuestyDocs) {
        let later = docs.schedule(300, "2023-09-01T12:00:00Z").await;
        let sooner = docs.schedule(200, "2023-08-20T08:30:00Z").await;
        let hold = docs.post(json!({"amount": 100, "isAuthorizationHold": true})).await;
        let charged = docs.post(json!({"amount": 50})).await;
        let refund = format!("{PAYMENTS}/{}/refund", charged["_id"].as_str().unwrap());
        docs.app.post(&refund, &json!({"amount": 20, "shouldBePaidAt": "2023-08-25"}))
            .await.expect(201);

        let advanced = docs.advance(&json!({"by": "4w"})).await;
        assert_eq!(told_of_ours(&advanced), [
            ("2023-08-19T13:02:00.000Z", "hold", "CANCELLED"),
            ("2023-08-20T08:30:00.000Z", "payment", "SUCCEEDED"),
            ("2023-08-25T00:00:00.000Z", "refund", "SUCCEEDED"),
            ("2023-09-01T12:00:00.000Z", "payment", "SUCCEEDED"),
        ]);
        let mut happened = advanced["happened"].as_array().unwrap().clone();
        happened.retain(|one| one.get("payment").is_some());
        assert_eq!(happened[0]["payment"], hold["_id"]);
        assert_eq!(happened[1]["payment"], sooner["_id"]);
        assert_eq!(happened[2]["payment"], charged["_id"]);
        assert!(happened[2]["refund"].is_string());
        assert_eq!(happened[3]["payment"], later["_id"]);
        assert!(happened[3].get("refund").is_none());
        assert_eq!(happened[3]["reservation"], "64da254383ad1500284bd0c0");
        assert_eq!(advanced["from"], BEGINS);
        assert_eq!(advanced["now"], "2023-09-11T13:02:00.000Z");
        assert_eq!(docs.now().await, "2023-09-11T13:02:00.000Z");

        let payments = docs.payments().await;
        assert_eq!(payments[0]["paidAt"], "2023-09-01T12:00:00.000Z");
        assert_eq!(payments[1]["paidAt"], "2023-08-20T08:30:00.000Z");
        assert_eq!(docs.app.platform.run_due().await.unwrap(), 0, "nothing is left to do");
    }

    async fn the_transaction_report_has_the_instants_of_what_happened(docs: GuestyDocs) {
        docs.schedule(200, "2023-08-20T08:30:00Z").await;
        docs.advance(&json!({"by": "2w"})).await;
        let report = "/v1/payment-transactions/report?startDate=2023-08-20&endDate=2023-08-21";
        let rows = docs.app.get(report).await.expect(200);
        assert_eq!(rows[0]["merchantDate"], "2023-08-20T08:30:00", "{rows}");
        assert_eq!(rows.as_array().unwrap().len(), 1);
    }

    async fn what_is_due_at_the_last_instant_happens_and_later_things_do_not(docs: GuestyDocs) {
        docs.schedule(10, "2023-08-20T12:00:00.000Z").await;
        docs.schedule(20, "2023-08-20T12:00:00.001Z").await;
        let advanced = docs.advance(&json!({"to": "2023-08-20T12:00:00Z"})).await;
        assert_eq!(told(&advanced), [("2023-08-20T12:00:00.000Z", "payment", "SUCCEEDED")]);
        let again = docs.advance(&json!({"to": "2023-08-20T12:00:00Z"})).await;
        assert_eq!(told(&again), []);
        assert_eq!(again["now"], "2023-08-20T12:00:00.000Z");
        assert_eq!(docs.payments().await[1]["status"], "PENDING");
    }

    async fn what_is_late_already_is_done_in_the_present(docs: GuestyDocs) {
        docs.schedule(10, "2023-08-15T00:00:00Z").await;
        docs.app.clock.advance(Duration::days(2));
        let advanced = docs.advance(&json!({"by": "1h"})).await;
        assert_eq!(told(&advanced), [("2023-08-16T13:02:00.000Z", "payment", "SUCCEEDED")]);
    }

    async fn a_declined_card_is_told_and_time_goes_on(docs: GuestyDocs) {
        let guest = "/v1/guests/64da2084867c12ee0c2ca47f/payment-methods";
        let method = docs.app.post(guest, &json!({
            "stripeCardToken": "pm_card_chargeDeclined",
        })).await;
        let method = method.json()["_id"].as_str().unwrap().to_owned();
        docs.app.post(PAYMENTS, &json!({
            "paymentMethod": {"method": "STRIPE", "id": method},
            "amount": 10, "shouldBePaidAt": "2023-08-20",
        })).await.expect(201);
        docs.schedule(20, "2023-08-21").await;
        let advanced = docs.advance(&json!({"by": "P7D"})).await;
        assert_eq!(told_of_ours(&advanced), [
            ("2023-08-20T00:00:00.000Z", "payment", "FAILED"),
            ("2023-08-21T00:00:00.000Z", "payment", "SUCCEEDED"),
        ]);
    }

    async fn a_year_passes_over_many_payments(docs: GuestyDocs) {
        let first: Timestamp = "2023-08-20".parse().unwrap();
        let dates: Vec<String> = (0..52).map(|week| (first + Duration::weeks(week)).to_string()).collect();
        // Not in the order in which they fall due.
        for date in dates.iter().rev() {
            docs.schedule(1, date).await;
        }
        let advanced = docs.advance(&json!({"to": "2024-08-20"})).await;
        // All is counted; the first hundred are told.
        let happened: Vec<_> = told_of_ours(&advanced).into_iter().map(|(at, ..)| at).collect();
        assert_eq!(happened, dates[..happened.len()]);
        assert_eq!(advanced["happened"].as_array().unwrap().len(), 100);
        let totals = advanced["totals"].as_array().unwrap();
        let count = |total: &Value| total["count"].as_u64().unwrap();
        assert_eq!(totals[0], json!({"kind": "payment", "result": "SUCCEEDED", "count": 52}));
        assert_eq!(totals.iter().map(count).sum::<u64>(), 100 + advanced["more"].as_u64().unwrap());
        let paid = docs.payments().await;
        assert!(paid.iter().all(|payment| payment["paidAt"] == payment["shouldBePaidAt"]));
        let reply = docs.app.get(&format!("{RESERVATION}?fields=money.totalPaid")).await.expect(200);
        assert_eq!(reply["money"]["totalPaid"], json!(52));
    }

    async fn accounts_have_clocks_of_their_own_and_wall_time_has_its_own(docs: GuestyDocs) {
        docs.schedule(10, "2023-08-20").await;
        let other = docs.app.signed_in().await;
        let advanced = other.post("/sandbox/advance", &json!({"by": "1d12h"})).await.expect(200);
        assert_eq!(advanced["from"], START);
        assert_eq!(advanced["now"], "2026-11-23T00:00:00.000Z");
        assert_eq!(told(&advanced), []);
        assert_eq!(docs.now().await, BEGINS);
        let clock = other.get("/sandbox/clock").await.expect(200);
        assert_eq!(clock, json!({"now": "2026-11-23T00:00:00.000Z", "wall": START}));
    }

    async fn a_token_outlives_a_year_of_business_time(docs: GuestyDocs) {
        let same = docs.app.with_this_token_only();
        same.post("/sandbox/advance", &json!({"by": "365d"})).await.expect(200);
        same.get("/v1/accounts/me").await.expect(200);
    }

    async fn of_two_servers_one_moves_the_clock(docs: GuestyDocs) {
        for day in 15..30 {
            docs.schedule(1, &format!("2023-08-{day}")).await;
        }
        let account = docs.app.account();
        let to = Until::new(None, Some("2023-09-01".parse().unwrap())).unwrap();
        let other = docs.app.another_node().await;
        let (one, two) = tokio::join!(
            docs.app.platform.advance(account, to),
            other.advance(account, to),
        );
        for done in [&one, &two] {
            assert!(
                matches!(done, Ok(_) | Err(AdvanceError::Busy)), "{done:?}"
            );
        }
        docs.app.platform.advance(account, to).await.unwrap();
        let paid = docs.payments().await;
        assert_eq!(paid.len(), 15);
        for payment in paid {
            assert_eq!(payment["status"], "SUCCEEDED");
            assert_eq!(payment["attempts"].as_array().unwrap().len(), 1);
            assert_eq!(payment["paidAt"], payment["shouldBePaidAt"]);
        }
    }

    async fn bad_spans_are_refused_with_what_is_possible(docs: GuestyDocs) {
        for (body, says) in [
            (json!({}), "give either \"by\""),
            (json!({"by": "7d", "to": "2023-09-01"}), "give either \"by\""),
            (json!({"by": null}), "give either \"by\""),
            (json!({"by": "-7d"}), "such as 90m, 12h, 7d"),
            (json!({"by": "0d"}), "such as 90m, 12h, 7d"),
            (json!({"by": "soon"}), "such as 90m, 12h, 7d"),
            (json!({"by": "4000d"}), "at most 3653d"),
            (json!({"by": 7}), "by: "),
            (json!({"to": "2023-08-14T13:01:59Z"}), "a clock cannot be set back"),
            (json!({"to": "2034-01-01"}), "until 2033-08-14T13:02:00.000Z is possible"),
            (json!({"to": "later"}), "not a date"),
            (json!({"for": "7d"}), "unknown field"),
        ] {
            let reply = docs.app.post("/sandbox/advance", &body).await;
            let said = reply.expect(400);
            assert!(said.as_str().unwrap().contains(says), "{body}: {said}");
        }
        assert_eq!(docs.now().await, BEGINS);
    }

    async fn only_who_may_see_all_of_an_account_moves_its_clock(docs: GuestyDocs) {
        let limited = docs.app.signed_in_as(NewApplication {
            listings: Some([LISTING.parse().unwrap()].into()),
            ..NewApplication::named(docs.app.account(), "Limited")
        }).await;
        limited.post("/sandbox/advance", &json!({"by": "1d"})).await.expect(403);
        limited.get("/sandbox/clock").await.expect(200);
        let nobody = docs.app.with_token("none");
        nobody.post("/sandbox/advance", &json!({"by": "1d"})).await.expect(401);
        assert_eq!(docs.now().await, BEGINS);
    }
}

#[tokio::test]
async fn outside_a_sandbox_the_routes_do_not_exist() {
    let settings = Settings {
        is_sandbox: false,
        tokens_per_day: NonZeroU32::MAX,
        ..Settings::default()
    };
    let app = TestApp::with(Engine::Sqlite, settings)
        .await
        .signed_in()
        .await;
    let body = Some(json!({"by": "1d"}).to_string());
    let reply = app.send(Method::POST, "/sandbox/advance", body).await;
    assert_eq!(reply.status, 404);
    app.get("/sandbox/clock").await.expect(404);
    let until = Until::new(Some("1d".parse().unwrap()), None).unwrap();
    let refused = app.platform.advance(app.account(), until).await;
    assert!(matches!(refused, Err(AdvanceError::NotASandbox)));
}
