//! Whether a server that serves the books alone lives and is ready.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use crate::Books;

/// `/healthz` and `/readyz`, which ask for no token and tell nothing of anybody.
pub fn health_router(books: Books) -> Router {
    let alive = async || Json(json!({"status": "ok"}));
    Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .with_state(books)
}

/// Ready means that the database answers; opening it has brought it to this program's version.
async fn ready(State(books): State<Books>) -> Response {
    match books.is_ready().await {
        Ok(()) => Json(json!({"status": "ready"})).into_response(),
        Err(error) => {
            tracing::error!(%error, "the books' database does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, Json("Service Unavailable")).into_response()
        }
    }
}
