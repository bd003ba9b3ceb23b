//! What business time brings about at the processor: settlement, payouts, disputes.

use chrono::Duration;
use contract::Timestamp;
use processors::{Cursor, PayoutRecord, Processor, SubAccountId};
use serde_json::{Value, json};
use store::on_both_engines;

use crate::advance::told;
use crate::support::GuestyDocs;

const PAYMENTS: &str = "/v1/reservations/64da254383ad1500284bd0c0/payments";
const GUEST: &str = "/v1/guests/64da2084867c12ee0c2ca47f/payment-methods";
const METHOD: &str = "64da2367d8d9771c02befbb2";

impl GuestyDocs {
    async fn charge(&self, amount: u32) {
        let body = json!({"paymentMethod": {"method": "STRIPE", "id": METHOD}, "amount": amount});
        self.app.post(PAYMENTS, &body).await.expect(201);
    }

    async fn let_pass(&self, body: &Value) -> Value {
        self.app.post("/sandbox/advance", body).await.expect(200)
    }

    async fn payouts(&self) -> Vec<PayoutRecord> {
        let sub_account = SubAccountId::new("1387.1");
        let feed = self
            .app
            .sandbox
            .payouts_after(&sub_account, Cursor::START, 100);
        feed.await.unwrap()
    }
}

on_both_engines! {
    async fn a_charge_is_settled_paid_out_and_its_reserve_released(docs: GuestyDocs) {
        docs.charge(100).await;
        let advanced = docs.let_pass(&json!({"by": "15w"})).await;
        assert_eq!(told(&advanced), [
            ("2023-08-14T23:59:59.999Z", "settlement", "SETTLED"),
            ("2023-08-21T12:00:00.000Z", "payout", "SENT"),
            // The 90th day after the settlement, and the payout after that.
            ("2023-11-12T23:59:59.999Z", "settlement", "SETTLED"),
            ("2023-11-13T12:00:00.000Z", "payout", "SENT"),
        ]);
        let happened = &advanced["happened"];
        assert_eq!(happened[0]["settled"], 1);
        assert!(happened[0].get("released").is_none());
        // 100.00 - 10.00 held - 2.90 - 0.30 of fees.
        assert!(happened[1]["amount"].as_str().unwrap().starts_with("86.80 "));
        assert_eq!(happened[1]["payout"], docs.payouts().await[0].id.as_str());
        assert_eq!(happened[2]["settled"], 0);
        assert!(happened[2]["released"].as_str().unwrap().starts_with("10.00 "));
        assert_eq!(advanced["more"], 0);
        assert_eq!(advanced["totals"], json!([
            {"kind": "settlement", "result": "SETTLED", "count": 2},
            {"kind": "payout", "result": "SENT", "count": 2},
        ]));
        assert_eq!(docs.app.platform.run_due().await.unwrap(), 0, "nothing is left to do");
    }

    async fn what_is_due_at_the_instant_when_a_day_ends_is_settled_in_it(docs: GuestyDocs) {
        let later = json!({
            "paymentMethod": {"method": "STRIPE", "id": METHOD}, "amount": 10,
            "shouldBePaidAt": "2023-08-20T23:59:59.999Z",
        });
        docs.app.post(PAYMENTS, &later).await.expect(201);
        let advanced = docs.let_pass(&json!({"to": "2023-08-21"})).await;
        assert_eq!(told(&advanced), [
            ("2023-08-20T23:59:59.999Z", "payment", "SUCCEEDED"),
            ("2023-08-20T23:59:59.999Z", "settlement", "SETTLED"),
        ]);
    }

    async fn a_disputed_charge_is_told(docs: GuestyDocs) {
        let card = json!({"stripeCardToken": "pm_card_createDispute"});
        let method = docs.app.post(GUEST, &card).await.json()["_id"].as_str().unwrap().to_owned();
        let body = json!({"paymentMethod": {"method": "STRIPE", "id": method}, "amount": 100});
        docs.app.post(PAYMENTS, &body).await.expect(201);
        let advanced = docs.let_pass(&json!({"by": "10w"})).await;
        let results: Vec<_> = told(&advanced).into_iter()
            .filter(|(_, kind, _)| *kind == "dispute")
            .map(|(.., result)| result)
            .collect();
        assert_eq!(results, ["OPENED", "LOST"]);
    }

    async fn a_day_ends_by_itself_also_for_a_clock_that_is_ahead_and_once(docs: GuestyDocs) {
        docs.let_pass(&json!({"by": "30d"})).await;
        docs.charge(100).await;
        let other = docs.app.another_node().await;
        assert_eq!(docs.app.platform.run_due().await.unwrap(), 0);
        docs.app.clock.advance(Duration::days(1));
        let (one, two) = tokio::join!(docs.app.platform.run_due(), other.run_due());
        assert_eq!(one.unwrap() + two.unwrap(), 1, "one day is closed");
        docs.app.clock.advance(Duration::days(8));
        let (one, two) = tokio::join!(docs.app.platform.run_due(), other.run_due());
        assert_eq!(one.unwrap() + two.unwrap(), 1, "one payout is sent");
        let payouts = docs.payouts().await;
        assert_eq!(payouts.len(), 1);
        // Settled on 13 September, a Wednesday.
        let sent: Timestamp = "2023-09-20T12:00:00Z".parse().unwrap();
        assert_eq!(payouts[0].process_at, sent);
    }

    async fn an_account_lets_no_time_pass_for_another(docs: GuestyDocs) {
        docs.charge(100).await;
        let other = docs.app.signed_in().await;
        other.post("/sandbox/advance", &json!({"by": "30d"})).await.expect(200);
        assert_eq!(docs.payouts().await, []);
        let advanced = docs.let_pass(&json!({"by": "30d"})).await;
        assert_eq!(told(&advanced).len(), 2);
    }
}
