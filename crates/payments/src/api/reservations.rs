//! Reservations: stays, and the folios that payments hang on.

use std::sync::Arc;

use axum::Json;
use contract::id::ReservationId;
use contract::list::List;
use contract::reservation::{Reservation, ReservationFields, ReservationV3};
use serde_json::Value;
use store::{Connection, Lock};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Body;
use super::ctx::Ctx;
use super::error::ApiError;
use super::fields::Fields;
use super::openapi::{NoReservation, OnePage, OneReservation, Picked, ReservationInPart, Searched};
use super::path::Id;
use super::query::Query;
use super::reservation_view::{show_all, v3};
use crate::booking::{amend, book, find};
use crate::model::Rejection;
use crate::model::search::{read_filters, read_order};
use crate::store::reservation;
use crate::store::reservation_search::{self, FIELDS, Search};
use crate::store::scope::Scope;
use crate::{Error, Platform};

/// The most reservations that the third version gives at once, as documented.
const IDS_MAX: usize = 10;

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<Arc<Platform>> {
    OpenApiRouter::new()
        .routes(routes!(list, create_reservation))
        .routes(routes!(retrieve, update))
        .routes(routes!(list_v3))
}

/// Lists reservations in the order of their ids, unless asked otherwise.
#[utoipa::path(
    get, path = "/v1/reservations", tag = "Reservations", operation_id = "listReservations",
    params(Searched, Picked, OnePage),
    responses(
        (status = 200, description = "A page of reservations.", body = List<ReservationInPart>),
    )
)]
async fn list(ctx: Ctx, query: Query) -> Result<Json<List<Value>>, ApiError> {
    let fields = Fields::read(query.text("fields"));
    let page = query.page()?;
    let search = Search {
        conditions: read_filters(query.text("filters").unwrap_or("[]"), FIELDS)?,
        order: read_order(query.text("sort").unwrap_or_default(), FIELDS)?,
        limit: page.limit,
        skip: page.skip,
    };
    let scope = ctx.scope();
    let (results, count) = ctx
        .platform
        .store
        .read(move |c| {
            let (stays, count) = reservation_search::list(c, &scope, &search)?;
            Ok::<_, Error>((show_all(c, scope.account, stays, &fields)?, count))
        })
        .await?;
    Ok(Json(List {
        results,
        count,
        limit: page.limit,
        skip: page.skip,
    }))
}

/// Makes a reservation, and makes its guest known if it brings one.
#[utoipa::path(
    post, path = "/v1/reservations", tag = "Reservations",
    operation_id = "createReservation",
    request_body = ReservationFields,
    responses((status = 200, description = "The new reservation.", body = Reservation))
)]
async fn create_reservation(
    ctx: Ctx,
    Body(written): Body<ReservationFields>,
) -> Result<Json<Value>, ApiError> {
    let (scope, now) = (ctx.scope(), ctx.now);
    let shown = ctx
        .platform
        .store
        .write(Lock::none(), move |c| {
            let id = book(c, &scope, &written, now)?;
            show_one(c, &scope, id, &Fields::default())
        })
        .await?;
    Ok(Json(shown))
}

/// Shows a reservation.
#[utoipa::path(
    get, path = "/v1/reservations/{id}", tag = "Reservations",
    operation_id = "getReservation",
    params(OneReservation, Picked),
    responses(
        (status = 200, description = "The reservation.", body = ReservationInPart),
        NoReservation,
    )
)]
async fn retrieve(
    ctx: Ctx,
    Id(id): Id<ReservationId>,
    query: Query,
) -> Result<Json<Value>, ApiError> {
    let fields = Fields::read(query.text("fields"));
    let scope = ctx.scope();
    let shown = ctx
        .platform
        .store
        .read(move |c| show_one(c, &scope, id, &fields))
        .await?;
    Ok(Json(shown))
}

/// Changes a reservation, or calls it off: what the body leaves out stays. Its guest is changed
/// under `/v1/guests-crud`, not here. What changes nothing is no event.
#[utoipa::path(
    put, path = "/v1/reservations/{id}", tag = "Reservations",
    operation_id = "updateReservation",
    params(OneReservation),
    request_body = ReservationFields,
    responses(
        (status = 200, description = "The reservation after it.", body = Reservation),
        NoReservation,
    )
)]
async fn update(
    ctx: Ctx,
    Id(id): Id<ReservationId>,
    Body(written): Body<ReservationFields>,
) -> Result<Json<Value>, ApiError> {
    let (scope, now) = (ctx.scope(), ctx.now);
    let shown = ctx
        .platform
        .store
        .write(Lock::row("reservation", &id), move |c| {
            amend(c, &scope, id, &written, now)?;
            show_one(c, &scope, id, &Fields::default())
        })
        .await?;
    Ok(Json(shown))
}

/// Lists reservations by their ids, in the third version's shape. Ids that lead nowhere are left out.
#[utoipa::path(
    get, path = "/v1/reservations-v3", tag = "Reservations",
    operation_id = "listReservationsV3",
    params(
        ("reservationIds" = Vec<ReservationId>, Query, style = Form, explode = false, description = "1 to 10 ids. The other ways of writing lists are taken, too."),
    ),
    responses(
        (status = 200, description = "Those that are there, in the order asked for.", body = Vec<ReservationV3>),
    )
)]
async fn list_v3(ctx: Ctx, query: Query) -> Result<Json<Vec<ReservationV3>>, ApiError> {
    let ids: Vec<ReservationId> = query.ids("reservationIds")?.unwrap_or_default();
    if !(1..=IDS_MAX).contains(&ids.len()) {
        return Err(ApiError::BadRequest(format!(
            "reservationIds must be 1 to {IDS_MAX} ids, not {}: ask for more in several requests",
            ids.len()
        )));
    }
    let scope = ctx.scope();
    let stays = ctx
        .platform
        .store
        .read(move |c| reservation::find_all(c, &scope, &ids))
        .await?;
    Ok(Json(stays.into_iter().map(v3).collect()))
}

pub(super) fn show_one(
    connection: &mut Connection,
    scope: &Scope,
    id: ReservationId,
    fields: &Fields,
) -> Result<Value, Error> {
    let stay = find(connection, scope, id)?;
    show_all(connection, scope.account, vec![stay], fields)?
        .pop()
        .ok_or_else(|| Rejection::ReservationNotFound.into())
}
