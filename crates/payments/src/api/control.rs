//! What the server's own command line asks of it, with the token in `control.json`.

use std::sync::Arc;

use axum::Router;

use crate::Platform;

/// The routes of this resource.
pub(super) fn routes() -> Router<Arc<Platform>> {
    Router::new()
}
