//! Guests' payment methods: listed, and made of a processor's token. Card numbers are never taken.

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use contract::id::{GuestId, ReservationId};
use contract::payment_method as wire;
use processors::Shape;
use serde_json::value::RawValue;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Body;
use super::ctx::Ctx;
use super::error::ApiError;
use super::openapi::{MethodRefused, NoGuest, NoGuestOrReservation, OncePerKey, OneGuest};
use super::path::Id;
use super::query::Query;
use crate::collect::{NewMethod, make_method};
use crate::model::Rejection;
use crate::store::guest;
use crate::store::payment_method::{self, PaymentMethod, Usable};
use crate::{Error, Platform};

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<Arc<Platform>> {
    OpenApiRouter::new().routes(routes!(list, create))
}

/// Lists a guest's stored methods.
#[utoipa::path(
    get, path = "/v1/guests/{id}/payment-methods", tag = "Payment methods",
    operation_id = "listPaymentMethods",
    params(
        OneGuest,
        ("reservationId" = Option<ReservationId>, Query, description = "With `reuse=true`, also those that were made for this reservation."),
        ("reuse" = Option<bool>, Query, description = "Whether only those are shown that may be used for other reservations: `true` unless said otherwise."),
    ),
    responses(
        (status = 200, description = "The methods.", body = Vec<wire::PaymentMethod>),
        NoGuest,
    )
)]
async fn list(
    ctx: Ctx,
    Id(guest): Id<GuestId>,
    query: Query,
) -> Result<Json<Vec<wire::PaymentMethod>>, ApiError> {
    let reuse = query.flag("reuse")?.unwrap_or(true);
    let reservation: Option<ReservationId> = query.id("reservationId")?;
    let scope = ctx.scope();
    let methods = ctx
        .platform
        .store
        .read(move |connection| {
            guest::find(connection, &scope, guest)?.ok_or(Rejection::GuestNotFound)?;
            let usable = if reuse {
                Usable::AnyOr(reservation)
            } else {
                Usable::Whichever
            };
            payment_method::of_guest(connection, scope.account, guest, usable)
        })
        .await?;
    Ok(Json(
        methods.into_iter().map(show).collect::<Result<_, _>>()?,
    ))
}

/// Makes a stored method of a processor's token.
#[utoipa::path(
    post, path = "/v1/guests/{id}/payment-methods", tag = "Payment methods",
    operation_id = "createPaymentMethod",
    params(OneGuest, OncePerKey),
    request_body = wire::NewPaymentMethod,
    responses(
        (status = 201, description = "The new method.", body = wire::PaymentMethod),
        MethodRefused,
        NoGuestOrReservation,
    )
)]
async fn create(
    ctx: Ctx,
    Id(guest): Id<GuestId>,
    Body(body): Body<wire::NewPaymentMethod>,
) -> Result<(StatusCode, Json<wire::PaymentMethod>), ApiError> {
    let method = make(&ctx, guest, body).await?;
    Ok((StatusCode::CREATED, Json(show(method)?)))
}

/// Has the processor make a method of a token, and keeps it.
pub(super) async fn make(
    ctx: &Ctx,
    guest: GuestId,
    body: wire::NewPaymentMethod,
) -> Result<PaymentMethod, ApiError> {
    let (shape, token) = token(&body)?;
    let new = NewMethod {
        token,
        shape,
        provider: body.payment_provider_id,
        reservation: body.reservation_id,
        save_for_future_use: body.save_for_future_use.unwrap_or(true),
        is_reusable: body.reuse.unwrap_or(false),
        claim: ctx.claim,
    };
    Ok(make_method(&ctx.platform, ctx.scope(), guest, new, ctx.now).await?)
}

/// Which token was given: its field decides what kind of method is made.
fn token(body: &wire::NewPaymentMethod) -> Result<(Shape, String), ApiError> {
    let given = |token: &Option<String>| token.clone().filter(|token| !token.trim().is_empty());
    match (given(&body.stripe_card_token), given(&body.id)) {
        (Some(token), None) => Ok((Shape::PaymentIntent, token)),
        (None, Some(token)) => Ok((Shape::Amaryllis, token)),
        (Some(_), Some(_)) => Err(ApiError::bad_request(
            "Give either stripeCardToken or _id, not both: each makes a method of its own kind",
        )),
        (None, None) => Err(ApiError::bad_request(
            "Give the processor's token: stripeCardToken (pm_…) for STRIPE, or _id from the \
             tokenization for AMARYLLIS",
        )),
    }
}

fn show(method: PaymentMethod) -> Result<wire::PaymentMethod, Error> {
    let payload = RawValue::from_string(method.payload)
        .map_err(|error| Error::Corrupt(format!("payload of method {}: {error}", method.id)))?;
    Ok(wire::PaymentMethod {
        id: method.id,
        account_id: method.account_id,
        payment_provider_id: method.provider_id,
        method: method.method,
        payload,
        save_for_future_use: method.save_for_future_use,
        created_at: method.created_ms,
        last4: method.last4,
        brand: method.brand,
        status: method.status,
        kind: "PHYSICAL".to_owned(),
        updated_at: method.updated_ms,
        version: 0,
        guest_id: method.guest_id,
    })
}
