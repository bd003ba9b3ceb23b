//! Ids in paths: anything but 24 hexadecimal digits is a 400 that says so.

use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use contract::id::InvalidId;

use super::error::ApiError;

/// The one id of a path such as `/listings/{id}`.
pub(crate) struct Id<T>(pub(crate) T);

impl<S: Send + Sync, T: FromStr<Err = InvalidId>> FromRequestParts<S> for Id<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Texts([text]) = Texts::from_request_parts(parts, state).await?;
        Ok(Self(text.parse()?))
    }
}

/// The ids of a longer path, in their order and still to be read: they are of different kinds.
pub(crate) struct Texts<const COUNT: usize>(pub(crate) [String; COUNT]);

impl<S: Send + Sync, const COUNT: usize> FromRequestParts<S> for Texts<COUNT> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let parameters = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| ApiError::bad_request("The path is not UTF-8"))?;
        let mut texts = parameters.iter().map(|(_, text)| text.to_owned());
        Ok(Self(std::array::from_fn(|_| {
            texts.next().unwrap_or_default()
        })))
    }
}
