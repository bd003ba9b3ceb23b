//! What payments are posted to: the guide's portfolio, with methods and reservations made through
//! the API, and two platforms on it, whose processors differ.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use money::{Currency, Money};
use payments::{Platform, Settings};
use processors::sandbox::{self, Sandbox};
use processors::{Answer, AttemptKey, Billing, Charge, Order, Processor, Shape, Verify};
use serde_json::{Value, json};
use store::{DatabaseUrl, Store, SystemClock};
use tokio::task::JoinSet;
use tower::ServiceExt;
use vault::{Key, Keyring, Vault};

use crate::client::{credentials, send, token};
use crate::memory::Memory;

/// The guide's guest and listing.
const GUEST: &str = "64da2084867c12ee0c2ca47f";
const LISTING: &str = "64da223eb3de7a002a462fcc";

pub(crate) struct World {
    pub(crate) on_memory: Arc<Platform>,
    pub(crate) on_sandbox: Arc<Platform>,
    pub(crate) amaryllis: String,
    pub(crate) stripe: String,
    pub(crate) client: Client,
}

/// A client of either platform: both take the same token.
#[derive(Clone)]
pub(crate) struct Client(String);

impl World {
    pub(crate) async fn open(database: &DatabaseUrl) -> Self {
        let books = Store::open(database, "sandbox", &sandbox::MIGRATIONS).unwrap();
        let sandbox = Arc::new(Sandbox::open(books));
        let memory = Arc::new(memory(&sandbox).await);
        // One key for both: it is checked against the database.
        let key = store::random_bytes();
        let on_sandbox = platform(database, &key, Arc::<Sandbox>::clone(&sandbox)).await;
        let on_memory = platform(database, &key, memory).await;
        let credentials = credentials(&on_sandbox, &sandbox, "ladder").await;
        let token = token(&on_sandbox.router(), &credentials).await;
        let client = Client(format!("Bearer {token}"));
        let mut methods = Vec::new();
        for field in ["_id", "stripeCardToken"] {
            let path = format!("/v1/guests/{GUEST}/payment-methods");
            let body = json!({ field: "pm_card_visa" }).to_string();
            let made = client.post(&on_sandbox.router(), &path, body).await;
            methods.push(id(&made));
        }
        Self {
            stripe: methods.remove(1),
            amaryllis: methods.remove(0),
            on_memory,
            on_sandbox,
            client,
        }
    }

    /// So many new reservations.
    pub(crate) async fn reservations(&self, count: usize) -> Vec<String> {
        const MAKERS: usize = 32;
        let new = json!({
            "listingId": LISTING,
            "guestId": GUEST,
            "checkInDateLocalized": "2024-01-10",
            "checkOutDateLocalized": "2024-01-15",
            "status": "confirmed",
            "money": { "fareAccommodation": 1700, "currency": "USD" },
        });
        let mut makers = JoinSet::new();
        for maker in 0..MAKERS {
            let (client, router) = (self.client.clone(), self.on_sandbox.router());
            let body = new.to_string();
            let share = count / MAKERS + usize::from(maker < count % MAKERS);
            makers.spawn(async move {
                let mut ids = Vec::with_capacity(share);
                for _ in 0..share {
                    let made = client.post(&router, "/v1/reservations", body.clone()).await;
                    ids.push(id(&made));
                }
                ids
            });
        }
        makers.join_all().await.concat()
    }

    /// Waits until the report shows every transaction that there is.
    pub(crate) async fn settle(&self) {
        let report = "/v1/payment-transactions/report?reservationConfirmationCode=none";
        let request = self.client.request(Method::GET, report, String::new());
        let reply = self.on_sandbox.router().oneshot(request).await.unwrap();
        assert_eq!(reply.status(), StatusCode::OK);
    }
}

impl Client {
    /// Posts JSON that must be accepted, and reads the reply.
    pub(crate) async fn post(&self, router: &Router, path: &str, body: String) -> Vec<u8> {
        send(router, self.request(Method::POST, path, body)).await
    }

    fn request(&self, method: Method, path: &str, body: String) -> Request<Body> {
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, &self.0)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body))
            .unwrap()
    }
}

async fn platform(
    database: &DatabaseUrl,
    key: &[u8; 32],
    processor: Arc<dyn Processor>,
) -> Arc<Platform> {
    let vault = Vault::new(Keyring::new(Key::from_bytes(key), vec![]));
    let clock = Arc::new(SystemClock);
    Platform::open(database, vault, processor, clock, Settings::default())
        .await
        .unwrap()
}

/// A processor that gives, from memory, the answer that the sandbox gives once.
async fn memory(sandbox: &Sandbox) -> Memory {
    let usd: Currency = "USD".parse().unwrap();
    let merchant = sandbox.open_merchant("Memory", &[usd]).await.unwrap();
    let at = "2026-11-21T00:00:00.000Z".parse().unwrap();
    let verify = Verify {
        key: AttemptKey::new("verify"),
        merchant: merchant.clone(),
        shape: Shape::Amaryllis,
        token: "pm_card_visa".to_owned(),
        currency: None,
        confirmation_code: None,
        billing: Billing::default(),
        at,
    };
    let method = sandbox.verify(verify).await.unwrap().method;
    let order = Order {
        ota: "Manual".to_owned(),
        account_id: LISTING.to_owned(),
        confirmation_code: "r2B9jZYJK".to_owned(),
        guest_name: "Irving Washington".to_owned(),
        guest_phone: Some("12128765234".to_owned()),
        guest_address: None,
        listing_id: LISTING.to_owned(),
        payment_id: LISTING.to_owned(),
        payment_method_id: LISTING.to_owned(),
        reservation_id: LISTING.to_owned(),
    };
    let charge = Charge {
        key: AttemptKey::new("charge"),
        merchant: merchant.clone(),
        method,
        amount: Money::from_minor(50_000, usd),
        order,
        at,
    };
    let answer: Answer = sandbox
        .execute(processors::Request::Charge(charge))
        .await
        .unwrap();
    let sub_accounts = sandbox.sub_accounts(&merchant).await.unwrap();
    Memory {
        answer,
        sub_accounts,
    }
}

fn id(made: &[u8]) -> String {
    let made: Value = serde_json::from_slice(made).unwrap();
    made["_id"].as_str().unwrap().to_owned()
}
