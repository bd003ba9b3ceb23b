//! Taxes of the catalog: an account's and its listings'.

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use contract::id::{ListingId, TaxId};
use contract::tax::{LevelConfiguration, NewLevelConfiguration, Tax, TaxFields};
use store::{Connection, new_id};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Body;
use super::ctx::Ctx;
use super::error::ApiError;
use super::level::{self, Author};
use super::openapi::{NoListing, NoTax, OneListing, OneTax};
use super::path::Id;
use crate::model::Rejection;
use crate::model::tax::{check_unique, terms};
use crate::store::{catalog, listing, tax};
use crate::{Error, Platform};

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<Arc<Platform>> {
    OpenApiRouter::new()
        .routes(routes!(of_account))
        .routes(routes!(of_listing))
        .routes(routes!(actual))
        .routes(routes!(create))
        .routes(routes!(update, remove))
        .routes(routes!(set_level))
        .routes(routes!(level_of))
}

/// The account's own taxes.
#[utoipa::path(
    get, path = "/v1/taxes/account", tag = "Taxes", operation_id = "listAccountTaxes",
    responses((status = 200, description = "Its taxes.", body = Vec<Tax>))
)]
async fn of_account(ctx: Ctx) -> Result<Json<Vec<Tax>>, ApiError> {
    let read = level::read_of_account(ctx, |c, account| tax::of_level(c, account, None));
    Ok(Json(read.await?))
}

/// A listing's own taxes, whether or not its reservations are priced with them.
#[utoipa::path(
    get, path = "/v1/taxes/unit-type/{id}", tag = "Taxes",
    operation_id = "listListingTaxes",
    params(OneListing),
    responses((status = 200, description = "Its taxes.", body = Vec<Tax>), NoListing)
)]
async fn of_listing(ctx: Ctx, Id(id): Id<ListingId>) -> Result<Json<Vec<Tax>>, ApiError> {
    let own = move |c: &mut Connection, account| tax::of_level(c, account, Some(id));
    Ok(Json(level::read_of_listing(ctx, id, own).await?))
}

/// The taxes that a listing's reservations are priced with.
#[utoipa::path(
    get, path = "/v1/taxes/unit-type/{id}/actual", tag = "Taxes",
    operation_id = "listActualTaxes",
    params(OneListing),
    responses((status = 200, description = "The taxes that apply.", body = Vec<Tax>), NoListing)
)]
async fn actual(ctx: Ctx, Id(id): Id<ListingId>) -> Result<Json<Vec<Tax>>, ApiError> {
    let actual = move |c: &mut Connection, account| catalog::actual_taxes(c, account, id);
    Ok(Json(level::read_of_listing(ctx, id, actual).await?))
}

/// Makes a tax of the account, or of one of its listings.
#[utoipa::path(
    post, path = "/v1/taxes", tag = "Taxes", operation_id = "createTax",
    request_body = TaxFields,
    responses((status = 201, description = "The new tax.", body = Tax))
)]
async fn create(
    ctx: Ctx,
    Body(written): Body<TaxFields>,
) -> Result<(StatusCode, Json<Tax>), ApiError> {
    let level = written.unit_type_id;
    if level.is_none() && ctx.listings.is_some() {
        return Err(ApiError::Forbidden);
    }
    let made = level::change(ctx, move |c, author| {
        let currency = author
            .currency_of(c, level)?
            .ok_or_else(|| Rejection::invalid("unitTypeId", "there is no such listing"))?;
        let new = Tax {
            id: new_id(),
            unit_type_id: level,
            account_id: author.account.id,
            terms: terms(&written, None, currency)?,
            is_deleted: false,
        };
        check_clashes(c, &new)?;
        tax::insert(c, &new, author.now)?;
        Ok(new)
    });
    Ok((StatusCode::CREATED, Json(made.await?)))
}

