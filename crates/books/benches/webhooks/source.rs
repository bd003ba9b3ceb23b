//! A source that does no more than to be connected to.

use axum::extract::Path;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ID: &str = "64da246c7a5a2d00331a5b1c";

/// Where it is.
pub(crate) async fn open() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let token = json!({"token_type": "Bearer", "expires_in": 86_400, "access_token": "t"});
    let router = Router::new()
        .route("/oauth2/token", post(async || Json(token)))
        .route(
            "/v1/webhooks",
            get(async || Json(json!([]))).post(subscribe),
        )
        .route("/v1/{*path}", get(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    base
}

async fn subscribe(Json(mut new): Json<Value>) -> Json<Value> {
    new["_id"] = json!(ID);
    Json(new)
}

async fn answer(Path(path): Path<String>) -> Json<Value> {
    let listing = json!({"_id": ID, "active": true});
    Json(match path.as_str() {
        "webhooks-v2/secret" => json!({"key": KEY}),
        "listings" => json!({"results": [listing], "count": 1}),
        _ => json!({"_id": ID}),
    })
}
