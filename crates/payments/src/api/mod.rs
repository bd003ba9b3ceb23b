//! HTTP: every route, and what stands around all of them. Nothing outside this folder knows HTTP.

mod body;
mod ctx;
mod error;
mod tokens;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;

pub(crate) use tokens::TokenKeys;

use crate::Platform;

/// The largest request body.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Every route of the platform.
pub(crate) fn router(platform: Arc<Platform>) -> Router {
    Router::new()
        .fallback(error::no_such_route)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(platform)
}
