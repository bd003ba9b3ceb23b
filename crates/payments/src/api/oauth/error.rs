//! Why a client gets no token, in the form of RFC 6749, section 5.2.

use std::num::NonZeroU32;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use contract::oauth::TokenError;

use crate::Error;
use crate::model::quota::Exhausted;

/// A token that is not granted.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The request cannot be understood.
    Request(String),
    /// No client is named, or no secret.
    NoCredentials,
    /// The header cannot be read.
    UnreadableBasic,
    /// No such client, or not its secret: which of them is nobody's business.
    UnknownClient,
    /// Another grant.
    GrantType,
    /// More than the application may have.
    Scope {
        /// What it may have.
        allowed: String,
    },
    /// More tokens than the application may have in a day.
    Quota {
        /// When the next is granted.
        exhausted: Exhausted,
        /// How many it may have.
        per_day: NonZeroU32,
    },
    /// Anything that went wrong inside.
    Failed(Error),
}

impl Refusal {
    pub(super) fn request(what: impl Into<String>) -> Self {
        Self::Request(what.into())
    }
}

impl<E: Into<Error>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Request(what) => reply(StatusCode::BAD_REQUEST, "invalid_request", what),
            Self::NoCredentials => invalid_client(
                "no client credentials: send client_id and client_secret, or Basic authentication",
            ),
            Self::UnreadableBasic => invalid_client(
                "the Basic authentication cannot be read: send base64 of client_id:client_secret",
            ),
            Self::UnknownClient => invalid_client("the client or its secret is not known"),
            Self::GrantType => reply(
                StatusCode::BAD_REQUEST,
                "unsupported_grant_type",
                "the only grant is client_credentials",
            ),
            Self::Scope { allowed } => reply(
                StatusCode::BAD_REQUEST,
                "invalid_scope",
                format!("the application may ask for: {allowed}"),
            ),
            Self::Quota { exhausted, per_day } => over_quota(exhausted, per_day),
            Self::Failed(error) => failed(&error),
        }
    }
}

fn reply(status: StatusCode, name: &str, description: impl Into<String>) -> Response {
    let body = TokenError {
        error: name.to_owned(),
        error_description: Some(description.into()),
    };
    (status, Json(body)).into_response()
}

/// Every 401 says how to authenticate (RFC 9110, section 15.5.2), not only those to Basic.
fn invalid_client(description: &str) -> Response {
    let mut response = reply(StatusCode::UNAUTHORIZED, "invalid_client", description);
    response.headers_mut().insert(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_static("Basic realm=\"nightaudit\""),
    );
    response
}

/// RFC 6749 has no name for it; this is the one that other servers give it.
fn over_quota(exhausted: Exhausted, per_day: NonZeroU32) -> Response {
    let seconds = exhausted.retry_after_seconds;
    let description = format!(
        "the application has had its {per_day} tokens of 24 hours: use a token until it expires, \
         and ask for the next in {seconds} seconds"
    );
    let mut response = reply(
        StatusCode::TOO_MANY_REQUESTS,
        "too_many_requests",
        description,
    );
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

fn failed(error: &Error) -> Response {
    if let Error::Store(fault) = error
        && fault.is_retryable()
    {
        tracing::warn!(%fault, "no token: the database is unavailable");
        let mut response = reply(
            StatusCode::SERVICE_UNAVAILABLE,
            "temporarily_unavailable",
            "no token was issued: try again in a moment",
        );
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(1));
        return response;
    }
    tracing::error!(%error, "no token: the request failed");
    reply(
        StatusCode::INTERNAL_SERVER_ERROR,
        "server_error",
        "no token was issued: the server's log says why",
    )
}
