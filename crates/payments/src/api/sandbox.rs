//! What only a sandbox can do: letting business time pass, letting things happen, beginning anew. No
//! part of the Open API.

use std::sync::Arc;

use axum::Json;
use contract::Timestamp;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Body;
use super::ctx::Ctx;
use super::error::ApiError;
use crate::{
    AdvanceError, Advanced, Clocks, Platform, Reset, ResetError, Span, TRIGGERS, Trigger,
    TriggerError, TriggerRequest, Triggered, Until,
};

/// The routes of a sandbox; another platform does not have them.
pub(super) fn routes() -> OpenApiRouter<Arc<Platform>> {
    OpenApiRouter::new()
        .routes(routes!(advance))
        .routes(routes!(clock))
        .routes(routes!(trigger))
        .routes(routes!(reset))
        .routes(routes!(triggers))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"by": "7d"}))]
struct Advance {
    by: Option<Span>,
    to: Option<Timestamp>,
}

/// Lets the account's business time pass. The answer tells of every payment on the way, so it is
/// given to applications that may see all of them.
#[utoipa::path(
    post, path = "/sandbox/advance", tag = "Sandbox", operation_id = "advanceClock",
    request_body = Advance,
    responses((status = 200, description = "What happened on the way.", body = Advanced))
)]
async fn advance(ctx: Ctx, Body(body): Body<Advance>) -> Result<Json<Advanced>, ApiError> {
    if ctx.listings.is_some() {
        return Err(ApiError::Forbidden);
    }
    let until = Until::new(body.by, body.to)?;
    Ok(Json(ctx.platform.advance(ctx.account.id, until).await?))
}

/// Shows the account's business time, and wall time.
#[utoipa::path(
    get, path = "/sandbox/clock", tag = "Sandbox", operation_id = "getClock",
    responses((status = 200, description = "Both clocks.", body = Clocks))
)]
async fn clock(ctx: Ctx) -> Json<Clocks> {
    Json(Clocks {
        now: ctx.now,
        wall: ctx.platform.clock.now(),
    })
}

/// Lets something happen in the account, for applications that may see all of it.
#[utoipa::path(
    post, path = "/sandbox/trigger", tag = "Sandbox", operation_id = "trigger",
    request_body = TriggerRequest,
    responses((status = 200, description = "What happened, and to what.", body = Triggered))
)]
async fn trigger(
    ctx: Ctx,
    Body(request): Body<TriggerRequest>,
) -> Result<Json<Triggered>, ApiError> {
    if ctx.listings.is_some() {
        return Err(ApiError::Forbidden);
    }
    Ok(Json(ctx.platform.trigger(ctx.account.id, request).await?))
}

/// Empties the account, for applications that may see all of it.
#[utoipa::path(
    post, path = "/sandbox/reset", tag = "Sandbox", operation_id = "resetAccount",
    request_body = Order,
    responses((status = 200, description = "The account, empty.", body = Reset))
)]
async fn reset(ctx: Ctx, Body(order): Body<Order>) -> Result<Json<Reset>, ApiError> {
    if ctx.listings.is_some() {
        return Err(ApiError::Forbidden);
    }
    if !order.yes {
        return Err(ApiError::bad_request(
            "a reset takes away all listings, guests, reservations and payments of the account: say \
             {\"yes\": true} to have that",
        ));
    }
    Ok(Json(ctx.platform.reset(ctx.account.id).await?))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"yes": true}))]
struct Order {
    #[serde(default)]
    yes: bool,
}

impl From<ResetError> for ApiError {
    fn from(error: ResetError) -> Self {
        match error {
            ResetError::Failed(error) => Self::Failed(error),
            refused => Self::bad_request(refused.to_string()),
        }
    }
}

/// What can be triggered.
#[utoipa::path(
    get, path = "/sandbox/triggers", tag = "Sandbox", operation_id = "listTriggers",
    responses((status = 200, description = "The triggers.", body = Vec<Trigger>))
)]
async fn triggers(_: Ctx) -> Json<&'static [Trigger]> {
    Json(TRIGGERS)
}

impl From<TriggerError> for ApiError {
    fn from(error: TriggerError) -> Self {
        match error {
            TriggerError::Failed(error) => Self::Failed(error),
            refused => Self::bad_request(refused.to_string()),
        }
    }
}

impl From<AdvanceError> for ApiError {
    fn from(error: AdvanceError) -> Self {
        match error {
            AdvanceError::Failed(error) => Self::Failed(error),
            AdvanceError::Stopped { .. } | AdvanceError::Overtaken { .. } | AdvanceError::Busy => {
                tracing::warn!(%error, "business time stopped on its way");
                Self::Stopped(error.to_string())
            }
            refused => Self::bad_request(refused.to_string()),
        }
    }
}
