//! What arrives verifies with libraries that are not ours, in a language that is not ours.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

use chrono::Duration;
use serde_json::{Value, json};
use store::{Clock, SystemClock, on_both_engines};

use super::receiver::Arrival;
use super::{GUEST, RESERVATION, Told, pay};
use crate::reservations::{listing, make, stay};

/// Names a Python that has the libraries.
const PYTHON: &str = "NIGHTAUDIT_TEST_PYTHON";
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/api/webhooks/verify.py");

const ALL_THAT_HAPPEN: [&str; 18] = [
    "guest-folio.created",
    "guest-folio.updated",
    "guest.created",
    "guest.updated",
    "listing.new",
    "listing.removed",
    "listing.updated",
    "payments.authenticationRequired",
    "payments.authorizationHoldFailed",
    "payments.disputes",
    "payments.failed",
    "payments.method.received",
    "payments.received",
    "payments.refunded",
    "reservation.created.v2",
    "reservation.new",
    "reservation.updated",
    "reservation.updated.v2",
];

on_both_engines! {
    async fn libraries_of_others_take_what_is_sent_and_refuse_what_was_changed(told: Told) {
        let Ok(python) = std::env::var(PYTHON) else {
            #[expect(clippy::explicit_write, reason = "the harness hides what passing tests print")]
            let say = |what: &str| writeln!(std::io::stderr(), "{what}").unwrap();
            let skipped = "skipped: libraries in Python verify webhooks under `cargo xtask test`, \
                           which installs them";
            say(skipped);
            return;
        };
        let hour = Duration::hours(1);
        let real = SystemClock.now() - told.app.clock.now();
        told.app.clock.advance(real - hour);
        told.subscribe(&ALL_THAT_HAPPEN).await;
        told.pay(10).await;
        told.send().await;
        let old = told.receiver.take();
        told.app.clock.advance(hour);
        let arrivals = all_that_happens(&told).await;
        let events: BTreeSet<String> = arrivals.iter().map(Arrival::event).collect();
        assert_eq!(events.into_iter().collect::<Vec<_>>(), ALL_THAT_HAPPEN);

        let path = format!("/v1/webhooks-v2/secret?url={}", told.receiver.url());
        let secret = told.app.get(&path).await.expect(200);
        let secret = secret["key"].as_str().unwrap();
        let sent = arrivals.iter().map(|arrival| webhook(arrival, secret));
        let sent: Vec<Value> = sent.collect();
        let verdicts = verify(&python, &sent);
        for (verdict, arrival) in verdicts.iter().zip(&arrivals) {
            let taken = json!({"standardwebhooks": null, "svix": null});
            assert_eq!(verdict, &taken, "{}", arrival.event());
        }

        let changed = sent.iter().flat_map(|webhook| {
            let with = |field: &str, value: Value| {
                let mut changed = webhook.clone();
                changed[field] = value;
                changed
            };
            let body = webhook["body"].as_str().unwrap();
            let mut headers = webhook["headers"].clone();
            headers["id"] = "msg_65f0c1d2a3b4c5d6e7f80912".into();
            [
                with("body", body.replacen('"', "'", 1).into()),
                with("body", format!("{body} ").into()),
                with("headers", headers),
                with("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into()),
            ]
        });
        for verdict in verify(&python, &changed.collect::<Vec<_>>()) {
            for (library, refusal) in verdict.as_object().unwrap() {
                assert_eq!(refusal, "No matching signature found", "{library}");
            }
        }
        let old: Vec<Value> = old.iter().map(|arrival| webhook(arrival, secret)).collect();
        assert!(!old.is_empty());
        for verdict in verify(&python, &old) {
            for (library, refusal) in verdict.as_object().unwrap() {
                assert_eq!(refusal, "Message timestamp too old", "{library}");
            }
        }
    }
}

/// Lets everything happen that is told; gives what arrived.
async fn all_that_happens(told: &Told) -> Vec<Arrival> {
    let app = &told.app;
    let home = listing(app, json!({"title": "Maison d'été"})).await;
    let path = format!("/v1/listings/{home}");
    app.put(&path, &json!({"title": "Château"}))
        .await
        .expect(200);
    let made = make(app, &stay(&home)).await;
    let path = format!("/v1/reservations/{}", made["_id"].as_str().unwrap());
    let change = json!({"checkOutDateLocalized": "2026-12-07"});
    app.put(&path, &change).await.expect(200);
    let other = listing(app, json!({"title": "Hütte"})).await;
    app.delete(&format!("/v1/listings/{other}"))
        .await
        .expect(200);
    let name = json!({"firstName": "Zoë \"Z\"", "lastName": "Charlton"});
    app.put(&format!("/v1/guests-crud/{GUEST}"), &name)
        .await
        .expect(200);

    let declined = method(told, "pm_card_chargeDeclined").await;
    let asking = method(told, "pm_card_authenticationRequired").await;
    for (method, is_hold) in [(&declined, false), (&declined, true), (&asking, false)] {
        let payment = json!({
            "amount": 50, "isAuthorizationHold": is_hold,
            "paymentMethod": {"method": "STRIPE", "id": method},
        });
        let path = format!("/v1/reservations/{RESERVATION}/payments");
        app.post(&path, &payment).await.expect(201);
    }
    let paid = pay(app, 100).await;
    let paid = paid["_id"].as_str().unwrap();
    let refund = format!("/v1/reservations/{RESERVATION}/payments/{paid}/refund");
    app.post(&refund, &json!({"amount": 30.25}))
        .await
        .expect(201);
    app.post("/sandbox/advance", &json!({"by": "2d"}))
        .await
        .expect(200);
    app.post("/sandbox/trigger", &json!({"name": "chargeback"}))
        .await
        .expect(200);
    app.platform.run_imports().await;
    told.send().await;
    // Changes of a folio are gathered for 30 seconds.
    app.clock.advance(Duration::seconds(31));
    told.send().await;
    told.receiver.take()
}

async fn method(told: &Told, card: &str) -> String {
    let path = format!("/v1/guests/{GUEST}/payment-methods");
    let made = told
        .app
        .post(&path, &json!({"stripeCardToken": card}))
        .await
        .expect(201);
    made["_id"].as_str().unwrap().to_owned()
}

fn webhook(arrival: &Arrival, secret: &str) -> Value {
    let part = |name: &str| arrival.header(&format!("svix-{name}"));
    json!({
        "secret": secret,
        "headers": {
            "id": part("id"), "timestamp": part("timestamp"), "signature": part("signature"),
        },
        "body": String::from_utf8(arrival.body.to_vec()).unwrap(),
    })
}

/// What each library says of each webhook.
fn verify(python: &str, webhooks: &[Value]) -> Vec<Value> {
    let mut asked = Command::new(python)
        .arg(SCRIPT)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = asked.stdin.take().unwrap();
    stdin
        .write_all(json!(webhooks).to_string().as_bytes())
        .unwrap();
    drop(stdin);
    let output = asked.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", output.status);
    let verdicts: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(verdicts.len(), webhooks.len());
    verdicts
}
