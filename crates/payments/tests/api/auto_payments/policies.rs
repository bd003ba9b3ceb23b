//! Policies: set, shown, refused, and where they do not apply.

use payments::NewApplication;
use serde_json::json;
use store::on_both_engines;

use super::{Hotel, LISTING, OF_ACCOUNT, deposit_and_rest, of_listing, plan, planned};

on_both_engines! {
    async fn a_policy_holds_for_the_account_and_a_listing_has_its_own(hotel: Hotel) {
        let app = &hotel.app;
        let of_account = json!({
            "level": "ACCOUNT", "policy": deposit_and_rest(), "currency": "USD"
        });
        assert_eq!(app.get(OF_ACCOUNT).await.expect(200), of_account);
        assert_eq!(app.get(&of_listing()).await.expect(200), of_account);

        let at_the_end = json!([{"type": "PERCENTAGE", "value": 100, "when": "AFTER_CHECK_OUT"}]);
        let own = app.put(&of_listing(), &json!({"policy": at_the_end})).await.expect(200);
        assert_eq!(own, json!({
            "level": "LISTING", "currency": "USD", "policy": [{
                "type": "PERCENTAGE", "value": 100, "when": "AFTER_CHECK_OUT",
                "days": 0, "time": "12:00",
            }],
        }));
        assert_eq!(app.get(&of_listing()).await.expect(200), own);
        assert_eq!(app.get(OF_ACCOUNT).await.expect(200), of_account);
        // What was shown can be written back.
        assert_eq!(app.put(&of_listing(), &own).await.expect(200), own);

        let booked = hotel.book(&json!({})).await;
        assert_eq!(booked["money"]["autoPaymentsPolicy"], own["policy"]);
        assert_eq!(plan(&booked), [planned("1000", "PENDING", "2023-10-06T16:00:00.000Z")]);

        app.put(&of_listing(), &json!({"policy": []})).await.expect(200);
        let booked = hotel.book(&json!({})).await;
        assert_eq!(booked["money"]["autoPaymentsPolicy"], json!([]));
        assert_eq!(plan(&booked), [], "the listing wants no automatic payments");

        assert_eq!(app.delete(&of_listing()).await.expect(200), of_account);
        assert_eq!(plan(&hotel.book(&json!({})).await).len(), 2);
    }

    async fn a_policy_that_cannot_be_is_refused_and_says_why(hotel: Hotel) {
        let app = &hotel.app;
        for (policy, why) in [
            (json!([{"type": "PERCENTAGE", "value": 30, "when": "CONFIRMATION"}]), "must sum to 100"),
            (json!([{"type": "REST", "when": "CONFIRMATION", "value": 3}]), "policy[0].value"),
            (json!([{"type": "REST", "when": "SOMEDAY"}]), "SOMEDAY"),
            (json!([{"type": "REST", "when": "BEFORE_CHECK_IN", "time": "25:00"}]), "HH:MM"),
            (json!([{"type": "FIXED", "value": 1e3, "when": "CONFIRMATION"}]), "must be the REST"),
        ] {
            let refused = app.put(OF_ACCOUNT, &json!({ "policy": policy })).await.expect(400);
            assert!(refused.as_str().unwrap().contains(why), "{policy}: {refused}");
        }
        app.put(OF_ACCOUNT, &json!({})).await.expect(400);
        let kept = app.get(OF_ACCOUNT).await.expect(200);
        assert_eq!(kept["policy"], deposit_and_rest(), "what was refused changed nothing");
    }

    async fn policies_are_nobody_elses(hotel: Hotel) {
        let other = hotel.app.signed_in().await;
        let policy = json!({ "policy": [] });
        other.get(&of_listing()).await.expect(404);
        other.put(&of_listing(), &policy).await.expect(404);
        other.delete(&of_listing()).await.expect(404);
        assert_eq!(other.get(OF_ACCOUNT).await.expect(200)["policy"], json!([]));

        let mut narrow = NewApplication::named(hotel.app.account(), "One listing");
        narrow.listings = Some([LISTING.parse().unwrap()].into());
        let narrow = hotel.app.signed_in_as(narrow).await;
        narrow.put(OF_ACCOUNT, &policy).await.expect(403);
        narrow.put(&of_listing(), &policy).await.expect(200);
    }

    async fn a_reservation_without_a_policy_that_fits_is_left_alone(hotel: Hotel) {
        let airbnb = hotel.book(&json!({"source": "Airbnb"})).await;
        assert_eq!(plan(&airbnb), [], "its guests pay where they book");

        let fixed = json!({"policy": [
            {"type": "FIXED", "value": 150, "when": "CONFIRMATION"},
            {"type": "REST", "when": "AFTER_CHECK_IN", "days": 1},
        ]});
        hotel.app.put(OF_ACCOUNT, &fixed).await.expect(200);
        let euros = json!({"money": {"fareAccommodation": 1000, "currency": "EUR"}});
        assert_eq!(plan(&hotel.book(&euros).await), [], "150 US dollars are not 150 euros");
        assert_eq!(plan(&hotel.book(&json!({})).await), [
            planned("150", "PENDING", "2023-08-14T13:02:00.000Z"),
            planned("850", "PENDING", "2023-10-02T16:00:00.000Z"),
        ]);
    }

    async fn an_account_that_is_emptied_has_no_policies_left(hotel: Hotel) {
        hotel.app.put(&of_listing(), &json!({"policy": []})).await.expect(200);
        hotel.book(&json!({})).await;
        hotel.app.post("/sandbox/reset", &json!({"yes": true})).await.expect(200);
        assert_eq!(hotel.app.get(OF_ACCOUNT).await.expect(200)["policy"], json!([]));
    }
}
