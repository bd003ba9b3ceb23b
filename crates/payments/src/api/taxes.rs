//! Taxes of the catalog: an account's and its listings'.

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use contract::id::{ListingId, TaxId};
use contract::tax::{LevelConfiguration, NewLevelConfiguration, Tax, TaxFields};
use money::Currency;
use store::{Connection, Lock, new_id};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Body;
use super::ctx::Ctx;
use super::error::ApiError;
use super::openapi::{NoListing, NoTax};
use super::path::Id;
use crate::model::Rejection;
use crate::model::tax::{check_unique, terms};
use crate::store::account::Account;
use crate::store::scope::Scope;
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
    let account = ctx.account.id;
    let taxes = ctx
        .platform
        .store
        .read(move |c| tax::of_level(c, account, None))
        .await?;
    Ok(Json(taxes))
}

/// A listing's own taxes, whether or not its reservations are priced with them.
#[utoipa::path(
    get, path = "/v1/taxes/unit-type/{id}", tag = "Taxes",
    operation_id = "listListingTaxes",
    params(("id" = ListingId, Path, description = "The listing.")),
    responses((status = 200, description = "Its taxes.", body = Vec<Tax>), NoListing)
)]
async fn of_listing(ctx: Ctx, Id(id): Id<ListingId>) -> Result<Json<Vec<Tax>>, ApiError> {
    let scope = ctx.scope();
    let taxes = ctx
        .platform
        .store
        .read(move |c| {
            find_listing(c, &scope, id)?;
            tax::of_level(c, scope.account, Some(id))
        })
        .await?;
    Ok(Json(taxes))
}

/// The taxes that a listing's reservations are priced with.
#[utoipa::path(
    get, path = "/v1/taxes/unit-type/{id}/actual", tag = "Taxes",
    operation_id = "listActualTaxes",
    params(("id" = ListingId, Path, description = "The listing.")),
    responses((status = 200, description = "The taxes that apply.", body = Vec<Tax>), NoListing)
)]
async fn actual(ctx: Ctx, Id(id): Id<ListingId>) -> Result<Json<Vec<Tax>>, ApiError> {
    let scope = ctx.scope();
    let taxes = ctx
        .platform
        .store
        .read(move |c| {
            find_listing(c, &scope, id)?;
            catalog::actual_taxes(c, scope.account, id)
        })
        .await?;
    Ok(Json(taxes))
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
    let (scope, now, account) = (ctx.scope(), ctx.now, ctx.account);
    let made = ctx
        .platform
        .store
        .write(Lock::row("account", &account.id), move |c| {
            let currency = currency_of(c, &scope, &account, level)?
                .ok_or_else(|| Rejection::invalid("unitTypeId", "there is no such listing"))?;
            let new = Tax {
                id: new_id(),
                unit_type_id: level,
                account_id: account.id,
                terms: terms(&written, None, currency)?,
                is_deleted: false,
            };
            check_clashes(c, &new)?;
            tax::insert(c, &new, now)?;
            Ok::<_, Error>(new)
        })
        .await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Changes a tax: what the body leaves out stays. Its level cannot be changed.
#[utoipa::path(
    patch, path = "/v1/taxes/{id}", tag = "Taxes", operation_id = "updateTax",
    params(("id" = TaxId, Path, description = "The tax.")),
    request_body = TaxFields,
    responses((status = 200, description = "The tax after it.", body = Tax), NoTax)
)]
async fn update(
    ctx: Ctx,
    Id(id): Id<TaxId>,
    Body(written): Body<TaxFields>,
) -> Result<Json<Tax>, ApiError> {
    let (scope, now, account) = (ctx.scope(), ctx.now, ctx.account);
    let changed = ctx
        .platform
        .store
        .write(Lock::row("account", &account.id), move |c| {
            let old = find_to_write(c, &scope, id)?;
            if written.unit_type_id.is_some() && written.unit_type_id != old.unit_type_id {
                let reason = "a tax stays on its level: delete it, and make one on the other";
                return Err(Rejection::invalid("unitTypeId", reason).into());
            }
            let currency = currency_of(c, &scope, &account, old.unit_type_id)?
                .ok_or(Rejection::ListingNotFound)?;
            let new = Tax {
                terms: terms(&written, Some(&old.terms), currency)?,
                ..old
            };
            check_clashes(c, &new)?;
            tax::update(c, &new, now)?;
            Ok::<_, Error>(new)
        })
        .await?;
    Ok(Json(changed))
}

