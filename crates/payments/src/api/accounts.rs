//! The caller's account.

use std::sync::Arc;

use axum::Json;
use contract::account::Account;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ctx::Ctx;
use crate::Platform;

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<Arc<Platform>> {
    OpenApiRouter::new().routes(routes!(me))
}

/// Shows the account that the token is for.
#[utoipa::path(
    get, path = "/v1/accounts/me", tag = "Account", operation_id = "getAccount",
    responses((status = 200, description = "The account.", body = Account))
)]
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
