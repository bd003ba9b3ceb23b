//! The caller's account.

use std::sync::Arc;

use axum::routing::get;
use axum::{Json, Router};
use contract::account::Account;

use super::ctx::Ctx;
use crate::Platform;

/// The routes of this resource.
pub(super) fn routes() -> Router<Arc<Platform>> {
    Router::new().route("/v1/accounts/me", get(me))
}

/// Shows the account that the token is for.
async fn me(ctx: Ctx) -> Json<Account> {
    let account = ctx.account;
    Json(Account {
        id: account.id,
        name: account.name,
        active: true,
        currency: account.currency,
        timezone: account.timezone,
        created_at: account.created_ms,
    })
}
