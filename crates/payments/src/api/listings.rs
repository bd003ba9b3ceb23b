//! Listings: the properties that reservations are for.

use std::sync::Arc;

use axum::Json;
use contract::id::ListingId;
use contract::list::List;
use contract::listing::{Listing, ListingFields};
use serde_json::{Map, Value};
use store::{Lock, new_id};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Body;
use super::ctx::Ctx;
use super::error::ApiError;
use super::fields::Fields;
use super::openapi::{
    ListingFieldsInPart, ListingInPart, ListingSearch, NoListing, OneListing, OnePage, Picked,
};
use super::path::Id;
use super::query::Query;
use super::show::show;
use crate::model::listing::{Place, check, zone};
use crate::model::search::read_order;
use crate::model::{Rejection, merge};
use crate::store::account::Account;
use crate::store::event::{self, DomainEvent};
use crate::store::listing::{self, Row, Search};
use crate::{Error, Platform};

/// The longest text of `q`, in bytes.
pub(super) const TEXT_MAX: usize = 1000;
/// The most tags to look for at once.
const TAGS_MAX: usize = 50;

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<Arc<Platform>> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(retrieve, update, remove))
}

/// Lists listings: active ones by title, unless asked otherwise.
#[utoipa::path(
    get, path = "/v1/listings", tag = "Listings", operation_id = "listListings",
    params(ListingSearch, Picked, OnePage),
    responses((status = 200, description = "A page of listings.", body = List<ListingInPart>))
)]
async fn list(ctx: Ctx, query: Query) -> Result<Json<List<Value>>, ApiError> {
    let fields = Fields::read(query.text("fields"));
    let search = read_search(&query)?;
    let scope = ctx.scope();
    let (limit, skip) = (search.limit, search.skip);
    let (rows, count) = ctx
        .platform
        .store
        .read(move |c| listing::list(c, &scope, &search))
        .await?;
    let results = rows
        .iter()
        .map(|row| show(&row.show()?, &fields))
        .collect::<Result<_, Error>>()?;
    Ok(Json(List {
        results,
        count,
        limit,
        skip,
    }))
}

fn read_search(query: &Query) -> Result<Search, ApiError> {
    let page = query.page()?;
    let text = query.text("q").map(str::to_owned);
    if text.as_ref().is_some_and(|text| text.len() > TEXT_MAX) {
        return Err(ApiError::BadRequest(format!(
            "q must not be longer than {TEXT_MAX} bytes"
        )));
    }
    let tags: Vec<String> = query
        .text("tags")
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|tag| !tag.is_empty())
        .map(str::to_owned)
        .collect();
    if tags.len() > TAGS_MAX {
        return Err(ApiError::BadRequest(format!(
            "tags: at most {TAGS_MAX} of them"
        )));
    }
    Ok(Search {
        ids: query.ids("ids")?,
        not_ids: query.ids("nids")?.unwrap_or_default(),
        text,
        city: query.text("city").map(str::to_owned),
        tags,
        active: Some(query.flag("active")?.unwrap_or(true)),
        listed: query.flag("listed")?,
        order: read_order(query.text("sort").unwrap_or("title"), listing::FIELDS)?,
        limit: page.limit,
        skip: page.skip,
    })
}

/// Makes a listing. Currency and time zone are the account's unless they are given.
#[utoipa::path(
    post, path = "/v1/listings", tag = "Listings", operation_id = "createListing",
    request_body = ListingFields,
    responses((status = 200, description = "The new listing.", body = Listing))
)]
async fn create(ctx: Ctx, Body(mut fields): Body<ListingFields>) -> Result<Json<Value>, ApiError> {
    if ctx.listings.is_some() {
        // It could not see what it made.
        return Err(ApiError::Forbidden);
    }
    let place = check(&mut fields, place_of(&ctx.account)?)?;
    let row = Row::new(new_id(), ctx.account.id, &fields, place, ctx.now)?;
    let kept = row.clone();
    ctx.platform
        .store
        .write(Lock::none(), move |c| {
            listing::insert(c, &kept)?;
            event::record(
                c,
                kept.account_id,
                &happened("listing.new", kept.id),
                kept.created_ms,
            )
        })
        .await?;
    Ok(Json(show(&row.show()?, &Fields::default())?))
}

