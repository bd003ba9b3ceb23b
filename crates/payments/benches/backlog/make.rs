//! Making the backlog, through the platform's routes.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use chrono::Duration;
use contract::Timestamp;
use payments::Credentials;
use serde::Serialize;
use serde_json::{Value, json};
use store::{Clock, DatabaseUrl, SystemClock};
use tokio::task::JoinSet;

use crate::client::{credentials, send, token};

/// The guide's guest and listing.
const GUEST: &str = "64da2084867c12ee0c2ca47f";
const LISTING: &str = "64da223eb3de7a002a462fcc";
/// Makers at the same time.
const MAKERS: usize = 32;
/// Over how much time the payments are due.
const WITHIN_MS: usize = 50 * 60 * 1000;

/// What was made.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Backlog {
    client_id: String,
    client_secret: String,
    method_id: String,
    /// The confirmation codes of the reservations that pay, from the earliest payment to the latest.
    codes: Vec<String>,
    /// Reservations that no payment was posted to.
    spare: Vec<String>,
}

/// As wall time was an hour ago: whatever is due within the hour is due now.
struct AnHourAgo;

impl Clock for AnHourAgo {
    fn now(&self) -> Timestamp {
        SystemClock.now() - Duration::hours(1)
    }
}

/// Makes so many payments that are due by now, each of a reservation of its own, and spare ones.
pub(crate) async fn backlog(database: &DatabaseUrl, payments: usize, spare: usize) -> Backlog {
    let (platform, sandbox) = crate::open(database, Arc::new(AnHourAgo)).await;
    let credentials = credentials(&platform, &sandbox, "backlog").await;
    let client = Client::new(platform.router(), &credentials).await;
    let path = format!("/v1/guests/{GUEST}/payment-methods");
    let method = client.post(&path, &json!({"_id": "pm_card_visa"})).await;
    let method_id = text(&method, "_id");
    let clock = client.get("/sandbox/clock").await;
    let from: Timestamp = text(&clock, "now").parse().unwrap();

    let mut makers = JoinSet::new();
    for maker in 0..MAKERS {
        let (client, method) = (client.clone(), method_id.clone());
        makers.spawn(async move {
            let mut paying = Vec::new();
            // In another order than they are due.
            for number in (maker..payments).step_by(MAKERS) {
                let place = number * STRIDE % payments;
                let ms = i64::try_from(place * WITHIN_MS / payments).unwrap();
                let due = from + Duration::minutes(9) + Duration::milliseconds(ms);
                paying.push((place, client.reservation_that_pays(&method, due).await));
            }
            paying
        });
    }
    let mut codes = vec![String::new(); payments];
    for (place, code) in makers.join_all().await.concat() {
        codes[place] = code;
    }
    assert!(codes.iter().all(|code| !code.is_empty()));
    let mut spares = Vec::with_capacity(spare);
    for _ in 0..spare {
        spares.push(text(&client.reservation().await, "_id"));
    }
    // Of its own past, a server has none.
    platform.run_webhooks().await.unwrap();
    platform.run_imports().await;
    Backlog {
        client_id: credentials.client_id,
        client_secret: credentials.client_secret,
        method_id,
        codes,
        spare: spares,
    }
}

/// A prime larger than any backlog, so that each place comes once.
const STRIDE: usize = 15_485_863;

/// A client in process.
#[derive(Clone)]
struct Client {
    router: Router,
    authorization: String,
}

impl Client {
    async fn new(router: Router, credentials: &Credentials) -> Self {
        let authorization = format!("Bearer {}", token(&router, credentials).await);
        Self {
            router,
            authorization,
        }
    }

    async fn get(&self, path: &str) -> Value {
        let request = Request::get(path)
            .header(header::AUTHORIZATION, &self.authorization)
            .body(Body::empty())
            .unwrap();
        read(&send(&self.router, request).await)
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let request = Request::post(path)
            .header(header::AUTHORIZATION, &self.authorization)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        read(&send(&self.router, request).await)
    }

    async fn reservation(&self) -> Value {
        let new = json!({
            "listingId": LISTING,
            "guestId": GUEST,
            "checkInDateLocalized": "2024-01-10",
            "checkOutDateLocalized": "2024-01-15",
            "status": "confirmed",
            "money": { "fareAccommodation": 1700, "currency": "USD" },
        });
        self.post("/v1/reservations", &new).await
    }

    /// Gives its confirmation code.
    async fn reservation_that_pays(&self, method: &str, due: Timestamp) -> String {
        let made = self.reservation().await;
        let payment = json!({
            "paymentMethod": { "method": "AMARYLLIS", "id": method },
            "amount": 500,
            "shouldBePaidAt": due.to_string(),
        });
        let path = format!("/v1/reservations/{}/payments", text(&made, "_id"));
        self.post(&path, &payment).await;
        text(&made, "confirmationCode")
    }
}

fn read(reply: &[u8]) -> Value {
    serde_json::from_slice(reply).unwrap()
}

fn text(reply: &Value, field: &str) -> String {
    reply[field].as_str().unwrap().to_owned()
}
