//! Listings.

use axum::http::{Method, StatusCode};
use insta::{allow_duplicates, assert_snapshot};
use payments::NewApplication;
use serde_json::{Value, json};
use store::on_both_engines;

use crate::support::{TestApp, redacted};

/// Makes a listing, and gives its id.
async fn make(app: &TestApp, listing: Value) -> String {
    let made = app.post("/v1/listings", &listing).await.expect(200);
    made["_id"].as_str().unwrap().to_owned()
}

/// The titles that a query of listings gives, and how many it says there are.
async fn titles(app: &TestApp, query: &str) -> (Vec<String>, i64) {
    let list = app.get(&format!("/v1/listings?{query}")).await.expect(200);
    let titles = list["results"].as_array().unwrap().iter();
    (
        titles
            .map(|listing| listing["title"].as_str().unwrap().to_owned())
            .collect(),
        list["count"].as_i64().unwrap(),
    )
}

on_both_engines! {
    async fn a_listing_is_kept_as_it_was_given(app: TestApp) {
        let app = app.signed_in().await;
        let id = make(
            &app,
            json!({
                "title": "House by the sea", "nickname": "Sea", "type": "SINGLE",
                "timezone": "Europe/Lisbon", "tags": ["beach"], "accommodates": 4,
                "defaultCheckInTime": "16:00",
                "address": {"full": "Rua 1, Lisboa", "city": "Lisboa", "lat": 38.72225},
                "prices": {"currency": "EUR", "basePrice": 120.10, "cleaningFee": 45},
                "terms": {"minNights": 2}, "customFields": [{"fieldId": "a", "value": null}],
                "_id": "64da223eb3de7a002a462fcc", "accountId": "mine", "createdAt": "never"
            }),
        )
        .await;
        let kept = app.get(&format!("/v1/listings/{id}")).await.expect(200);
        allow_duplicates! {
        assert_snapshot!(redacted(kept, &["_id", "accountId"]), @r#"
        {
          "_id": "[_id]",
          "accountId": "[accountId]",
          "title": "House by the sea",
          "nickname": "Sea",
          "active": true,
          "isListed": true,
          "timezone": "Europe/Lisbon",
          "defaultCheckInTime": "16:00",
          "defaultCheckOutTime": "10:00",
          "prices": {
            "currency": "EUR",
            "basePrice": 120.1,
            "cleaningFee": 45
          },
          "address": {
            "full": "Rua 1, Lisboa",
            "city": "Lisboa",
            "lat": 38.72225
          },
          "tags": [
            "beach"
          ],
          "type": "SINGLE",
          "accommodates": 4,
          "terms": {
            "minNights": 2
          },
          "customFields": [
            {
              "fieldId": "a",
              "value": null
            }
          ],
          "paymentProviderId": null,
          "createdAt": "2026-11-21T12:00:00.000Z",
          "lastUpdatedAt": "2026-11-21T12:00:00.000Z"
        }
        "#);
        }
    }

    async fn what_is_not_given_comes_from_the_account(app: TestApp) {
        let app = app.signed_in().await;
        let made = app.post("/v1/listings", &json!({"title": "A"})).await.expect(200);
        assert_eq!(made["prices"], json!({"currency": "USD"}));
        assert_eq!(made["timezone"], "UTC");
        assert_eq!(made["defaultCheckInTime"], "15:00");
        assert_eq!(made["defaultCheckOutTime"], "10:00");
        assert_eq!((&made["active"], &made["isListed"]), (&json!(true), &json!(true)));
    }

    async fn a_change_changes_only_what_it_names(app: TestApp) {
        let app = app.signed_in().await;
        let listing = json!({
            "title": "A", "nickname": "a", "tags": ["x"], "terms": {"minNights": 2},
            "prices": {"basePrice": 100}
        });
        let id = make(&app, listing).await;
        let change = json!({
            "title": "B", "nickname": null, "active": false,
            "prices": {"cleaningFee": 9.90, "currency": "EUR"}, "_id": "no", "paymentProviderId": "no"
        });
        let path = format!("/v1/listings/{id}");
        let changed = app.put(&path, &change).await.expect(200);
        assert_eq!(app.get(&path).await.expect(200), changed);
        assert_eq!(changed["_id"], id);
        assert_eq!(changed["title"], "B");
        assert_eq!(changed.get("nickname"), None);
        assert_eq!(changed["active"], false);
        assert_eq!(changed["tags"], json!(["x"]));
        assert_eq!(changed["terms"]["minNights"], 2);
        assert_eq!(
            changed["prices"].to_string(),
            r#"{"currency":"EUR","basePrice":100,"cleaningFee":9.9}"#
        );
        assert_eq!(changed["paymentProviderId"], Value::Null);
        app.clock.advance(chrono::Duration::hours(1));
        assert_eq!(app.put(&path, &changed).await.expect(200), changed);
        let kinds: Vec<String> = app.events().await.into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(kinds, ["listing.new", "listing.updated"], "what changes nothing is no event");
    }

    async fn a_removed_listing_is_gone(app: TestApp) {
        let app = app.signed_in().await;
        let id = make(&app, json!({"title": "A"})).await;
        let path = format!("/v1/listings/{id}");
        assert_eq!(app.delete(&path).await.expect(200), json!(id));
        assert_eq!(app.get(&path).await.expect(404), "Listing not found");
        assert_eq!(app.put(&path, &json!({})).await.expect(404), "Listing not found");
        assert_eq!(app.delete(&path).await.expect(404), "Listing not found");
        assert_eq!(titles(&app, "").await, (vec![], 0));
    }

    async fn lists_keep_to_what_is_asked(app: TestApp) {
        let app = app.signed_in().await;
        let of = |title: &str, city: &str, tag: &str| {
            json!({"title": title, "address": {"city": city, "full": format!("1 St, {city}")},
                   "tags": [tag]})
        };
        let beta = make(&app, of("Beta 100%", "Lisboa", "Sea")).await;
        make(&app, of("Alpha", "Porto", "sea side")).await;
        make(&app, of("Ärmel", "LISBOA", "sea")).await;
        let mut hidden = of("Hidden", "Lisboa", "sea");
        hidden["active"] = json!(false);
        hidden["isListed"] = json!(false);
        make(&app, hidden).await;
        for (query, expected) in [
            ("", vec!["Alpha", "Beta 100%", "Ärmel"]),
            ("sort=-title", vec!["Ärmel", "Beta 100%", "Alpha"]),
            ("active=false", vec!["Hidden"]),
            ("active=false&listed=true", vec![]),
            ("city=lisboa", vec!["Beta 100%", "Ärmel"]),
            ("tags=sea", vec!["Beta 100%", "Ärmel"]),
            ("tags=sea,other", vec![]),
            ("q=LISB", vec!["Beta 100%", "Ärmel"]),
            ("q=%25", vec!["Beta 100%"]),
            ("q=%C3%84RM", vec!["Ärmel"]),
            ("q=a_p", vec![]),
            (&format!("ids={beta}"), vec!["Beta 100%"]),
            (&format!("nids={beta}"), vec!["Alpha", "Ärmel"]),
            ("ids=64da223eb3de7a002a462fcc", vec![]),
            ("nobody=knows", vec!["Alpha", "Beta 100%", "Ärmel"]),
        ] {
            let expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
            let count = i64::try_from(expected.len()).unwrap();
            assert_eq!(titles(&app, query).await, (expected, count), "{query}");
        }
        assert_eq!(titles(&app, "limit=1&skip=1").await, (vec!["Beta 100%".to_owned()], 3));
        let picked = app.get("/v1/listings?fields=address.city+tags&limit=1").await.expect(200);
        assert_eq!(picked["results"][0]["address"], json!({"city": "Porto"}));
        assert_eq!(picked["results"][0].as_object().unwrap().len(), 3);
    }

    async fn wrong_listings_are_refused_by_name(app: TestApp) {
        let app = app.signed_in().await;
        for (listing, named) in [
            (json!({}), "missing field `title`"),
            (json!({"title": " "}), "title: it is empty"),
            (json!({"title": "x".repeat(256)}), "title: longer than 255"),
            (json!({"title": 7}), "title: a string is expected"),
            (json!({"title": "A", "timezone": "Mars/Olympus"}), "timezone: not a time zone"),
            (json!({"title": "A", "prices": {"currency": "XYZ"}}), "prices.currency: "),
            (json!({"title": "A", "defaultCheckInTime": "25:00"}), "defaultCheckInTime: not a time"),
        ] {
            let error = app.post("/v1/listings", &listing).await.expect(400);
            assert!(error.as_str().unwrap().contains(named), "{listing}: {error}");
        }
        assert_eq!(titles(&app, "").await.1, 0);
        let id = make(&app, json!({"title": "A"})).await;
        let error = app
            .put(&format!("/v1/listings/{id}"), &json!({"prices": {"currency": 5}}))
            .await
            .expect(400);
        assert!(error.as_str().unwrap().starts_with("prices.currency: "), "{error}");
        assert_eq!(titles(&app, "").await.0, ["A"]);
    }

    async fn wrong_queries_are_refused_by_name(app: TestApp) {
        let app = app.signed_in().await;
        for (path, named) in [
            ("/v1/listings?limit=0", "limit must be a whole number from 1 to 100"),
            ("/v1/listings?limit=101", "limit must be"),
            ("/v1/listings?skip=-1", "skip must be"),
            ("/v1/listings?active=maybe", "active must be true or false"),
            ("/v1/listings?ids=zebra", "\"zebra\" is not an id"),
            ("/v1/listings?sort=colour", "\"colour\" is not known"),
            ("/v1/listings?q=a%00b", "NUL"),
            ("/v1/listings/zebra", "\"zebra\" is not an id"),
        ] {
            let error = app.get(path).await.expect(400);
            assert!(error.as_str().unwrap().contains(named), "{path}: {error}");
        }
    }

    async fn what_others_have_does_not_exist(app: TestApp) {
        let ours = app.signed_in().await;
        let theirs = app.signed_in().await;
        let id = make(&theirs, json!({"title": "Theirs"})).await;
        let path = format!("/v1/listings/{id}");
        for reply in [
            ours.get(&path).await,
            ours.put(&path, &json!({"title": "Ours"})).await,
            ours.delete(&path).await,
        ] {
            assert_eq!(reply.expect(404), "Listing not found");
        }
        assert_eq!(titles(&ours, "").await.1, 0);
        assert_eq!(titles(&theirs, "").await.0, ["Theirs"]);
    }

    async fn an_application_of_some_listings_sees_no_others(app: TestApp) {
        let all = app.signed_in().await;
        let one = make(&all, json!({"title": "One"})).await;
        let other = make(&all, json!({"title": "Other"})).await;
        let some = app
            .signed_in_as(NewApplication {
                listings: Some([one.parse().unwrap()].into()),
                ..NewApplication::named(all.account(), "Some")
            })
            .await;
        assert_eq!(titles(&some, "").await, (vec!["One".to_owned()], 1));
        some.get(&format!("/v1/listings/{other}")).await.expect(404);
        some.get(&format!("/v1/listings/{one}")).await.expect(200);
        some.post("/v1/listings", &json!({"title": "New"})).await.expect(403);
    }

    async fn a_number_of_any_size_is_kept_to_the_digit(app: TestApp) {
        let app = app.signed_in().await;
        let large = "78662099414515007488";
        let exact = "0.12345678901234567890123";
        let body = format!(
            r#"{{"title": "Large", "size": {large}, "more": [{{"less": -{large}, "share": {exact}}}]}}"#
        );
        let made = app.send(Method::POST, "/v1/listings", Some(body)).await.expect(200);
        let path = format!("/v1/listings/{}", made["_id"].as_str().unwrap());
        let change = json!({"nickname": "L"});
        for shown in [
            app.get(&path).await,
            app.put(&path, &change).await,
            app.get("/v1/listings?q=Large").await,
        ] {
            assert_eq!(shown.status, StatusCode::OK, "{}", shown.text);
            assert!(shown.text.contains(&format!("\"size\":{large},")), "{}", shown.text);
            assert!(shown.text.contains(&format!("\"less\":-{large},")), "{}", shown.text);
            assert!(shown.text.contains(&format!("\"share\":{exact}}}")), "{}", shown.text);
        }
    }
}
