//! Payments on a reservation, told as seed exchanges, stories and refusals.

use axum::http::Method;
use chrono::Duration;
use serde_json::{Value, json};
use store::on_both_engines;

use crate::support::{GuestyDocs, Reply, TestApp};

const RESERVATION: &str = "64da254383ad1500284bd0c0";
const METHOD: &str = "64da2367d8d9771c02befbb2";
const GUEST: &str = "64da2084867c12ee0c2ca47f";

fn payments_path() -> String {
    format!("/v1/reservations/{RESERVATION}/payments")
}

fn path_of(payment: &Value, action: &str) -> String {
    format!(
        "{}/{}{action}",
        payments_path(),
        payment["_id"].as_str().unwrap()
    )
}

fn card(method: &str) -> Value {
    json!({"method": "AMARYLLIS", "saveForFutureUse": true, "id": method})
}

/// The newest payment of a reply: it comes last.
#[track_caller]
fn newest(reply: &Reply, status: u16) -> Value {
    reply.expect(status)["money"]["payments"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()
        .clone()
}

impl TestApp {
    async fn pay(&self, body: &Value) -> Value {
        newest(&self.post(&payments_path(), body).await, 201)
    }

    async fn charge(&self, method: &str, amount: u32) -> Value {
        self.pay(&json!({"paymentMethod": card(method), "amount": amount}))
            .await
    }

    async fn hold(&self, method: &str, amount: u32) -> Value {
        let body = json!({
            "paymentMethod": card(method), "amount": amount, "isAuthorizationHold": true,
        });
        self.pay(&body).await
    }

    async fn new_method(&self, token: &str) -> String {
        let path = format!("/v1/guests/{GUEST}/payment-methods");
        let made = self.post(&path, &json!({"_id": token})).await.expect(201);
        made["_id"].as_str().unwrap().to_owned()
    }

    async fn refund(&self, payment: &Value, body: &Value) -> Reply {
        self.post(&path_of(payment, "/refund"), body).await
    }

    async fn money(&self) -> Value {
        let path = format!("/v1/reservations/{RESERVATION}?fields=money");
        self.get(&path).await.expect(200)["money"].clone()
    }

    async fn payment(&self, id: &Value) -> Value {
        let money = self.money().await;
        let payments = money["payments"].as_array().unwrap();
        payments
            .iter()
            .find(|payment| payment["_id"] == *id)
            .unwrap()
            .clone()
    }
}

/// Blanks what cannot be the same twice: ids that are made here, instants, the receipt's number.
fn without_generated(mut reply: Value) -> Value {
    for payment in reply["money"]["payments"].as_array_mut().unwrap() {
        for name in [
            "_id",
            "createdAt",
            "paidAt",
            "receiptId",
            "confirmationCode",
        ] {
            blank(payment, name);
        }
        if payment["status"] == "SUCCEEDED" {
            blank(payment, "shouldBePaidAt");
        }
        for attempt in payment["attempts"].as_array_mut().unwrap() {
            blank(attempt, "_id");
            blank(attempt, "createdAt");
        }
    }
    reply
}

fn blank(object: &mut Value, name: &str) {
    if let Some(value) = object.get_mut(name) {
        *value = json!("…");
    }
}

/// The names and kinds of a document, its values left out: those of the processor's payload.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), shape(value)))
            .collect(),
        Value::Array(items) => items.iter().map(shape).collect(),
        Value::Number(_) => json!("number"),
        Value::Bool(_) => json!("yes or no"),
        // What is not set in one example may be in another.
        Value::String(_) | Value::Null => json!("text"),
    }
}

fn printed(name: &str) -> Value {
    let text = match name {
        "scheduled" => include_str!("printed/scheduled.json"),
        _ => include_str!("printed/immediate.json"),
    };
    serde_json::from_str(text).unwrap()
}

