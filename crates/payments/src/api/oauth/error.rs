//! Why a client gets no token, in the form of RFC 6749, section 5.2.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use contract::oauth::TokenError;
use serde_json::json;
use utoipa::IntoResponses;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::{Ref, RefOr};

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

impl Refusal {
    /// The status, and the reason in its form.
    fn told(&self) -> (StatusCode, TokenError) {
        let (status, name, description) = match self {
            Self::Request(what) => (StatusCode::BAD_REQUEST, "invalid_request", what.clone()),
            Self::NoCredentials => invalid_client(
                "no client credentials: send client_id and client_secret, or Basic authentication",
            ),
            Self::UnreadableBasic => invalid_client(
                "the Basic authentication cannot be read: send base64 of client_id:client_secret",
            ),
            Self::UnknownClient => invalid_client("the client or its secret is not known"),
            Self::GrantType => (
                StatusCode::BAD_REQUEST,
                "unsupported_grant_type",
                "the only grant is client_credentials".to_owned(),
            ),
            Self::Scope { allowed } => (
                StatusCode::BAD_REQUEST,
                "invalid_scope",
                format!("the application may ask for: {allowed}"),
            ),
            // RFC 6749 has no name for it; this is the one that other servers give it.
            Self::Quota { exhausted, per_day } => (
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_requests",
                format!(
                    "the application has had its {per_day} tokens of 24 hours: use a token until it \
                     expires, and ask for the next in {} seconds",
                    exhausted.retry_after_seconds
                ),
            ),
            Self::Failed(error) if is_passing(error) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "temporarily_unavailable",
                "no token was issued: try again in a moment".to_owned(),
            ),
            Self::Failed(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "server_error",
                "no token was issued: the server's log says why".to_owned(),
            ),
        };
        let error = TokenError {
            error: name.to_owned(),
            error_description: Some(description),
        };
        (status, error)
    }
}

fn invalid_client(description: &str) -> (StatusCode, &'static str, String) {
    (
        StatusCode::UNAUTHORIZED,
        "invalid_client",
        description.to_owned(),
    )
}

fn is_passing(error: &Error) -> bool {
    matches!(error, Error::Store(fault) if fault.is_retryable())
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let told = self.told();
        let mut response = (told.0, Json(told.1)).into_response();
        let headers = response.headers_mut();
        match self {
            // Every 401 says how to authenticate (RFC 9110, section 15.5.2), not only those to Basic.
            Self::NoCredentials | Self::UnreadableBasic | Self::UnknownClient => {
                let scheme = HeaderValue::from_static("Basic realm=\"nightaudit\"");
                headers.insert(header::WWW_AUTHENTICATE, scheme);
            }
            Self::Quota { exhausted, .. } => {
                let seconds = HeaderValue::from(exhausted.retry_after_seconds);
                headers.insert(header::RETRY_AFTER, seconds);
            }
            Self::Failed(error) if is_passing(&error) => {
                tracing::warn!(%error, "no token: the database is unavailable");
                headers.insert(header::RETRY_AFTER, HeaderValue::from(1));
            }
            Self::Failed(error) => tracing::error!(%error, "no token: the request failed"),
            Self::Request(_) | Self::GrantType | Self::Scope { .. } => {}
        }
        response
    }
}

/// Why there is no token, as it is described.
pub(super) struct TokenRefused;

impl IntoResponses for TokenRefused {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        let refusals = [
            Refusal::request("grant_type is missing: send grant_type=client_credentials"),
            Refusal::GrantType,
            Refusal::Scope {
                allowed: "open-api".to_owned(),
            },
            Refusal::NoCredentials,
            Refusal::UnreadableBasic,
            Refusal::UnknownClient,
            Refusal::Quota {
                exhausted: Exhausted {
                    retry_after_seconds: 3600,
                },
                per_day: NonZeroU32::MIN,
            },
            Refusal::Failed(store::Error::Panicked.into()),
        ];
        let mut responses = BTreeMap::new();
        for status in [400, 401, 429, 500, 503] {
            let told = refusals.iter().map(Refusal::told);
            let examples = told
                .filter(|(of, _)| of.as_u16() == status)
                .map(|(_, error)| {
                    let name = error.error_description.clone().unwrap_or_default();
                    (
                        name,
                        ExampleBuilder::new().value(Some(json!(error))).build(),
                    )
                });
            let content = ContentBuilder::new()
                .schema(Some(Ref::from_schema_name("TokenError")))
                .examples_from_iter(examples)
                .build();
            let response = ResponseBuilder::new()
                .description("No token.")
                .content("application/json", content)
                .build();
            responses.insert(status.to_string(), response.into());
        }
        responses
    }
}
