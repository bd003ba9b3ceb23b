//! Webhooks: subscribing, what is told, and how it arrives.

mod arriving;
mod receiver;
mod subscribing;
mod telling;
mod verifying;

use payments::{PrivateWebhooks, Settings};
use serde_json::{Value, json};
use store::testing::{Engine, Fixture};

use self::receiver::Receiver;
use crate::support::{GuestyDocs, TestApp};

const GUEST: &str = "64da2084867c12ee0c2ca47f";
const RESERVATION: &str = "64da254383ad1500284bd0c0";
const METHOD: &str = "64da2367d8d9771c02befbb2";

/// The guide's portfolio on a platform that sends webhooks to this machine, and a receiver.
struct Told {
    app: TestApp,
    receiver: Receiver,
}

impl Fixture for Told {
    async fn on(engine: Engine) -> Self {
        let settings = Settings {
            private_webhooks: PrivateWebhooks::Allowed,
            ..Settings::default()
        };
        let app = TestApp::with(engine, settings).await;
        Self {
            app: GuestyDocs::in_app(app).await.app,
            receiver: Receiver::start().await,
        }
    }
}

impl Told {
    /// Subscribes the receiver; gives the subscription's id.
    async fn subscribe(&self, events: &[&str]) -> String {
        subscribe(&self.app, &self.receiver.url(), events).await
    }

    /// Sends what is due; says how often something was sent.
    async fn send(&self) -> usize {
        self.app.platform.run_webhooks().await.unwrap()
    }

    /// Pays so much, with success.
    async fn pay(&self, amount: u32) -> Value {
        pay(&self.app, amount).await
    }

    async fn webhook(&self, id: &str) -> Value {
        self.app
            .get(&format!("/v1/webhooks/{id}"))
            .await
            .expect(200)
    }

    async fn attempts(&self, id: &str) -> Vec<Value> {
        let path = format!("/v1/webhooks/{id}/attempts?limit=100");
        let list = self.app.get(&path).await.expect(200);
        list["results"].as_array().unwrap().clone()
    }
}

async fn subscribe(app: &TestApp, url: &str, events: &[&str]) -> String {
    let new = json!({"url": url, "events": events});
    let made = app.post("/v1/webhooks", &new).await.expect(201);
    made["_id"].as_str().unwrap().to_owned()
}

async fn pay(app: &TestApp, amount: u32) -> Value {
    let payment = json!({"paymentMethod": {"method": "STRIPE", "id": METHOD}, "amount": amount});
    let path = format!("/v1/reservations/{RESERVATION}/payments");
    let paid = app.post(&path, &payment).await.expect(201);
    paid["money"]["payments"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()
        .clone()
}
