//! What is planned, how it follows the reservation, and when it no longer does.

use serde_json::json;
use store::on_both_engines;

use super::{Hotel, METHOD, OF_ACCOUNT, deposit_and_rest, path, payments, plan, planned};
use crate::advance::told_of_ours;

on_both_engines! {
    async fn confirming_plans_the_payments_by_the_propertys_clock(hotel: Hotel) {
        let reserved = hotel.book(&json!({"status": "reserved"})).await;
        assert_eq!(plan(&reserved), [], "nothing is planned before it is confirmed");
        assert_eq!(reserved["money"]["autoPaymentsPolicy"], json!([]));

        let confirmed = hotel.change(&reserved, &json!({"status": "confirmed"})).await;
        // Nine in New York is 13:00 UTC until 5 November.
        assert_eq!(plan(&confirmed), [
            planned("300", "PENDING", "2023-08-14T13:02:00.000Z"),
            planned("700", "PENDING", "2023-09-17T13:00:00.000Z"),
        ]);
        let money = &confirmed["money"];
        assert_eq!(money["autoPaymentsPolicy"], deposit_and_rest());
        assert_eq!(money["isTouchedPayments"], false);
        assert_eq!(money["paymentsDue"], 1000);
        assert_eq!(payments(&confirmed)[0]["paymentMethod"]["_id"], METHOD);
        assert_eq!(
            hotel.told("reservation.updated", &confirmed["_id"]).await, 2,
            "the confirmation is told, and the payments"
        );

        let advanced = hotel.advance("60d").await;
        assert_eq!(told_of_ours(&advanced), [
            ("2023-08-14T13:02:00.000Z", "payment", "SUCCEEDED"),
            ("2023-09-17T13:00:00.000Z", "payment", "SUCCEEDED"),
        ]);
        let paid = hotel.now(&confirmed).await;
        assert_eq!(paid["money"]["isFullyPaid"], true);
        assert_eq!(paid["money"]["isTouchedPayments"], false);
    }

    async fn what_is_due_already_is_due_at_once(hotel: Hotel) {
        let soon = json!({
            "checkInDateLocalized": "2023-08-20", "checkOutDateLocalized": "2023-08-25",
        });
        let booked = hotel.book(&soon).await;
        let now = "2023-08-14T13:02:00.000Z";
        assert_eq!(plan(&booked), [planned("300", "PENDING", now), planned("700", "PENDING", now)]);
    }

    async fn what_waits_follows_the_total_and_the_dates(hotel: Hotel) {
        let booked = hotel.book(&json!({})).await;
        hotel.advance("1m").await;
        let paid = ("300".to_owned(), "SUCCEEDED", "2023-08-14T13:02:00.000Z");

        // 1,200 less the 300 that came in.
        let dearer = json!({"money": {"fareAccommodation": 1200}});
        let changed = hotel.change(&booked, &dearer).await;
        assert_eq!(plan(&changed), [
            paid.clone(), planned("900", "PENDING", "2023-09-17T13:00:00.000Z"),
        ]);
        let item = json!({"title": "Dog", "amount": 0.05, "normalType": "AFE",
                          "secondIdentifier": "PET"});
        let items = format!("/v1/invoice-items/reservation/{}", booked["_id"].as_str().unwrap());
        let changed = hotel.app.post(&items, &item).await.expect(201);
        assert_eq!(payments(&changed)[1]["amount"].to_string(), "900.05");

        let later = json!({
            "checkInDateLocalized": "2023-11-20", "checkOutDateLocalized": "2023-11-25",
        });
        let changed = hotel.change(&booked, &later).await;
        // Nine in New York is 14:00 UTC in winter.
        assert_eq!(plan(&changed), [
            paid.clone(), planned("900.05", "PENDING", "2023-11-06T14:00:00.000Z"),
        ]);
        let told = hotel.told("reservation.updated", &booked["_id"]).await;
        hotel.change(&booked, &json!({"notes": {"guest": "Late"}})).await;
        assert_eq!(
            hotel.told("reservation.updated", &booked["_id"]).await, told + 1,
            "what changes nothing of the payments says nothing of them"
        );

        // All that is left is a charge of 250, of which 300 are paid.
        let cheaper = json!({"money": {"fareAccommodation": 250, "invoiceItems": []}});
        let changed = hotel.change(&booked, &cheaper).await;
        assert_eq!(changed["money"]["balanceDue"], -50);
        assert_eq!(plan(&changed), [
            paid.clone(), planned("900.05", "CANCELLED", "2023-11-06T14:00:00.000Z"),
        ]);
        let dearer = json!({"money": {"fareAccommodation": 500}});
        let changed = hotel.change(&booked, &dearer).await;
        assert_eq!(plan(&changed)[2], planned("200", "PENDING", "2023-11-06T14:00:00.000Z"));

        // All is paid, and the stay gets dearer: the difference is due at once.
        hotel.advance("90d").await;
        let changed = hotel.change(&booked, &json!({"money": {"fareAccommodation": 510}})).await;
        assert_eq!(plan(&changed)[3], planned("10", "PENDING", "2023-11-12T13:03:00.000Z"));
        assert_eq!(changed["money"]["isTouchedPayments"], false);
    }

    async fn any_change_by_hand_turns_them_off(hotel: Hotel) {
        let dearer = json!({"money": {"fareAccommodation": 2000}});
        for what in ["record", "charge", "plan", "edit", "cancel"] {
            let booked = hotel.book(&json!({})).await;
            let all = format!("{}/payments", path(&booked));
            let second = format!("{all}/{}", payments(&booked)[1]["_id"].as_str().unwrap());
            let card = json!({"method": "STRIPE", "id": METHOD});
            let reply = match what {
                "record" => hotel.app.post(&all, &json!({
                    "paymentMethod": {"method": "CHECK"}, "amount": 100
                })).await,
                "charge" => hotel.app.post(&all, &json!({
                    "paymentMethod": card, "amount": 100
                })).await,
                "plan" => hotel.app.post(&all, &json!({
                    "paymentMethod": card, "amount": 100, "shouldBePaidAt": "2023-12-01"
                })).await,
                "edit" => hotel.app.put(&second, &json!({"amount": 650})).await,
                _ => hotel.app.patch(&format!("{second}/cancel")).await,
            };
            assert!(reply.status.is_success(), "{what}: {}", reply.text);
            let before = hotel.now(&booked).await;
            assert_eq!(before["money"]["isTouchedPayments"], true, "{what}");
            let after = hotel.change(&booked, &dearer).await;
            assert_eq!(payments(&after), payments(&before), "{what}");
            let after = hotel.change(&booked, &json!({"status": "canceled"})).await;
            assert_eq!(payments(&after), payments(&before), "{what}");
        }
    }

    async fn a_refund_turns_them_off(hotel: Hotel) {
        let booked = hotel.book(&json!({})).await;
        hotel.advance("1m").await;
        let paid = payments(&booked)[0]["_id"].as_str().unwrap();
        let refund = format!("{}/payments/{paid}/refund", path(&booked));
        hotel.app.post(&refund, &json!({"amount": 50})).await.expect(201);
        let after = hotel.change(&booked, &json!({"money": {"fareAccommodation": 2000}})).await;
        assert_eq!(after["money"]["isTouchedPayments"], true);
        assert_eq!(plan(&after)[1], planned("700", "PENDING", "2023-09-17T13:00:00.000Z"));
    }

    async fn a_payment_recorded_before_the_confirmation_leaves_it_to_people(hotel: Hotel) {
        let reserved = hotel.book(&json!({"status": "reserved"})).await;
        let all = format!("{}/payments", path(&reserved));
        let check = json!({"paymentMethod": {"method": "CHECK"}, "amount": 100});
        hotel.app.post(&all, &check).await.expect(201);
        let confirmed = hotel.change(&reserved, &json!({"status": "confirmed"})).await;
        assert_eq!(payments(&confirmed).len(), 1);
        assert_eq!(confirmed["money"]["isTouchedPayments"], true);
        assert_eq!(confirmed["money"]["autoPaymentsPolicy"], json!([]));
    }

    async fn cancelling_calls_off_what_waits_and_leaves_what_people_planned(hotel: Hotel) {
        let booked = hotel.book(&json!({})).await;
        hotel.advance("1m").await;
        let cancelled = hotel.change(&booked, &json!({"status": "canceled"})).await;
        let states: Vec<_> = plan(&cancelled).into_iter().map(|(_, status, _)| status).collect();
        assert_eq!(states, ["SUCCEEDED", "CANCELLED"]);
        assert_eq!(cancelled["money"]["isTouchedPayments"], false);
        assert_eq!(told_of_ours(&hotel.advance("60d").await), []);

        hotel.app.put(OF_ACCOUNT, &json!({"policy": []})).await.expect(200);
        let later = json!({
            "checkInDateLocalized": "2024-03-01", "checkOutDateLocalized": "2024-03-05",
        });
        let manual = hotel.book(&later).await;
        let all = format!("{}/payments", path(&manual));
        hotel.app.post(&all, &json!({
            "paymentMethod": {"method": "STRIPE", "id": METHOD}, "amount": 100,
            "shouldBePaidAt": "2024-01-01",
        })).await.expect(201);
        let cancelled = hotel.change(&manual, &json!({"status": "canceled"})).await;
        assert_eq!(plan(&cancelled), [planned("100", "PENDING", "2024-01-01T00:00:00.000Z")]);
    }
}
