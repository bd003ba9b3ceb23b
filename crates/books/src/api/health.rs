//! Whether the books live and are ready, and their figures: by themselves, or beside another system
//! whose routes of the same names speak for both.

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use crate::{Books, Error};

const READY: &str = "/readyz";
const METRICS: &str = "/metrics";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// How figures end.
const END: &str = "# EOF\n";
/// More than any system has to tell of itself.
const FIGURES_BYTES_MAX: usize = 16 * 1024 * 1024;

/// `/healthz`, `/readyz` and `/metrics` of a server that serves the books alone. They ask for no
/// token and tell nothing of anybody.
pub fn health_router(books: Books) -> Router {
    let alive = async || Json(json!({"status": "ok"}));
    Router::new()
        .route("/healthz", get(alive))
        .route(READY, get(ready))
        .route(METRICS, get(metrics))
        .with_state(books)
}

/// The routes of another system, whose `/readyz` and `/metrics` speak for the books too.
pub fn health_beside(router: Router, books: Books) -> Router {
    router.layer(middleware::from_fn_with_state(books, beside))
}

async fn beside(State(books): State<Books>, request: Request, next: Next) -> Response {
    match request.uri().path() {
        READY => match is_ready(&books).await {
            Ok(()) => next.run(request).await,
            Err(refused) => refused,
        },
        METRICS => {
            let figures = figures(&books).await;
            let reply = next.run(request).await;
            match figures {
                Ok(figures) if reply.status() == StatusCode::OK => append(reply, &figures).await,
                Ok(_) => reply,
                Err(refused) => refused,
            }
        }
        _ => next.run(request).await,
    }
}

async fn ready(State(books): State<Books>) -> Response {
    match is_ready(&books).await {
        Ok(()) => Json(json!({"status": "ready"})).into_response(),
        Err(refused) => refused,
    }
}

async fn metrics(State(books): State<Books>) -> Response {
    match figures(&books).await {
        Ok(figures) => ([(header::CONTENT_TYPE, OPEN_METRICS)], figures).into_response(),
        Err(refused) => refused,
    }
}

/// Ready means that the database answers; opening it has brought it to this program's version.
async fn is_ready(books: &Books) -> Result<(), Response> {
    books.is_ready().await.map_err(|error| unavailable(&error))
}

async fn figures(books: &Books) -> Result<String, Response> {
    books.figures().await.map_err(|error| unavailable(&error))
}

fn unavailable(error: &Error) -> Response {
    tracing::error!(%error, "the books' database does not answer");
    (StatusCode::SERVICE_UNAVAILABLE, Json("Service Unavailable")).into_response()
}

/// Puts figures behind those of another system.
async fn append(reply: Response, figures: &str) -> Response {
    let (mut head, body) = reply.into_parts();
    let Ok(before) = to_bytes(body, FIGURES_BYTES_MAX).await else {
        return (
            StatusCode::INTERNAL_SERVER_ERROR,
            Json("Internal Server Error"),
        )
            .into_response();
    };
    let before = before.strip_suffix(END.as_bytes()).unwrap_or(&before);
    head.headers.remove(header::CONTENT_LENGTH);
    let both = [before, figures.as_bytes()].concat();
    Response::from_parts(head, Body::from(both))
}
