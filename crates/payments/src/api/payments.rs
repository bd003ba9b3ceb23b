//! Payments on a reservation.

use std::sync::Arc;

use axum::Router;

use crate::Platform;

/// The routes of this resource.
pub(super) fn routes() -> Router<Arc<Platform>> {
    Router::new()
}
