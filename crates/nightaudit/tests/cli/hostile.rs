//! Webhooks from the real platform to the books, over a network that loses, delays, doubles, reorders
//! and forges them.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use reqwest::Client;
use serde_json::{Value, json};
use store::on_both_engines;
use tokio::sync::Notify;

use crate::relay::Relay;
use crate::support::{Home, Server, Two};

const ACCOUNT: &str = "5213a2d206112710005d96ff";
const RESERVATION: &str = "64da254383ad1500284bd0c0";
const BODY_BYTES_MAX: usize = 1 << 20;
/// How often the books are looked into for something that is to come.
const LOOKS_MAX: usize = 600;

/// What becomes of the next message, and the one after it, and so on.
const FATES: [Fate; 8] = [
    Fate::Lost,
    Fate::Late,
    Fate::Doubled,
    Fate::Late,
    Fate::Arrives,
    Fate::Lost,
    Fate::Late,
    Fate::Doubled,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Arrives,
    Doubled,
    Late,
    Lost,
}

/// A network from the platform to the books.
#[derive(Clone)]
struct Network {
    base: String,
    inside: Arc<Inside>,
}

struct Inside {
    http: Client,
    seen: Notify,
    state: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    to: String,
    is_hostile: bool,
    messages: usize,
    /// How many told of a stay.
    told: usize,
    late: Vec<Letter>,
    /// What was answered to messages that were forged.
    forged: Vec<StatusCode>,
}

#[derive(Clone)]
struct Letter {
    path: String,
    head: Arc<Parts>,
    body: Bytes,
}

impl Network {
    async fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder().no_proxy().tls_certs_only([]);
        let inside = Arc::new(Inside {
            http: http.build().unwrap(),
            seen: Notify::new(),
            state: Mutex::default(),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .fallback(carry)
            .with_state(Arc::clone(&inside));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { base, inside }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        work(&mut self.inside.state.lock().unwrap())
    }

    /// Until so many messages told of a stay, whatever became of them.
    async fn has_seen(&self, told: usize) {
        while self.with(|inner| inner.told < told) {
            self.inside.seen.notified().await;
        }
    }

    /// What was late arrives, the newest first.
    async fn calm(&self) {
        self.with(|inner| inner.is_hostile = false);
        while let Some(letter) = self.with(|inner| inner.late.pop()) {
            assert_eq!(self.inside.deliver(&letter).await, StatusCode::NO_CONTENT);
        }
    }
}

impl Inside {
    async fn deliver(&self, letter: &Letter) -> StatusCode {
        let to = self.state.lock().unwrap().to.clone();
        let mut request = self.http.post(format!("{to}{}", letter.path));
        for (name, value) in &letter.head.headers {
            if name.as_str().starts_with("svix-") {
                request = request.header(name, value);
            }
        }
        let answered = request.body(letter.body.clone()).send().await;
        // Nobody may be there.
        answered.map_or(StatusCode::BAD_GATEWAY, |answer| answer.status())
    }

