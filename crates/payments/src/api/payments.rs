//! Payments on a reservation: post, change, cancel, capture, refund. Every reply shows all payments
//! of the reservation, the newest last.

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use contract::id::{PaymentId, PaymentMethodId, RefundId, ReservationId};
use contract::payment::{
    NewCapture, NewPayment, NewRefund, PaymentChange, PaymentMethodRef, PaymentsOnly,
    ReservationPayments,
};
use contract::payment_method::NewPaymentMethod;
use store::{Connection, Lock, new_id};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{Body, NoBody, OptionalBody};
use super::ctx::Ctx;
use super::error::ApiError;
use super::openapi::{
    CancelRefundRefused, CancelRefused, CaptureRefused, ChangeRefused, NoPayment, NoRefund,
    NoReservation, OncePerKey, OnePayment, OneReservation, PaymentRefused, RefundRefused,
};
use super::path::{Id, Texts};
use super::payment_methods;
use super::payment_view::View;
use crate::collect::{self, Prepared, Target};
use crate::model::{Capture, Command, Edit, PostPayment, RefundPayment, Rejection, Source, State};
use crate::store::folio::{self, Stay};
use crate::store::payment_method::{self, Charged};
use crate::store::statement::Statement;
use crate::{Error, Platform};

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<Arc<Platform>> {
    OpenApiRouter::new()
        .routes(routes!(post_payment))
        .routes(routes!(change_payment))
        .routes(routes!(cancel_payment))
        .routes(routes!(capture_payment))
        .routes(routes!(refund_payment))
        .routes(routes!(cancel_refund))
}

type Reply = Result<(StatusCode, Json<ReservationPayments>), ApiError>;

/// Takes a payment now or later, places a hold, or records a payment received elsewhere.
#[utoipa::path(
    post, path = "/v1/reservations/{id}/payments", tag = "Payments",
    operation_id = "postPayment",
    params(OneReservation, OncePerKey),
    request_body = NewPayment,
    responses(
        (status = 201, description = "All payments of the reservation, the new one last. One that the processor declined is `FAILED`, and no error.", body = ReservationPayments),
        PaymentRefused,
        NoReservation,
    )
)]
async fn post_payment(
    ctx: Ctx,
    Id(reservation): Id<ReservationId>,
    Body(body): Body<NewPayment>,
) -> Reply {
    let PaymentMethodRef {
        method,
        save_for_future_use,
        id: method_id,
    } = body.payment_method.unwrap_or_default();
    let method_name = method.ok_or(Rejection::MethodRequired)?;
    let amount = body
        .amount
        .ok_or_else(|| ApiError::bad_request("amount is required"))?;
    let (account, now) = (ctx.account.id, ctx.now);
    let (payment, attempt) = (ctx.id_to_make(), new_id());
    let note = body.note;
    let payments = perform_once(&ctx, reservation, (payment, None), move |connection, _| {
        if let (Some(id), Some(false)) = (method_id, save_for_future_use) {
            // Before it is read: of two payments that race, each to be the method's only one, the
            // second must see the first.
            Lock::row("payment_method", &id).take(connection)?;
        }
        let charged = find_method(connection, account, method_id)?;
        if let (Some(charged), Some(save)) = (&charged, save_for_future_use)
            && charged.save_for_future_use != save
        {
            let id = charged.method.id;
            payment_method::set_save_for_future_use(connection, id, save, now)?;
        }
        let command = Command::Post(PostPayment {
            id: payment,
            attempt,
            method_name: method_name.clone(),
            names_method: method_id.is_some(),
            method: charged.as_ref().map(|charged| charged.method.clone()),
            amount,
            due: body.should_be_paid_at,
            paid: body.paid_at,
            note: note.clone(),
            is_hold: body.is_authorization_hold.unwrap_or(false),
        });
        Ok(Prepared { command, charged })
    })
    .await?;
    Ok((StatusCode::CREATED, Json(payments)))
}

