//! How the reports answer what they do not grant: with the published envelope, where the other
//! routes answer with a bare string.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::error::ApiError;
use crate::Error;
use crate::model::report::ReportRefusal;

/// A report that is not granted.
#[derive(Debug)]
pub(crate) enum ReportError {
    /// 400: what was asked is refused.
    Refused(ReportRefusal),
    /// 401: no token, or none of ours.
    Unauthorized,
    /// 500: a provider without account or sub-account at its processor, as documented.
    NotSetUp,
    /// Anything that all routes answer alike.
    Other(ApiError),
}

impl From<ReportRefusal> for ReportError {
    fn from(refusal: ReportRefusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<ApiError> for ReportError {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Unauthorized => Self::Unauthorized,
            other => Self::Other(other),
        }
    }
}

impl From<Error> for ReportError {
    fn from(error: Error) -> Self {
        Self::Other(error.into())
    }
}

impl ReportError {
    /// The body of a 400.
    pub(super) fn refused(refusal: &ReportRefusal) -> Value {
        json!({"error": {
            "message": "Bad Request",
            "code": "VALIDATION_FAILED",
            "status": 400,
            "data": [refusal.to_string()],
        }})
    }

    /// The body of a 401.
    pub(super) fn unauthorized() -> Value {
        json!({"error": {
            "message": "You need to be authenticated to access this endpoint",
            "code": "UNAUTHORIZED",
            "status": 401,
        }})
    }

    /// The body of the documented 500.
    pub(super) fn not_set_up() -> Value {
        json!({"error": {
            "message": "Payment provider has no account or sub account",
            "status": 500,
        }})
    }
}

impl IntoResponse for ReportError {
    fn into_response(self) -> Response {
        let (status, body) = match self {
            Self::Refused(refusal) => (StatusCode::BAD_REQUEST, Self::refused(&refusal)),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, Self::unauthorized()),
            Self::NotSetUp => (StatusCode::INTERNAL_SERVER_ERROR, Self::not_set_up()),
            Self::Other(error) => return error.into_response(),
        };
        (status, Json(body)).into_response()
    }
}
