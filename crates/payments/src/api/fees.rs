//! Additional fees of the catalog: an account's and its listings'.

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use contract::fee::{AdditionalFee, FeeFields};
use contract::id::{FeeId, ListingId};
use store::{Connection, Lock, new_id};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Body;
use super::ctx::Ctx;
use super::error::ApiError;
use super::openapi::{NoFee, NoListing};
use super::path::Id;
use super::taxes::currency_of;
use crate::model::Rejection;
use crate::model::fee::{check_count, terms};
use crate::store::scope::Scope;
use crate::store::{fee, listing};
use crate::{Error, Platform};

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<Arc<Platform>> {
    OpenApiRouter::new()
        .routes(routes!(of_account, create_for_account))
        .routes(routes!(of_listing, create_for_listing))
        .routes(routes!(update, remove))
}

/// The account's own fees.
#[utoipa::path(
    get, path = "/v1/additional-fees/account", tag = "Additional fees",
    operation_id = "listAccountFees",
    responses((status = 200, description = "Its fees.", body = Vec<AdditionalFee>))
)]
async fn of_account(ctx: Ctx) -> Result<Json<Vec<AdditionalFee>>, ApiError> {
    let account = ctx.account.id;
    let fees = ctx
        .platform
        .store
        .read(move |c| fee::of_level(c, account, None))
        .await?;
    Ok(Json(fees))
}

/// A listing's own fees.
#[utoipa::path(
    get, path = "/v1/additional-fees/listing/{id}", tag = "Additional fees",
    operation_id = "listListingFees",
    params(("id" = ListingId, Path, description = "The listing.")),
    responses((status = 200, description = "Its fees.", body = Vec<AdditionalFee>), NoListing)
)]
async fn of_listing(ctx: Ctx, Id(id): Id<ListingId>) -> Result<Json<Vec<AdditionalFee>>, ApiError> {
    let scope = ctx.scope();
    let fees = ctx
        .platform
        .store
        .read(move |c| {
            listing::find(c, &scope, id)?.ok_or(Rejection::ListingNotFound)?;
            fee::of_level(c, scope.account, Some(id))
        })
        .await?;
    Ok(Json(fees))
}

/// Makes a fee of the account.
#[utoipa::path(
    post, path = "/v1/additional-fees/account", tag = "Additional fees",
    operation_id = "createAccountFee",
    request_body = FeeFields,
    responses((status = 201, description = "The new fee.", body = AdditionalFee))
)]
async fn create_for_account(
    ctx: Ctx,
    Body(written): Body<FeeFields>,
) -> Result<(StatusCode, Json<AdditionalFee>), ApiError> {
    if ctx.listings.is_some() {
        return Err(ApiError::Forbidden);
    }
    create(ctx, None, written).await
}

/// Makes a fee of a listing.
#[utoipa::path(
    post, path = "/v1/additional-fees/listing/{id}", tag = "Additional fees",
    operation_id = "createListingFee",
    params(("id" = ListingId, Path, description = "The listing.")),
    request_body = FeeFields,
    responses((status = 201, description = "The new fee.", body = AdditionalFee), NoListing)
)]
async fn create_for_listing(
    ctx: Ctx,
    Id(id): Id<ListingId>,
    Body(written): Body<FeeFields>,
) -> Result<(StatusCode, Json<AdditionalFee>), ApiError> {
    create(ctx, Some(id), written).await
}

async fn create(
    ctx: Ctx,
    level: Option<ListingId>,
    written: FeeFields,
) -> Result<(StatusCode, Json<AdditionalFee>), ApiError> {
    let (scope, now, account) = (ctx.scope(), ctx.now, ctx.account);
    let made = ctx
        .platform
        .store
        .write(Lock::row("account", &account.id), move |c| {
            let currency =
                currency_of(c, &scope, &account, level)?.ok_or(Rejection::ListingNotFound)?;
            let new = AdditionalFee {
                id: new_id(),
                account_id: account.id,
                listing_id: level,
                terms: terms(&written, None, currency)?,
            };
            check_count(fee::of_level(c, account.id, level)?.len())?;
            fee::insert(c, &new, now)?;
            Ok::<_, Error>(new)
        })
        .await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Changes a fee: what the body leaves out stays.
#[utoipa::path(
    patch, path = "/v1/additional-fees/{id}", tag = "Additional fees",
    operation_id = "updateFee",
    params(("id" = FeeId, Path, description = "The fee.")),
    request_body = FeeFields,
    responses((status = 200, description = "The fee after it.", body = AdditionalFee), NoFee)
)]
async fn update(
    ctx: Ctx,
    Id(id): Id<FeeId>,
    Body(written): Body<FeeFields>,
) -> Result<Json<AdditionalFee>, ApiError> {
    let (scope, now, account) = (ctx.scope(), ctx.now, ctx.account);
    let changed = ctx
        .platform
        .store
        .write(Lock::row("account", &account.id), move |c| {
            let old = find_to_write(c, &scope, id)?;
            let currency = currency_of(c, &scope, &account, old.listing_id)?
                .ok_or(Rejection::ListingNotFound)?;
            let new = AdditionalFee {
                terms: terms(&written, Some(&old.terms), currency)?,
                ..old
            };
            fee::update(c, &new, now)?;
            Ok::<_, Error>(new)
        })
        .await?;
    Ok(Json(changed))
}

/// Takes a fee away, and shows it a last time. Reservations keep what they were priced with.
#[utoipa::path(
    delete, path = "/v1/additional-fees/{id}", tag = "Additional fees",
    operation_id = "deleteFee",
    params(("id" = FeeId, Path, description = "The fee.")),
    responses((status = 200, description = "The fee that was.", body = AdditionalFee), NoFee)
)]
async fn remove(ctx: Ctx, Id(id): Id<FeeId>) -> Result<Json<AdditionalFee>, ApiError> {
    let scope = ctx.scope();
    let gone = ctx
        .platform
        .store
        .write(Lock::row("account", &scope.account), move |c| {
            let old = find_to_write(c, &scope, id)?;
            fee::delete(c, id)?;
            Ok::<_, Error>(old)
        })
        .await?;
    Ok(Json(gone))
}

/// A fee that the caller may change: the account's own only if all of the account is its.
fn find_to_write(
    connection: &mut Connection,
    scope: &Scope,
    id: FeeId,
) -> Result<AdditionalFee, Error> {
    fee::find(connection, scope, id)?
        .filter(|fee| fee.listing_id.is_some() || scope.listings.is_none())
        .ok_or_else(|| Rejection::FeeNotFound.into())
}
