//! Cards that are declined, and tried again.

use chrono::Duration;
use serde_json::{Value, json};
use store::on_both_engines;

use super::{GUEST, Hotel, METHOD, OF_ACCOUNT, Remote, path, payments, plan, planned};
use crate::advance::told_of_ours;
use crate::faults::Fault;

on_both_engines! {
    async fn a_declined_card_is_tried_three_times_an_hour_apart(hotel: Hotel) {
        hotel.store_card(GUEST, "pm_card_chargeDeclined").await;
        let booked = hotel.book(&json!({})).await;
        let advanced = hotel.advance("30m").await;
        assert_eq!(told_of_ours(&advanced), [("2023-08-14T13:02:00.000Z", "payment", "PENDING")]);
        let tried = hotel.now(&booked).await;
        assert_eq!(plan(&tried)[0], planned("300", "PENDING", "2023-08-14T14:02:00.000Z"));
        assert_eq!(payments(&tried)[0]["attempts"][0]["status"], "FAILED");
        let failing = payments(&booked)[0]["_id"].clone();
        assert_eq!(hotel.told("payments.failed", &failing).await, 0);

        let advanced = hotel.advance("1d").await;
        assert_eq!(told_of_ours(&advanced), [
            ("2023-08-14T14:02:00.000Z", "payment", "PENDING"),
            ("2023-08-14T15:02:00.000Z", "payment", "FAILED"),
        ]);
        let failed = hotel.now(&booked).await;
        let attempts = payments(&failed)[0]["attempts"].as_array().unwrap().clone();
        let keys: Vec<_> = attempts.iter().map(|attempt| &attempt["_id"]).collect();
        assert_eq!(keys.len(), 3);
        assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2], "{keys:?}");
        assert_eq!(hotel.told("payments.failed", &failing).await, 1);
        assert_eq!(hotel.charges().await, 3);

        // What was tried in vain is for people to collect: the rest stays what it was.
        assert_eq!(failed["money"]["balanceDue"], 1000);
        assert_eq!(failed["money"]["paymentsDue"], 700);
        let dearer = hotel.change(&booked, &json!({"money": {"fareAccommodation": 1100}})).await;
        assert_eq!(dearer["money"]["paymentsDue"], 800);
    }

    async fn the_second_try_may_succeed(hotel: Hotel) {
        hotel.store_card(GUEST, "pm_card_chargeDeclined").await;
        let booked = hotel.book(&json!({})).await;
        hotel.advance("30m").await;
        // The guest's newest card is charged from now on, of those that are planned too: none of
        // theirs has become unusable, so these stay with theirs.
        hotel.store_card(GUEST, "pm_card_visa").await;
        let kept = hotel.now(&booked).await;
        assert_eq!(payments(&kept)[1]["paymentMethodId"], payments(&booked)[1]["paymentMethodId"]);
        assert_eq!(plan(&hotel.book(&json!({})).await)[0].1, "PENDING");
        let advanced = hotel.advance("10m").await;
        assert_eq!(told_of_ours(&advanced)[0].2, "SUCCEEDED", "the new stay has the new card");
    }

    async fn a_hard_decline_ends_it_at_once(hotel: Hotel) {
        hotel.store_card(GUEST, "pm_card_chargeDeclinedStolenCard").await;
        let booked = hotel.book(&json!({})).await;
        let advanced = hotel.advance("1d").await;
        assert_eq!(told_of_ours(&advanced), [("2023-08-14T13:02:00.000Z", "payment", "FAILED")]);
        assert_eq!(hotel.told("payments.failed", &payments(&booked)[0]["_id"]).await, 1);
    }

    async fn a_card_that_was_declined_for_good_gives_way_to_the_guests_other_one(hotel: Hotel) {
        let lost = hotel.store_card(GUEST, "pm_card_chargeDeclinedLostCard").await;
        let booked = hotel.book(&json!({})).await;
        hotel.advance("1d").await;
        let after = hotel.now(&booked).await;
        assert_eq!(payments(&after)[0]["paymentMethodId"], lost);
        assert_eq!(payments(&after)[1]["paymentMethodId"], METHOD);
        assert_eq!(after["money"]["isTouchedPayments"], false);
        let advanced = hotel.advance("60d").await;
        assert_eq!(told_of_ours(&advanced), [("2023-09-17T13:00:00.000Z", "payment", "SUCCEEDED")]);
    }

    async fn a_card_that_was_declined_for_good_is_not_tried_again_without_another(hotel: Hotel) {
        let guest = json!({"firstName": "Nora", "lastName": "Unlucky"});
        let booked = hotel.book(&json!({"guest": guest, "guestId": null})).await;
        let guest = booked["guestId"].as_str().unwrap();
        hotel.store_card(guest, "pm_card_chargeDeclinedStolenCard").await;
        hotel.advance("60d").await;
        let waiting = hotel.now(&booked).await;
        assert_eq!(plan(&waiting), [
            planned("300", "FAILED", "2023-08-14T13:02:00.000Z"),
            planned("700", "PENDING", "2023-09-17T13:00:00.000Z"),
        ]);
        assert_eq!(payments(&waiting)[1]["paymentMethod"]["method"], "CASH");
        assert_eq!(hotel.charges().await, 1);

        // Its date has come already.
        let good = hotel.store_card(guest, "pm_card_visa").await;
        assert_eq!(told_of_ours(&hotel.advance("1h").await), [
            ("2023-10-13T13:02:00.000Z", "payment", "SUCCEEDED"),
        ]);
        assert_eq!(payments(&hotel.now(&booked).await)[1]["paymentMethodId"], good);
    }

    async fn a_card_that_was_declined_for_good_is_charged_for_no_other_stay_either(hotel: Hotel) {
        let before_arrival = json!({"policy": [
            {"type": "REST", "when": "BEFORE_CHECK_IN", "days": 14, "time": "09:00"},
        ]});
        hotel.app.put(OF_ACCOUNT, &before_arrival).await.expect(200);
        let lost = hotel.store_card(GUEST, "pm_card_chargeDeclinedLostCard").await;
        let first = hotel.book(&json!({})).await;
        let later = json!({
            "checkInDateLocalized": "2023-11-20", "checkOutDateLocalized": "2023-11-25",
        });
        let second = hotel.book(&later).await;
        assert_eq!(payments(&second)[0]["paymentMethodId"], lost);
        hotel.advance("60d").await;
        assert_eq!(plan(&hotel.now(&first).await)[0].1, "FAILED");
        assert_eq!(payments(&hotel.now(&second).await)[0]["paymentMethodId"], METHOD);
        let third = hotel.book(&json!({
            "checkInDateLocalized": "2024-01-20", "checkOutDateLocalized": "2024-01-25",
        })).await;
        assert_eq!(payments(&third)[0]["paymentMethodId"], METHOD);
    }

    async fn a_payment_planned_by_hand_is_tried_once(hotel: Hotel) {
        let card = hotel.store_card(GUEST, "pm_card_chargeDeclined").await;
        let booked = hotel.book(&json!({"status": "reserved"})).await;
        let all = format!("{}/payments", path(&booked));
        hotel.app.post(&all, &json!({
            "paymentMethod": {"method": "STRIPE", "id": card}, "amount": 100,
            "shouldBePaidAt": "2023-08-15",
        })).await.expect(201);
        let advanced = hotel.advance("2d").await;
        assert_eq!(told_of_ours(&advanced), [("2023-08-15T00:00:00.000Z", "payment", "FAILED")]);
    }

    async fn the_server_tries_again_by_itself(hotel: Hotel) {
        hotel.store_card(GUEST, "pm_card_chargeDeclined").await;
        let booked = hotel.book(&json!({})).await;
        let platform = &hotel.app.platform;
        assert_eq!(platform.run_due().await.unwrap(), 1);
        assert_eq!(platform.run_due().await.unwrap(), 0, "not before an hour has gone by");
        hotel.app.clock.advance(Duration::hours(1));
        assert_eq!(platform.run_due().await.unwrap(), 1);
        assert_eq!(plan(&hotel.now(&booked).await)[0].1, "PENDING");
        hotel.app.clock.advance(Duration::hours(1));
        assert_eq!(platform.run_due().await.unwrap(), 1);
        assert_eq!(plan(&hotel.now(&booked).await)[0].1, "FAILED");
        hotel.app.clock.advance(Duration::hours(2));
        assert_eq!(platform.run_due().await.unwrap(), 0);
    }

    async fn a_try_without_an_answer_counts_once_it_is_known_to_have_failed(remote: Remote) {
        let Remote { hotel, line } = remote;
        hotel.store_card(GUEST, "pm_card_chargeDeclined").await;
        let booked = hotel.book(&json!({})).await;
        let (platform, clock) = (&hotel.app.platform, &hotel.app.clock);
        line.break_with(Fault::RequestLost);
        platform.run_due().await.unwrap();
        let attempts = |reservation: &Value| -> Vec<String> {
            let attempts = payments(reservation)[0]["attempts"].as_array().unwrap();
            attempts.iter().map(|one| one["status"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(attempts(&hotel.now(&booked).await), ["PENDING"]);
        clock.advance(Duration::minutes(90));
        // It is sent again, under its own key: that is no second try.
        platform.run_due().await.unwrap();
        assert_eq!(attempts(&hotel.now(&booked).await), ["FAILED"]);
        assert_eq!(plan(&hotel.now(&booked).await)[0].1, "PENDING");
        for _ in 0..3 {
            clock.advance(Duration::hours(1));
            platform.run_due().await.unwrap();
        }
        let failed = hotel.now(&booked).await;
        assert_eq!(attempts(&failed), ["FAILED", "FAILED", "FAILED"]);
        assert_eq!(plan(&failed)[0].1, "FAILED");
        assert_eq!(hotel.charges().await, 3);
    }

    async fn a_processor_that_is_away_for_an_hour_keeps_nobody_from_paying(remote: Remote) {
        let Remote { hotel, line } = remote;
        let booked = hotel.book(&json!({})).await;
        let (platform, clock) = (&hotel.app.platform, &hotel.app.clock);
        line.break_with(Fault::Unavailable);
        platform.run_due().await.unwrap();
        assert_eq!(plan(&hotel.now(&booked).await)[0].1, "PENDING");
        clock.advance(Duration::hours(1));
        platform.run_due().await.unwrap();
        assert_eq!(plan(&hotel.now(&booked).await)[0].1, "SUCCEEDED");
        assert_eq!(hotel.charges().await, 1);
    }

    async fn what_no_provider_can_charge_fails_and_says_why(hotel: Hotel) {
        let kronur = json!({"money": {"fareAccommodation": 90000, "currency": "ISK"}});
        let booked = hotel.book(&kronur).await;
        let platform = &hotel.app.platform;
        platform.run_due().await.unwrap();
        let failed = hotel.now(&booked).await;
        assert_eq!(plan(&failed)[0].1, "FAILED");
        assert_eq!(payments(&failed)[0]["attempts"], json!([]), "nobody was asked for money");
        let told = hotel.app.event_bodies("payments.failed").await;
        assert_eq!(told.len(), 1);
        let why = told[0].1["failureReason"].as_str().unwrap();
        assert!(why.contains("no sub-account in ISK"), "{why}");
        assert_eq!(platform.run_due().await.unwrap(), 0, "it is not looked at again");
    }

    async fn who_edits_a_payment_takes_it_over(hotel: Hotel) {
        hotel.store_card(GUEST, "pm_card_chargeDeclined").await;
        let booked = hotel.book(&json!({})).await;
        let second = payments(&booked)[1]["_id"].as_str().unwrap();
        let second = format!("{}/payments/{second}", path(&booked));
        hotel.app.put(&second, &json!({"shouldBePaidAt": "2023-08-20"})).await.expect(200);
        let advanced = hotel.advance("30d").await;
        let fates: Vec<_> = told_of_ours(&advanced).into_iter().map(|(at, _, fate)| (at, fate)).collect();
        // The one that was edited is tried once, the other still three times.
        assert_eq!(fates, [
            ("2023-08-14T13:02:00.000Z", "PENDING"),
            ("2023-08-14T14:02:00.000Z", "PENDING"),
            ("2023-08-14T15:02:00.000Z", "FAILED"),
            ("2023-08-20T00:00:00.000Z", "FAILED"),
        ]);
    }
}
