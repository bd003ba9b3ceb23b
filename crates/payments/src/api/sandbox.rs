//! What only a sandbox can do: letting business time pass, letting things happen, beginning anew. No
//! part of the Open API.

use std::sync::Arc;

use axum::routing::{get, post};
use axum::{Json, Router};
use contract::Timestamp;
use serde::Deserialize;

use super::body::Body;
use super::ctx::Ctx;
use super::error::ApiError;
use crate::{
    AdvanceError, Advanced, Clocks, Platform, Reset, ResetError, Span, TRIGGERS, Trigger,
    TriggerError, TriggerRequest, Triggered, Until,
};

/// The routes of a sandbox; another platform does not have them.
pub(super) fn routes() -> Router<Arc<Platform>> {
    Router::new()
        .route("/sandbox/advance", post(advance))
        .route("/sandbox/clock", get(clock))
        .route("/sandbox/trigger", post(trigger))
        .route("/sandbox/reset", post(reset))
        .route("/sandbox/triggers", get(triggers))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    by: Option<Span>,
    to: Option<Timestamp>,
}

/// Lets the account's business time pass. The answer tells of every payment on the way, so it is
/// given to applications that may see all of them.
async fn advance(ctx: Ctx, Body(body): Body<Advance>) -> Result<Json<Advanced>, ApiError> {
    if ctx.listings.is_some() {
        return Err(ApiError::Forbidden);
    }
    let until = Until::new(body.by, body.to)?;
    Ok(Json(ctx.platform.advance(ctx.account.id, until).await?))
}

async fn clock(ctx: Ctx) -> Json<Clocks> {
    Json(Clocks {
        now: ctx.now,
        wall: ctx.platform.clock.now(),
    })
}

/// Lets something happen in the account, for applications that may see all of it.
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
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
