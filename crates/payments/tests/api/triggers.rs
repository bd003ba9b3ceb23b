//! Letting things happen in a sandbox.

use payments::NewApplication;
use serde_json::{Value, json};
use store::on_both_engines;
use store::testing::{Engine, Fixture};

use crate::support::{GuestyDocs, TestApp};

const PAYMENTS: &str = "/v1/reservations/64da254383ad1500284bd0c0/payments";
const RESERVATION: &str = "64da254383ad1500284bd0c0";
const METHOD: &str = "64da2367d8d9771c02befbb2";
const LISTING: &str = "64da223eb3de7a002a462fcc";

impl GuestyDocs {
    async fn trigger(&self, request: &Value) -> Value {
        self.app.post("/sandbox/trigger", request).await.expect(200)
    }

    async fn refused(&self, request: &Value) -> String {
        let reply = self.app.post("/sandbox/trigger", request).await;
        let told = reply.expect(400);
        told.as_str().unwrap().to_owned()
    }

    async fn pay(&self, mut body: Value) -> Value {
        body["paymentMethod"] = json!({"method": "STRIPE", "id": METHOD});
        let reply = self.app.post(PAYMENTS, &body).await.expect(201);
        let payments = reply["money"]["payments"].as_array().unwrap();
        payments.last().unwrap().clone()
    }

    async fn pass(&self, by: &str) {
        self.app
            .post("/sandbox/advance", &json!({ "by": by }))
            .await
            .expect(200);
    }

    async fn reservation(&self, id: &Value) -> Value {
        let path = format!("/v1/reservations/{}", id.as_str().unwrap());
        self.app.get(&path).await.expect(200)
    }

    async fn transactions(&self) -> Vec<Value> {
        let query = "startDate=2023-08-14&endDate=2023-09-13";
        let path = format!("/v1/payment-transactions/report?{query}");
        self.app
            .get(&path)
            .await
            .expect(200)
            .as_array()
            .unwrap()
            .clone()
    }

    async fn payout_rows(&self) -> Vec<Value> {
        let query = "startDate=2023-08-14&endDate=2023-09-13";
        let path = format!("/v1/payment-transactions/reports/payouts-reconciliation?{query}");
        self.app
            .get(&path)
            .await
            .expect(200)
            .as_array()
            .unwrap()
            .clone()
    }
}