on_both_engines! {
    async fn the_guides_scheduled_payment_gets_the_printed_reply(docs: GuestyDocs) {
        let app = docs.app;
        let body = json!({
            "paymentMethod": {"method": "AMARYLLIS", "saveForFutureUse": true, "id": METHOD},
            "amount": 1200,
            "shouldBePaidAt": "2023-09-01T12:00:00.000Z",
            "note": "Second installment"
        });
        let reply = app.post(&payments_path(), &body).await.expect(201);
        assert_eq!(without_generated(reply), without_generated(printed("scheduled")));
    }

    async fn the_guides_immediate_payment_gets_the_printed_reply(docs: GuestyDocs) {
        let app = docs.app;
        let body = json!({
            "paymentMethod": {"method": "AMARYLLIS", "saveForFutureUse": true, "id": METHOD},
            "amount": 500,
            "note": "Deposit"
        });
        let mut reply = without_generated(app.post(&payments_path(), &body).await.expect(201));
        let mut expected = without_generated(printed("immediate"));
        let pointer = "/money/payments/0/attempts/0/payload";
        let payload = reply.pointer_mut(pointer).unwrap().take();
        let printed_payload = expected.pointer_mut(pointer).unwrap().take();
        assert_eq!(reply, expected);
        assert_eq!(shape(&payload), shape(&printed_payload));
        for (name, value) in [
            ("amount", json!(50000)),
            ("amount_received", json!(50000)),
            ("currency", json!("usd")),
            ("description", json!("r2B9jZYJK")),
            ("status", json!("succeeded")),
        ] {
            assert_eq!(payload[name], value, "{name}");
        }
        assert_eq!(payload["metadata"]["reservationId"], RESERVATION);
        assert_eq!(payload["metadata"]["guestName"], "Irving Washington");
    }

    async fn two_payments_on_one_reservation_are_both_shown_the_newest_last(docs: GuestyDocs) {
        let app = docs.app;
        app.charge(METHOD, 1200).await;
        let reply = app.post(
            &payments_path(), &json!({"paymentMethod": card(METHOD), "amount": 500}),
        ).await.expect(201);
        let payments = reply["money"]["payments"].as_array().unwrap().clone();
        let amounts: Vec<&Value> = payments.iter().map(|p| &p["amount"]).collect();
        assert_eq!(amounts, [&json!(1200), &json!(500)]);
        let money = app.money().await;
        assert_eq!(money["totalPaid"], json!(1700));
        assert_eq!(money["isTouchedPayments"], json!(true));
    }

    async fn a_scheduled_payment_is_changed_then_charged_when_due(docs: GuestyDocs) {
        let app = docs.app;
        let planned = app.pay(&json!({
            "paymentMethod": card(METHOD), "amount": 1200,
            "shouldBePaidAt": "2023-09-01T12:00:00.000Z",
        })).await;
        assert_eq!(planned["status"], "PENDING");
        let changed = newest(&app.put(&path_of(&planned, ""), &json!({
            "amount": 900.5, "shouldBePaidAt": "2023-08-20T12:00:00.000Z", "note": "earlier",
        })).await, 200);
        assert_eq!(changed["amount"], json!(900.5));
        assert_eq!(changed["note"], "earlier");

        app.clock.advance(Duration::days(3));
        assert_eq!(app.platform.run_due().await.unwrap(), 0);
        app.clock.advance(Duration::days(3));
        assert_eq!(app.platform.run_due().await.unwrap(), 1);
        let paid = app.payment(&planned["_id"]).await;
        assert_eq!(paid["status"], "SUCCEEDED");
        assert_eq!(paid["attempts"].as_array().unwrap().len(), 1);
        assert_eq!(app.money().await["totalPaid"], json!(900.5));
        assert_eq!(app.platform.run_due().await.unwrap(), 0);
        let late = app.put(&path_of(&planned, ""), &json!({"amount": 1})).await;
        assert_eq!(late.expect(400), "Only a scheduled payment can be changed: this one is SUCCEEDED");
    }

    async fn whatever_becomes_of_a_payment_changes_its_reservation(docs: GuestyDocs) {
        let app = docs.app;
        let path = format!("/v1/reservations/{RESERVATION}?fields=lastUpdatedAt");
        let mut last = String::new();
        let mut changed_now = async || {
            let shown = app.get(&path).await.expect(200);
            let changed = shown["lastUpdatedAt"].as_str().unwrap().to_owned();
            assert!(last < changed, "{last} is not before {changed}");
            last = changed;
            app.clock.advance(Duration::hours(1));
        };
        app.charge(METHOD, 20).await;
        changed_now().await;
        let planned = app.pay(&json!({
            "paymentMethod": card(METHOD), "amount": 1200, "shouldBePaidAt": "2024-09-01",
        })).await;
        changed_now().await;
        app.put(&path_of(&planned, ""), &json!({"note": "later"})).await.expect(200);
        changed_now().await;
        app.patch(&path_of(&planned, "/cancel")).await.expect(201);
        changed_now().await;
        let method = app.new_method("pm_card_visa_chargeDeclined").await;
        assert_eq!(app.charge(&method, 50).await["status"], "FAILED");
        changed_now().await;
    }

    async fn a_scheduled_payment_moved_to_the_past_is_charged_at_once(docs: GuestyDocs) {
        let app = docs.app;
        let planned = app.pay(&json!({
            "paymentMethod": card(METHOD), "amount": 10, "shouldBePaidAt": "2024-01-01",
        })).await;
        let paid = newest(&app.put(
            &path_of(&planned, ""), &json!({"shouldBePaidAt": "2020-01-01"}),
        ).await, 200);
        assert_eq!(paid["status"], "SUCCEEDED");
    }

    async fn a_date_in_the_past_charges_now(docs: GuestyDocs) {
        let paid = docs.app.pay(&json!({
            "paymentMethod": card(METHOD), "amount": 10, "shouldBePaidAt": "2020-01-01T00:00:00Z",
        })).await;
        assert_eq!(paid["status"], "SUCCEEDED");
    }

    async fn a_scheduled_payment_is_cancelled_with_any_empty_body(docs: GuestyDocs) {
        let app = docs.app;
        for body in [None, Some("{}"), Some("[]"), Some("")] {
            let planned = app.pay(&json!({
                "paymentMethod": card(METHOD), "amount": 10, "shouldBePaidAt": "2024-01-01",
            })).await;
            let path = path_of(&planned, "/cancel");
            let reply = app.send(Method::PATCH, &path, body.map(str::to_owned)).await;
            assert_eq!(newest(&reply, 201)["status"], "CANCELLED");
            let again = app.patch(&path).await;
            assert_eq!(again.expect(400), "This payment is CANCELLED and cannot be cancelled");
        }
        assert_eq!(app.money().await["totalPaid"], json!(0));
    }

    async fn a_hold_is_captured_in_part_and_refunded(docs: GuestyDocs) {
        let app = docs.app;
        let hold = app.hold(METHOD, 500).await;
        assert_eq!(hold["status"], "AUTHORIZATION_HOLD_SUCCEEDED");
        assert_eq!(app.money().await["totalPaid"], json!(0));

        let too_much = app.post(&path_of(&hold, "/capture"), &json!({"amount": 500.01})).await;
        assert_eq!(too_much.expect(400), "The hold is 500.00 USD: no more than that can be captured");
        let captured =
            newest(&app.post(&path_of(&hold, "/capture"), &json!({"amount": 300})).await, 201);
        assert_eq!(captured["status"], "SUCCEEDED");
        assert_eq!(captured["authorizationHoldCaptures"][0]["amount"], json!(300));
        assert_eq!(app.money().await["totalPaid"], json!(300));
        let again = app.post(&path_of(&hold, "/capture"), &json!({})).await;
        assert_eq!(
            again.expect(400),
            "Only an authorization hold can be captured: this payment is SUCCEEDED"
        );

        let refunded = newest(&app.refund(&hold, &json!({"amount": 120.25})).await, 201);
        assert_eq!(refunded["refunds"][0]["status"], "SUCCEEDED");
        assert_eq!(app.money().await["totalRefunded"], json!(120.25));
        let too_much = app.refund(&hold, &json!({"amount": 179.76})).await;
        assert_eq!(
            too_much.expect(400),
            "The refund is larger than what is left to refund of this payment, which is 179.75 USD"
        );
    }

    async fn a_hold_is_captured_whole_without_a_body(docs: GuestyDocs) {
        let app = docs.app;
        for body in [None, Some("{}".to_owned())] {
            let hold = app.hold(METHOD, 50).await;
            let reply = app.send(Method::POST, &path_of(&hold, "/capture"), body).await;
            let captured = newest(&reply, 201);
            assert_eq!(captured["authorizationHoldCaptures"][0]["amount"], json!(50));
        }
        assert_eq!(app.money().await["totalPaid"], json!(100));
    }

    async fn a_hold_is_released(docs: GuestyDocs) {
        let app = docs.app;
        let hold = app.hold(METHOD, 500).await;
        let released = newest(&app.patch(&path_of(&hold, "/cancel")).await, 201);
        assert_eq!(released["status"], "CANCELLED");
        let late = app.post(&path_of(&hold, "/capture"), &json!({})).await;
        assert_eq!(
            late.expect(400),
            "Only an authorization hold can be captured: this payment is CANCELLED"
        );
    }

    async fn a_hold_lapses_after_five_days_on_visa_and_seven_on_others(docs: GuestyDocs) {
        let app = docs.app;
        let visa = app.hold(METHOD, 100).await;
        let mastercard = app.new_method("pm_card_mastercard").await;
        let other = app.hold(&mastercard, 100).await;
        app.clock.advance(Duration::days(5));
        app.platform.run_due().await.unwrap();
        assert_eq!(app.payment(&visa["_id"]).await["status"], "CANCELLED");
        assert_eq!(app.payment(&other["_id"]).await["status"], "AUTHORIZATION_HOLD_SUCCEEDED");
        let late = app.post(&path_of(&visa, "/capture"), &json!({})).await.expect(400);
        assert!(late.as_str().unwrap().starts_with("The hold expired at "), "{late}");
        app.clock.advance(Duration::days(2));
        app.platform.run_due().await.unwrap();
        assert_eq!(app.payment(&other["_id"]).await["status"], "CANCELLED");
    }

    async fn a_hold_above_the_balance_is_refused(docs: GuestyDocs) {
        let app = docs.app;
        let balance = app.money().await["balanceDue"].clone();
        let body = json!({
            "paymentMethod": card(METHOD), "amount": 10_000_000, "isAuthorizationHold": true,
        });
        let refused = app.post(&payments_path(), &body).await.expect(400);
        assert!(refused.as_str().unwrap().contains("outstanding balance"), "{refused}");
        assert_eq!(app.money().await["balanceDue"], balance);
    }

    async fn a_declined_card_leaves_a_failed_payment_with_the_processors_reply(docs: GuestyDocs) {
        let app = docs.app;
        let method = app.new_method("pm_card_visa_chargeDeclined").await;
        let failed = app.charge(&method, 50).await;
        assert_eq!(failed["status"], "FAILED");
        assert_eq!(failed["attempts"][0]["status"], "FAILED");
        assert!(failed["attempts"][0]["payload"].is_object());
        assert!(failed["attempts"][0]["error"].is_string());
        assert_eq!(app.money().await["totalPaid"], json!(0));
        let refused = app.refund(&failed, &json!({"amount": 1})).await.expect(400);
        assert_eq!(refused, "Only a payment that succeeded can be refunded: this one is FAILED");
    }

    async fn a_card_that_needs_the_guest_waits_for_them(docs: GuestyDocs) {
        let app = docs.app;
        let method = app.new_method("pm_card_authenticationRequired").await;
        let waiting = app.charge(&method, 50).await;
        assert_eq!(waiting["status"], "PENDING_AUTH");
        let url = &waiting["authenticationRequiredData"]["authenticationUrl"];
        assert!(url.as_str().unwrap().contains("/sandbox/authenticate/"), "{url}");
        let cancelled = newest(&app.patch(&path_of(&waiting, "/cancel")).await, 201);
        assert_eq!(cancelled["status"], "CANCELLED");
    }

    async fn a_lost_answer_is_looked_up_and_moves_the_money_once(docs: GuestyDocs) {
        let app = docs.app;
        let method = app.new_method("pm_card_noAnswer").await;
        let paid = app.charge(&method, 50).await;
        assert_eq!(paid["status"], "SUCCEEDED");
        assert_eq!(app.money().await["totalPaid"], json!(50));
    }

    async fn an_attempt_that_never_arrived_stays_pending_then_fails(docs: GuestyDocs) {
        let app = docs.app;
        let method = app.new_method("pm_card_noAnswerNotExecuted").await;
        let pending = app.charge(&method, 50).await;
        assert_eq!(pending["status"], "PENDING");
        assert_eq!(pending["attempts"][0]["status"], "PENDING");
        let busy = app.patch(&path_of(&pending, "/cancel")).await.expect(400);
        assert_eq!(
            busy, "The processor is still working on this payment: try again in a moment"
        );
        for _ in 0..12 {
            app.clock.advance(Duration::hours(3));
            app.platform.run_due().await.unwrap();
        }
        let failed = app.payment(&pending["_id"]).await;
        assert_eq!(failed["status"], "FAILED");
        assert_eq!(failed["attempts"].as_array().unwrap().len(), 1);
    }

    async fn of_32_racing_refunds_of_one_payment_exactly_one_wins(docs: GuestyDocs) {
        let app = std::sync::Arc::new(docs.app);
        let paid = app.charge(METHOD, 100).await;
        let racing: Vec<_> = (0..32)
            .map(|_| {
                let (app, paid) = (std::sync::Arc::clone(&app), paid.clone());
                tokio::spawn(async move {
                    app.refund(&paid, &json!({"amount": 60})).await.status.as_u16()
                })
            })
            .collect();
        let mut statuses = Vec::new();
        for race in racing {
            statuses.push(race.await.unwrap());
        }
        statuses.sort_unstable();
        let mut expected = vec![201];
        expected.extend([400; 31]);
        assert_eq!(statuses, expected);
        assert_eq!(app.money().await["totalRefunded"], json!(60));
    }

    async fn a_refund_can_wait_and_be_cancelled_and_is_made_when_due(docs: GuestyDocs) {
        let app = docs.app;
        let paid = app.charge(METHOD, 100).await;
        let later = json!({"amount": 40, "shouldBePaidAt": "2023-08-20", "note": "goodwill"});
        let planned = newest(&app.refund(&paid, &later).await, 201);
        assert_eq!(planned["refunds"][0]["status"], "PENDING");
        assert_eq!(app.money().await["totalRefunded"], json!(0));
        let second = newest(&app.refund(&paid, &later).await, 201);
        let cancel = path_of(
            &paid, &format!("/refunds/{}/cancel", second["refunds"][1]["_id"].as_str().unwrap()),
        );
        let cancelled = newest(&app.patch(&cancel).await, 201);
        assert_eq!(cancelled["refunds"][1]["status"], "CANCELLED");
        assert_eq!(
            app.patch(&cancel).await.expect(400),
            "Only a refund that waits for its date can be cancelled: this one is CANCELLED"
        );

        app.clock.advance(Duration::days(6));
        app.platform.run_due().await.unwrap();
        let done = app.payment(&paid["_id"]).await;
        assert_eq!(done["refunds"][0]["status"], "SUCCEEDED");
        assert_eq!(done["refunds"][1]["status"], "CANCELLED");
        assert_eq!(app.money().await["totalRefunded"], json!(40));
    }

    async fn money_received_elsewhere_is_recorded_refunded_and_cancelled(docs: GuestyDocs) {
        let app = docs.app;
        let recorded = app.pay(&json!({
            "paymentMethod": {"method": "BANK_TRANSFER"}, "amount": 250.75, "paidAt": "2023-08-01",
        })).await;
        assert_eq!(recorded["status"], "SUCCEEDED");
        assert_eq!(recorded["paidAt"], "2023-08-01T00:00:00.000Z");
        assert_eq!(recorded["paymentMethod"], json!({"method": "BANK_TRANSFER"}));
        assert_eq!(recorded["attempts"], json!([]));
        assert_eq!(app.money().await["totalPaid"], json!(250.75));

        let refunded = newest(&app.refund(&recorded, &json!({"amount": 50.75})).await, 201);
        assert_eq!(refunded["refunds"][0]["status"], "SUCCEEDED");
        assert_eq!(refunded["refunds"][0]["attempts"], json!([]));
        let kept = app.patch(&path_of(&recorded, "/cancel")).await.expect(400);
        assert_eq!(kept, "This payment has refunds and cannot be cancelled");

        let mistake = app.pay(&json!({"paymentMethod": {"method": "CHECK"}, "amount": 1})).await;
        let cancelled = newest(&app.patch(&path_of(&mistake, "/cancel")).await, 201);
        assert_eq!(cancelled["status"], "CANCELLED");
        assert_eq!(app.money().await["totalPaid"], json!(250.75));
    }

    async fn a_charged_payment_is_not_cancelled_but_refunded(docs: GuestyDocs) {
        let app = docs.app;
        let paid = app.charge(METHOD, 10).await;
        assert_eq!(
            app.patch(&path_of(&paid, "/cancel")).await.expect(400),
            "This payment is SUCCEEDED and cannot be cancelled: refund it instead"
        );
    }

    async fn a_method_saved_for_one_payment_takes_one_payment(docs: GuestyDocs) {
        let app = docs.app;
        let path = format!("/v1/guests/{GUEST}/payment-methods");
        let made = app.post(
            &path, &json!({"stripeCardToken": "pm_card_visa", "saveForFutureUse": false}),
        ).await.expect(201);
        let once = json!({
            "paymentMethod": {"method": "STRIPE", "id": made["_id"]}, "amount": 10,
        });
        app.pay(&once).await;
        assert_eq!(
            app.post(&payments_path(), &once).await.expect(400),
            "This payment method was saved for one payment only (saveForFutureUse is false) and \
             has been used"
        );
    }

    async fn a_method_saved_for_one_payment_takes_one_of_two_that_race(docs: GuestyDocs) {
        let app = docs.app;
        let stay = app.get(&format!("/v1/reservations/{RESERVATION}")).await.expect(200);
        let other = app.post("/v1/reservations", &json!({
            "listingId": stay["listingId"], "guestId": GUEST, "status": "confirmed",
            "checkInDateLocalized": "2023-10-01", "checkOutDateLocalized": "2023-10-03",
        })).await.expect(200);
        let other = format!("/v1/reservations/{}/payments", other["_id"].as_str().unwrap());
        for round in 0..20 {
            let method = app.new_method("pm_card_visa").await;
            let once = json!({
                "paymentMethod": {"method": "STRIPE", "id": method, "saveForFutureUse": false},
                "amount": 10,
            });
            let here = payments_path();
            let (one, two) = tokio::join!(app.post(&here, &once), app.post(&other, &once));
            let mut statuses = [one.status.as_u16(), two.status.as_u16()];
            statuses.sort_unstable();
            assert_eq!(statuses, [201, 400], "round {round}");
        }
    }

    async fn a_scheduled_payment_is_not_moved_to_a_provider_without_its_currency(docs: GuestyDocs) {
        let app = docs.app;
        let merchant = app.sandbox.open_merchant("Euros", &["EUR".parse().unwrap()]).await.unwrap();
        app.sql(format!(
            "INSERT INTO provider (id, account_id, name, method, processor, merchant, status, \
             is_default, created_ms) VALUES ('0123456789abcdef01234567', '{}', 'Euros', 'STRIPE', \
             'SANDBOX', '{merchant}', 'ACTIVE', {}, 0)", app.account(), "FALSE",
        )).await;
        let euros = app.post(
            &format!("/v1/guests/{GUEST}/payment-methods"),
            &json!({"_id": "pm_card_visa", "paymentProviderId": "0123456789abcdef01234567"}),
        ).await.expect(201);
        let waiting = app.pay(&json!({
            "paymentMethod": card(METHOD), "amount": 10, "shouldBePaidAt": "2023-09-01",
        })).await;
        let moved = json!({"paymentMethod": {"method": "AMARYLLIS", "id": euros["_id"]}});
        let refused = app.put(&path_of(&waiting, ""), &moved).await.expect(400);
        assert!(refused.as_str().unwrap().contains("no sub-account in USD"), "{refused}");
        app.clock.advance(Duration::days(30));
        app.platform.run_due().await.unwrap();
        assert_eq!(app.payment(&waiting["_id"]).await["status"], "SUCCEEDED");
    }

    async fn a_reservation_in_a_currency_without_a_sub_account_takes_no_card(docs: GuestyDocs) {
        let app = docs.app;
        let listing = app.get(&format!("/v1/reservations/{RESERVATION}?fields=listingId")).await
            .expect(200)["listingId"].clone();
        let made = app.post("/v1/reservations", &json!({
            "listingId": listing, "guestId": GUEST, "status": "confirmed",
            "checkInDateLocalized": "2023-10-01", "checkOutDateLocalized": "2023-10-03",
            "money": {"fareAccommodation": 1000, "currency": "ISK"},
        })).await.expect(200);
        let path = format!("/v1/reservations/{}/payments", made["_id"].as_str().unwrap());
        let body = json!({"paymentMethod": card(METHOD), "amount": 10});
        let refused = app.post(&path, &body).await.expect(400);
        assert!(
            refused.as_str().unwrap().starts_with("The payment provider has no sub-account in ISK"),
            "{refused}"
        );
        let reply = app.get(&format!("/v1/reservations/{}?fields=money", made["_id"].as_str().unwrap()))
            .await.expect(200);
        assert_eq!(reply["money"]["payments"], json!([]));
    }

    async fn what_hangs_on_another_account_does_not_exist(docs: GuestyDocs) {
        let app = docs.app;
        let paid = app.charge(METHOD, 10).await;
        let stranger = app.signed_in().await;
        let body = json!({"paymentMethod": {"method": "CASH"}, "amount": 10});
        for reply in [
            stranger.post(&payments_path(), &body).await,
            stranger.put(&path_of(&paid, ""), &json!({"amount": 1})).await,
            stranger.patch(&path_of(&paid, "/cancel")).await,
            stranger.refund(&paid, &json!({"amount": 1})).await,
            stranger.post(&path_of(&paid, "/capture"), &json!({})).await,
        ] {
            assert_eq!(reply.expect(404), "Reservation Not Found");
        }
        let missing = path_of(&json!({"_id": "0123456789abcdef01234567"}), "/refund");
        assert_eq!(app.post(&missing, &json!({"amount": 1})).await.expect(404), "Payment not found");
        let methods = stranger.get(&format!("/v1/guests/{GUEST}/payment-methods")).await;
        assert_eq!(methods.expect(404), "Guest not found");
    }

    async fn bad_input_is_refused_by_name_and_changes_nothing(docs: GuestyDocs) {
        let app = docs.app;
        let before = app.money().await;
        let with = |extra: &str| {
            format!(r#"{{"paymentMethod": {{"method": "STRIPE", "id": "{METHOD}"}}{extra}}}"#)
        };
        for (body, says) in [
            (String::from("{"), "not valid JSON"),
            (String::from("[]"), "expected"),
            (String::from("null"), "expected"),
            (String::from("{}"), "Method is required"),
            (r#"{"paymentMethod": {}, "amount": 1}"#.into(), "Method is required"),
            (r#"{"paymentMethod": "STRIPE", "amount": 1}"#.into(), "paymentMethod"),
            (r#"{"paymentMethod": {"method": "BITCOIN"}, "amount": 1}"#.into(), "BITCOIN"),
            (r#"{"paymentMethod": {"method": "STRIPE"}, "amount": 1}"#.into(), "paymentMethod.id is required"),
            (r#"{"paymentMethod": {"method": "STRIPE", "id": "xyz"}, "amount": 1}"#.into(), "24 hexadecimal digits"),
            (r#"{"paymentMethod": {"method": "STRIPE", "id": "0123456789abcdef01234567"}, "amount": 1}"#.into(), "Payment method not found"),
            (with(""), "amount is required"),
            (with(r#", "amount": "10""#), "amount"),
            (with(r#", "amount": 0"#), "more than 0"),
            (with(r#", "amount": -5"#), "/refund"),
            (with(r#", "amount": 10.005"#), "10.005"),
            (with(r#", "amount": 1e2"#), "amount"),
            (with(r#", "amount": 10000000000.01"#), "limit"),
            (with(r#", "amount": 99999999999999999999999999"#), "amount"),
            (with(r#", "amount": 1, "shouldBePaidAt": "tomorrow""#), "not a date"),
            (with(r#", "amount": 1, "shouldBePaidAt": "99999-01-01""#), "not a date"),
            (with(r#", "amount": 1, "shouldBePaidAt": 5"#), "shouldBePaidAt"),
            (with(r#", "amount": 1, "note": "a\u0000b""#), "NUL"),
            (with(r#", "amount": 1, "note": "4242 4242 4242 4242""#), "card number"),
            (with(r#", "amount": 1, "cvc": "123""#), "card number"),
            (with(r#", "amount": 1, "isAuthorizationHold": "yes""#), "isAuthorizationHold"),
            (with(&format!(r#", "amount": 1, "note": "{}""#, "x".repeat(501))), "500 characters"),
        ] {
            let reply = app.send(Method::POST, &payments_path(), Some(body.clone())).await;
            let text = reply.expect(400);
            assert!(text.as_str().unwrap().contains(says), "{body}: {text}");
        }
        let huge = format!(r#"{{"note": "{}"}}"#, "x".repeat(1024 * 1024));
        let reply = app.send(Method::POST, &payments_path(), Some(huge)).await;
        assert_eq!(reply.status, 413);
        let reply = app.send(Method::POST, "/v1/reservations/nonsense/payments", Some(with(""))).await;
        assert!(reply.expect(400).as_str().unwrap().contains("24 hexadecimal digits"));
        assert_eq!(app.money().await, before);
    }
}
