//! The webhooks of a source that a test furnishes.

use std::sync::{Arc, Mutex};

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Json, Router};
use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::house::{Rooms, id};

/// What the source has of webhooks, and how it behaves.
#[derive(Default)]
pub struct Hooks {
    pub webhooks: Vec<Value>,
    /// How many were ever made.
    pub made: usize,
    /// What it answers to every question about webhooks instead.
    pub closed: Option<(StatusCode, Value)>,
    /// What it answers to whoever subscribes instead.
    pub refusal: Option<(StatusCode, Value)>,
    /// How many webhooks it has room for.
    pub room: Option<usize>,
    /// Names of events that it does not have.
    pub unknown: Vec<&'static str>,
    /// Whether it subscribes, and its answer is lost.
    pub loses_answers: bool,
    /// Whether it subscribes, and never answers.
    pub hangs: bool,
    /// How often the secret is not there yet.
    pub secret_comes_late: usize,
    /// How many times there was another secret for a url.
    pub secrets: usize,
}

impl Hooks {
    pub fn urls(&self) -> Vec<&str> {
        let urls = self.webhooks.iter().map(|webhook| webhook["url"].as_str());
        urls.map(Option::unwrap).collect()
    }

    /// Somebody subscribes.
    pub fn add(&mut self, url: &str, events: &Value) -> Value {
        self.made += 1;
        let webhook = json!({
            "accountId": id(9), "_id": id(7_000 + self.made), "url": url, "events": events,
        });
        self.webhooks.push(webhook.clone());
        webhook
    }

    fn unknown_in(&self, order: &Value) -> Option<Response> {
        let events = order["events"].as_array().unwrap();
        let unknown = events
            .iter()
            .find(|event| self.unknown.contains(&event.as_str().unwrap()))?;
        let refusal = json!(format!("events: {unknown} is not an event."));
        Some((StatusCode::BAD_REQUEST, Json(refusal)).into_response())
    }

    fn closed(&self) -> Option<Response> {
        let (status, body) = self.closed.as_ref()?;
        Some((*status, Json(body)).into_response())
    }
}

type Shared = State<Arc<Mutex<Rooms>>>;

pub fn router() -> Router<Arc<Mutex<Rooms>>> {
    Router::new()
        .route("/v1/webhooks", get(list).post(subscribe))
        .route("/v1/webhooks/{id}", put(change).delete(unsubscribe))
        .route("/v1/webhooks-v2/secret", get(secret))
}

async fn list(State(rooms): Shared) -> Response {
    let hooks = &rooms.lock().unwrap().hooks;
    let answer = || Json(&hooks.webhooks).into_response();
    hooks.closed().unwrap_or_else(answer)
}

async fn subscribe(State(rooms): Shared, Json(new): Json<Value>) -> Response {
    let answer = made(&mut rooms.lock().unwrap().hooks, &new);
    match answer {
        Some(answer) => answer,
        None => std::future::pending().await,
    }
}

/// What is answered, if anything is.
fn made(hooks: &mut Hooks, new: &Value) -> Option<Response> {
    if let Some(closed) = hooks.closed() {
        return Some(closed);
    }
    if let Some((status, body)) = &hooks.refusal {
        return Some((*status, Json(body)).into_response());
    }
    if hooks.room.is_some_and(|room| hooks.webhooks.len() >= room) {
        let refusal = json!("Maximum number of webhooks reached");
        return Some((StatusCode::BAD_REQUEST, Json(refusal)).into_response());
    }
    if let Some(refused) = hooks.unknown_in(new) {
        return Some(refused);
    }
    let made = hooks.add(new["url"].as_str().unwrap(), &new["events"]);
    if hooks.hangs {
        return None;
    }
    if hooks.loses_answers {
        return Some((StatusCode::BAD_GATEWAY, "lost").into_response());
    }
    Some((StatusCode::CREATED, Json(made)).into_response())
}

async fn change(
    State(rooms): Shared,
    Path(id): Path<String>,
    Json(change): Json<Value>,
) -> Response {
    let hooks = &mut rooms.lock().unwrap().hooks;
    if let Some(refused) = hooks.unknown_in(&change) {
        return refused;
    }
    let mut webhooks = hooks.webhooks.iter_mut();
    match webhooks.find(|webhook| webhook["_id"] == id.as_str()) {
        Some(webhook) => {
            webhook.as_object_mut().unwrap().remove("disabledAt");
            webhook["events"] = change["events"].clone();
            Json(json!([webhook])).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn unsubscribe(State(rooms): Shared, Path(id): Path<String>) -> Response {
    let hooks = &mut rooms.lock().unwrap().hooks;
    if let Some(closed) = hooks.closed() {
        return closed;
    }
    let before = hooks.webhooks.len();
    hooks
        .webhooks
        .retain(|webhook| webhook["_id"] != id.as_str());
    if hooks.webhooks.len() == before {
        return StatusCode::NOT_FOUND.into_response();
    }
    StatusCode::NO_CONTENT.into_response()
}

async fn secret(
    State(rooms): Shared,
    Query(query): Query<std::collections::HashMap<String, String>>,
) -> Response {
    let hooks = &mut rooms.lock().unwrap().hooks;
    if !hooks.urls().contains(&query["url"].as_str()) || hooks.secret_comes_late > 0 {
        hooks.secret_comes_late = hooks.secret_comes_late.saturating_sub(1);
        return (StatusCode::NOT_FOUND, Json(json!("Not Found"))).into_response();
    }
    let bytes = format!("secret {} of {}", hooks.secrets, query["url"]);
    let key = format!("whsec_{}", BASE64.encode(bytes.as_bytes()));
    Json(json!({"key": key})).into_response()
}
