//! Payment providers.

use serde_json::{Value, json};
use store::on_both_engines;

use crate::reservations::listing;
use crate::support::{GuestyDocs, TestApp};

const PROVIDER: &str = "623833c1486b1c0033604efc";
const LISTING: &str = "64da223eb3de7a002a462fcc";
const SECOND: &str = "623833c1486b1c0033604efd";

/// A second provider of the portfolio, for its listing alone.
async fn second_provider(app: &TestApp, status: &str) {
    app.sql(format!(
        "INSERT INTO provider (id, account_id, name, method, processor, merchant, status, \
         is_default, created_ms) VALUES ('{SECOND}', '{}', 'Second', 'AMARYLLIS', 'SANDBOX', NULL, \
         '{status}', FALSE, 1900000000000)",
        app.account()
    ))
    .await;
    app.sql(format!(
        "UPDATE listing SET provider_id = '{SECOND}' WHERE id = '{LISTING}'"
    ))
    .await;
}

async fn of_listing(app: &TestApp, listing: &str) -> Value {
    let path = format!("/v1/payment-providers/provider-by-listing?listingId={listing}");
    app.get(&path).await.expect(200)
}

on_both_engines! {
    async fn the_default_serves_listings_that_name_no_other(docs: GuestyDocs) {
        let app = docs.app;
        let provider = of_listing(&app, LISTING).await;
        let name = provider["accountName"].clone();
        let default = json!({
            "_id": PROVIDER, "accountName": name, "status": "ACTIVE", "isDefault": true,
            "listingsCount": 1, "paymentMethodsCount": 1
        });
        let mut expected = default.clone();
        expected["paymentProviderId"] = json!(PROVIDER);
        expected["fallbackToDefault"] = json!(true);
        assert_eq!(provider, expected);
        assert_eq!(
            app.get("/v1/payment-providers/stats").await.expect(200),
            json!({"data": [default], "limit": 25, "skip": 0, "total": 1})
        );
        assert_eq!(
            app.get("/v1/payment-providers/summary").await.expect(200),
            json!({"total": 1, "active": 1, "defaultProviderId": PROVIDER})
        );
    }

    async fn a_listing_may_have_a_provider_of_its_own(docs: GuestyDocs) {
        let app = docs.app;
        second_provider(&app, "ACTIVE").await;
        let other = listing(&app, json!({"title": "Other"})).await;
        let own = of_listing(&app, LISTING).await;
        assert_eq!((&own["_id"], &own["fallbackToDefault"]), (&json!(SECOND), &json!(false)));
        assert_eq!(own["listingsCount"], 1);
        assert_eq!(of_listing(&app, &other).await["_id"], PROVIDER);
        let shown = app.get(&format!("/v1/listings/{LISTING}?fields=paymentProviderId")).await;
        assert_eq!(shown.expect(200), json!({"_id": LISTING, "paymentProviderId": SECOND}));
        let path = format!(
            "/v1/payment-providers/provider-by-listing?listingId={LISTING}&fields=status"
        );
        let cut = app.get(&path).await.expect(200);
        assert_eq!(cut, json!({"_id": SECOND, "status": "ACTIVE"}));
        let stats = app.get("/v1/payment-providers/stats?limit=1&skip=1").await.expect(200);
        assert_eq!(stats["data"][0]["_id"], SECOND);
        assert_eq!(stats["total"], 2);
    }

    async fn an_inactive_provider_is_shown_only_when_asked_for(docs: GuestyDocs) {
        let app = docs.app;
        second_provider(&app, "INACTIVE").await;
        let path = format!("/v1/payment-providers/provider-by-listing?listingId={LISTING}");
        app.get(&path).await.expect(404);
        let shown = app.get(&format!("{path}&includeInactiveProviders=true")).await.expect(200);
        assert_eq!(shown["status"], "INACTIVE");
        let summary = app.get("/v1/payment-providers/summary").await.expect(200);
        assert_eq!((&summary["total"], &summary["active"]), (&json!(2), &json!(1)));
    }

    async fn wrong_queries_are_refused_by_name(docs: GuestyDocs) {
        let app = docs.app;
        let path = "/v1/payment-providers/provider-by-listing";
        for (query, status, named) in [
            ("", 400, "listingId is required"),
            ("?listingId=zebra", 400, "\"zebra\" is not an id"),
            ("?listingId=64da223eb3de7a002a462fcd", 404, "Listing not found"),
            (
                "?listingId=64da223eb3de7a002a462fcc&includeInactiveProviders=7",
                400,
                "includeInactiveProviders must be true or false",
            ),
        ] {
            let error = app.get(&format!("{path}{query}")).await.expect(status);
            assert!(error.as_str().unwrap().contains(named), "{query}: {error}");
        }
        let nobody = app.signed_in().await;
        nobody.get(&format!("{path}?listingId={LISTING}")).await.expect(404);
        let stats = nobody.get("/v1/payment-providers/stats").await.expect(200);
        assert_eq!(stats["data"], json!([]));
        let home = listing(&nobody, json!({"title": "House"})).await;
        nobody.get(&format!("{path}?listingId={home}")).await.expect(404);
    }
}
