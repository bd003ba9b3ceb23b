//! Webhooks: subscriptions to what happens in the account, and what was sent to them.

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use contract::id::{WebhookAttemptId, WebhookId};
use contract::list::List;
use contract::webhook as wire;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{Body, NoBody};
use super::ctx::Ctx;
use super::error::ApiError;
use super::openapi::{
    NoWebhook, NoWebhookAttempt, NoWebhookUrl, OnePage, OneWebhook, ReplayRefused,
    WebhookChangeRefused, WebhookRefused,
};
use super::path::{Id, Texts};
use super::query::Query;
use crate::Platform;
use crate::webhooks::Owner;

/// The routes of this resource. Those of attempts are not in the Open API.
pub(super) fn routes() -> OpenApiRouter<Arc<Platform>> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(retrieve, update, remove))
        .routes(routes!(secret))
        .routes(routes!(attempts))
        .routes(routes!(replay))
}

/// Whose webhooks are asked for. Events tell of all listings, so they are given to applications that
/// may see all.
fn owner(ctx: &Ctx) -> Result<Owner, ApiError> {
    if ctx.listings.is_some() {
        return Err(ApiError::Forbidden);
    }
    Ok(Owner::Account(ctx.account.id))
}

/// Lists the account's webhooks.
#[utoipa::path(
    get, path = "/v1/webhooks", tag = "Webhooks", operation_id = "listWebhooks",
    responses((status = 200, description = "The webhooks.", body = Vec<wire::Webhook>))
)]
async fn list(ctx: Ctx) -> Result<Json<Vec<wire::Webhook>>, ApiError> {
    let owner = owner(&ctx)?;
    Ok(Json(ctx.platform.webhooks_of(owner).await?))
}

/// Subscribes.
#[utoipa::path(
    post, path = "/v1/webhooks", tag = "Webhooks", operation_id = "createWebhook",
    request_body = wire::NewWebhook,
    responses(
        (status = 201, description = "The new webhook.", body = wire::Webhook),
        WebhookRefused,
    )
)]
async fn create(
    ctx: Ctx,
    Body(new): Body<wire::NewWebhook>,
) -> Result<(StatusCode, Json<wire::Webhook>), ApiError> {
    owner(&ctx)?;
    let made = ctx.platform.subscribe(ctx.account.id, new).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Shows a webhook.
#[utoipa::path(
    get, path = "/v1/webhooks/{id}", tag = "Webhooks", operation_id = "getWebhook",
    params(OneWebhook),
    responses((status = 200, description = "The webhook.", body = wire::Webhook), NoWebhook)
)]
async fn retrieve(ctx: Ctx, Id(id): Id<WebhookId>) -> Result<Json<wire::Webhook>, ApiError> {
    let owner = owner(&ctx)?;
    Ok(Json(ctx.platform.webhook(owner, id).await?))
}

/// Changes the events of a webhook; one that is disabled is enabled again. The url stays.
#[utoipa::path(
    put, path = "/v1/webhooks/{id}", tag = "Webhooks", operation_id = "updateWebhook",
    params(OneWebhook),
    request_body = wire::WebhookChange,
    responses(
        (status = 200, description = "The webhook after it.", body = wire::Webhook),
        WebhookChangeRefused,
        NoWebhook,
    )
)]
async fn update(
    ctx: Ctx,
    Id(id): Id<WebhookId>,
    Body(change): Body<wire::WebhookChange>,
) -> Result<Json<wire::Webhook>, ApiError> {
    owner(&ctx)?;
    let changed = ctx.platform.change_webhook(ctx.account.id, id, change);
    Ok(Json(changed.await?))
}

/// Unsubscribes. What was not sent yet is not sent any more.
#[utoipa::path(
    delete, path = "/v1/webhooks/{id}", tag = "Webhooks", operation_id = "deleteWebhook",
    params(OneWebhook),
    responses((status = 204, description = "It is gone."), NoWebhook)
)]
async fn remove(ctx: Ctx, Id(id): Id<WebhookId>) -> Result<StatusCode, ApiError> {
    owner(&ctx)?;
    ctx.platform.unsubscribe(ctx.account.id, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Shows the secret that verifies what is sent to a url.
#[utoipa::path(
    get, path = "/v1/webhooks-v2/secret", tag = "Webhooks",
    operation_id = "getWebhookSecret",
    params(
        ("url" = String, Query, description = "The url of a webhook, exactly as it was given.", example = "https://example.com/webhooks"),
    ),
    responses((status = 200, description = "The secret.", body = wire::WebhookSecret), NoWebhookUrl)
)]
async fn secret(ctx: Ctx, query: Query) -> Result<Json<wire::WebhookSecret>, ApiError> {
    owner(&ctx)?;
    let url = query.text("url").ok_or_else(|| {
        ApiError::bad_request("url is required: the url of a webhook, exactly as it was given")
    })?;
    let secret = ctx.platform.webhook_secret(ctx.account.id, url.to_owned());
    Ok(Json(secret.await?))
}

/// Lists what was sent to a webhook and what came of it, the newest first.
#[utoipa::path(
    get, path = "/v1/webhooks/{id}/attempts", tag = "Webhooks",
    operation_id = "listWebhookAttempts",
    params(OneWebhook, OnePage),
    responses(
        (status = 200, description = "A page of attempts.", body = List<wire::WebhookAttempt>),
        NoWebhook,
    )
)]
async fn attempts(
    ctx: Ctx,
    Id(id): Id<WebhookId>,
    query: Query,
) -> Result<Json<List<wire::WebhookAttempt>>, ApiError> {
    let owner = owner(&ctx)?;
    let page = query.page()?;
    let platform = &ctx.platform;
    let (results, count) = platform
        .webhook_attempts(owner, id, page.limit, page.skip)
        .await?;
    Ok(Json(List {
        results,
        count,
        limit: page.limit,
        skip: page.skip,
    }))
}

/// Sends the message of an attempt again, under the same id.
#[utoipa::path(
    post, path = "/v1/webhooks/{id}/attempts/{attempt}/replay", tag = "Webhooks",
    operation_id = "replayWebhookAttempt",
    params(
        OneWebhook,
        ("attempt" = WebhookAttemptId, Path, description = "The attempt."),
    ),
    responses(
        (status = 202, description = "When it is sent.", body = wire::WebhookReplay),
        ReplayRefused,
        NoWebhookAttempt,
    )
)]
async fn replay(
    ctx: Ctx,
    Texts([webhook, attempt]): Texts<2>,
    _: NoBody,
) -> Result<(StatusCode, Json<wire::WebhookReplay>), ApiError> {
    let owner = owner(&ctx)?;
    let webhook: WebhookId = webhook.parse()?;
    let attempt: WebhookAttemptId = attempt.parse()?;
    let replay = ctx.platform.replay(owner, Some(webhook), attempt).await?;
    Ok((StatusCode::ACCEPTED, Json(replay)))
}
