//! Invoice items: lines put on a reservation's invoice one by one.

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use contract::id::ReservationId;
use contract::invoice::NewInvoiceItem;
use contract::reservation::Reservation;
use serde_json::Value;
use store::{Lock, new_id};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Body;
use super::ctx::Ctx;
use super::error::ApiError;
use super::fields::Fields;
use super::openapi::{AddedInvoiceItem, NoReservation, OneReservation};
use super::path::Id;
use super::reservations::show_one;
use crate::Platform;
use crate::booking::{find, save};
use crate::model::invoice::ADDITIONAL_FEE;
use crate::model::reservation::add_item;
use crate::store::catalog;

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<Arc<Platform>> {
    OpenApiRouter::new()
        .routes(routes!(add))
        .routes(routes!(add_as_before))
}

/// Puts a line on a reservation's invoice, and shows the reservation.
#[utoipa::path(
    post, path = "/v1/invoice-items/reservation/{id}", tag = "Reservations",
    operation_id = "addInvoiceItem",
    params(OneReservation),
    request_body = AddedInvoiceItem,
    responses(
        (status = 201, description = "The reservation after it.", body = Reservation),
        NoReservation,
    )
)]
async fn add(
    ctx: Ctx,
    Id(id): Id<ReservationId>,
    Body(line): Body<NewInvoiceItem>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    Ok((StatusCode::CREATED, put_on_invoice(ctx, id, line).await?))
}

/// The same by the older route, which asks for a second identifier whatever the line is.
#[utoipa::path(
    post, path = "/v1/reservations/{id}/invoiceItems", tag = "Reservations",
    operation_id = "addInvoiceItemAsBefore",
    params(OneReservation),
    request_body = AddedInvoiceItem,
    responses(
        (status = 200, description = "The reservation after it.", body = Reservation),
        NoReservation,
    )
)]
async fn add_as_before(
    ctx: Ctx,
    Id(id): Id<ReservationId>,
    Body(mut line): Body<NewInvoiceItem>,
) -> Result<Json<Value>, ApiError> {
    if line.normal_type != ADDITIONAL_FEE {
        line.second_identifier = None;
    }
    put_on_invoice(ctx, id, line).await
}

async fn put_on_invoice(
    ctx: Ctx,
    id: ReservationId,
    line: NewInvoiceItem,
) -> Result<Json<Value>, ApiError> {
    let (scope, now) = (ctx.scope(), ctx.now);
    let shown = ctx
        .platform
        .store
        .write(Lock::row("reservation", &id), move |c| {
            let kept = find(c, &scope, id)?.reservation;
            let catalog = catalog::of(c, scope.account, kept.listing)?;
            let new = add_item(&kept, &line, &catalog, now, &mut new_id)?;
            save(c, &kept, &new, now)?;
            show_one(c, &scope, id, &Fields::default())
        })
        .await?;
    Ok(Json(shown))
}
