//! The one place where failures become replies. The Open API has no single form for errors: the
//! core routes answer with a bare JSON string, the gateway and the reports with objects.

use std::any::Any;
use std::time::Duration;

use axum::Json;
use axum::extract::MatchedPath;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use contract::id::InvalidId;
use serde_json::{Value, json};

use crate::Error;
use crate::model::limit::TooMany;
use crate::model::search::InvalidSearch;
use crate::model::{KeyRefusal, Rejection};

/// How long a client should wait after a fault of disk or database, or for a reply under way.
const RETRY_AFTER_SECONDS: &str = "1";

/// The text of a 413.
pub(super) const TOO_LARGE: &str = "The body is larger than 1 MiB";
/// The text of a 415.
pub(super) const NOT_JSON: &str =
    "The body must be JSON: send the header content-type: application/json";
/// The text of a 500.
pub(super) const INTERNAL: &str = "Internal Server Error";
/// The text of a 503.
pub(super) const UNAVAILABLE: &str =
    "Service Unavailable: try again in a moment, and look first whether what you sent was done";

/// A request that is not granted.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// 400 with what is wrong and what to do.
    BadRequest(String),
    /// 401: no token, or none of ours.
    Unauthorized,
    /// 403 as the gateway says it: the token has expired, or may not do this.
    Forbidden,
    /// 404 with the documented text for what is missing.
    NotFound(&'static str),
    /// 429: the account makes more requests than it may.
    TooMany(TooMany),
    /// 413: the body is larger than any request needs to be.
    TooLarge,
    /// 408: the body did not arrive in the time that it may take.
    TooSlow(Duration),
    /// 415: the body is not JSON.
    NotJson,
    /// 501: a route of the Open API that this platform does not serve.
    NotServed {
        /// How it was asked.
        method: Method,
        /// The route.
        path: MatchedPath,
    },
    /// 503 for what was done in part: how far, and how to go on.
    Stopped(String),
    /// Anything that went wrong inside.
    Failed(Error),
}

impl ApiError {
    /// 400 with what is wrong and what to do.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::BadRequest(message.into())
    }
}

/// Whatever a handler's `?` may meet on its way to the platform's own error.
macro_rules! fails_as_error {
    ($($kind:ty),+ $(,)?) => {$(
        impl From<$kind> for ApiError {
            fn from(error: $kind) -> Self {
                Self::Failed(error.into())
            }
        }
    )+};
}

fails_as_error!(
    Error,
    Rejection,
    KeyRefusal,
    store::Error,
    processors::Failure,
    vault::Error
);

impl From<InvalidId> for ApiError {
    fn from(error: InvalidId) -> Self {
        Self::BadRequest(error.to_string())
    }
}

impl From<InvalidSearch> for ApiError {
    fn from(error: InvalidSearch) -> Self {
        Self::BadRequest(error.to_string())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        match self {
            Self::BadRequest(message) => text(StatusCode::BAD_REQUEST, &message),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, Json(unauthorized())).into_response(),
            Self::Forbidden => (StatusCode::FORBIDDEN, Json(forbidden())).into_response(),
            Self::NotFound(what) => text(StatusCode::NOT_FOUND, what),
            Self::TooMany(too_many) => limited(too_many),
            Self::TooLarge => text(StatusCode::PAYLOAD_TOO_LARGE, TOO_LARGE),
            Self::TooSlow(limit) => text(StatusCode::REQUEST_TIMEOUT, &too_slow(limit)),
            Self::NotJson => text(StatusCode::UNSUPPORTED_MEDIA_TYPE, NOT_JSON),
            Self::NotServed { method, path } => not_served(&method, path.as_str()),
            Self::Stopped(message) => retry_later(&message),
            Self::Failed(error) => failed(error),
        }
    }
}

/// The body of a 401.
pub(super) fn unauthorized() -> Value {
    json!({"error": {"code": "UNAUTHORIZED", "message": "Unauthorized"}})
}

/// The body of a 403, as the gateway says it.
pub(super) fn forbidden() -> Value {
    json!({"message": "You don't have permission to access, please contact Guesty support."})
}

/// The text of a 408.
pub(super) fn too_slow(limit: Duration) -> String {
    format!("The body did not arrive within {} s", limit.as_secs())
}

/// The body of a 429.
pub(super) fn too_many(message: &str) -> Value {
    json!({"error": {"code": "TOO_MANY_REQUESTS", "message": message}})
}

/// The core routes' form: a bare JSON string.
fn text(status: StatusCode, message: &str) -> Response {
    (status, Json(message)).into_response()
}

