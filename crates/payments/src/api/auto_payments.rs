//! The policies of automatic payments. The Open API has no routes for them: these are ours.

use std::sync::Arc;

use axum::Json;
use contract::auto_payment::{PolicyFields, PolicyLevel, ShownPolicy};
use contract::id::ListingId;
use money::Currency;
use store::{Connection, Lock};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Body;
use super::ctx::Ctx;
use super::error::ApiError;
use super::level::currency_of;
use super::openapi::{NoListing, OneListing};
use super::path::Id;
use crate::model::Rejection;
use crate::model::auto_payment::check;
use crate::store::account::Account;
use crate::store::auto_payment;
use crate::store::scope::Scope;
use crate::{Error, Platform};

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<Arc<Platform>> {
    OpenApiRouter::new()
        .routes(routes!(of_account, set_for_account))
        .routes(routes!(of_listing, set_for_listing, remove))
}

/// The account's policy.
#[utoipa::path(
    get, path = "/v1/accounts/me/auto-payments-policy", tag = "Auto payments",
    operation_id = "getAccountPolicy",
    responses((status = 200, description = "The policy.", body = ShownPolicy))
)]
async fn of_account(ctx: Ctx) -> Result<Json<ShownPolicy>, ApiError> {
    show(ctx, None).await
}

/// The policy that holds for a listing: its own, or the account's.
#[utoipa::path(
    get, path = "/v1/listings/{id}/auto-payments-policy", tag = "Auto payments",
    operation_id = "getListingPolicy",
    params(OneListing),
    responses((status = 200, description = "The policy.", body = ShownPolicy), NoListing)
)]
async fn of_listing(ctx: Ctx, Id(id): Id<ListingId>) -> Result<Json<ShownPolicy>, ApiError> {
    show(ctx, Some(id)).await
}

async fn show(ctx: Ctx, listing: Option<ListingId>) -> Result<Json<ShownPolicy>, ApiError> {
    let (scope, account) = (ctx.scope(), ctx.account);
    let shown = ctx
        .platform
        .store
        .read(move |c| {
            let usual = usual_currency(c, &scope, &account, listing)?;
            holding(c, &account, listing, usual)
        })
        .await?;
    Ok(Json(shown))
}

/// Sets the account's policy. Reservations that are confirmed already keep theirs.
#[utoipa::path(
    put, path = "/v1/accounts/me/auto-payments-policy", tag = "Auto payments",
    operation_id = "setAccountPolicy",
    request_body = PolicyFields,
    responses((status = 200, description = "The policy that holds now.", body = ShownPolicy))
)]
async fn set_for_account(
    ctx: Ctx,
    Body(written): Body<PolicyFields>,
) -> Result<Json<ShownPolicy>, ApiError> {
    if ctx.listings.is_some() {
        return Err(ApiError::Forbidden);
    }
    set(ctx, None, written).await
}

/// Sets a listing's own policy, in place of the account's; one without instalments, too.
#[utoipa::path(
    put, path = "/v1/listings/{id}/auto-payments-policy", tag = "Auto payments",
    operation_id = "setListingPolicy",
    params(OneListing),
    request_body = PolicyFields,
    responses(
        (status = 200, description = "The policy that holds now.", body = ShownPolicy),
        NoListing,
    )
)]
async fn set_for_listing(
    ctx: Ctx,
    Id(id): Id<ListingId>,
    Body(written): Body<PolicyFields>,
) -> Result<Json<ShownPolicy>, ApiError> {
    set(ctx, Some(id), written).await
}

async fn set(
    ctx: Ctx,
    listing: Option<ListingId>,
    written: PolicyFields,
) -> Result<Json<ShownPolicy>, ApiError> {
    let (scope, now, account) = (ctx.scope(), ctx.now, ctx.account);
    let shown = ctx
        .platform
        .store
        .write(Lock::row("account", &account.id), move |c| {
            let usual = usual_currency(c, &scope, &account, listing)?;
            let policy = check(&written, usual)?;
            auto_payment::set(c, account.id, listing, &policy, now)?;
            holding(c, &account, listing, usual)
        })
        .await?;
    Ok(Json(shown))
}

/// Takes a listing's own policy away, and shows the one that holds from now on.
#[utoipa::path(
    delete, path = "/v1/listings/{id}/auto-payments-policy", tag = "Auto payments",
    operation_id = "deleteListingPolicy",
    params(OneListing),
    responses(
        (status = 200, description = "The policy that holds now.", body = ShownPolicy),
        NoListing,
    )
)]
async fn remove(ctx: Ctx, Id(id): Id<ListingId>) -> Result<Json<ShownPolicy>, ApiError> {
    let (scope, account) = (ctx.scope(), ctx.account);
    let shown = ctx
        .platform
        .store
        .write(Lock::row("account", &account.id), move |c| {
            let usual = usual_currency(c, &scope, &account, Some(id))?;
            auto_payment::remove(c, id)?;
            holding(c, &account, Some(id), usual)
        })
        .await?;
    Ok(Json(shown))
}

fn usual_currency(
    connection: &mut Connection,
    scope: &Scope,
    account: &Account,
    listing: Option<ListingId>,
) -> Result<Currency, Error> {
    let currency = currency_of(connection, scope, account, listing)?;
    Ok(currency.ok_or(Rejection::ListingNotFound)?)
}

fn holding(
    connection: &mut Connection,
    account: &Account,
    listing: Option<ListingId>,
    usual: Currency,
) -> Result<ShownPolicy, Error> {
    let found = auto_payment::holding(connection, account.id, listing)?;
    Ok(found.map_or(
        ShownPolicy {
            level: PolicyLevel::Account,
            policy: Vec::new(),
            currency: usual,
        },
        |(level, policy)| ShownPolicy {
            level,
            policy: policy.policy,
            currency: policy.currency,
        },
    ))
}
