//! Additional fees of the catalog: an account's and its listings'.

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use contract::fee::{AdditionalFee, FeeFields};
use contract::id::{FeeId, ListingId};
use store::{Connection, new_id};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Body;
use super::ctx::Ctx;
use super::error::ApiError;
use super::level::{self, Author};
use super::openapi::{NoFee, NoListing, OneFee, OneListing};
use super::path::Id;
use crate::model::Rejection;
use crate::model::fee::{check_count, terms};
use crate::store::fee;
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
    let read = level::read_of_account(ctx, |c, account| fee::of_level(c, account, None));
    Ok(Json(read.await?))
}

/// A listing's own fees.
#[utoipa::path(
    get, path = "/v1/additional-fees/listing/{id}", tag = "Additional fees",
    operation_id = "listListingFees",
    params(OneListing),
    responses((status = 200, description = "Its fees.", body = Vec<AdditionalFee>), NoListing)
)]
async fn of_listing(ctx: Ctx, Id(id): Id<ListingId>) -> Result<Json<Vec<AdditionalFee>>, ApiError> {
    let own = move |c: &mut Connection, account| fee::of_level(c, account, Some(id));
    Ok(Json(level::read_of_listing(ctx, id, own).await?))
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
    params(OneListing),
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
    let made = level::change(ctx, move |c, author| {
        let account = author.account.id;
        let currency = author
            .currency_of(c, level)?
            .ok_or(Rejection::ListingNotFound)?;
        let new = AdditionalFee {
            id: new_id(),
            account_id: account,
            listing_id: level,
            terms: terms(&written, None, currency)?,
        };
        check_count(fee::of_level(c, account, level)?.len())?;
        fee::insert(c, &new, author.now)?;
        Ok(new)
    });
    Ok((StatusCode::CREATED, Json(made.await?)))
}

/// Changes a fee: what the body leaves out stays.
#[utoipa::path(
    patch, path = "/v1/additional-fees/{id}", tag = "Additional fees",
    operation_id = "updateFee",
    params(OneFee),
    request_body = FeeFields,
    responses((status = 200, description = "The fee after it.", body = AdditionalFee), NoFee)
)]
async fn update(
    ctx: Ctx,
    Id(id): Id<FeeId>,
    Body(written): Body<FeeFields>,
) -> Result<Json<AdditionalFee>, ApiError> {
    let changed = level::change(ctx, move |c, author| {
        let old = find_to_change(c, author, id)?;
        let currency = author
            .currency_of(c, old.listing_id)?
            .ok_or(Rejection::ListingNotFound)?;
        let new = AdditionalFee {
            terms: terms(&written, Some(&old.terms), currency)?,
            ..old
        };
        fee::update(c, &new, author.now)?;
        Ok(new)
    });
    Ok(Json(changed.await?))
}

/// Takes a fee away, and shows it a last time. Reservations keep what they were priced with.
#[utoipa::path(
    delete, path = "/v1/additional-fees/{id}", tag = "Additional fees",
    operation_id = "deleteFee",
    params(OneFee),
    responses((status = 200, description = "The fee that was.", body = AdditionalFee), NoFee)
)]
async fn remove(ctx: Ctx, Id(id): Id<FeeId>) -> Result<Json<AdditionalFee>, ApiError> {
    let gone = level::change(ctx, move |c, author| {
        let old = find_to_change(c, author, id)?;
        fee::delete(c, id)?;
        Ok(old)
    });
    Ok(Json(gone.await?))
}

fn find_to_change(
    connection: &mut Connection,
    author: &Author,
    id: FeeId,
) -> Result<AdditionalFee, Error> {
    fee::find(connection, &author.scope, id)?
        .filter(|fee| author.may_change(fee.listing_id))
        .ok_or_else(|| Rejection::FeeNotFound.into())
}
