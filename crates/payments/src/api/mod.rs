//! HTTP: every route, and what stands around all of them. Nothing outside this folder knows HTTP.

mod accounts;
mod auto_payments;
mod body;
mod callers;
pub(crate) mod control;
mod ctx;
mod error;
mod fees;
pub(crate) mod fields;
mod guests;
mod idempotency;
mod invoice_items;
mod level;
mod limits;
mod listings;
mod missing;
mod oauth;
mod openapi;
mod path;
mod payment_methods;
mod payment_view;
mod payments;
mod payout_view;
mod payouts;
mod providers;
mod query;
mod report;
mod report_error;
pub(crate) mod reservation_view;
mod reservations;
mod sandbox;
mod show;
mod taxes;
mod tokens;
mod transactions;
mod watch;
mod webhooks;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::{Extension, Router};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;

pub(crate) use callers::Callers;
pub(crate) use limits::Limits;
pub(crate) use tokens::TokenKeys;

use self::openapi::Document;
use crate::Platform;

/// Every route of the platform.
pub(crate) fn router(platform: Arc<Platform>) -> Router {
    let sandbox = if platform.settings.is_sandbox {
        sandbox::routes()
    } else {
        OpenApiRouter::new()
    };
    let once = payment_methods::routes()
        .merge(payments::routes())
        .route_layer(CatchPanicLayer::custom(error::panicked))
        .route_layer(middleware::from_fn_with_state(
            Arc::clone(&platform),
            idempotency::once,
        ));
    let (routes, mut described) = OpenApiRouter::new()
        .merge(oauth::routes())
        .merge(accounts::routes())
        .merge(auto_payments::routes())
        .merge(listings::routes())
        .merge(guests::routes())
        .merge(reservations::routes())
        .merge(invoice_items::routes())
        .merge(taxes::routes())
        .merge(fees::routes())
        .merge(providers::routes())
        .merge(once)
        .merge(transactions::routes())
        .merge(payouts::routes())
        .merge(webhooks::routes())
        .merge(sandbox)
        .merge(watch::routes())
        .split_for_parts();
    described.merge(openapi::described());
    let description = Router::from(openapi::routes());
    routes
        .merge(missing::routes())
        .merge(description.with_state(Arc::new(Document::of(described))))
        .fallback(missing::no_such_route)
        .method_not_allowed_fallback(missing::no_such_method)
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(DefaultBodyLimit::max(body::BODY_BYTES_MAX))
        .layer(Extension(body::Within(platform.settings.body_within)))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&platform),
            watch::watch,
        ))
        .with_state(platform)
}