/// Changes a payment that waits for its date: what the body leaves out stays.
#[utoipa::path(
    put, path = "/v1/reservations/{id}/payments/{payment}", tag = "Payments",
    operation_id = "changePayment",
    params(OnePayment),
    request_body = PaymentChange,
    responses(
        (status = 200, description = "All payments of the reservation.", body = ReservationPayments),
        ChangeRefused,
        NoPayment,
    )
)]
async fn change_payment(
    ctx: Ctx,
    Texts([id, payment]): Texts<2>,
    Body(body): Body<PaymentChange>,
) -> Reply {
    let (reservation, payment): (ReservationId, PaymentId) = (id.parse()?, payment.parse()?);
    let account = ctx.account.id;
    let attempt = new_id();
    let method_id = match &body.stripe_payment_method_token {
        Some(token) => Some(make_method(&ctx, reservation, payment, token).await?),
        None => body.payment_method.as_ref().and_then(|method| method.id),
    };
    let PaymentChange {
        status,
        amount,
        should_be_paid_at: due,
        note,
        ..
    } = body;
    let payments = perform(&ctx, reservation, move |connection, stay| {
        let status = status.as_deref();
        let current = stay
            .folio
            .payment(payment)
            .ok_or(Rejection::PaymentNotFound)?;
        if status == Some("CANCELLED") {
            return Ok(Command::Cancel { payment, attempt }.into());
        }
        if let Some(status) = status.filter(|status| *status != current.state.public_name()) {
            return Err(Rejection::StatusNotSettable(status.to_owned()).into());
        }
        // Naming the method that is there already changes nothing.
        let named = method_id.filter(|id| !uses(&current.source, *id));
        let method = find_method(connection, account, named)?.map(|charged| charged.method);
        let names_method = named.is_some();
        let note = note.clone();
        Ok(Command::Edit(Edit {
            payment,
            attempt,
            amount,
            due,
            note,
            names_method,
            method,
        })
        .into())
    })
    .await?;
    Ok((StatusCode::OK, Json(payments)))
}

/// Stores a Stripe token for the reservation's guest, if the payment can still be changed to it.
async fn make_method(
    ctx: &Ctx,
    reservation: ReservationId,
    payment: PaymentId,
    token: &str,
) -> Result<PaymentMethodId, ApiError> {
    let account = ctx.account.id;
    let stay = ctx
        .platform
        .store
        .read(move |connection| folio::load(connection, account, reservation))
        .await?
        .filter(|stay| ctx.may_see(stay.listing))
        .ok_or(Rejection::ReservationNotFound)?;
    let current = stay
        .folio
        .payment(payment)
        .ok_or(Rejection::PaymentNotFound)?;
    if current.state != State::Scheduled {
        return Err(Rejection::NotScheduled(current.state.public_name()).into());
    }
    let new = NewPaymentMethod {
        stripe_card_token: Some(token.to_owned()),
        reservation_id: Some(reservation),
        ..NewPaymentMethod::default()
    };
    Ok(payment_methods::make(ctx, stay.folio.guest, new).await?.id)
}

/// Cancels a payment that waits for its date, releases a hold, or takes a recorded payment back.
#[utoipa::path(
    patch, path = "/v1/reservations/{id}/payments/{payment}/cancel", tag = "Payments",
    operation_id = "cancelPayment",
    params(OnePayment),
    responses(
        (status = 201, description = "All payments of the reservation.", body = ReservationPayments),
        CancelRefused,
        NoPayment,
    )
)]
async fn cancel_payment(ctx: Ctx, Texts([id, payment]): Texts<2>, NoBody: NoBody) -> Reply {
    let (reservation, payment): (ReservationId, PaymentId) = (id.parse()?, payment.parse()?);
    let attempt = new_id();
    let payments = perform(&ctx, reservation, move |_, _| {
        Ok(Command::Cancel { payment, attempt }.into())
    })
    .await?;
    Ok((StatusCode::CREATED, Json(payments)))
}

/// Takes a hold, or a part of it; the rest is released.
#[utoipa::path(
    post, path = "/v1/reservations/{id}/payments/{payment}/capture", tag = "Payments",
    operation_id = "capturePayment",
    params(OnePayment, OncePerKey),
    request_body = Option<NewCapture>,
    responses(
        (status = 201, description = "All payments of the reservation.", body = ReservationPayments),
        CaptureRefused,
        NoPayment,
    )
)]
async fn capture_payment(
    ctx: Ctx,
    Texts([id, payment]): Texts<2>,
    OptionalBody(body): OptionalBody<NewCapture>,
) -> Reply {
    let (reservation, payment): (ReservationId, PaymentId) = (id.parse()?, payment.parse()?);
    let command = Command::Capture(Capture {
        payment,
        attempt: new_id(),
        amount: body.amount,
    });
    let payments = perform_once(&ctx, reservation, (payment, None), move |_, _| {
        Ok(command.clone().into())
    })
    .await?;
    Ok((StatusCode::CREATED, Json(payments)))
}

