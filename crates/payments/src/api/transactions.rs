//! The payment transactions report.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{FromRequestParts, RawQuery};
use axum::http::request::Parts;
use axum::routing::get;
use axum::{Json, Router};
use contract::Timestamp;
use contract::transaction::{ReportAmount, Transaction};
use money::Money;

use super::ctx::Ctx;
use super::report_error::ReportError;
use crate::model::report::{Parameters, ReportRefusal, ReportRequest};
use crate::store::feed::{self, Feed, Source};
use crate::store::transaction;
use crate::{Error, Platform};

/// The routes of this resource. The guide and the published schema name it differently.
pub(super) fn routes() -> Router<Arc<Platform>> {
    Router::new()
        .route("/v1/payment-transactions/report", get(report))
        .route("/v1/payment-transactions/reports", get(report))
}

/// A page of the transactions that processors have reported, as a bare array.
///
/// Rows come in the order in which they became known, which is the order of their dates but for
/// stragglers: a new row is always the last, and paging neither repeats nor skips any. An
/// application that may see some listings only sees the rows of their reservations.
async fn report(
    ReportCtx(ctx): ReportCtx,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<Transaction>>, ReportError> {
    let request = Arc::new(parameters(query.as_deref().unwrap_or_default())?.read()?);
    let mut books = Books::read(&ctx, &request).await?;
    let imports = &ctx.platform.imports;
    if !books
        .sources
        .iter()
        .all(|source| imports.is_current(source))
    {
        for source in &books.sources {
            imports.catch_up(source).await?;
        }
        books = Books::read(&ctx, &request).await?;
    }
    if books.sources.is_empty() {
        return Err(ReportRefusal::NoProvider.into());
    }
    if !books.are_set_up() {
        return Err(ReportError::NotSetUp);
    }
    Ok(Json(
        books.print(ctx.platform.settings.report_amounts_as_text)?,
    ))
}

/// A caller whose missing token is answered as the reports do.
struct ReportCtx(Ctx);

impl FromRequestParts<Arc<Platform>> for ReportCtx {
    type Rejection = ReportError;

    async fn from_request_parts(
        parts: &mut Parts,
        platform: &Arc<Platform>,
    ) -> Result<Self, ReportError> {
        Ok(Self(Ctx::from_request_parts(parts, platform).await?))
    }
}

/// Reads the parameters that the report knows, and passes over the others.
fn parameters(query: &str) -> Result<Parameters, ReportRefusal> {
    let mut known = Parameters::default();
    // Any text is a list of names and values: what cannot be decoded stays as it is.
    let pairs: Vec<(String, String)> = serde_html_form::from_str(query).unwrap_or_default();
    for (name, value) in pairs {
        let (name, place) = match name.as_str() {
            "startDate" => ("startDate", &mut known.start_date),
            "endDate" => ("endDate", &mut known.end_date),
            "reservationConfirmationCode" => {
                ("reservationConfirmationCode", &mut known.confirmation_code)
            }
            "subAccountId" => ("subAccountId", &mut known.sub_account_id),
            "skip" => ("skip", &mut known.skip),
            "take" => ("take", &mut known.take),
            _ => continue,
        };
        if place.replace(value).is_some() {
            return Err(ReportRefusal::Repeated(name));
        }
    }
    Ok(known)
}

/// What the account's processors have reported, as far as it was asked for.
struct Books {
    sources: Vec<Source>,
    feeds: Vec<Feed>,
    rows: Vec<transaction::Transaction>,
}

impl Books {
    async fn read(ctx: &Ctx, request: &Arc<ReportRequest>) -> Result<Self, Error> {
        let account = ctx.account.id;
        let listings = ctx.listings.clone();
        let request = Arc::clone(request);
        ctx.platform
            .store
            .read(move |c| {
                Ok(Self {
                    sources: feed::sources(c, Some(account))?,
                    feeds: feed::of_account(c, account)?,
                    rows: transaction::page(c, account, listings.as_ref(), &request)?,
                })
            })
            .await
    }

    /// Whether some provider has a sub-account: there is something to report on, then.
    fn are_set_up(&self) -> bool {
        let has_feed = |source: &Source| {
            let mut feeds = self.feeds.iter();
            feeds.any(|feed| feed.provider_id == source.provider_id)
        };
        self.sources.iter().any(has_feed)
    }

    fn print(self, amounts_as_text: bool) -> Result<Vec<Transaction>, Error> {
        let labels: HashMap<&str, &str> = self
            .feeds
            .iter()
            .map(|feed| (feed.sub_account_id.as_str(), feed.label.as_str()))
            .collect();
        self.rows
            .into_iter()
            .map(|row| print(row, &labels, amounts_as_text))
            .collect()
    }
}

fn print(
    row: transaction::Transaction,
    labels: &HashMap<&str, &str>,
    amounts_as_text: bool,
) -> Result<Transaction, Error> {
    let currency = row
        .currency
        .parse()
        .map_err(|_| Error::Corrupt(format!("the currency of transaction {}", row.id)))?;
    let amount = Money::from_minor(row.amount_minor, currency);
    let label = labels.get(row.sub_account_id.as_str()).copied();
    Ok(Transaction {
        transaction_id: row.id,
        reservation_confirmation_code: row.confirmation_code,
        amount: ReportAmount::new(amount, amounts_as_text),
        currency: row.currency,
        last4: row.last4,
        bin: row.bin,
        sub_account: label.map_or(row.sub_account_id, str::to_owned),
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