/// Changes a tax: what the body leaves out stays. Its level cannot be changed.
#[utoipa::path(
    patch, path = "/v1/taxes/{id}", tag = "Taxes", operation_id = "updateTax",
    params(OneTax),
    request_body = TaxFields,
    responses((status = 200, description = "The tax after it.", body = Tax), NoTax)
)]
async fn update(
    ctx: Ctx,
    Id(id): Id<TaxId>,
    Body(written): Body<TaxFields>,
) -> Result<Json<Tax>, ApiError> {
    let changed = level::change(ctx, move |c, author| {
        let old = find_to_change(c, author, id)?;
        if written.unit_type_id.is_some() && written.unit_type_id != old.unit_type_id {
            let reason = "a tax stays on its level: delete it, and make one on the other";
            return Err(Rejection::invalid("unitTypeId", reason).into());
        }
        let currency = author
            .currency_of(c, old.unit_type_id)?
            .ok_or(Rejection::ListingNotFound)?;
        let new = Tax {
            terms: terms(&written, Some(&old.terms), currency)?,
            ..old
        };
        check_clashes(c, &new)?;
        tax::update(c, &new, author.now)?;
        Ok(new)
    });
    Ok(Json(changed.await?))
}

/// Takes a tax away, and shows it a last time. Reservations keep what they were priced with.
#[utoipa::path(
    delete, path = "/v1/taxes/{id}", tag = "Taxes", operation_id = "deleteTax",
    params(OneTax),
    responses((status = 200, description = "The tax that was.", body = Tax), NoTax)
)]
async fn remove(ctx: Ctx, Id(id): Id<TaxId>) -> Result<Json<Tax>, ApiError> {
    let gone = level::change(ctx, move |c, author| {
        let old = find_to_change(c, author, id)?;
        tax::delete(c, id)?;
        Ok(Tax {
            is_deleted: true,
            ..old
        })
    });
    Ok(Json(gone.await?))
}

/// Says where a listing's taxes come from.
#[utoipa::path(
    put, path = "/v1/taxes/level-configurations", tag = "Taxes",
    operation_id = "setTaxLevel",
    request_body = NewLevelConfiguration,
    responses((status = 200, description = "Where they come from now.", body = LevelConfiguration))
)]
async fn set_level(
    ctx: Ctx,
    Body(new): Body<NewLevelConfiguration>,
) -> Result<Json<LevelConfiguration>, ApiError> {
    let NewLevelConfiguration {
        unit_type_id,
        level_entity_type,
    } = new;
    let set = level::change(ctx, move |c, author| {
        if listing::find(c, &author.scope, unit_type_id)?.is_none() {
            let reason = "there is no such listing";
            return Err(Rejection::invalid("unitTypeId", reason).into());
        }
        tax::set_level(c, unit_type_id, level_entity_type)?;
        Ok(LevelConfiguration {
            unit_type_id,
            account_id: author.account.id,
            level_entity_type,
        })
    });
    Ok(Json(set.await?))
}

/// Shows where a listing's taxes come from: from the account, until said otherwise.
#[utoipa::path(
    get, path = "/v1/taxes/level-configurations/unit-type/{id}", tag = "Taxes",
    operation_id = "getTaxLevel",
    params(OneListing),
    responses(
        (status = 200, description = "Where they come from.", body = LevelConfiguration),
        NoListing,
    )
)]
async fn level_of(ctx: Ctx, Id(id): Id<ListingId>) -> Result<Json<LevelConfiguration>, ApiError> {
    let read = level::read_of_listing(ctx, id, move |c, account_id| {
        Ok(LevelConfiguration {
            unit_type_id: id,
            account_id,
            level_entity_type: tax::level_of(c, id)?,
        })
    });
    Ok(Json(read.await?))
}

fn find_to_change(connection: &mut Connection, author: &Author, id: TaxId) -> Result<Tax, Error> {
    tax::find(connection, &author.scope, id)?
        .filter(|tax| author.may_change(tax.unit_type_id))
        .ok_or_else(|| Rejection::TaxNotFound.into())
}

fn check_clashes(connection: &mut Connection, new: &Tax) -> Result<(), Error> {
    let mut others = tax::of_level(connection, new.account_id, new.unit_type_id)?;
    if let Some(name) = &new.terms.name {
        others.extend(tax::of_name(connection, new.account_id, name)?);
    }
    Ok(check_unique(new, &others)?)
}
