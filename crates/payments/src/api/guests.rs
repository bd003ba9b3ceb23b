//! Guests: the people who stay or pay.

use std::sync::Arc;

use axum::Json;
use contract::guest::{Guest, GuestFields, GuestList};
use contract::id::GuestId;
use serde_json::{Map, Value};
use store::{Lock, new_id};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Body;
use super::ctx::Ctx;
use super::error::ApiError;
use super::fields::Fields;
use super::openapi::{
    Columns, GuestFieldsInPart, GuestInPart, NoGuest, OneGuest, OnePage, Picked, Searched,
};
use super::path::Id;
use super::query::Query;
use super::show::show;
use crate::model::guest::check;
use crate::model::search::{read_filters, read_order};
use crate::model::{Rejection, merge};
use crate::store::event::{self, DomainEvent};
use crate::store::guest::{self, Row, Search};
use crate::{Error, Platform};

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<Arc<Platform>> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(retrieve, update))
}

/// Lists guests.
#[utoipa::path(
    get, path = "/v1/guests-crud", tag = "Guests", operation_id = "listGuests",
    params(Searched, Columns, Picked, OnePage),
    responses((status = 200, description = "A page of guests.", body = GuestList<GuestInPart>))
)]
async fn list(ctx: Ctx, query: Query) -> Result<Json<GuestList<Value>>, ApiError> {
    let fields = Fields::read(query.text("columns").or(query.text("fields")));
    let page = query.page()?;
    let search = Search {
        conditions: read_filters(query.text("filters").unwrap_or("[]"), guest::FIELDS)?,
        order: read_order(query.text("sort").unwrap_or_default(), guest::FIELDS)?,
        limit: page.limit,
        skip: page.skip,
    };
    let (scope, now) = (ctx.scope(), ctx.now);
    let (results, total) = ctx
        .platform
        .store
        .read(move |c| {
            let (rows, count) = guest::list(c, &scope, &search)?;
            let returning = guest::returning(c, &rows, now)?;
            let results = rows
                .iter()
                .map(|row| show(&row.show(returning.contains(&row.id))?, &fields))
                .collect::<Result<Vec<_>, Error>>()?;
            Ok::<_, Error>((results, count))
        })
        .await?;
    Ok(Json(GuestList {
        results,
        total,
        count: total,
        limit: page.limit,
        skip: page.skip,
    }))
}

/// Makes a guest known.
#[utoipa::path(
    post, path = "/v1/guests-crud", tag = "Guests", operation_id = "createGuest",
    request_body = GuestFields,
    responses((status = 200, description = "The new guest.", body = Guest))
)]
async fn create(ctx: Ctx, Body(mut fields): Body<GuestFields>) -> Result<Json<Value>, ApiError> {
    for (field, name) in [
        ("firstName", &fields.first_name),
        ("lastName", &fields.last_name),
    ] {
        if name.as_deref().unwrap_or_default().trim().is_empty() {
            return Err(Rejection::invalid(field, "it is required").into());
        }
    }
    check(&mut fields)?;
    let row = Row::new(new_id(), ctx.account.id, &fields, ctx.now)?;
    let (kept, now) = (row.clone(), ctx.now);
    ctx.platform
        .store
        .write(Lock::none(), move |c| {
            guest::insert(c, &kept)?;
            event::record(c, kept.account_id, &happened("guest.created", kept.id), now)
        })
        .await?;
    Ok(Json(show(&row.show(false)?, &Fields::default())?))
}

/// Shows a guest.
#[utoipa::path(
    get, path = "/v1/guests-crud/{id}", tag = "Guests", operation_id = "getGuest",
    params(OneGuest, Picked),
    responses((status = 200, description = "The guest.", body = GuestInPart), NoGuest)
)]
async fn retrieve(ctx: Ctx, Id(id): Id<GuestId>, query: Query) -> Result<Json<Value>, ApiError> {
    let (scope, now) = (ctx.scope(), ctx.now);
    let guest = ctx
        .platform
        .store
        .read(move |c| {
            let row = guest::find(c, &scope, id)?.ok_or(Rejection::GuestNotFound)?;
            let returning = guest::returning(c, std::slice::from_ref(&row), now)?;
            row.show(returning.contains(&id))
        })
        .await?;
    Ok(Json(show(&guest, &Fields::read(query.text("fields")))?))
}

/// Changes a guest: what the body leaves out stays, `null` takes away. What changes nothing is no event.
#[utoipa::path(
    put, path = "/v1/guests-crud/{id}", tag = "Guests", operation_id = "updateGuest",
    params(OneGuest),
    request_body = GuestFieldsInPart,
    responses((status = 200, description = "The guest after it.", body = Guest), NoGuest)
)]
async fn update(
    ctx: Ctx,
    Id(id): Id<GuestId>,
    Body(change): Body<Map<String, Value>>,
) -> Result<Json<Value>, ApiError> {
    let (scope, now) = (ctx.scope(), ctx.now);
    let guest = ctx
        .platform
        .store
        .write(Lock::row("guest", &id), move |c| {
            let old = guest::find(c, &scope, id)?.ok_or(Rejection::GuestNotFound)?;
            let mut fields = merge::changed(&old.fields()?, &change)?;
            check(&mut fields)?;
            let new = old.changed(&fields, now)?;
            if new != old {
                guest::update(c, &new)?;
                event::record(c, scope.account, &happened("guest.updated", id), now)?;
            }
            let returning = guest::returning(c, std::slice::from_ref(&new), now)?;
            new.show(returning.contains(&id))
        })
        .await?;
    Ok(Json(show(&guest, &Fields::default())?))
}

/// What happened to a guest, as it is told.
fn happened(kind: &'static str, guest: GuestId) -> DomainEvent {
    DomainEvent {
        kind,
        reservation: None,
        subject: guest.0,
        body: Value::Object(Map::new()),
    }
}