/// Takes a tax away, and shows it a last time. Reservations keep what they were priced with.
#[utoipa::path(
    delete, path = "/v1/taxes/{id}", tag = "Taxes", operation_id = "deleteTax",
    params(("id" = TaxId, Path, description = "The tax.")),
    responses((status = 200, description = "The tax that was.", body = Tax), NoTax)
)]
async fn remove(ctx: Ctx, Id(id): Id<TaxId>) -> Result<Json<Tax>, ApiError> {
    let scope = ctx.scope();
    let gone = ctx
        .platform
        .store
        .write(Lock::row("account", &scope.account), move |c| {
            let old = find_to_write(c, &scope, id)?;
            tax::delete(c, id)?;
            Ok::<_, Error>(Tax {
                is_deleted: true,
                ..old
            })
        })
        .await?;
    Ok(Json(gone))
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
    let scope = ctx.scope();
    let account_id = scope.account;
    let NewLevelConfiguration {
        unit_type_id,
        level_entity_type,
    } = new;
    ctx.platform
        .store
        .write(Lock::row("account", &account_id), move |c| {
            if listing::find(c, &scope, unit_type_id)?.is_none() {
                let reason = "there is no such listing";
                return Err(Rejection::invalid("unitTypeId", reason).into());
            }
            tax::set_level(c, unit_type_id, level_entity_type)
        })
        .await?;
    Ok(Json(LevelConfiguration {
        unit_type_id,
        account_id,
        level_entity_type,
    }))
}

/// Shows where a listing's taxes come from: from the account, until said otherwise.
#[utoipa::path(
    get, path = "/v1/taxes/level-configurations/unit-type/{id}", tag = "Taxes",
    operation_id = "getTaxLevel",
    params(("id" = ListingId, Path, description = "The listing.")),
    responses(
        (status = 200, description = "Where they come from.", body = LevelConfiguration),
        NoListing,
    )
)]
async fn level_of(ctx: Ctx, Id(id): Id<ListingId>) -> Result<Json<LevelConfiguration>, ApiError> {
    let scope = ctx.scope();
    let account_id = scope.account;
    let level_entity_type = ctx
        .platform
        .store
        .read(move |c| {
            find_listing(c, &scope, id)?;
            tax::level_of(c, id)
        })
        .await?;
    Ok(Json(LevelConfiguration {
        unit_type_id: id,
        account_id,
        level_entity_type,
    }))
}

fn find_listing(connection: &mut Connection, scope: &Scope, id: ListingId) -> Result<(), Error> {
    listing::find(connection, scope, id)?.ok_or(Rejection::ListingNotFound)?;
    Ok(())
}

/// A tax that the caller may change: the account's own only if all of the account is its.
fn find_to_write(connection: &mut Connection, scope: &Scope, id: TaxId) -> Result<Tax, Error> {
    tax::find(connection, scope, id)?
        .filter(|tax| tax.unit_type_id.is_some() || scope.listings.is_none())
        .ok_or_else(|| Rejection::TaxNotFound.into())
}

fn check_clashes(connection: &mut Connection, new: &Tax) -> Result<(), Error> {
    let mut others = tax::of_level(connection, new.account_id, new.unit_type_id)?;
    if let Some(name) = &new.terms.name {
        others.extend(tax::of_name(connection, new.account_id, name)?);
    }
    Ok(check_unique(new, &others)?)
}

/// The currency that fixed amounts of a level are meant in; `None`: there is no such listing.
pub(super) fn currency_of(
    connection: &mut Connection,
    scope: &Scope,
    account: &Account,
    listing: Option<ListingId>,
) -> Result<Option<Currency>, Error> {
    let code = match listing {
        None => Some(account.currency.clone()),
        Some(id) => listing::find(connection, scope, id)?.map(|listing| listing.currency),
    };
    let read = |code: String| {
        code.parse()
            .map_err(|_| Error::Corrupt(format!("currency {code}")))
    };
    code.map(read).transpose()
}