/// Shows a listing.
#[utoipa::path(
    get, path = "/v1/listings/{id}", tag = "Listings", operation_id = "getListing",
    params(OneListing, Picked),
    responses((status = 200, description = "The listing.", body = ListingInPart), NoListing)
)]
async fn retrieve(ctx: Ctx, Id(id): Id<ListingId>, query: Query) -> Result<Json<Value>, ApiError> {
    let scope = ctx.scope();
    let row = ctx
        .platform
        .store
        .read(move |c| listing::find(c, &scope, id))
        .await?
        .ok_or(Rejection::ListingNotFound)?;
    Ok(Json(show(
        &row.show()?,
        &Fields::read(query.text("fields")),
    )?))
}

/// Changes a listing: what the body leaves out stays, `null` takes away. What changes nothing is no
/// event. Reservations keep the currency and the instants that they were made with.
#[utoipa::path(
    put, path = "/v1/listings/{id}", tag = "Listings", operation_id = "updateListing",
    params(OneListing),
    request_body = ListingFieldsInPart,
    responses((status = 200, description = "The listing after it.", body = Listing), NoListing)
)]
async fn update(
    ctx: Ctx,
    Id(id): Id<ListingId>,
    Body(change): Body<Map<String, Value>>,
) -> Result<Json<Value>, ApiError> {
    let (scope, account, now) = (ctx.scope(), place_of(&ctx.account)?, ctx.now);
    let row = ctx
        .platform
        .store
        .write(Lock::row("listing", &id), move |c| {
            let old = listing::find(c, &scope, id)?.ok_or(Rejection::ListingNotFound)?;
            let mut fields = merge::changed(&old.fields()?, &change)?;
            let place = check(&mut fields, account)?;
            let new = old.changed(&fields, place, now)?;
            if new != old {
                listing::update(c, &new)?;
                event::record(c, scope.account, &happened("listing.updated", id), now)?;
            }
            Ok::<_, Error>(new)
        })
        .await?;
    Ok(Json(show(&row.show()?, &Fields::default())?))
}

/// Takes a listing away; its reservations stay.
#[utoipa::path(
    delete, path = "/v1/listings/{id}", tag = "Listings", operation_id = "deleteListing",
    params(OneListing),
    responses(
        (status = 200, description = "The id of the listing that was.", body = ListingId),
        NoListing,
    )
)]
async fn remove(ctx: Ctx, Id(id): Id<ListingId>) -> Result<Json<ListingId>, ApiError> {
    let (scope, now) = (ctx.scope(), ctx.now);
    ctx.platform
        .store
        .write(Lock::row("listing", &id), move |c| {
            listing::find(c, &scope, id)?.ok_or(Rejection::ListingNotFound)?;
            listing::remove(c, id, now)?;
            event::record(c, scope.account, &happened("listing.removed", id), now)
        })
        .await?;
    Ok(Json(id))
}

fn happened(kind: &'static str, listing: ListingId) -> DomainEvent {
    DomainEvent {
        kind,
        reservation: None,
        subject: listing.0,
        body: Value::Object(Map::new()),
    }
}

/// The currency and zone that an account's listings get when none is given.
fn place_of(account: &Account) -> Result<Place, Error> {
    let corrupt = |what: &str| Error::Corrupt(format!("account {}: {what}", account.id));
    Ok(Place {
        currency: account
            .currency
            .parse()
            .map_err(|_| corrupt(&account.currency))?,
        timezone: zone(&account.timezone).map_err(|_| corrupt(&account.timezone))?,
    })
}
