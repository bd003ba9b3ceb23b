//! What the reports on the processors' books have in common: who may ask, what for, and how they are
//! read.

use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use contract::id::{AccountId, ListingId};
use money::{Currency, Money};
use serde::Serialize;
use store::Connection;

use super::ctx::Ctx;
use super::report_error::ReportError;
use crate::model::report::{Parameters, ReportRefusal, ReportRequest, Terms};
use crate::store::feed::{self, Feed, Source};
use crate::{Error, Platform};

/// About as much as a row takes on the wire.
const ROW_BYTES: usize = 2048;

/// A caller whose missing token is answered as the reports do.
pub(super) struct ReportCtx(pub(super) Ctx);

impl FromRequestParts<Arc<Platform>> for ReportCtx {
    type Rejection = ReportError;

    async fn from_request_parts(
        parts: &mut Parts,
        platform: &Arc<Platform>,
    ) -> Result<Self, ReportError> {
        Ok(Self(Ctx::from_request_parts(parts, platform).await?))
    }
}

/// One page of a report's rows: of an account, or of some of its listings.
pub(super) type Page<Row> = fn(
    &mut Connection,
    AccountId,
    Option<&HashSet<ListingId>>,
    &ReportRequest,
) -> Result<Vec<Row>, Error>;

/// What the account's processors have reported, as far as it was asked for.
pub(super) struct Books<Row> {
    sources: Vec<Source>,
    feeds: Vec<Feed>,
    pub(super) rows: Vec<Row>,
}

/// Reads what a query asks for, after whatever our own calls have made was imported.
pub(super) async fn books<Row: Send + 'static>(
    ctx: &Ctx,
    query: Option<&str>,
    terms: &Terms,
    page: Page<Row>,
) -> Result<Books<Row>, ReportError> {
    let request = parameters(query.unwrap_or_default(), terms)?.read(terms)?;
    let request = Arc::new(request);
    let mut books = Books::read(ctx, &request, page).await?;
    let imports = &ctx.platform.imports;
    if !books
        .sources
        .iter()
        .all(|source| imports.is_current(source))
    {
        for source in &books.sources {
            imports.catch_up(source).await?;
        }
        books = Books::read(ctx, &request, page).await?;
    }
    if books.sources.is_empty() {
        return Err(ReportRefusal::NoProvider.into());
    }
    if !books.are_set_up() {
        return Err(ReportError::NotSetUp);
    }
    Ok(books)
}

/// Reads the parameters that the report knows, and passes over the others.
fn parameters(query: &str, terms: &Terms) -> Result<Parameters, ReportRefusal> {
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
            "payoutId" if terms.takes_payout_id => ("payoutId", &mut known.payout_id),
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

impl<Row: Send + 'static> Books<Row> {
    async fn read(ctx: &Ctx, request: &Arc<ReportRequest>, page: Page<Row>) -> Result<Self, Error> {
        let account = ctx.account.id;
        let listings = ctx.listings.clone();
        let request = Arc::clone(request);
        ctx.platform
            .store
            .read(move |c| {
                Ok(Self {
                    sources: feed::sources(c, Some(account))?,
                    feeds: feed::of_account(c, account)?,
                    rows: page(c, account, listings.as_ref(), &request)?,
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
}

impl<Row> Books<Row> {
    /// A sub-account as reports name it: `1387.2 - My Company - GBP`.
    pub(super) fn label(&self, sub_account_id: &str) -> String {
        let mut feeds = self.feeds.iter();
        let feed = feeds.find(|feed| feed.sub_account_id == sub_account_id);
        feed.map_or(sub_account_id, |feed| &feed.label).to_owned()
    }
}

/// A page on its way out. Written at once into memory that is large enough: it is the better part of a
/// request's work.
pub(super) fn reply(rows: &[impl Serialize]) -> Result<Response, ReportError> {
    let mut body = Vec::with_capacity(rows.len() * ROW_BYTES);
    serde_json::to_writer(&mut body, rows)
        .map_err(|error| Error::Corrupt(format!("a report cannot be written: {error}")))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// An amount of a row.
pub(super) fn money(minor: i64, currency: &str) -> Result<Money, Error> {
    let currency: Currency = currency
        .parse()
        .map_err(|_| Error::Corrupt(format!("currency {currency}")))?;
    Ok(Money::from_minor(minor, currency))
}
