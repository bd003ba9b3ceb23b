//! The payment transactions report.

use std::sync::Arc;

use axum::extract::RawQuery;
use axum::response::Response;
use contract::Timestamp;
use contract::report::ReportAmount;
use contract::transaction::Transaction;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::openapi::{ReportSpan, TransactionsRefused};
use super::report::{self, Books, ReportCtx};
use super::report_error::ReportError;
use crate::model::report::Terms;
use crate::store::transaction;
use crate::{Error, Platform};

/// The routes of this resource. The guide and the published schema name it differently.
pub(super) fn routes() -> OpenApiRouter<Arc<Platform>> {
    OpenApiRouter::new()
        .routes(routes!(report))
        .routes(routes!(report_of_guide))
}

/// A page of the transactions that processors have reported, as a bare array.
///
/// Rows come in the order in which they became known, which is the order of their dates but for
/// stragglers: a new row is always the last, and paging neither repeats nor skips any. An
/// application that may see some listings only sees the rows of their reservations.
#[utoipa::path(
    get, path = "/v1/payment-transactions/reports", tag = "Reports",
    operation_id = "listTransactions",
    params(ReportSpan),
    responses(
        (status = 200, description = "A page of transactions.", body = Vec<Transaction>),
        TransactionsRefused,
    )
)]
async fn report(
    ReportCtx(ctx): ReportCtx,
    RawQuery(query): RawQuery,
) -> Result<Response, ReportError> {
    let terms = &Terms::TRANSACTIONS;
    let mut books = report::books(&ctx, query.as_deref(), terms, transaction::page).await?;
    let as_text = ctx.platform.settings.report_amounts_as_text;
    let rows: Result<Vec<_>, Error> = std::mem::take(&mut books.rows)
        .into_iter()
        .map(|row| print(row, &books, as_text))
        .collect();
    report::reply(&rows?)
}

/// The same report, under the name that the guide gives it.
#[utoipa::path(
    get, path = "/v1/payment-transactions/report", tag = "Reports",
    operation_id = "listTransactionsOfGuide",
    params(ReportSpan),
    responses(
        (status = 200, description = "A page of transactions.", body = Vec<Transaction>),
        TransactionsRefused,
    )
)]
async fn report_of_guide(ctx: ReportCtx, query: RawQuery) -> Result<Response, ReportError> {
    report(ctx, query).await
}

fn print(
    row: transaction::Transaction,
    books: &Books<transaction::Transaction>,
    as_text: bool,
) -> Result<Transaction, Error> {
    let amount = report::money(row.amount_minor, &row.currency)?;
    Ok(Transaction {
        transaction_id: row.id,
        reservation_confirmation_code: row.confirmation_code,
        amount: ReportAmount::new(amount, as_text),
        currency: row.currency,
        last4: row.last4,
        bin: row.bin,
        sub_account: books.label(&row.sub_account_id),
        merchant_date: row.merchant_ms.to_report_text(),
        system_date: row.system_ms.to_report_text(),
        settlement_date: row.settlement_ms.map(Timestamp::to_report_text),
        payment_method: row.payment_method,
        processor_arn: row.arn,
        dynamic_descriptor: row.descriptor,
        status: row.status,
        transaction_type: row.kind,
        authorization_or_error_code: row.code,
    })
}
