//! What the server's own command line asks of it. These routes are no part of the Open API; that
//! nobody else reaches them is the server's matter.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::post;
use axum::{Json, Router};
use contract::id::{AccountId, WebhookAttemptId, WebhookId};
use contract::webhook::{Webhook, WebhookAttempt, WebhookReplay};
use processors::sandbox::Sandbox;
use serde::Deserialize;

use super::body::{Body, NoBody};
use super::error::{self, ApiError};
use super::path::Id;
use crate::fixtures::{
    Fixture, PortfolioError, PortfolioMade, PortfolioOrder, Progress, Seeded, UnknownFixture,
};
use crate::{
    AdvanceOrder, Advanced, ApplicationMade, ApplicationOrder, Owner, Platform, Reset, ResetOrder,
    SetupError, TriggerOrder, Triggered,
};

/// What the routes work with.
struct Desk {
    platform: Arc<Platform>,
    sandbox: Arc<Sandbox>,
}

/// The routes. Whoever reaches them may do everything.
pub(crate) fn router(platform: Arc<Platform>, sandbox: Arc<Sandbox>) -> Router {
    let desk = Arc::new(Desk { platform, sandbox });
    let routes = Router::new()
        .route("/applications", post(order_application))
        .route("/fixtures/{name}", post(seed))
        .route("/portfolios", post(portfolio))
        .route("/advance", post(advance))
        .route("/trigger", post(trigger))
        .route("/reset", post(reset))
        .route("/webhooks", post(webhooks))
        .route("/webhooks/{id}/attempts", post(webhook_attempts))
        .route("/webhook-attempts/{id}/replay", post(replay))
        .fallback(error::no_such_route)
        .with_state(desk);
    Router::new().nest("/control", routes)
}

async fn order_application(
    State(desk): State<Arc<Desk>>,
    Body(order): Body<ApplicationOrder>,
) -> Result<Json<ApplicationMade>, ApiError> {
    let made = desk
        .platform
        .order_application(&desk.sandbox, order)
        .await?;
    Ok(Json(made))
}

async fn seed(
    State(desk): State<Arc<Desk>>,
    Path(name): Path<String>,
    _: NoBody,
) -> Result<Json<Seeded>, ApiError> {
    let fixture: Fixture = name
        .parse()
        .map_err(|unknown: crate::fixtures::UnknownFixture| {
            ApiError::bad_request(unknown.to_string())
        })?;
    Ok(Json(desk.platform.seed(&desk.sandbox, fixture).await?))
}

/// Goes on to its end when whoever asked goes away: a portfolio that stops halfway is of no use.
async fn portfolio(
    State(desk): State<Arc<Desk>>,
    Body(order): Body<PortfolioOrder>,
) -> Result<Json<PortfolioMade>, ApiError> {
    let making = tokio::spawn(async move {
        let made = desk
            .platform
            .order_portfolio(&desk.sandbox, order, |progress: Progress| {
                tracing::debug!(progress.days, progress.of, "a portfolio is being made");
            });
        made.await
    });
    let made = making.await.map_err(|_| store::Error::Panicked)?;
    Ok(Json(made?))
}

impl From<PortfolioError> for ApiError {
    fn from(error: PortfolioError) -> Self {
        match error {
            PortfolioError::Failed(error) => Self::Failed(error),
            PortfolioError::Stopped { .. } | PortfolioError::Busy => {
                tracing::error!(%error, "a portfolio is not complete");
                Self::Stopped(error.to_string())
            }
            refused => Self::bad_request(refused.to_string()),
        }
    }
}

async fn advance(
    State(desk): State<Arc<Desk>>,
    Body(order): Body<AdvanceOrder>,
) -> Result<Json<Advanced>, ApiError> {
    Ok(Json(desk.platform.order_advance(order).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whose {
    account: Option<AccountId>,
}

async fn webhooks(
    State(desk): State<Arc<Desk>>,
    Body(Whose { account }): Body<Whose>,
) -> Result<Json<Vec<Webhook>>, ApiError> {
    let owner = account.map_or(Owner::Any, Owner::Account);
    Ok(Json(desk.platform.webhooks_of(owner).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HowMany {
    limit: i64,
}

async fn webhook_attempts(
    State(desk): State<Arc<Desk>>,
    Id(id): Id<WebhookId>,
    Body(HowMany { limit }): Body<HowMany>,
) -> Result<Json<Vec<WebhookAttempt>>, ApiError> {
    let platform = &desk.platform;
    let (attempts, _) = platform.webhook_attempts(Owner::Any, id, limit, 0).await?;
    Ok(Json(attempts))
}

async fn replay(
    State(desk): State<Arc<Desk>>,
    Id(id): Id<WebhookAttemptId>,
    _: NoBody,
) -> Result<Json<WebhookReplay>, ApiError> {
    Ok(Json(desk.platform.replay(Owner::Any, None, id).await?))
}

async fn reset(
    State(desk): State<Arc<Desk>>,
    Body(order): Body<ResetOrder>,
) -> Result<Json<Reset>, ApiError> {
    Ok(Json(desk.platform.order_reset(order).await?))
}

async fn trigger(
    State(desk): State<Arc<Desk>>,
    Body(order): Body<TriggerOrder>,
) -> Result<Json<Triggered>, ApiError> {
    Ok(Json(desk.platform.order_trigger(order).await?))
}

impl From<SetupError> for ApiError {
    fn from(error: SetupError) -> Self {
        match error {
            SetupError::Failed(error) => Self::Failed(error),
            refused => Self::bad_request(refused.to_string()),
        }
    }
}

impl From<UnknownFixture> for ApiError {
    fn from(unknown: UnknownFixture) -> Self {
        Self::bad_request(unknown.to_string())
    }
}
