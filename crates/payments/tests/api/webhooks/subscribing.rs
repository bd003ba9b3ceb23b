//! Who is told of what.

use std::collections::HashSet;
use std::num::NonZeroU32;

use payments::{NewApplication, Settings};
use serde_json::{Value, json};
use store::on_both_engines;
use store::testing::Engine;

use super::subscribe;
use crate::support::TestApp;

const URL: &str = "https://example.com/hooks?from=guesty";
const SECRET: &str = "/v1/webhooks-v2/secret?url=https://example.com/hooks%3Ffrom%3Dguesty";

async fn secret(app: &TestApp) -> String {
    let secret = app.get(SECRET).await.expect(200);
    assert_eq!(secret.as_object().unwrap().len(), 1);
    secret["key"].as_str().unwrap().to_owned()
}

on_both_engines! {
    async fn a_subscription_is_made_shown_changed_and_taken_away(app: TestApp) {
        let app = app.signed_in().await;
        assert_eq!(app.get("/v1/webhooks").await.expect(200), json!([]));
        let new = json!({"url": URL, "events": ["reservation.new", "task.created", "reservation.new"]});
        let made = app.post("/v1/webhooks", &new).await.expect(201);
        let id = made["_id"].as_str().unwrap();
        let expected = json!({
            "accountId": app.account().to_string(), "_id": id, "url": URL,
            "events": ["reservation.new", "task.created"]
        });
        assert_eq!(made, expected);
        let path = format!("/v1/webhooks/{id}");
        assert_eq!(app.get(&path).await.expect(200), expected);
        assert_eq!(app.get("/v1/webhooks").await.expect(200), json!([expected]));

        let changed = app.put(&path, &json!({"events": ["payments.received"]})).await.expect(200);
        assert_eq!(changed["events"], json!(["payments.received"]));
        assert_eq!(changed["url"], URL);
        let same = json!({"events": ["guest.created"], "url": URL});
        app.put(&path, &same).await.expect(200);
        let other = json!({"events": ["guest.created"], "url": "https://example.com/other"});
        let refused = app.put(&path, &other).await.expect(400);
        assert!(refused.as_str().unwrap().contains("url: it cannot be changed"), "{refused}");

        let gone = app.delete(&path).await;
        assert_eq!((gone.status.as_u16(), gone.text.as_str()), (204, ""));
        app.get(&path).await.expect(404);
        app.delete(&path).await.expect(404);
        app.put(&path, &same).await.expect(404);
        app.get(&format!("{path}/attempts")).await.expect(404);
    }

    async fn a_url_has_one_secret_until_its_last_subscription_is_gone(app: TestApp) {
        let app = app.signed_in().await;
        app.get(SECRET).await.expect(404);
        let first = subscribe(&app, URL, &["guest.created"]).await;
        let key = secret(&app).await;
        assert!(key.starts_with("whsec_") && key.len() == "whsec_".len() + 44, "{key}");
        let second = subscribe(&app, URL, &["guest.updated"]).await;
        subscribe(&app, "https://example.com/other", &["guest.updated"]).await;
        assert_eq!(secret(&app).await, key);
        let other = app.get("/v1/webhooks-v2/secret?url=https://example.com/other").await.expect(200);
        assert_ne!(other["key"], key);
        app.delete(&format!("/v1/webhooks/{first}")).await.expect(204);
        assert_eq!(secret(&app).await, key);
        app.delete(&format!("/v1/webhooks/{second}")).await.expect(204);
        app.get(SECRET).await.expect(404);
        subscribe(&app, URL, &["guest.created"]).await;
        assert_ne!(secret(&app).await, key);
        app.platform.reseal_secrets().await.unwrap();
        app.get("/v1/webhooks-v2/secret").await.expect(400);
    }

    async fn two_subscriptions_at_once_share_the_secret(app: TestApp) {
        let app = app.signed_in().await;
        let made = tokio::join!(
            subscribe(&app, URL, &["guest.created"]),
            subscribe(&app, URL, &["guest.created"]),
        );
        let key = secret(&app).await;
        app.delete(&format!("/v1/webhooks/{}", made.0)).await.expect(204);
        assert_eq!(secret(&app).await, key);
    }

    async fn what_cannot_be_subscribed_to_is_refused_by_name(app: TestApp) {
        let app = app.signed_in().await;
        for (new, says) in [
            (json!({"url": URL, "events": ["payments.recieved", "guest.created"]}), "payments.recieved"),
            (json!({"url": URL, "events": []}), "events: name at least one"),
            (json!({"url": URL}), "events"),
            (json!({"events": ["guest.created"]}), "url"),
            (json!({"url": URL, "events": "guest.created"}), "events"),
            (json!({"url": "http://example.com/", "events": ["guest.created"]}), "https://"),
            (json!({"url": "https://127.0.0.1/", "events": ["guest.created"]}), "private address"),
            (json!({"url": "https://[::1]/", "events": ["guest.created"]}), "private address"),
            (json!({"url": "example.com", "events": ["guest.created"]}), "whole url"),
        ] {
            let refused = app.post("/v1/webhooks", &new).await.expect(400);
            assert!(refused.as_str().unwrap().contains(says), "{new}: {refused}");
        }
        assert_eq!(app.get("/v1/webhooks").await.expect(200), json!([]));
    }

    async fn anothers_webhooks_are_not_there(app: TestApp) {
        let first = app.signed_in().await;
        let id = subscribe(&first, URL, &["guest.created"]).await;
        let other = app.signed_in().await;
        let path = format!("/v1/webhooks/{id}");
        other.get(&path).await.expect(404);
        other.put(&path, &json!({"events": ["guest.created"]})).await.expect(404);
        other.delete(&path).await.expect(404);
        other.get(&format!("{path}/attempts")).await.expect(404);
        other.get(SECRET).await.expect(404);
        assert_eq!(other.get("/v1/webhooks").await.expect(200), json!([]));
        subscribe(&other, URL, &["guest.created"]).await;
        assert_ne!(secret(&other).await, secret(&first).await);
    }

    async fn an_application_of_some_listings_may_not_hear_of_all(app: TestApp) {
        let account = app.new_account().await;
        let limited = NewApplication {
            listings: Some(HashSet::new()),
            ..NewApplication::named(account, "Limited")
        };
        let limited = app.signed_in_as(limited).await;
        limited.get("/v1/webhooks").await.expect(403);
        limited.get(SECRET).await.expect(403);
        let new = json!({"url": URL, "events": ["guest.created"]});
        limited.post("/v1/webhooks", &new).await.expect(403);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_has_no_more_webhooks_than_the_setting_says() {
    let settings = Settings {
        webhooks_max: NonZeroU32::new(2).unwrap(),
        ..Settings::default()
    };
    let app = TestApp::with(Engine::Sqlite, settings).await;
    let app = app.signed_in().await;
    for _ in 0..2 {
        subscribe(&app, URL, &["guest.created"]).await;
    }
    let new: Value = json!({"url": URL, "events": ["guest.created"]});
    let refused = app.post("/v1/webhooks", &new).await.expect(400);
    assert!(
        refused.as_str().unwrap().contains("may have 2 webhooks"),
        "{refused}"
    );
    let other = app.signed_in().await;
    subscribe(&other, URL, &["guest.created"]).await;
}
