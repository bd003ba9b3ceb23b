//! Guests.

use insta::{allow_duplicates, assert_snapshot};
use payments::NewApplication;
use serde_json::{Value, json};
use store::on_both_engines;

use crate::reservations;
use crate::support::{TestApp, redacted};

async fn make(app: &TestApp, first: &str, last: &str) -> Value {
    let guest = json!({"firstName": first, "lastName": last});
    app.post("/v1/guests-crud", &guest).await.expect(200)
}

fn path(guest: &Value) -> String {
    format!("/v1/guests-crud/{}", guest["_id"].as_str().unwrap())
}

/// The full names that a query of guests gives, and how many it says there are.
async fn names(app: &TestApp, query: &str) -> (Vec<String>, i64) {
    let path = format!("/v1/guests-crud?columns=fullName&{query}");
    let list = app.get(&path).await.expect(200);
    assert_eq!(list["total"], list["count"]);
    let names = list["results"].as_array().unwrap().iter();
    (
        names
            .map(|guest| guest["fullName"].as_str().unwrap().to_owned())
            .collect(),
        list["total"].as_i64().unwrap(),
    )
}

on_both_engines! {
    async fn a_guest_is_kept_as_it_was_given(app: TestApp) {
        let app = app.signed_in().await;
        let guest = json!({
            "firstName": " Gerald ", "lastName": "Charlton", "email": "gerald@example.com",
            "phones": ["12016665626"], "tags": ["vip"], "notes": "Requires accessibility",
            "address": {"city": "New York", "country": "US"}, "birthday": "1990-08-12",
            "fullName": "Somebody Else", "returningGuest": true, "_id": "mine"
        });
        let made = app.post("/v1/guests-crud", &guest).await.expect(200);
        let kept = app.get(&format!("{}?fields=", path(&made))).await.expect(200);
        assert_eq!(kept, made);
        allow_duplicates! {
        assert_snapshot!(redacted(made, &["_id", "accountId"]), @r#"
        {
          "_id": "[_id]",
          "accountId": "[accountId]",
          "fullName": "Gerald Charlton",
          "firstName": " Gerald ",
          "lastName": "Charlton",
          "email": "gerald@example.com",
          "emails": [
            "gerald@example.com"
          ],
          "phone": "12016665626",
          "phones": [
            "12016665626"
          ],
          "tags": [
            "vip"
          ],
          "notes": "Requires accessibility",
          "address": {
            "city": "New York",
            "country": "US"
          },
          "birthday": "1990-08-12",
          "returningGuest": false,
          "createdAt": "2026-11-21T12:00:00.000Z",
          "lastUpdatedAt": "2026-11-21T12:00:00.000Z"
        }
        "#);
        }
    }

    async fn a_change_changes_only_what_it_names(app: TestApp) {
        let app = app.signed_in().await;
        let guest = json!({
            "firstName": "Ida", "lastName": "Wells", "phone": "1", "notes": "n",
            "address": {"city": "Memphis", "country": "US"}
        });
        let made = app.post("/v1/guests-crud", &guest).await.expect(200);
        let change = json!({
            "lastName": "B. Wells", "email": "ida@example.com", "notes": null,
            "address": {"city": "Chicago"}
        });
        let changed = app.put(&path(&made), &change).await.expect(200);
        assert_eq!(app.get(&path(&made)).await.expect(200), changed);
        assert_eq!(changed["fullName"], "Ida B. Wells");
        assert_eq!(changed["emails"], json!(["ida@example.com"]));
        assert_eq!(changed["phones"], json!(["1"]));
        assert_eq!(changed.get("notes"), None);
        assert_eq!(changed["address"], json!({"city": "Chicago", "country": "US"}));
        app.clock.advance(chrono::Duration::hours(1));
        assert_eq!(app.put(&path(&made), &changed).await.expect(200), changed);
        let kinds: Vec<String> = app.events().await.into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(kinds, ["guest.created", "guest.updated"], "what changes nothing is no event");
    }

    async fn a_change_is_seen_on_the_guests_reservations(app: TestApp) {
        let app = app.signed_in().await;
        let home = reservations::listing(&app, json!({"title": "House"})).await;
        let made = reservations::make(&app, &reservations::stay(&home)).await;
        app.put(&path(&made["guest"]), &json!({"firstName": "George"})).await.expect(200);
        let id = made["_id"].as_str().unwrap();
        let shown = app.get(&format!("/v1/reservations/{id}")).await.expect(200);
        assert_eq!(shown["guest"]["fullName"], "George Washington");
    }

    async fn who_has_stayed_before_returns(app: TestApp) {
        let app = app.signed_in().await;
        let home = reservations::listing(&app, json!({"title": "House"})).await;
        let made = reservations::make(&app, &reservations::stay(&home)).await;
        let guest = path(&made["guest"]);
        assert_eq!(app.get(&guest).await.expect(200)["returningGuest"], false);
        app.clock.advance(chrono::Duration::days(30));
        assert_eq!(app.get(&guest).await.expect(200)["returningGuest"], true);
    }

    async fn lists_keep_to_what_is_asked(app: TestApp) {
        let app = app.signed_in().await;
        make(&app, "Ada", "Lovelace").await;
        let grace = make(&app, "Grace", "Hopper").await;
        make(&app, "Åsa", "Hopper").await;
        app.put(&path(&grace), &json!({"email": "grace@example.com"})).await.expect(200);
        for (query, expected) in [
            ("", vec!["Ada Lovelace", "Grace Hopper", "Åsa Hopper"]),
            ("sort=-fullName", vec!["Åsa Hopper", "Grace Hopper", "Ada Lovelace"]),
            (r#"filters={"lastName":"Hopper"}"#, vec!["Grace Hopper", "Åsa Hopper"]),
            (r#"filters={"email":"grace@example.com"}"#, vec!["Grace Hopper"]),
            (
                r#"filters=[{"field":"fullName","operator":"$contains","value":"LOVE"}]"#,
                vec!["Ada Lovelace"],
            ),
        ] {
            let query = query.replace('"', "%22").replace('{', "%7B").replace('}', "%7D");
            let expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
            let total = i64::try_from(expected.len()).unwrap();
            assert_eq!(names(&app, &query).await, (expected, total), "{query}");
        }
        assert_eq!(names(&app, "limit=1&skip=1").await, (vec!["Grace Hopper".to_owned()], 3));
        let columns = "/v1/guests-crud?columns=email+emails&skip=1&limit=1";
        let list = app.get(columns).await.expect(200);
        let email = "grace@example.com";
        assert_eq!(
            list["results"],
            json!([{"_id": grace["_id"], "email": email, "emails": [email]}])
        );
    }

    async fn wrong_guests_are_refused_by_name(app: TestApp) {
        let app = app.signed_in().await;
        for (guest, named) in [
            (json!({"firstName": "Ida"}), "lastName: it is required"),
            (json!({"lastName": "Wells"}), "firstName: it is required"),
            (json!({"firstName": 1, "lastName": "Wells"}), "firstName: a string is expected"),
            (json!({"firstName": "I", "lastName": "x".repeat(256)}), "lastName: longer than 255"),
            (json!({"firstName": "I", "lastName": "W", "emails": "a"}), "emails: a list is expected"),
            (json!({"firstName": "I", "lastName": "W", "notes": "a\u{0}"}), "NUL"),
        ] {
            let error = app.post("/v1/guests-crud", &guest).await.expect(400);
            assert!(error.as_str().unwrap().contains(named), "{guest}: {error}");
        }
        assert_eq!(names(&app, "").await.1, 0);
        let made = make(&app, "Ida", "Wells").await;
        let nameless = json!({"firstName": null, "lastName": " "});
        let error = app.put(&path(&made), &nameless).await.expect(400);
        assert_eq!(error, "firstName: a guest needs a first or last name");
        for (query, named) in [
            ("filters={", "filters must be"),
            ("filters=%7B%22shoeSize%22:1%7D", "\"shoeSize\" is not known"),
            ("sort=shoeSize", "\"shoeSize\" is not known"),
            ("limit=0", "limit must be"),
        ] {
            let query = query.replace('{', "%7B");
            let error = app.get(&format!("/v1/guests-crud?{query}")).await.expect(400);
            assert!(error.as_str().unwrap().contains(named), "{query}: {error}");
        }
        app.get("/v1/guests-crud/zebra").await.expect(400);
    }

    async fn what_others_have_does_not_exist(app: TestApp) {
        let ours = app.signed_in().await;
        let theirs = app.signed_in().await;
        let made = make(&theirs, "Ida", "Wells").await;
        assert_eq!(ours.get(&path(&made)).await.expect(404), "Guest not found");
        assert_eq!(ours.put(&path(&made), &json!({})).await.expect(404), "Guest not found");
        assert_eq!(names(&ours, "").await.1, 0);
    }

    async fn an_application_of_some_listings_sees_their_guests_and_new_ones(app: TestApp) {
        let all = app.signed_in().await;
        let one = reservations::listing(&all, json!({"title": "One"})).await;
        let other = reservations::listing(&all, json!({"title": "Other"})).await;
        let seen = reservations::make(&all, &reservations::stay(&one)).await;
        let unseen = reservations::make(&all, &reservations::stay(&other)).await;
        let some = all
            .signed_in_as(NewApplication {
                listings: Some([one.parse().unwrap()].into()),
                ..NewApplication::named(all.account(), "Some")
            })
            .await;
        some.get(&path(&seen["guest"])).await.expect(200);
        some.get(&path(&unseen["guest"])).await.expect(404);
        some.put(&path(&unseen["guest"]), &json!({"notes": "x"})).await.expect(404);
        let methods = |reservation: &Value| {
            format!("/v1/guests/{}/payment-methods", reservation["guestId"].as_str().unwrap())
        };
        some.get(&methods(&seen)).await.expect(200);
        some.get(&methods(&unseen)).await.expect(404);
        let card = json!({"_id": "pm_card_visa"});
        assert_eq!(some.post(&methods(&unseen), &card).await.expect(404), "Guest not found");
        let new = make(&some, "Ida", "Wells").await;
        assert_eq!(names(&some, "").await.0, ["Irving Washington", "Ida Wells"]);
        let mut stay = reservations::stay(&one);
        stay["guestId"] = new["_id"].clone();
        reservations::make(&some, &stay).await;
    }
}
