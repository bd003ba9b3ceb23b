//! What is told.

use chrono::Duration;
use contract::Timestamp;
use insta::{allow_duplicates, assert_snapshot};
use processors::sandbox::Dispute;
use processors::{MerchantId, TransactionId};
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use store::{Clock, SystemClock, on_both_engines};

use super::receiver::Arrival;
use super::{GUEST, METHOD, RESERVATION, Told};
use crate::payouts::pass;
use crate::reservations::{listing, make, stay};
use crate::support::redacted;

on_both_engines! {
    async fn a_payment_is_told_once_and_verifies_with_the_secret(told: Told) {
        let real = SystemClock.now() - told.app.clock.now();
        told.app.clock.advance(real);
        told.subscribe(&["payments.received"]).await;
        let paid = told.pay(190).await;
        assert_eq!(told.send().await, 1);
        assert_eq!(told.send().await, 0);
        let [arrival] = told.receiver.take().try_into().unwrap();

        let path = format!("/v1/webhooks-v2/secret?url={}", told.receiver.url());
        let secret = told.app.get(&path).await.expect(200);
        let verifier = Webhook::new(secret["key"].as_str().unwrap()).unwrap();
        verifier.verify(&arrival.body, &arrival.standard_headers()).unwrap();
        let mut forged = arrival.body.to_vec();
        forged[20] ^= 1;
        assert!(verifier.verify(&forged, &arrival.standard_headers()).is_err());
        let seconds = told.app.clock.now().seconds().to_string();
        assert_eq!(arrival.header("svix-timestamp"), seconds);
        assert!(arrival.id().starts_with("msg_"), "{}", arrival.id());
        assert_eq!(arrival.header("content-type"), "application/json");

        let body = arrival.json();
        assert_eq!(body["payment"]["paymentId"], paid["_id"]);
        assert_eq!(body["payment"]["paidAt"], paid["paidAt"]);
        assert_eq!(body["payment"]["confirmationCode"], paid["confirmationCode"]);
        assert_eq!(body["payment"]["ctx"]["requestId"], arrival.id());
        let volatile = ["paymentId", "paidAt", "confirmationCode", "requestId"];
        allow_duplicates! {
        assert_snapshot!(redacted(body, &volatile), @r#"
        {
          "payment": {
            "accountId": "5213a2d206112710005d96ff",
            "reservationId": "64da254383ad1500284bd0c0",
            "paymentId": "[paymentId]",
            "amount": 190,
            "currency": "USD",
            "confirmationCode": "[confirmationCode]",
            "paidAt": "[paidAt]",
            "paymentMethodId": "64da2367d8d9771c02befbb2",
            "last4": "4242",
            "brand": "visa",
            "name": "Irving Washington",
            "guestId": "64da2084867c12ee0c2ca47f",
            "ctx": {
              "requestId": "[requestId]"
            }
          },
          "event": "payments.received"
        }
        "#);
        }
    }

    async fn what_fails_is_refunded_or_needs_the_guest_is_told_with_its_reason(told: Told) {
        told.subscribe(&[
            "payments.failed", "payments.refunded", "payments.method.received",
            "payments.authorizationHoldFailed", "payments.authenticationRequired",
        ]).await;
        let declined = method(&told, "pm_card_chargeDeclinedInsufficientFunds").await;
        let asking = method(&told, "pm_card_authenticationRequired").await;
        told.send().await;
        let received = told.receiver.take();
        assert_eq!(received.len(), 2);
        for arrival in received {
            let payment = &arrival.json()["payment"];
            let last4 = if payment["paymentMethodId"] == declined { "9995" } else { "3184" };
            assert_eq!(arrival.event(), "payments.method.received");
            assert_eq!(payment["guestId"], GUEST);
            assert_eq!(payment["last4"], last4);
        }

        charge(&told, json!({"amount": 80.5, "paymentMethod": {"method": "STRIPE", "id": declined}})).await;
        told.send().await;
        let [failed] = told.receiver.take().try_into().unwrap();
        assert_eq!(failed.event(), "payments.failed");
        assert_eq!(failed.json()["payment"]["amount"], json!(80.5));
        assert_eq!(failed.json()["payment"]["failureReason"],
            "Your card has insufficient funds. (insufficient_funds)");

        charge(&told, json!({
            "amount": 50, "isAuthorizationHold": true,
            "paymentMethod": {"method": "STRIPE", "id": declined},
        })).await;
        charge(&told, json!({"amount": 60, "paymentMethod": {"method": "STRIPE", "id": asking}})).await;
        told.send().await;
        let events = told.receiver.take_events();
        assert_eq!(events, ["payments.authorizationHoldFailed", "payments.authenticationRequired"]);

        let paid = told.pay(100).await;
        let path = format!(
            "/v1/reservations/{RESERVATION}/payments/{}/refund", paid["_id"].as_str().unwrap()
        );
        told.app.post(&path, &json!({"amount": 30.25})).await.expect(201);
        told.app.post(&path, &json!({"amount": 9.75})).await.expect(201);
        told.send().await;
        let refunds: Vec<Value> = told.receiver.take().iter().map(Arrival::json).collect();
        let amounts: Vec<&Value> = refunds.iter().map(|r| &r["payment"]["refundAmount"]).collect();
        assert_eq!(amounts, [&json!(30.25), &json!(9.75)]);
        assert_eq!(refunds[1]["payment"]["totalRefunded"], json!(40));
        assert_eq!(refunds[1]["payment"]["amount"], json!(100));
    }

    async fn a_dispute_is_told_with_its_case(told: Told) {
        told.subscribe(&["payments.disputes"]).await;
        let paid = told.pay(100).await;
        pass(&told.app, &MerchantId::new("1387"), "2023-08-15T00:00:00Z").await;
        let sales = "/v1/payment-transactions/reports?startDate=2023-08-14&endDate=2023-08-14";
        let sales = told.app.get(&format!("{sales}&subAccountId=1387.1")).await.expect(200);
        let dispute = Dispute {
            transaction: TransactionId::new(sales[0]["transactionId"].as_str().unwrap()),
            case_id: "CASE-1".to_owned(),
            reason: "10.4".to_owned(),
            at: "2023-08-15T10:00:00Z".parse().unwrap(),
        };
        told.app.sandbox.dispute(dispute).await.unwrap();
        told.app.platform.run_imports().await;
        assert_eq!(told.send().await, 1);
        let [disputed] = told.receiver.take().try_into().unwrap();
        let payment = &disputed.json()["payment"];
        let says = |name: &str| payment[name].clone();
        assert_eq!(says("paymentId"), paid["_id"]);
        assert_eq!(says("type"), "Chargeback");
        assert_eq!(says("amount"), 100);
        assert_eq!((says("reason"), says("caseId")), (json!("10.4"), json!("CASE-1")));
        let text = String::from_utf8(disputed.body.to_vec()).unwrap();
        assert_eq!(text.matches(r#""currency":"USD""#).count(), 1, "{text}");
        assert_eq!(text.matches(r#""amount":"#).count(), 1, "{text}");
    }

    async fn a_reservation_is_told_whole_and_without_money(told: Told) {
        let home = listing(&told.app, json!({"title": "House"})).await;
        told.subscribe(&[
            "reservation.new", "reservation.updated", "reservation.created.v2",
            "reservation.updated.v2",
        ]).await;
        let made = make(&told.app, &stay(&home)).await;
        told.send().await;
        let [new, created] = told.receiver.take().try_into().unwrap();
        assert_eq!(new.json(), json!({"reservation": made, "event": "reservation.new"}));
        let volatile = [
            "_id", "accountId", "reservationId", "unitId", "guestId", "confirmationCode",
        ];
        let published = created.json()["publishedAt"].as_str().unwrap().parse::<Timestamp>();
        assert_eq!(published.unwrap(), told.app.clock.now());
        assert_eq!(created.json()["unitId"], home);
        allow_duplicates! {
        assert_snapshot!(redacted(created.json(), &volatile), @r#"
        {
          "event": "reservation.created.v2",
          "publishedAt": "2026-11-21T12:00:00.000Z",
          "changes": [],
          "accountId": "[accountId]",
          "reservationId": "[reservationId]",
          "unitId": "[unitId]",
          "guestId": "[guestId]",
          "status": "confirmed",
          "confirmationCode": "[confirmationCode]",
          "source": "Manual",
          "platform": "manual",
          "checkInDateLocalized": "2026-12-01",
          "checkOutDateLocalized": "2026-12-05",
          "guestsCount": 1,
          "numberOfGuests": {
            "numberOfAdults": 1
          },
          "eta": "2026-12-01T20:00:00.000Z",
          "etd": "2026-12-05T15:00:00.000Z",
          "createdAt": "2023-08-14T13:02:00.000Z",
          "alteredAt": "2023-08-14T13:02:00.000Z"
        }
        "#);
        }

        let path = format!("/v1/reservations/{}", made["_id"].as_str().unwrap());
        let change = json!({"checkOutDateLocalized": "2026-12-07", "guestsCount": 3});
        let changed = told.app.put(&path, &change).await.expect(200);
        told.app.put(&path, &change).await.expect(200);
        told.send().await;
        let [updated, v2] = told.receiver.take().try_into().unwrap();
        assert_eq!(updated.json(), json!({"reservation": changed, "event": "reservation.updated"}));
        assert_eq!(v2.json()["changes"], json!(["stay", "guestsCount"]));
        assert_eq!(v2.json()["checkOutDateLocalized"], "2026-12-07");
    }

    async fn a_payment_changes_its_reservation_and_not_the_stay(told: Told) {
        told.subscribe(&["reservation.updated", "reservation.updated.v2"]).await;
        told.pay(120).await;
        told.send().await;
        let [updated] = told.receiver.take().try_into().unwrap();
        let path = format!("/v1/reservations/{RESERVATION}");
        let reservation = told.app.get(&path).await.expect(200);
        assert_eq!(updated.json()["reservation"], reservation);
        assert_eq!(reservation["money"]["totalPaid"], 120);

        let later = json!({
            "paymentMethod": {"method": "STRIPE", "id": METHOD}, "amount": 10,
            "shouldBePaidAt": "2030-01-01T00:00:00.000Z",
        });
        charge(&told, later).await;
        told.send().await;
        assert_eq!(told.receiver.take_events(), ["reservation.updated"]);
    }

    async fn listings_and_guests_are_told_in_the_documented_shape(told: Told) {
        told.subscribe(&[
            "listing.new", "listing.updated", "listing.removed", "guest.created", "guest.updated",
        ]).await;
        let home = listing(&told.app, json!({"title": "House"})).await;
        let path = format!("/v1/listings/{home}");
        told.app.put(&path, &json!({"title": "Home"})).await.expect(200);
        told.app.delete(&path).await.expect(200);
        told.send().await;
        let arrivals = told.receiver.take();
        let events: Vec<Value> = arrivals.iter().map(|one| one.json()["event"].clone()).collect();
        assert_eq!(events, ["listing.new", "listing.updated", "listing.removed"]);
        for arrival in &arrivals {
            let body = arrival.json();
            assert_eq!(body["listing"], json!({"_id": home}));
            assert_eq!(body["meta"]["messageId"], arrival.id());
            assert_eq!(body["meta"]["eventId"].as_str().unwrap().len(), 24);
        }

        let guest = json!({"firstName": "Gerald", "lastName": "Charlton", "phone": "12016665626"});
        let guest = told.app.post("/v1/guests-crud", &guest).await.expect(200);
        told.send().await;
        let [created] = told.receiver.take().try_into().unwrap();
        assert_eq!(
            created.json(),
            json!({"guest": guest, "by": "open-api", "event": "guest.created"})
        );
    }

    async fn changes_of_a_folio_are_told_together(told: Told) {
        told.subscribe(&["guest-folio.created", "guest-folio.updated"]).await;
        for amount in [10, 20, 30] {
            told.pay(amount).await;
        }
        assert_eq!(told.send().await, 0);
        told.app.clock.advance(Duration::seconds(29));
        told.pay(40).await;
        assert_eq!(told.send().await, 0);
        told.app.clock.advance(Duration::seconds(2));
        assert_eq!(told.send().await, 1);
        let [updated] = told.receiver.take().try_into().unwrap();
        let folio = &updated.json()["guestFolio"];
        assert_eq!(updated.event(), "guest-folio.updated");
        assert_eq!(folio["reservationId"], RESERVATION);
        assert_eq!(folio["totalPaid"], 100);
        assert!(folio["invoiceItems"].is_array() && folio.get("payments").is_none(), "{folio}");

        told.pay(50).await;
        told.send().await;
        told.app.clock.advance(Duration::seconds(31));
        told.send().await;
        let [updated] = told.receiver.take().try_into().unwrap();
        assert_eq!(updated.json()["guestFolio"]["totalPaid"], 150);
    }

    async fn a_folio_is_told_to_who_comes_while_it_is_gathered_and_after_one_left(told: Told) {
        let first = told.subscribe(&["guest-folio.updated"]).await;
        told.pay(10).await;
        told.send().await;
        told.app.delete(&format!("/v1/webhooks/{first}")).await.expect(204);
        told.subscribe(&["guest-folio.updated"]).await;
        told.pay(20).await;
        told.send().await;
        told.app.clock.advance(Duration::seconds(31));
        assert_eq!(told.send().await, 1);
        let [updated] = told.receiver.take().try_into().unwrap();
        assert_eq!(updated.json()["guestFolio"]["totalPaid"], 30);
    }

    async fn nobody_is_told_what_nobody_asked_for(told: Told) {
        told.subscribe(&["task.created", "payments.overdue"]).await;
        let other = told.app.signed_in().await;
        crate::webhooks::subscribe(&other, &told.receiver.url(), &["payments.received"]).await;
        told.pay(10).await;
        assert!(!told.app.events().await.is_empty());
        assert_eq!(told.send().await, 0);
        assert_eq!(told.app.events().await, []);
    }
}

async fn method(told: &Told, token: &str) -> String {
    let path = format!("/v1/guests/{GUEST}/payment-methods");
    let made = told
        .app
        .post(&path, &json!({"stripeCardToken": token}))
        .await
        .expect(201);
    made["_id"].as_str().unwrap().to_owned()
}

async fn charge(told: &Told, payment: Value) {
    let path = format!("/v1/reservations/{RESERVATION}/payments");
    told.app.post(&path, &payment).await.expect(201);
}
