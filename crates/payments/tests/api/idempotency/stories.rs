//! What a client sees of its keys.

use std::collections::HashSet;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request};
use chrono::Duration;
use payments::NewApplication;
use serde_json::{Value, json};
use store::on_both_engines;
use tokio::time::timeout;

use super::{METHOD, METHODS, PAYMENTS, charge, is_replayed};
use crate::support::{GuestyDocs, Reply};

/// The problem that a reply tells of.
#[track_caller]
fn problem(reply: &Reply, status: u16) -> Value {
    let problem = reply.expect(status);
    assert_eq!(reply.headers["content-type"], "application/problem+json");
    assert_eq!(problem["status"], status);
    problem
}

on_both_engines! {
    async fn a_payment_that_is_sent_again_gets_the_first_ones_reply(docs: GuestyDocs) {
        let app = docs.app;
        let first = app.post_keyed(PAYMENTS, &charge(70), "\"8e03978e-40d5\"").await;
        first.expect(201);
        assert!(!is_replayed(&first));
        // What happens meanwhile is not in it.
        app.post(PAYMENTS, &charge(5)).await.expect(201);
        let node = app.another_node().await;
        for (app, key) in [(&app, "\"8e03978e-40d5\""), (&app.at(&node), "8e03978e-40d5")] {
            let again = app.post_keyed(PAYMENTS, &charge(70), key).await;
            assert_eq!(again.text, first.text);
            assert_eq!(again.status, first.status);
            assert_eq!(again.headers["content-type"], first.headers["content-type"]);
            assert!(is_replayed(&again));
        }
        assert_eq!(app.payments().await.len(), 2);
        assert_eq!(app.count("attempt").await, 2);
    }

    async fn captures_refunds_and_methods_are_done_once_too(docs: GuestyDocs) {
        let app = docs.app;
        let mut hold = charge(80);
        hold["isAuthorizationHold"] = true.into();
        let capture = app.path_to(&hold, "capture").await;
        let refund = app.path_to(&charge(70), "refund").await;
        for (path, body) in [
            (capture.as_str(), json!({"amount": 30})),
            (refund.as_str(), json!({"amount": 30})),
            (METHODS, json!({"stripeCardToken": "pm_card_visa"})),
        ] {
            let first = app.post_keyed(path, &body, path).await;
            first.expect(201);
            let again = app.post_keyed(path, &body, path).await;
            assert_eq!(again.text, first.text);
            assert!(is_replayed(&again));
        }
        let payments = app.payments().await;
        assert_eq!(payments[1]["refunds"].as_array().unwrap().len(), 1);
        assert_eq!(app.get(METHODS).await.expect(200).as_array().unwrap().len(), 2);
    }

    async fn another_request_under_the_same_key_is_refused(docs: GuestyDocs) {
        let app = docs.app;
        let refund = app.path_to(&charge(70), "refund").await;
        app.post_keyed(PAYMENTS, &charge(50), "k").await.expect(201);
        for (path, body) in [
            (PAYMENTS, charge(51)),
            (refund.as_str(), charge(50)),
            (&format!("{PAYMENTS}?a=b"), charge(50)),
        ] {
            let reply = app.post_keyed(path, &body, "k").await;
            let problem = problem(&reply, 422);
            assert_eq!(problem["title"], "Idempotency-Key is already used");
        }
        assert_eq!(app.payments().await.len(), 2);
    }

    async fn a_refusal_is_a_reply_like_any_other(docs: GuestyDocs) {
        let app = docs.app;
        let unknown = "/v1/reservations/0123456789abcdef01234567/payments";
        for (path, body, status) in [(PAYMENTS, charge(-1), 400), (unknown, charge(1), 404)] {
            let first = app.post_keyed(path, &body, path).await;
            first.expect(status);
            let again = app.post_keyed(path, &body, path).await;
            assert_eq!((&again.text, again.status), (&first.text, first.status));
            assert!(is_replayed(&again));
        }
    }

    async fn what_is_refused_before_it_is_looked_at_takes_no_key(docs: GuestyDocs) {
        let app = docs.app;
        for key in ["a b", "\"open", "", "a,b", &"k".repeat(256)] {
            let reply = app.post_keyed(PAYMENTS, &charge(1), key).await;
            assert_eq!(problem(&reply, 400)["title"], "Idempotency-Key is not valid");
        }
        let reply = app.send_keyed(Method::POST, PAYMENTS, &charge(1), &["a", "b"]).await;
        assert!(problem(&reply, 400)["detail"].as_str().unwrap().contains("not several"));
        let mut with_card = charge(1);
        with_card["note"] = "4242 4242 4242 4242".into();
        let refused = app.post_keyed(PAYMENTS, &with_card, "k").await.expect(400);
        assert!(refused.as_str().unwrap().contains("card number"), "{refused}");
        let unauthorized = app.with_token("nonsense").post_keyed(PAYMENTS, &charge(1), "k").await;
        unauthorized.expect(401);
        let form = Request::post(PAYMENTS)
            .header("authorization", format!("Bearer {}", app.token()))
            .header("content-type", "text/plain")
            .header("idempotency-key", "k")
            .body(Body::from("{}")).unwrap();
        app.request(form).await.expect(415);
        assert_eq!(app.count("idempotency_key").await, 0);
        app.post_keyed(PAYMENTS, &charge(1), "k").await.expect(201);
    }

    async fn without_a_key_and_on_other_routes_nothing_is_kept(docs: GuestyDocs) {
        let app = docs.app;
        let mut later = charge(70);
        later["shouldBePaidAt"] = "2023-09-01".into();
        let cancel = app.path_to(&later, "cancel").await;
        app.send_keyed(Method::PATCH, &cancel, &json!({}), &["k"]).await.expect(201);
        assert_eq!(app.count("idempotency_key").await, 0);
    }

    async fn keys_are_an_accounts_own(docs: GuestyDocs) {
        let app = docs.app;
        let first = app.post_keyed(METHODS, &json!({"_id": "pm_card_visa"}), "k").await;
        first.expect(201);
        let other = app.signed_in().await;
        let theirs = other.post_keyed(METHODS, &json!({"_id": "pm_card_visa"}), "k").await;
        assert_eq!(theirs.expect(404), "Guest not found");

        // The credentials were changed between the two tries.
        let account = app.account();
        let renewed = app.signed_in_as(NewApplication::named(account, "Renewed")).await;
        let again = renewed.post_keyed(METHODS, &json!({"_id": "pm_card_visa"}), "k").await;
        assert_eq!(again.text, first.text);

        // Who sees less gets no reply that tells more.
        let elsewhere = app.post("/v1/listings", &json!({"title": "Elsewhere"})).await.expect(200);
        let limited = app.signed_in_as(NewApplication {
            listings: Some([elsewhere["_id"].as_str().unwrap().parse().unwrap()].into()),
            ..NewApplication::named(account, "Some")
        }).await;
        problem(&limited.post_keyed(METHODS, &json!({"_id": "pm_card_visa"}), "k").await, 422);
    }

    async fn of_many_at_once_under_one_key_one_is_done(docs: GuestyDocs) {
        let app = Arc::new(docs.app);
        let node = app.another_node().await;
        let other = Arc::new(app.at(&node));
        let asking: Vec<_> = (0..64).map(|n| {
            let app = Arc::clone(if n % 2 == 0 { &app } else { &other });
            tokio::spawn(async move { app.post_keyed(PAYMENTS, &charge(70), "k").await })
        }).collect();
        let mut replies = HashSet::new();
        for asked in asking {
            let reply = asked.await.unwrap();
            if reply.status == 409 {
                assert_eq!(reply.headers["retry-after"], "1");
                problem(&reply, 409);
            } else {
                reply.expect(201);
                replies.insert(reply.text);
            }
        }
        assert_eq!(replies.len(), 1);
        assert_eq!(app.payments().await.len(), 1);
        assert_eq!(app.count("attempt").await, 1);
    }

    async fn a_client_that_goes_away_finds_the_reply_when_it_comes_back(docs: GuestyDocs) {
        let app = docs.app;
        let body = charge(10);
        // A reply may come before the client has gone: then another request is left alone.
        let mut kept = 0;
        let key = loop {
            let key = format!("k{kept}");
            let mut asking = Box::pin(app.post_keyed(PAYMENTS, &body, &key));
            let is_answered = loop {
                if timeout(std::time::Duration::ZERO, &mut asking).await.is_ok() {
                    break true;
                }
                if app.count("idempotency_key").await > kept {
                    break false;
                }
            };
            drop(asking);
            kept += 1;
            if !is_answered {
                break key;
            }
        };
        let reply = loop {
            let reply = app.post_keyed(PAYMENTS, &body, &key).await;
            if reply.status != 409 {
                break reply;
            }
        };
        let paid = reply.expect(201);
        assert_eq!(paid["money"]["payments"][0]["status"], "SUCCEEDED");
        assert_eq!(i64::try_from(app.payments().await.len()).unwrap(), kept);
    }

    async fn a_reply_is_kept_for_a_day_and_then_forgotten(docs: GuestyDocs) {
        let app = docs.app;
        app.post_keyed(PAYMENTS, &charge(70), "k").await.expect(201);
        app.clock.advance(Duration::hours(24));
        assert_eq!(app.platform.prune_idempotency_keys().await.unwrap(), 0);
        app.clock.advance(Duration::seconds(1));
        assert_eq!(app.platform.prune_idempotency_keys().await.unwrap(), 1);
        // Asking for anything renews the token.
        assert_eq!(app.payments().await.len(), 1);
        let anew = app.post_keyed(PAYMENTS, &charge(70), "k").await;
        anew.expect(201);
        assert!(!is_replayed(&anew));
        assert_eq!(app.payments().await.len(), 2);
    }

    async fn an_account_that_is_emptied_has_no_keys(docs: GuestyDocs) {
        let app = docs.app;
        app.post_keyed(PAYMENTS, &charge(70), "k").await.expect(201);
        app.post("/sandbox/reset", &json!({"yes": true})).await.expect(200);
        assert_eq!(app.count("idempotency_key").await, 0);
    }

    async fn a_method_for_one_payment_is_spent_once(docs: GuestyDocs) {
        let app = docs.app;
        let once = json!({
            "paymentMethod": {"method": "STRIPE", "id": METHOD, "saveForFutureUse": false},
            "amount": 70,
        });
        app.post_keyed(PAYMENTS, &once, "k").await.expect(201);
        let again = app.post_keyed(PAYMENTS, &once, "k").await;
        again.expect(201);
        assert!(is_replayed(&again));
        app.post_keyed(PAYMENTS, &once, "another").await.expect(400);
    }
}
