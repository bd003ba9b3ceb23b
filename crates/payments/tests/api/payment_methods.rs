//! Guests' payment methods: listed as the guide prints them, made of tokens, never of card numbers.

use payments::NewApplication;
use serde_json::json;
use store::on_both_engines;

use crate::support::GuestyDocs;

const METHODS: &str = "/v1/guests/64da2084867c12ee0c2ca47f/payment-methods";

on_both_engines! {
    async fn the_guides_list_gets_the_printed_reply(docs: GuestyDocs) {
        let mut listed = docs.app.get(METHODS).await.expect(200);
        assert!(listed[0]["payload"].is_object());
        listed[0]["payload"] = json!({});
        assert_eq!(listed, json!([{
            "_id": "64da2367d8d9771c02befbb2",
            "accountId": "5213a2d206112710005d96ff",
            "paymentProviderId": "623833c1486b1c0033604efc",
            "method": "STRIPE",
            "payload": {},
            "saveForFutureUse": true,
            "createdAt": "2023-08-14T12:52:05.012Z",
            "last4": "4242",
            "brand": "visa",
            "status": "ACTIVE",
            "type": "PHYSICAL",
            "updatedAt": "2023-08-14T12:51:51.082Z",
            "__v": 0,
            "guestId": "64da2084867c12ee0c2ca47f"
        }]));
    }

    async fn the_same_token_makes_a_method_of_either_kind(docs: GuestyDocs) {
        let app = docs.app;
        for (field, method) in [("stripeCardToken", "STRIPE"), ("_id", "AMARYLLIS")] {
            let made = app.post(METHODS, &json!({field: "pm_card_mastercard"})).await.expect(201);
            assert_eq!(made["method"], method);
            assert_eq!(made["brand"], "mastercard");
            assert_eq!(made["status"], "ACTIVE");
        }
        assert_eq!(app.get(METHODS).await.expect(200).as_array().unwrap().len(), 3);
    }

    async fn a_method_for_one_reservation_is_listed_for_it_alone(docs: GuestyDocs) {
        let app = docs.app;
        let reservation = "64da254383ad1500284bd0c0";
        app.post(METHODS, &json!({"_id": "pm_card_visa", "reservationId": reservation}))
            .await.expect(201);
        let count = async |query: &str| {
            let listed = app.get(&format!("{METHODS}{query}")).await.expect(200);
            listed.as_array().unwrap().len()
        };
        assert_eq!(count("").await, 1);
        assert_eq!(count(&format!("?reservationId={reservation}")).await, 2);
        assert_eq!(count("?reuse=false").await, 2);
        assert_eq!(count("?reuse=true&unknown=1").await, 1);
        let refused = app.get(&format!("{METHODS}?reuse=perhaps")).await.expect(400);
        assert_eq!(refused, "reuse must be true or false");
    }

    async fn what_makes_no_method_is_refused_by_name(docs: GuestyDocs) {
        let app = docs.app;
        let unknown = "0123456789abcdef01234567";
        for (body, status, says) in [
            (json!({}), 400, "Give the processor's token"),
            (json!({"stripeCardToken": ""}), 400, "Give the processor's token"),
            (json!({"stripeCardToken": "pm_card_visa", "_id": "pm_card_visa"}), 400, "not both"),
            (json!({"stripeCardToken": "tok_nonsense"}), 400, "tok_nonsense"),
            (json!({"_id": "4242424242424242"}), 400, "card number"),
            (json!({"card": {"number": "4242424242424242", "cvc": "123"}}), 400, "card number"),
            (json!({"_id": "pm_card_visa", "reservationId": unknown}), 404, "Reservation Not Found"),
            (json!({"_id": "pm_card_visa", "paymentProviderId": unknown}), 400, "Payment provider not found"),
        ] {
            let reply = app.post(METHODS, &body).await;
            let text = reply.expect(status);
            assert!(text.as_str().unwrap().contains(says), "{body}: {text}");
        }
        let nobody = app.post(
            &format!("/v1/guests/{unknown}/payment-methods"), &json!({"_id": "pm_card_visa"}),
        ).await;
        assert_eq!(nobody.expect(404), "Guest not found");
        assert_eq!(app.get(METHODS).await.expect(200).as_array().unwrap().len(), 1);
    }

    async fn a_card_declined_or_unconfirmed_when_it_is_verified_makes_no_method(docs: GuestyDocs) {
        let app = docs.app;
        for (token, says) in [
            ("pm_card_verifyDeclined", "The processor declined the card"),
            ("pm_card_authenticationRequiredOnSetup", "The card holder's bank must confirm"),
        ] {
            let refused = app.post(METHODS, &json!({"_id": token})).await.expect(400);
            assert!(refused.as_str().unwrap().starts_with(says), "{refused}");
        }
        assert_eq!(app.get(METHODS).await.expect(200).as_array().unwrap().len(), 1);
    }

    async fn who_may_see_some_listings_sees_the_methods_of_their_guests_alone(docs: GuestyDocs) {
        let app = docs.app;
        let reservation = "64da254383ad1500284bd0c0";
        let stay = app.get(&format!("/v1/reservations/{reservation}")).await.expect(200);
        let (guests_home, account) = (stay["listingId"].as_str().unwrap(), app.account());
        let other = app.post("/v1/listings", &json!({"title": "Elsewhere"})).await.expect(200);
        let limited = async |listing: &str| {
            app.signed_in_as(NewApplication {
                listings: Some([listing.parse().unwrap()].into()),
                ..NewApplication::named(account, "Some")
            }).await
        };
        let new = json!({"_id": "pm_card_visa"});
        let outside = limited(other["_id"].as_str().unwrap()).await;
        assert_eq!(outside.get(METHODS).await.expect(404), "Guest not found");
        assert_eq!(outside.post(METHODS, &new).await.expect(404), "Guest not found");

        let inside = limited(guests_home).await;
        assert_eq!(inside.get(METHODS).await.expect(200).as_array().unwrap().len(), 1);
        inside.post(METHODS, &new).await.expect(201);

        // The guest stays in both homes: each sees the guest, not the other home's reservation.
        let guest = stay["guestId"].as_str().unwrap();
        app.post("/v1/reservations", &json!({
            "listingId": other["_id"], "guestId": guest, "status": "confirmed",
            "checkInDateLocalized": "2023-10-01", "checkOutDateLocalized": "2023-10-03",
        })).await.expect(200);
        let for_the_other = json!({"_id": "pm_card_visa", "reservationId": reservation});
        let refused = outside.post(METHODS, &for_the_other).await.expect(404);
        assert_eq!(refused, "Reservation Not Found");
    }
}