on_both_engines! {
    async fn a_channel_books_and_collects(docs: GuestyDocs) {
        let told = docs.trigger(&json!({"name": "channel-booking"})).await;
        assert_eq!(told["listing"], LISTING);
        let made = docs.reservation(&told["reservation"]).await;
        assert_eq!(made["status"], "confirmed");
        assert_eq!(made["source"], "Airbnb");
        assert_eq!(made["confirmationCode"], told["confirmationCode"]);
        // The listing is taken until 2023-09-21.
        assert_eq!(made["checkInDateLocalized"], "2023-09-21");
        assert_eq!(made["nightsCount"], 3);
        assert_eq!(made["money"]["isFullyPaid"], true);
        assert_eq!(made["money"]["totalPaid"], json!(450));
        let payment = &made["money"]["payments"][0];
        assert_eq!(payment["_id"], told["payment"]);
        assert_eq!(payment["status"], "SUCCEEDED");
        assert!(docs.transactions().await.is_empty(), "the channel has the money");
        // The next one comes after it.
        let next = docs.trigger(&json!({"name": "channel-booking", "amount": 99.5})).await;
        let next = docs.reservation(&next["reservation"]).await;
        assert_eq!(next["checkInDateLocalized"], "2023-09-24");
        assert_eq!(next["money"]["totalPaid"], json!(99.5));
    }

    async fn a_direct_booking_is_charged_when_its_day_comes(docs: GuestyDocs) {
        let told = docs.trigger(&json!({"name": "direct-booking", "listing": LISTING})).await;
        let made = docs.reservation(&told["reservation"]).await;
        assert_eq!(made["money"]["payments"][0]["status"], "PENDING");
        docs.pass("7d").await;
        let paid = docs.reservation(&told["reservation"]).await;
        assert_eq!(paid["money"]["payments"][0]["status"], "SUCCEEDED");
        assert_eq!(paid["money"]["balanceDue"], json!(0));
    }

    async fn a_longer_stay_costs_more(docs: GuestyDocs) {
        // Six nights at 400.00: two more are 800.00.
        let told = docs.trigger(&json!({"name": "extension"})).await;
        assert_eq!(told["reservation"], RESERVATION);
        let longer = docs.reservation(&told["reservation"]).await;
        assert_eq!(longer["nightsCount"], 8);
        assert_eq!(longer["checkOutDateLocalized"], "2023-09-23");
        assert_eq!(longer["money"]["fareAccommodation"], json!(3200));
        assert_eq!(longer["money"]["balanceDue"], json!(3300));
        docs.trigger(&json!({"name": "extension", "amount": 10})).await;
        let longer = docs.reservation(&told["reservation"]).await;
        assert_eq!(longer["money"]["fareAccommodation"], json!(3210));
    }

    async fn late_fees_add_up(docs: GuestyDocs) {
        docs.trigger(&json!({"name": "late-fee"})).await;
        docs.trigger(&json!({"name": "late-fee", "amount": 12.34})).await;
        let charged = docs.reservation(&json!(RESERVATION)).await;
        assert_eq!(charged["money"]["balanceDue"], json!(2562.34));
        let told = docs.refused(&json!({"name": "late-fee", "amount": 0})).await;
        assert!(told.contains("more than 0"), "{told}");
    }

    async fn a_cancellation_keeps_its_fee_and_returns_the_rest(docs: GuestyDocs) {
        docs.pay(json!({"amount": 2000})).await;
        docs.pay(json!({"amount": 300, "shouldBePaidAt": "2023-09-01"})).await;
        docs.pay(json!({"amount": 100, "isAuthorizationHold": true})).await;
        // Half of 2,500.00 is kept, of 2,000.00 paid.
        let told = docs.trigger(&json!({"name": "cancellation"})).await;
        assert_eq!(told["amount"], "1250.00 USD");
        let after = docs.reservation(&told["reservation"]).await;
        assert_eq!(after["status"], "canceled");
        assert_eq!(after["canceledBy"], "GUEST");
        assert_eq!(after["money"]["totalRefunded"], json!(750));
        assert_eq!(after["money"]["balanceDue"], json!(0));
        let mut statuses: Vec<_> = after["money"]["payments"].as_array().unwrap().iter()
            .map(|payment| payment["status"].as_str().unwrap()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, ["CANCELLED", "CANCELLED", "SUCCEEDED"]);
        let told = docs.refused(&json!({"name": "cancellation"})).await;
        assert!(told.contains("trigger direct-booking first"), "{told}");
        let told = docs.refused(&json!({"name": "cancellation", "reservation": RESERVATION})).await;
        assert!(told.contains("is canceled"), "{told}");
    }

    async fn a_hold_lapses_before_its_time(docs: GuestyDocs) {
        let told = docs.refused(&json!({"name": "hold-expired"})).await;
        assert!(told.contains("isAuthorizationHold"), "{told}");
        let hold = docs.pay(json!({"amount": 100, "isAuthorizationHold": true})).await;
        let told = docs.trigger(&json!({"name": "hold-expired"})).await;
        assert_eq!(told["payment"], hold["_id"]);
        assert_eq!(told["status"], "CANCELLED");
        let capture = format!("{PAYMENTS}/{}/capture", hold["_id"].as_str().unwrap());
        let refused = docs.app.post(&capture, &json!({})).await.expect(400);
        assert!(refused.as_str().unwrap().contains("expired"), "{refused}");
    }

    async fn a_scheduled_payment_fails_now_and_the_next_does_not(docs: GuestyDocs) {
        let later = docs.pay(json!({"amount": 30, "shouldBePaidAt": "2023-09-02"})).await;
        let sooner = docs.pay(json!({"amount": 20, "shouldBePaidAt": "2023-09-01"})).await;
        let told = docs.trigger(&json!({"name": "payment-failed", "code": "10308"})).await;
        assert_eq!(told["payment"], sooner["_id"]);
        assert_eq!(told["status"], "FAILED");
        let rows = docs.transactions().await;
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert_eq!(rows[0]["status"], "Declined");
        assert_eq!(docs.pay(json!({"amount": 10})).await["status"], "SUCCEEDED");
        let told = docs.refused(&json!({"name": "payment-failed", "payment": later["_id"], "code": "x"})).await;
        assert!(told.contains('x'), "{told}");
        let told = docs.trigger(&json!({"name": "payment-failed", "payment": later["_id"]})).await;
        assert_eq!(told["status"], "FAILED");
    }

    async fn a_refund_fails_and_the_money_stays(docs: GuestyDocs) {
        let told = docs.refused(&json!({"name": "refund-failed"})).await;
        assert!(told.contains("take one first"), "{told}");
        let paid = docs.pay(json!({"amount": 100})).await;
        docs.pass("1d").await;
        let told = docs.trigger(&json!({"name": "refund-failed", "amount": 40})).await;
        assert_eq!(told["payment"], paid["_id"]);
        assert_eq!(told["status"], "FAILED");
        assert_eq!(told["amount"], "40.00 USD");
        let after = docs.reservation(&json!(RESERVATION)).await;
        assert_eq!(after["money"]["totalRefunded"], json!(0));
        let told = docs.refused(&json!({"name": "refund-failed", "amount": 101})).await;
        assert!(told.contains("larger than what is left"), "{told}");
        let refund = format!("{PAYMENTS}/{}/refund", paid["_id"].as_str().unwrap());
        docs.app.post(&refund, &json!({"amount": 100})).await.expect(201);
        let after = docs.reservation(&json!(RESERVATION)).await;
        assert_eq!(after["money"]["totalRefunded"], json!(100));
    }

    async fn a_dispute_is_opened_once_settled_and_won(docs: GuestyDocs) {
        docs.pay(json!({"amount": 100})).await;
        let told = docs.refused(&json!({"name": "chargeback"})).await;
        assert!(told.contains("advance 1d"), "{told}");
        let told = docs.refused(&json!({"name": "chargeback-won"})).await;
        assert!(told.contains("trigger chargeback first"), "{told}");
        docs.pass("1d").await;
        let opened = docs.trigger(&json!({"name": "chargeback"})).await;
        let kinds = |rows: Vec<Value>| -> Vec<String> {
            rows.iter().map(|row| row["transactionType"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(kinds(docs.transactions().await), ["Charge", "Chargeback"]);
        let told = docs.refused(&json!({"name": "chargeback"})).await;
        assert!(told.contains("no settled sale is left"), "{told}");
        let won = docs.trigger(&json!({"name": "chargeback-won"})).await;
        assert_eq!(won["transaction"], opened["newTransaction"]);
        assert_eq!(kinds(docs.transactions().await).len(), 3);
        let lost = docs.refused(&json!({"name": "chargeback-lost", "transaction": won["transaction"]})).await;
        assert!(lost.contains("won"), "{lost}");
    }

    async fn a_payment_is_disputed_by_its_id_and_lost(docs: GuestyDocs) {
        let first = docs.pay(json!({"amount": 100})).await;
        docs.pay(json!({"amount": 200})).await;
        docs.pass("1d").await;
        docs.trigger(&json!({"name": "chargeback", "payment": first["_id"]})).await;
        docs.trigger(&json!({"name": "chargeback-lost"})).await;
        let rows = docs.transactions().await;
        let charged_back = rows.iter().find(|row| row["transactionType"] == "Chargeback").unwrap();
        assert_eq!(charged_back["amount"].to_string(), "100.00");
        let told = docs.refused(&json!({"name": "chargeback-won"})).await;
        assert!(told.contains("trigger chargeback first"), "{told}");
    }

    async fn a_payout_comes_back_and_is_sent_again(docs: GuestyDocs) {
        docs.pay(json!({"amount": 100})).await;
        let told = docs.refused(&json!({"name": "payout-rejected"})).await;
        assert!(told.contains("advance 10d"), "{told}");
        docs.pass("10d").await;
        let paid = docs.payout_rows().await;
        assert!(!paid.is_empty());
        let told = docs.trigger(&json!({"name": "payout-rejected", "code": "R03"})).await;
        let after = docs.payout_rows().await;
        assert_eq!(after.len(), 2 * paid.len(), "{after:?}");
        assert!(after.iter().any(|row| row["payoutStatus"] == "Rejected by Processor"), "{after:?}");
        let declined = docs.trigger(&json!({"name": "payout-declined"})).await;
        assert_eq!(declined["payout"], told["newPayout"]);
        let told = docs.refused(&json!({"name": "payout-rejected", "payout": told["payout"]})).await;
        assert!(told.contains("processed"), "{told}");
        let told = docs.refused(&json!({"name": "payout-rejected", "payout": "x", "code": "R02"})).await;
        assert!(told.contains("no payout \"x\""), "{told}");
    }

    async fn an_adjustment_is_paid_out_with_the_rest(docs: GuestyDocs) {
        let told = docs.refused(&json!({"name": "adjustment"})).await;
        assert!(told.contains("needs an amount"), "{told}");
        docs.pay(json!({"amount": 100})).await;
        let told = docs.trigger(&json!({"name": "adjustment", "amount": -5, "code": "Correction"})).await;
        assert_eq!(told["amount"], "-5.00 USD");
        docs.pass("10d").await;
        // 86.80 of the charge less 5.00.
        let rows = docs.payout_rows().await;
        assert_eq!(rows[0]["payoutAmount"], "81.80", "{rows:?}");
    }

    async fn what_cannot_happen_is_refused_with_what_can(docs: GuestyDocs) {
        for (request, says) in [
            (json!({"name": "chargebak"}), "did you mean chargeback?"),
            (json!({"name": "nonsense-of-all-kinds"}), "payout-rejected"),
            (json!({}), "there is no trigger"),
            (json!({"name": "late-fee", "payout": "1"}), "late-fee does not take \"payout\""),
            (json!({"name": "late-fee", "sum": 1}), "unknown field"),
            (json!({"name": "late-fee", "amount": 0.001}), "amount"),
            (json!({"name": "hold-expired", "payment": "7"}), "24 hexadecimal"),
            (json!({"name": "channel-booking", "amount": -1}), "less than 0"),
            (json!({"name": "cancellation", "amount": 2500.01}), "between 0 and the total"),
        ] {
            let told = docs.refused(&request).await;
            assert!(told.contains(says), "{request}: {told}");
        }
        let missing = json!({"name": "late-fee", "reservation": "64da254383ad1500284bd0c1"});
        assert_eq!(docs.app.post("/sandbox/trigger", &missing).await.status, 404);
        let after = docs.reservation(&json!(RESERVATION)).await;
        assert_eq!(after["money"]["balanceDue"], json!(2500));
        assert_eq!(after["status"], "confirmed");
    }

    async fn the_list_tells_every_trigger(docs: GuestyDocs) {
        let all = docs.app.get("/sandbox/triggers").await.expect(200);
        assert!(all.as_array().unwrap().iter().any(|one| one["name"] == "chargeback"
            && one["takes"] == json!(["transaction", "payment", "code"])));
    }

    async fn another_accounts_objects_do_not_exist(docs: GuestyDocs) {
        let paid = docs.pay(json!({"amount": 100})).await;
        docs.pass("10d").await;
        let before = docs.transactions().await;
        let payout = docs.payout_rows().await[0]["payoutId"].clone();
        let other = docs.app.signed_in().await;
        for request in [
            json!({"name": "hold-expired", "payment": paid["_id"]}),
            json!({"name": "late-fee", "reservation": RESERVATION}),
            json!({"name": "channel-booking", "listing": LISTING}),
            json!({"name": "chargeback", "transaction": before[0]["transactionId"]}),
            json!({"name": "payout-rejected", "payout": payout}),
        ] {
            let reply = other.post("/sandbox/trigger", &request).await;
            assert!([400, 404].contains(&reply.status.as_u16()), "{request}: {}", reply.text);
        }
        assert_eq!(docs.transactions().await, before);
    }
}

#[tokio::test]
async fn who_may_see_some_listings_only_triggers_nothing() {
    let docs = GuestyDocs::on(Engine::Sqlite).await;
    let limited = NewApplication {
        listings: Some([LISTING.parse().unwrap()].into()),
        ..NewApplication::named(docs.app.account(), "Limited")
    };
    let limited = docs.app.signed_in_as(limited).await;
    let reply = limited
        .post("/sandbox/trigger", &json!({"name": "late-fee"}))
        .await;
    assert_eq!(reply.status, 403);
}

#[tokio::test]
async fn elsewhere_than_in_a_sandbox_there_is_nothing_to_trigger() {
    let settings = payments::Settings {
        is_sandbox: false,
        ..payments::Settings::default()
    };
    let app = TestApp::with(Engine::Sqlite, settings)
        .await
        .signed_in()
        .await;
    for path in ["/sandbox/trigger", "/sandbox/reset"] {
        assert_eq!(
            app.post(path, &json!({"name": "late-fee"})).await.status,
            404
        );
    }
}
