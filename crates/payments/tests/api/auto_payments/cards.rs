//! Which card is charged, and what waits until there is one.

use serde_json::json;
use store::on_both_engines;

use super::{Hotel, path, payments};
use crate::advance::told_of_ours;

on_both_engines! {
    async fn without_a_card_they_wait_for_one(hotel: Hotel) {
        let guest = json!({"firstName": "Nora", "lastName": "Cardless"});
        let booked = hotel.book(&json!({"guest": guest, "guestId": null})).await;
        let first = &payments(&booked)[0];
        assert_eq!(first["paymentMethod"]["method"], "CASH");
        assert_eq!(first["status"], "PENDING");
        assert_eq!(told_of_ours(&hotel.advance("2h").await), [], "there is nothing to charge");

        let guest = booked["guestId"].as_str().unwrap();
        let card = hotel.store_card(guest, "pm_card_visa").await;
        let carded = hotel.now(&booked).await;
        for payment in payments(&carded) {
            assert_eq!(payment["paymentMethodId"], card);
            assert_eq!(payment["status"], "PENDING");
        }
        assert_eq!(carded["money"]["isTouchedPayments"], false);
        let advanced = hotel.advance("1h").await;
        assert_eq!(told_of_ours(&advanced), [("2023-08-14T15:02:00.000Z", "payment", "SUCCEEDED")]);
    }

    async fn a_person_can_give_a_waiting_payment_its_card(hotel: Hotel) {
        let guest = json!({"firstName": "Nora", "lastName": "Cardless"});
        let booked = hotel.book(&json!({"guest": guest, "guestId": null})).await;
        let second = payments(&booked)[1]["_id"].as_str().unwrap();
        let second = format!("{}/payments/{second}", path(&booked));
        // Touched before the card is there: nothing follows by itself any more.
        hotel.app.put(&second, &json!({"note": "by phone"})).await.expect(200);
        let guest = booked["guestId"].as_str().unwrap();
        let card = hotel.store_card(guest, "pm_card_visa").await;
        let after = hotel.now(&booked).await;
        assert_eq!(payments(&after)[1]["paymentMethod"]["method"], "CASH");
        let given = json!({"paymentMethod": {"method": "STRIPE", "id": card}});
        hotel.app.put(&second, &given).await.expect(200);
        let after = hotel.now(&booked).await;
        assert_eq!(payments(&after)[1]["paymentMethodId"], card);
        let advanced = hotel.advance("60d").await;
        assert_eq!(told_of_ours(&advanced), [("2023-09-17T13:00:00.000Z", "payment", "SUCCEEDED")]);
    }

    async fn whether_the_card_or_the_confirmation_comes_first_the_card_is_charged(hotel: Hotel) {
        for round in 0..4 {
            let name = format!("Guest {round}");
            let guest = json!({"firstName": "Both", "lastName": name});
            let first = hotel.book(&json!({
                "guest": guest, "guestId": null, "status": "reserved",
            })).await;
            let guest = first["guestId"].as_str().unwrap();
            let stay = json!({"guestId": guest, "status": "reserved"});
            let second = hotel.book(&stay).await;
            let confirmed = json!({"status": "confirmed"});
            // Whoever is first: at once, and each in its own transaction.
            tokio::join!(
                hotel.change(&first, &confirmed),
                hotel.store_card(guest, "pm_card_visa"),
                hotel.change(&second, &confirmed),
            );
            for booked in [&first, &second] {
                let booked = hotel.now(booked).await;
                assert_eq!(payments(&booked).len(), 2);
                for payment in payments(&booked) {
                    assert_eq!(payment["paymentMethod"]["method"], "STRIPE", "{payment}");
                }
            }
        }
    }

    async fn another_guest_is_charged_by_their_own_card(hotel: Hotel) {
        let booked = hotel.book(&json!({})).await;
        let other = json!({"firstName": "Nora", "lastName": "Newcomer"});
        let other = hotel.app.post("/v1/guests-crud", &other).await.expect(200);
        let changed = hotel.change(&booked, &json!({"guestId": other["_id"]})).await;
        for payment in payments(&changed) {
            assert_eq!(payment["paymentMethod"]["method"], "CASH", "they have no card yet");
        }
        let card = hotel.store_card(other["_id"].as_str().unwrap(), "pm_card_visa").await;
        for payment in payments(&hotel.now(&booked).await) {
            assert_eq!(payment["paymentMethodId"], card);
        }
    }

    async fn a_stay_that_is_triggered_is_paid_by_the_policy(hotel: Hotel) {
        let direct = json!({"name": "direct-booking"});
        let triggered = hotel.app.post("/sandbox/trigger", &direct).await.expect(200);
        let id = triggered["reservation"].as_str().unwrap();
        let booked = hotel.app.get(&format!("/v1/reservations/{id}")).await.expect(200);
        assert_eq!(booked["money"]["paymentsDue"], booked["money"]["balanceDue"]);
        assert_eq!(booked["money"]["isTouchedPayments"], false);
        for payment in payments(&booked) {
            assert_eq!(payment["paymentMethodId"], triggered["paymentMethod"]);
        }
    }
}
