//! The payouts reconciliation report.

use std::sync::Arc;

use axum::extract::RawQuery;
use axum::response::Response;
use contract::payout::PayoutActivity;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::openapi::{OnePayout, PayoutsRefused, ReportSpan};
use super::payout_view::print;
use super::report::{self, ReportCtx};
use super::report_error::ReportError;
use crate::model::report::Terms;
use crate::store::payout_row;
use crate::{Error, Platform};

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<Arc<Platform>> {
    OpenApiRouter::new().routes(routes!(report))
}

/// A page of the activities that processors have paid out, as a bare array.
///
/// Payouts come in the order in which they became known, each with all its activities: a new one is
/// always the last, and paging neither repeats nor skips a row. An application that may see some
/// listings only sees the rows of their reservations.
#[utoipa::path(
    get, path = "/v1/payment-transactions/reports/payouts-reconciliation", tag = "Reports",
    operation_id = "listPayoutActivities",
    params(ReportSpan, OnePayout),
    responses(
        (status = 200, description = "A page of activities.", body = Vec<PayoutActivity>),
        PayoutsRefused,
    )
)]
async fn report(
    ReportCtx(ctx): ReportCtx,
    RawQuery(query): RawQuery,
) -> Result<Response, ReportError> {
    let terms = &Terms::PAYOUTS;
    let mut books = report::books(&ctx, query.as_deref(), terms, payout_row::page).await?;
    let as_text = ctx.platform.settings.report_amounts_as_text;
    let platform_account = format!("{} - {}", ctx.account.id, ctx.account.name);
    let rows: Result<Vec<_>, Error> = std::mem::take(&mut books.rows)
        .into_iter()
        .map(|row| {
            let sub_account = books.label(&row.payout.sub_account_id);
            Ok(PayoutActivity {
                sub_account,
                platform_account: platform_account.clone(),
                ..print(row, as_text)?
            })
        })
        .collect();
    report::reply(&rows?)
}
