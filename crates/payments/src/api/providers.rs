//! Payment providers: which processor takes whose payments.

use std::sync::Arc;

use axum::Json;
use contract::id::ListingId;
use contract::provider::{ProviderOfListing, ProviderStats, ProviderSummary};
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ctx::Ctx;
use super::error::ApiError;
use super::fields::Fields;
use super::openapi::{NoProvider, OnePage, Picked, ProviderOfListingInPart};
use super::query::Query;
use super::show::show;
use crate::model::Rejection;
use crate::store::payment_method::ACTIVE;
use crate::store::{listing, provider};
use crate::{Error, Platform};

/// What a listing without a provider is answered with.
pub(super) const NO_PROVIDER: &str = "Payment provider not found";

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<Arc<Platform>> {
    OpenApiRouter::new()
        .routes(routes!(by_listing))
        .routes(routes!(summary))
        .routes(routes!(stats))
}

/// Shows the provider that takes a listing's payments: its own, else the account's default.
#[utoipa::path(
    get, path = "/v1/payment-providers/provider-by-listing", tag = "Payment providers",
    operation_id = "getProviderOfListing",
    params(
        ("listingId" = ListingId, Query, description = "The listing."),
        ("includeInactiveProviders" = Option<bool>, Query, description = "Whether one that takes no payments is shown, too."),
        Picked,
    ),
    responses(
        (status = 200, description = "The provider.", body = ProviderOfListingInPart),
        NoProvider,
    )
)]
async fn by_listing(ctx: Ctx, query: Query) -> Result<Json<Value>, ApiError> {
    let id: ListingId = query
        .id("listingId")?
        .ok_or_else(|| ApiError::bad_request("listingId is required"))?;
    let also_inactive = query.flag("includeInactiveProviders")?.unwrap_or(false);
    let scope = ctx.scope();
    let found = ctx
        .platform
        .store
        .read(move |c| {
            let listing = listing::find(c, &scope, id)?.ok_or(Rejection::ListingNotFound)?;
            let default = provider::default_of(c, scope.account)?;
            let of_listing = listing.provider_id;
            let provider = of_listing
                .or(default)
                .map(|id| provider::find(c, &scope, id))
                .transpose()?
                .flatten()
                .filter(|provider| also_inactive || provider.status == ACTIVE);
            Ok::<_, Error>(provider.map(|provider| ProviderOfListing {
                payment_provider_id: provider.id,
                fallback_to_default: of_listing.is_none(),
                provider,
            }))
        })
        .await?
        .ok_or(ApiError::NotFound(NO_PROVIDER))?;
    Ok(Json(show(&found, &Fields::read(query.text("fields")))?))
}

/// Shows the account's providers in figures.
#[utoipa::path(
    get, path = "/v1/payment-providers/summary", tag = "Payment providers",
    operation_id = "getProviderSummary",
    responses((status = 200, description = "The figures.", body = ProviderSummary))
)]
async fn summary(ctx: Ctx) -> Result<Json<ProviderSummary>, ApiError> {
    let scope = ctx.scope();
    let summary = ctx
        .platform
        .store
        .read(move |c| {
            let (_, total) = provider::list(c, &scope, 0, 0)?;
            Ok::<_, Error>(ProviderSummary {
                total,
                active: provider::count_active(c, scope.account)?,
                default_provider_id: provider::default_of(c, scope.account)?,
            })
        })
        .await?;
    Ok(Json(summary))
}

/// Lists the account's providers with how much they are used.
#[utoipa::path(
    get, path = "/v1/payment-providers/stats", tag = "Payment providers",
    operation_id = "listProviders",
    params(OnePage),
    responses((status = 200, description = "A page of providers.", body = ProviderStats))
)]
async fn stats(ctx: Ctx, query: Query) -> Result<Json<ProviderStats>, ApiError> {
    let page = query.page()?;
    let scope = ctx.scope();
    let (data, total) = ctx
        .platform
        .store
        .read(move |c| provider::list(c, &scope, page.limit, page.skip))
        .await?;
    Ok(Json(ProviderStats {
        data,
        limit: page.limit,
        skip: page.skip,
        total,
    }))
}
