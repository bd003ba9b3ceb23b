//! Additional fees of the catalog, and reservations that they come with.

use insta::{allow_duplicates, assert_snapshot};
use payments::NewApplication;
use serde_json::{Value, json};
use store::on_both_engines;

use crate::reservations::{listing, make, stay};
use crate::support::{TestApp, redacted};

const OF_ACCOUNT: &str = "/v1/additional-fees/account";

/// Linen for each guest, on every reservation.
fn linen() -> Value {
    json!({"name": "Linen", "type": "LINENS", "value": 12.5, "isPercentage": false,
           "multiplier": "PER_GUEST", "isAutomated": true, "allPlatforms": true})
}

fn path(fee: &Value) -> String {
    format!("/v1/additional-fees/{}", fee["_id"].as_str().unwrap())
}

on_both_engines! {
    async fn a_fee_is_made_changed_and_taken_away(app: TestApp) {
        let app = app.signed_in().await;
        // The body of the published example.
        let example = json!({
            "name": "AB", "type": "FOOD", "value": 5, "isPercentage": false,
            "multiplier": "PER_GUEST"
        });
        let made = app.post(OF_ACCOUNT, &example).await.expect(201);
        allow_duplicates! {
        assert_snapshot!(redacted(made.clone(), &["_id", "accountId"]), @r#"
        {
          "_id": "[_id]",
          "accountId": "[accountId]",
          "isPercentage": false,
          "automationSources": [],
          "automationPlatforms": [],
          "RUSources": [],
          "isAutomated": false,
          "allPlatforms": false,
          "allRUSources": false,
          "allSources": false,
          "name": "AB",
          "type": "FOOD",
          "value": 5,
          "isSyncToSupportedChannelsEnabled": false,
          "multiplier": "PER_GUEST",
          "isDeducted": false,
          "isBundled": false
        }
        "#);
        }
        assert_eq!(app.get(OF_ACCOUNT).await.expect(200), json!([made]));
        let change = json!({"value": 7.5, "isPercentage": true, "targetFee": "PAYOUT"});
        let changed = app.patch_with(&path(&made), &change).await.expect(200);
        assert_eq!(changed["name"], "AB");
        assert_eq!(changed["value"], 7.5);
        assert_eq!(app.get(OF_ACCOUNT).await.expect(200), json!([changed]));
        assert_eq!(app.delete(&path(&made)).await.expect(200), changed);
        assert_eq!(app.get(OF_ACCOUNT).await.expect(200), json!([]));
        assert_eq!(app.delete(&path(&made)).await.expect(404), "Additional fee not found");
    }

    async fn an_automatic_fee_comes_with_reservations_and_is_taxed(app: TestApp) {
        let app = app.signed_in().await;
        let home = listing(&app, json!({"title": "House"})).await;
        app.post(OF_ACCOUNT, &linen()).await.expect(201);
        let vat = json!({"type": "VAT", "units": "PERCENTAGE", "amount": 10,
                         "quantifier": "PER_STAY", "appliedToAllFees": true});
        app.post("/v1/taxes", &vat).await.expect(201);
        let mut asked = stay(&home);
        asked["guestsCount"] = 2.into();
        asked["money"] = json!({"fareAccommodation": 400});
        let made = make(&app, &asked).await;
        let items = &made["money"]["invoiceItems"];
        allow_duplicates! {
        assert_snapshot!(redacted(items[1].clone(), &["_id"]), @r#"
        {
          "_id": "[_id]",
          "title": "Linen",
          "amount": 25,
          "currency": "USD",
          "type": "MANUAL",
          "normalType": "AFE",
          "secondIdentifier": "LINENS",
          "isLocked": true,
          "isTax": false,
          "isAutoAdditionalFee": true
        }
        "#);
        }
        // 10 % of 400 + 25.
        assert_eq!(items[2]["amount"], 42.5);
        assert_eq!(items[2].get("isAutoAdditionalFee"), None);
    }

    async fn a_listings_fee_takes_the_place_of_the_accounts(app: TestApp) {
        let app = app.signed_in().await;
        let home = listing(&app, json!({"title": "House"})).await;
        let of_listing = format!("/v1/additional-fees/listing/{home}");
        app.post(OF_ACCOUNT, &linen()).await.expect(201);
        let mut own = linen();
        own["value"] = 20.into();
        let own = app.post(&of_listing, &own).await.expect(201);
        assert_eq!(own["listingId"], home);
        assert_eq!(app.get(&of_listing).await.expect(200), json!([own]));
        let made = make(&app, &stay(&home)).await;
        assert_eq!(made["money"]["hostPayout"], 20);
        let other = listing(&app, json!({"title": "Other"})).await;
        assert_eq!(make(&app, &stay(&other)).await["money"]["hostPayout"], 12.5);
    }

    async fn wrong_fees_are_refused_by_name(app: TestApp) {
        let app = app.signed_in().await;
        for (change, named) in [
            (json!({"name": null}), "name: it is required"),
            (json!({"name": ""}), "name: it is empty"),
            (json!({"type": "DRAGON"}), "type: not known"),
            (json!({"value": 0}), "value: it must be more than 0"),
            (json!({"value": 1.005}), "value: 1.005 has more decimal places"),
            (json!({"isPercentage": null}), "isPercentage: it is required"),
            (json!({"isPercentage": true}), "targetFee: it is required"),
            (json!({"isPercentage": true, "value": 101}), "value: a percentage"),
            (json!({"multiplier": null}), "multiplier: it is required"),
            (json!({"multiplier": "PER_DOG"}), "multiplier: one of `PER_NIGHT`, "),
            (json!({"allPlatforms": false}), "isAutomated: it needs one of"),
            (json!({"isAutomated": false}), "allPlatforms: it goes with isAutomated"),
            (json!({"automationPlatforms": ["manual"]}), "allPlatforms: it cannot be true"),
            (json!({"automationPlatforms": ["fax"]}), "automationPlatforms[0]: one of "),
            (json!({"allSources": true, "automationSources": ["x"]}), "allSources: it cannot be"),
            (json!({"allPlatforms": false, "allRUSources": true}), "automationPlatforms: it must"),
            (json!({"isDeducted": true}), "isDeducted: it cannot be true without isBundled"),
        ] {
            let mut wrong = linen();
            wrong.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            let error = app.post(OF_ACCOUNT, &wrong).await.expect(400);
            assert!(error.as_str().unwrap().starts_with(named), "{change}: {error}");
        }
        let unknown = "/v1/additional-fees/listing/64da223eb3de7a002a462fcc";
        assert_eq!(app.post(unknown, &linen()).await.expect(404), "Listing not found");
        assert_eq!(app.get(unknown).await.expect(404), "Listing not found");
        for _ in 0..50 {
            app.post(OF_ACCOUNT, &linen()).await.expect(201);
        }
        let error = app.post(OF_ACCOUNT, &linen()).await.expect(400);
        assert_eq!(error, "The body: there are 50 fees on this level already: delete one");
    }

    async fn another_account_has_nothing_to_do_with_it(app: TestApp) {
        let ours = app.signed_in().await;
        let home = listing(&ours, json!({"title": "House"})).await;
        let fee = ours.post(OF_ACCOUNT, &linen()).await.expect(201);
        let theirs = app.signed_in().await;
        theirs.delete(&path(&fee)).await.expect(404);
        theirs.patch_with(&path(&fee), &json!({"value": 1})).await.expect(404);
        let some = ours.signed_in_as(NewApplication {
            listings: Some([home.parse().unwrap()].into()),
            ..NewApplication::named(ours.account(), "Some")
        }).await;
        some.delete(&path(&fee)).await.expect(404);
        some.post(OF_ACCOUNT, &linen()).await.expect(403);
        some.post(&format!("/v1/additional-fees/listing/{home}"), &linen()).await.expect(201);
    }
}
