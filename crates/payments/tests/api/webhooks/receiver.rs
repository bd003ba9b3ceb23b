//! A receiver of webhooks on this machine, which answers as told.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

/// What arrived.
#[derive(Debug, Clone)]
pub struct Arrival {
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Arrival {
    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub fn id(&self) -> &str {
        self.header("svix-id")
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn event(&self) -> String {
        self.json()["event"].as_str().unwrap().to_owned()
    }

    /// The headers under the names of the open standard, for libraries that know no others.
    pub fn standard_headers(&self) -> HeaderMap {
        ["id", "timestamp", "signature"]
            .into_iter()
            .map(|name| {
                let standard: HeaderName = format!("webhook-{name}").parse().unwrap();
                (standard, self.headers[&format!("svix-{name}")].clone())
            })
            .collect()
    }
}

/// How it answers.
#[derive(Debug, Clone)]
pub enum Manner {
    /// With a status.
    Status(u16),
    /// With more than anybody wants to read.
    AtLength,
    /// By sending the sender elsewhere.
    Elsewhere(String),
    /// Not before it is told to go on.
    Hangs,
}

#[derive(Clone)]
struct Desk {
    manner: Arc<Mutex<Manner>>,
    arrivals: Arc<Mutex<Vec<Arrival>>>,
    count: watch::Sender<usize>,
    go_on: Arc<Notify>,
}

/// A receiver; gone when it is dropped.
pub struct Receiver {
    pub address: SocketAddr,
    desk: Desk,
    serving: JoinHandle<()>,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let desk = Desk {
            manner: Arc::new(Mutex::new(Manner::Status(204))),
            arrivals: Arc::default(),
            count: watch::Sender::new(0),
            go_on: Arc::default(),
        };
        let router = Router::new().fallback(receive).with_state(desk.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            address,
            desk,
            serving,
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}/in", self.address)
    }

    pub fn answer(&self, manner: Manner) {
        *self.desk.manner.lock().unwrap() = manner;
    }

    /// Lets one go on that hangs.
    pub fn go_on(&self) {
        self.desk.go_on.notify_one();
    }

    pub fn arrivals(&self) -> Vec<Arrival> {
        self.desk.arrivals.lock().unwrap().clone()
    }

    /// What arrived since it was asked last.
    pub fn take(&self) -> Vec<Arrival> {
        std::mem::take(&mut *self.desk.arrivals.lock().unwrap())
    }

    /// The events' names of what arrived since it was asked last, in their order.
    pub fn take_events(&self) -> Vec<String> {
        self.take().iter().map(Arrival::event).collect()
    }

    /// Waits until so many have arrived since the start.
    pub async fn has_seen(&self, count: usize) {
        let mut seen = self.desk.count.subscribe();
        seen.wait_for(|seen| *seen >= count).await.unwrap();
    }

    /// The ids of what arrived: how often something did, and how many different ones.
    pub fn counts(&self) -> (usize, usize) {
        let arrivals = self.arrivals();
        let ids: HashSet<&str> = arrivals.iter().map(Arrival::id).collect();
        (arrivals.len(), ids.len())
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn receive(State(desk): State<Desk>, headers: HeaderMap, body: Bytes) -> Response {
    desk.arrivals
        .lock()
        .unwrap()
        .push(Arrival { headers, body });
    desk.count.send_modify(|count| *count += 1);
    let manner = desk.manner.lock().unwrap().clone();
    match manner {
        Manner::Status(status) => {
            (StatusCode::from_u16(status).unwrap(), "so it is").into_response()
        }
        Manner::AtLength => "x".repeat(1_000_000).into_response(),
        Manner::Elsewhere(url) => {
            let location = [(header::LOCATION, HeaderValue::from_str(&url).unwrap())];
            (StatusCode::TEMPORARY_REDIRECT, location).into_response()
        }
        Manner::Hangs => {
            desk.go_on.notified().await;
            StatusCode::OK.into_response()
        }
    }
}
