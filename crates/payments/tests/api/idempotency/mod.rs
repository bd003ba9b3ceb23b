//! Requests under an idempotency key: each is done once, however often it is sent.

mod kills;
mod retries;
mod stories;

use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::{Value, json};

use crate::support::{Reply, TestApp};

const PAYMENTS: &str = "/v1/reservations/64da254383ad1500284bd0c0/payments";
const RESERVATION: &str = "/v1/reservations/64da254383ad1500284bd0c0?fields=money";
const METHODS: &str = "/v1/guests/64da2084867c12ee0c2ca47f/payment-methods";
const METHOD: &str = "64da2367d8d9771c02befbb2";
/// For how long a request is its holder's, and a little more.
const LEASE_OVER: chrono::Duration = chrono::Duration::seconds(21);

fn charge(amount: impl Into<Value>) -> Value {
    json!({"paymentMethod": {"method": "STRIPE", "id": METHOD}, "amount": amount.into()})
}

fn is_replayed(reply: &Reply) -> bool {
    reply.headers.contains_key("idempotent-replayed")
}

impl TestApp {
    async fn post_keyed(&self, path: &str, body: &Value, key: &str) -> Reply {
        self.send_keyed(Method::POST, path, body, &[key]).await
    }

    async fn send_keyed(&self, method: Method, path: &str, body: &Value, keys: &[&str]) -> Reply {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token()))
            .header(header::CONTENT_TYPE, "application/json");
        for key in keys {
            request = request.header("Idempotency-Key", *key);
        }
        self.request(request.body(Body::from(body.to_string())).unwrap())
            .await
    }

    async fn payments(&self) -> Vec<Value> {
        let shown = self.get(RESERVATION).await.expect(200);
        shown["money"]["payments"].as_array().unwrap().clone()
    }

    /// The path of something done to a new payment.
    async fn path_to(&self, new: &Value, action: &str) -> String {
        let made = self.post(PAYMENTS, new).await.expect(201);
        let payments = made["money"]["payments"].as_array().unwrap();
        let id = payments.last().unwrap()["_id"].as_str().unwrap();
        format!("{PAYMENTS}/{id}/{action}")
    }
}
