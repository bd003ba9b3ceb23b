//! Guests' payment methods: listed, and made of a processor's token. Card numbers are never taken.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use contract::id::{AccountId, GuestId, PaymentMethodId, ReservationId};
use contract::payment_method as wire;
use processors::{Answer, AttemptKey, Billing, MerchantId, Shape, Verdict, Verify};
use serde_json::json;
use serde_json::value::RawValue;
use store::{Lock, new_id};

use super::body::Body;
use super::ctx::Ctx;
use super::error::ApiError;
use super::path::Id;
use super::query::Query;
use crate::model::Rejection;
use crate::store::event::{self, DomainEvent};
use crate::store::guest;
use crate::store::payment_method::{self, NewMethodContext, PaymentMethod, Usable};
use crate::{Error, Platform};

/// The routes of this resource.
pub(super) fn routes() -> Router<Arc<Platform>> {
    Router::new().route("/v1/guests/{id}/payment-methods", get(list).post(create))
}

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
    let (shape, name, token) = token(&body)?;
    let (scope, account, now) = (ctx.scope(), ctx.account.id, ctx.now);
    let (provider, reservation) = (body.payment_provider_id, body.reservation_id);
    let context = ctx
        .platform
        .store
        .read(move |c| payment_method::new_method_context(c, &scope, guest, provider, reservation))
        .await?;
    let id: PaymentMethodId = new_id();
    let answer = ctx
        .platform
        .sandbox
        .verify(Verify {
            key: AttemptKey::new(id.as_str()),
            merchant: MerchantId::new(context.merchant.clone()),
            shape,
            token,
            currency: context.currency,
            confirmation_code: context.confirmation_code.clone(),
            billing: Billing {
                name: Some(context.guest_name.clone()),
                ..Billing::default()
            },
            at: now,
        })
        .await?;
    let why_not = match &answer.verdict {
        Verdict::Approved { .. } => None,
        Verdict::Declined { code, reason, .. } => Some(format!(
            "The processor declined the card: {reason} ({code})"
        )),
        // Such a method could not be charged, and there is no way yet to come back and confirm.
        Verdict::AuthenticationRequired { .. } => {
            Some("The card holder's bank must confirm this card first".to_owned())
        }
    };
    if let Some(why_not) = why_not {
        return Err(ApiError::BadRequest(format!(
            "{why_not}. No payment method was made"
        )));
    }
    let method = PaymentMethod {
        save_for_future_use: body.save_for_future_use.unwrap_or(true),
        is_reusable: body.reuse.unwrap_or(false),
        reservation_id: body.reservation_id,
        ..made(id, account, guest, &context, name, &answer, now)
    };
    let kept = method.clone();
    ctx.platform
        .store
        .write(Lock::none(), move |connection| {
            payment_method::insert(connection, &kept)?;
            let received = DomainEvent {
                kind: "payments.method.received",
                reservation: kept.reservation_id,
                subject: kept.id.0,
                body: json!({ "guestId": kept.guest_id }),
            };
            event::record(connection, account, &received, now)
        })
        .await?;
    Ok(method)
}

/// Which token was given: its field decides what kind of method is made.
fn token(body: &wire::NewPaymentMethod) -> Result<(Shape, &'static str, String), ApiError> {
    let given = |token: &Option<String>| token.clone().filter(|token| !token.trim().is_empty());
    match (given(&body.stripe_card_token), given(&body.id)) {
        (Some(token), None) => Ok((Shape::PaymentIntent, "STRIPE", token)),
        (None, Some(token)) => Ok((Shape::Amaryllis, "AMARYLLIS", token)),
        (Some(_), Some(_)) => Err(ApiError::bad_request(
            "Give either stripeCardToken or _id, not both: each makes a method of its own kind",
        )),
        (None, None) => Err(ApiError::bad_request(
            "Give the processor's token: stripeCardToken (pm_…) for STRIPE, or _id from the \
             tokenization for AMARYLLIS",
        )),
    }
}

fn made(
    id: PaymentMethodId,
    account: AccountId,
    guest: GuestId,
    context: &NewMethodContext,
    name: &str,
    answer: &Answer,
    now: contract::Timestamp,
) -> PaymentMethod {
    PaymentMethod {
        id,
        account_id: account,
        guest_id: guest,
        provider_id: context.provider,
        reservation_id: None,
        method: name.to_owned(),
        token: answer.method.to_string(),
        payload: answer.raw.to_string(),
        brand: answer.card.brand.clone(),
        last4: answer.card.last4.clone(),
        status: payment_method::ACTIVE.to_owned(),
        save_for_future_use: true,
        is_reusable: false,
        created_ms: now,
        updated_ms: now,
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