fn failed(error: Error) -> Response {
    match error {
        Error::Rejected(rejection) => rejected(&rejection),
        Error::Key(refusal) => key_refused(refusal),
        Error::Processor(processors::Failure::Refused { message, .. }) => {
            text(StatusCode::BAD_REQUEST, &message)
        }
        Error::Processor(_) => unavailable(),
        Error::Store(error) if error.is_retryable() => {
            tracing::warn!(%error, "the database is unavailable");
            unavailable()
        }
        error => {
            tracing::error!(%error, "a request failed");
            text(StatusCode::INTERNAL_SERVER_ERROR, INTERNAL)
        }
    }
}

fn rejected(rejection: &Rejection) -> Response {
    let status = if rejection.is_missing() {
        StatusCode::NOT_FOUND
    } else {
        StatusCode::BAD_REQUEST
    };
    text(status, &rejection.to_string())
}

/// The draft's form for errors: a problem of RFC 9457.
pub(super) fn key_problem(refusal: KeyRefusal) -> (StatusCode, Value) {
    let (status, title) = match refusal {
        KeyRefusal::Several | KeyRefusal::Malformed | KeyRefusal::Length => {
            (StatusCode::BAD_REQUEST, "Idempotency-Key is not valid")
        }
        KeyRefusal::Reused => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "Idempotency-Key is already used",
        ),
        KeyRefusal::UnderWay => (
            StatusCode::CONFLICT,
            "A request is outstanding for this Idempotency-Key",
        ),
    };
    let problem = json!({
        "type": "https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header",
        "title": title,
        "status": status.as_u16(),
        "detail": refusal.to_string(),
    });
    (status, problem)
}

fn key_refused(refusal: KeyRefusal) -> Response {
    let (status, problem) = key_problem(refusal);
    let mut reply = (status, Json(problem)).into_response();
    let headers = reply.headers_mut();
    let kind = HeaderValue::from_static("application/problem+json");
    headers.insert(header::CONTENT_TYPE, kind);
    if refusal == KeyRefusal::UnderWay {
        let wait = HeaderValue::from_static(RETRY_AFTER_SECONDS);
        headers.insert(header::RETRY_AFTER, wait);
    }
    reply
}

fn unavailable() -> Response {
    retry_later(UNAVAILABLE)
}

fn retry_later(message: &str) -> Response {
    let mut reply = text(StatusCode::SERVICE_UNAVAILABLE, message);
    reply.headers_mut().insert(
        header::RETRY_AFTER,
        HeaderValue::from_static(RETRY_AFTER_SECONDS),
    );
    reply
}

fn limited(limit: TooMany) -> Response {
    let (message, wait) = match limit {
        TooMany::InWindow {
            interval,
            retry_after_seconds,
        } => (
            format!(
                "Too Many Requests: the account's requests of this {} are used up; wait {retry_after_seconds} s",
                interval.name()
            ),
            retry_after_seconds,
        ),
        TooMany::AtOnce => (
            "Too Many Requests: too many of the account's requests are under way at once; wait until \
             one is answered"
                .to_owned(),
            1,
        ),
    };
    let mut reply = (StatusCode::TOO_MANY_REQUESTS, Json(too_many(&message))).into_response();
    reply
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(wait));
    reply
}

fn not_served(method: &Method, path: &str) -> Response {
    let message = format!(
        "{method} {path} is a route of the Open API that this platform does not serve: see its \
         table of compatibility"
    );
    let error = json!({"error": {"code": "NOT_IMPLEMENTED", "message": message, "status": 501}});
    (StatusCode::NOT_IMPLEMENTED, Json(error)).into_response()
}

/// Answers for paths that lead nowhere.
pub(crate) async fn no_such_route(uri: Uri) -> Response {
    (
        StatusCode::NOT_FOUND,
        Json(json!({"error": {"message": format!("Cannot find {}", uri.path()), "status": 404}})),
    )
        .into_response()
}

/// Answers for paths that are right, asked in the wrong way.
pub(super) fn no_such_method(method: &Method, uri: &Uri) -> Response {
    let message = format!("{} cannot be asked with {method}", uri.path());
    (
        StatusCode::METHOD_NOT_ALLOWED,
        Json(json!({"error": {"message": message, "status": 405}})),
    )
        .into_response()
}

/// Answers for a defect of ours: the request fails, the server goes on.
#[expect(clippy::needless_pass_by_value, reason = "the layer hands it over")]
pub(crate) fn panicked(payload: Box<dyn Any + Send + 'static>) -> Response {
    let said = payload
        .downcast_ref::<&str>()
        .map(|said| (*said).to_owned());
    let said = said.or_else(|| payload.downcast_ref::<String>().cloned());
    tracing::error!(panic = said.unwrap_or_default(), "a request panicked");
    text(StatusCode::INTERNAL_SERVER_ERROR, INTERNAL)
}