    /// Somebody on the way changes a message, or makes one up.
    async fn forge(&self, letter: &Letter) {
        let changed = Letter {
            body: [&letter.body, &b" "[..]].concat().into(),
            ..letter.clone()
        };
        let mut head = Parts::clone(&letter.head);
        let another = HeaderValue::from_static("msg_another");
        head.headers.insert("svix-id", another);
        let renamed = Letter {
            head: Arc::new(head),
            ..letter.clone()
        };
        for forged in [changed, renamed] {
            let answer = self.deliver(&forged).await;
            self.state.lock().unwrap().forged.push(answer);
        }
    }
}

async fn carry(State(inside): State<Arc<Inside>>, request: Request) -> StatusCode {
    let (head, body) = request.into_parts();
    let letter = Letter {
        path: head.uri.path().to_owned(),
        head: Arc::new(head),
        body: to_bytes(body, BODY_BYTES_MAX).await.unwrap(),
    };
    let told: Value = serde_json::from_slice(&letter.body).unwrap();
    let fate = {
        let mut inner = inside.state.lock().unwrap();
        inner.told += usize::from(told["event"] == "reservation.updated");
        inner.messages += 1;
        if inner.is_hostile {
            FATES[inner.messages % FATES.len()]
        } else {
            Fate::Arrives
        }
    };
    let answer = match fate {
        Fate::Lost => StatusCode::NO_CONTENT,
        Fate::Late => {
            inside.state.lock().unwrap().late.push(letter);
            StatusCode::NO_CONTENT
        }
        Fate::Arrives | Fate::Doubled => {
            inside.forge(&letter).await;
            let answer = inside.deliver(&letter).await;
            match fate {
                Fate::Doubled => inside.deliver(&letter).await,
                _ => answer,
            }
        }
    };
    inside.seen.notify_one();
    answer
}

async fn pay(platform: &Server, token: &str) {
    let method = json!({"method": "STRIPE", "id": "64da2367d8d9771c02befbb2"});
    let payment = json!({"paymentMethod": method, "amount": 10});
    let path = format!("/v1/reservations/{RESERVATION}/payments");
    let (status, paid) = platform.post(&path, token, &payment).await;
    assert_eq!(status, 201, "{paid}");
}

/// What was paid, as far as the books know.
fn paid(home: &Home) -> String {
    let history = [
        "history",
        "reservation",
        RESERVATION,
        "--as-known-on",
        "2999-12-31",
        "--format",
        "json",
    ];
    let known = home.run(&history).expect(0).json();
    let paid = &known["objects"][0]["values"]["money.totalPaid"]["value"];
    paid.as_str().unwrap().to_owned()
}

/// Looks into the books until they know that so much was paid.
async fn come_to_know(home: &Home, amount: &str) {
    for _ in 0..LOOKS_MAX {
        if paid(home) == amount {
            return;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(paid(home), amount);
}

on_both_engines! {
    async fn over_a_hostile_network_and_a_kill_the_books_come_to_know_what_was_paid(two: Two) {
        let Two { there, here } = &two;
        there.run(&["sandbox", "seed", "--fixture", "guesty-docs"]).expect(0);
        let credentials = there.app(&["--account", ACCOUNT]);
        let platform = there.serve(&["--allow-private-webhooks"]);
        let token = platform.token(&credentials).await;
        let relay = Relay::to(&platform.base).await;
        let network = Network::new().await;
        let books = here.serve(&["--only", "books"]);
        network.with(|inner| inner.to.clone_from(&books.base));
        here.connect(&relay.base, &credentials, &["--webhook-url", &network.base]).expect(0);
        here.run(&["sync", "reservations"]).expect(0);
        assert_eq!(paid(here), "0.00");

        // A kind network: the books learn of it by themselves.
        pay(&platform, &token).await;
        network.has_seen(1).await;
        come_to_know(here, "10.00").await;

        // A hostile one: they learn of it with what arrives, or at last by reading.
        network.with(|inner| inner.is_hostile = true);
        for told in 2..=7 {
            pay(&platform, &token).await;
            network.has_seen(told).await;
        }
        network.calm().await;
        here.run(&["sync", "reservations"]).expect(0);
        come_to_know(here, "70.00").await;

        // The books accept a message, and are killed before they have read what it tells of.
        relay.let_through(0);
        pay(&platform, &token).await;
        relay.is_stuck().await;
        books.kill();
        relay.let_all_through();
        let books = here.serve(&["--only", "books"]);
        network.with(|inner| inner.to.clone_from(&books.base));
        // After which somebody else may read what the dead were to read.
        here.meddle("UPDATE inbox_hint SET due_ms = 0");
        come_to_know(here, "80.00").await;

        let forged = network.with(|inner| inner.forged.clone());
        assert!(forged.len() > 4, "{forged:?}");
        let mut answered = forged.iter().filter(|answer| **answer != StatusCode::BAD_GATEWAY);
        assert!(answered.all(|answer| *answer == StatusCode::UNAUTHORIZED), "{forged:?}");
        here.run(&["verify"]).expect(0);
        here.run(&["rebuild"]).expect(0);
        assert_eq!(paid(here), "80.00");
        books.stop();
        platform.stop();
    }
}