/// Gives a payment back, or a part of it, now or later.
#[utoipa::path(
    post, path = "/v1/reservations/{id}/payments/{payment}/refund", tag = "Payments",
    operation_id = "refundPayment",
    params(OnePayment, OncePerKey),
    request_body = NewRefund,
    responses(
        (status = 201, description = "All payments of the reservation.", body = ReservationPayments),
        RefundRefused,
        NoPayment,
    )
)]
async fn refund_payment(
    ctx: Ctx,
    Texts([id, payment]): Texts<2>,
    Body(body): Body<NewRefund>,
) -> Reply {
    let (reservation, payment): (ReservationId, PaymentId) = (id.parse()?, payment.parse()?);
    let refund = ctx.id_to_make();
    let command = Command::Refund(RefundPayment {
        payment,
        id: refund,
        attempt: new_id(),
        amount: body
            .amount
            .ok_or_else(|| ApiError::bad_request("amount is required"))?,
        due: body.should_be_paid_at,
        note: body.note,
    });
    let payments = perform_once(&ctx, reservation, (payment, Some(refund)), move |_, _| {
        Ok(command.clone().into())
    })
    .await?;
    Ok((StatusCode::CREATED, Json(payments)))
}

/// Cancels a refund that waits for its date.
#[utoipa::path(
    patch, path = "/v1/reservations/{id}/payments/{payment}/refunds/{refund}/cancel", tag = "Payments",
    operation_id = "cancelRefund",
    params(
        OnePayment,
        ("refund" = RefundId, Path, description = "The refund."),
    ),
    responses(
        (status = 201, description = "All payments of the reservation.", body = ReservationPayments),
        CancelRefundRefused,
        NoRefund,
    )
)]
async fn cancel_refund(ctx: Ctx, Texts([id, payment, refund]): Texts<3>, NoBody: NoBody) -> Reply {
    let (reservation, payment): (ReservationId, PaymentId) = (id.parse()?, payment.parse()?);
    let refund: RefundId = refund.parse()?;
    let payments = perform(&ctx, reservation, move |_, _| {
        Ok(Command::CancelRefund { payment, refund }.into())
    })
    .await?;
    Ok((StatusCode::CREATED, Json(payments)))
}

/// Carries a command out under the request's key, if it has one. What an earlier try has begun is not
/// done again: it is found out what became of it.
async fn perform_once(
    ctx: &Ctx,
    reservation: ReservationId,
    (payment, refund): (PaymentId, Option<RefundId>),
    prepare: impl Fn(&mut Connection, &Stay) -> Result<Prepared, Error> + Clone + Send + 'static,
) -> Result<ReservationPayments, ApiError> {
    if !ctx.claim.is_some_and(|claim| claim.is_begun()) {
        return perform(ctx, reservation, prepare).await;
    }
    let target = Target {
        account: ctx.account.id,
        reservation,
    };
    collect::find_out(&ctx.platform, target, payment, refund, ctx.now).await?;
    show(reservation, read(ctx, target).await?)
}

/// Carries a command out, if the caller may see the reservation, and shows all payments after it.
async fn perform(
    ctx: &Ctx,
    reservation: ReservationId,
    prepare: impl Fn(&mut Connection, &Stay) -> Result<Prepared, Error> + Clone + Send + 'static,
) -> Result<ReservationPayments, ApiError> {
    let target = Target {
        account: ctx.account.id,
        reservation,
    };
    let listings = ctx.listings.clone();
    let claim = ctx.claim;
    let performed = collect::perform(&ctx.platform, target, ctx.now, move |connection, stay| {
        if listings
            .as_ref()
            .is_some_and(|listings| !listings.contains(&stay.listing))
        {
            return Err(Rejection::ReservationNotFound.into());
        }
        if let Some(claim) = claim {
            claim.begin(connection)?;
        }
        prepare(connection, stay)
    });
    let statement = match performed.await? {
        Some(statement) => statement,
        None => read(ctx, target).await?,
    };
    show(reservation, statement)
}

fn show(reservation: ReservationId, statement: Statement) -> Result<ReservationPayments, ApiError> {
    Ok(ReservationPayments {
        id: reservation,
        money: PaymentsOnly {
            payments: View::of(statement).payments()?,
        },
    })
}

async fn read(ctx: &Ctx, target: Target) -> Result<Statement, Error> {
    ctx.platform
        .store
        .read(move |connection| {
            let stay = folio::load(connection, target.account, target.reservation)?
                .ok_or(Rejection::ReservationNotFound)?;
            Statement::read(connection, stay)
        })
        .await
}

fn find_method(
    connection: &mut Connection,
    account: contract::id::AccountId,
    id: Option<PaymentMethodId>,
) -> Result<Option<Charged>, Error> {
    match id {
        Some(id) => payment_method::to_charge(connection, account, id),
        None => Ok(None),
    }
}

fn uses(source: &Source, id: PaymentMethodId) -> bool {
    matches!(source, Source::Card { method, .. } if *method == id)
}
