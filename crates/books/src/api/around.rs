//! What stands around every request to the books: its id and its line in the log, how long its body
//! may take, and that a panic is an answer.

use std::any::Any;
use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use contract::ObjectId;
use futures_util::{StreamExt, stream};
use store::new_id;
use tokio::time::{Instant, timeout_at};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument;

/// By which support finds a request in the log. Who sends something has no say in it.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The same routes, with what stands around each. A body may take so long to arrive.
pub fn around(router: Router, body_within: Duration) -> Router {
    router
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(body_within, in_time))
        .layer(middleware::from_fn(watch))
}

/// Routes are logged as templates, and never what was sent.
async fn watch(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id: ObjectId = new_id();
    let span = tracing::info_span!("request", %id);
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut reply = next.run(request).instrument(span.clone()).await;
    if let Ok(id) = HeaderValue::from_str(id.as_str()) {
        reply.headers_mut().insert(REQUEST_ID, id);
    }
    let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    let status = reply.status().as_u16();
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    tracing::info!(parent: &span, %method, route, status, micros, "answered");
    reply
}

/// A body that does not come ends in time, and does not hold what is kept free for it.
async fn in_time(State(within): State<Duration>, request: Request, next: Next) -> Response {
    let deadline = Instant::now() + within;
    let in_time = request.map(|body| {
        let pieces = stream::unfold(Some(body.into_data_stream()), move |pieces| async move {
            let mut pieces = pieces?;
            match timeout_at(deadline, pieces.next()).await {
                Ok(piece) => Some((piece?.map_err(io::Error::other), Some(pieces))),
                Err(_) => Some((Err(io::ErrorKind::TimedOut.into()), None)),
            }
        });
        Body::from_stream(pieces)
    });
    next.run(in_time).await
}

fn panicked(payload: Box<dyn Any + Send + 'static>) -> Response {
    let said = payload.downcast::<String>().map(|said| *said);
    let said = said.unwrap_or_else(|payload| {
        let said = payload.downcast_ref::<&str>();
        said.map(ToString::to_string).unwrap_or_default()
    });
    tracing::error!(panic = said, "a request panicked");
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    (status, Json("Internal Server Error")).into_response()
}
