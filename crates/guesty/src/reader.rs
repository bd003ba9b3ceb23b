//! All that can be read. Nothing here writes.

use std::fmt;

use contract::id::{AccountId, GuestId, ListingId, ReservationId};
use futures_util::{Stream, StreamExt, stream};
use serde::de::DeserializeOwned;

use crate::connection::Connection;
use crate::error::Error;
use crate::page::{List, PAGE_SIZE_MAX, Page, Style, pages};
use crate::query::{ListingQuery, Parameters, ReportQuery, ReservationQuery};
use crate::reply::Answer;
use crate::rows::{Listed, Rows};
use crate::seen::account::Account;
use crate::seen::fee::Fee;
use crate::seen::listing::Listing;
use crate::seen::payment_method::PaymentMethod;
use crate::seen::payout::PayoutRow;
use crate::seen::reservation::Reservation;
use crate::seen::reservation_v3::ReservationV3;
use crate::seen::tax::Tax;
use crate::seen::transaction::Transaction;
use crate::token::TokenMark;

/// The most reservations that can be asked for by their ids at once.
const IDS_MAX: usize = 10;

/// Reads an account. It has no way to write.
#[derive(Clone)]
pub struct Reader {
    connection: Connection,
}

/// Reservations that were asked for by their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Those that there are.
    pub rows: Rows<ReservationV3>,
    /// Those that did not come.
    pub missing: Vec<ReservationId>,
}

impl Reader {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection }
    }

    /// The account as the access token names it, which is the same for all its applications.
    /// Makes sure that there is a token.
    pub async fn account_id(&self) -> Result<Option<AccountId>, Error> {
        Ok(self.connection.tokens.current().await?.account_id())
    }

    /// What tells the access token that serves now from others. Makes sure that there is one.
    pub async fn token_mark(&self) -> Result<TokenMark, Error> {
        Ok(self.connection.tokens.current().await?.mark())
    }

    /// `GET /v1/accounts/me`
    pub async fn account(&self) -> Result<Answer<Account>, Error> {
        self.connection.get_one("/v1/accounts/me", &[]).await
    }

    /// `GET /v1/listings`
    pub fn listings(
        &self,
        query: &ListingQuery,
    ) -> impl Stream<Item = Result<Page<Listing>, Error>> + Send + use<> {
        let page_size = query.page_size;
        self.limited("/v1/listings", query.parameters(), page_size, query.skip)
    }

    /// `GET /v1/listings/{id}`
    pub async fn listing(&self, id: ListingId) -> Result<Answer<Listing>, Error> {
        self.connection
            .get_one(&format!("/v1/listings/{id}"), &[])
            .await
    }

    /// `GET /v1/reservations`, with their money.
    pub fn reservations(
        &self,
        query: &ReservationQuery,
    ) -> impl Stream<Item = Result<Page<Reservation>, Error>> + Send + use<> {
        let page_size = query.page_size;
        self.limited(
            "/v1/reservations",
            query.parameters(),
            page_size,
            query.skip,
        )
    }

    /// `GET /v1/reservations/{id}`, with its money.
    pub async fn reservation(&self, id: ReservationId) -> Result<Answer<Reservation>, Error> {
        let fields = ReservationQuery::default().fields();
        self.connection
            .get_one(&format!("/v1/reservations/{id}"), &fields)
            .await
    }

    /// `GET /v1/reservations-v3`, ten at a time.
    pub fn reservations_v3(
        &self,
        ids: &[ReservationId],
    ) -> impl Stream<Item = Result<Answer<Found>, Error>> + Send + use<> {
        let tens: Vec<Vec<ReservationId>> = ids.chunks(IDS_MAX).map(<[_]>::to_vec).collect();
        let reader = self.clone();
        stream::iter(tens).then(move |ids| {
            let reader = reader.clone();
            async move { reader.ten_reservations_v3(&ids).await }
        })
    }

    async fn ten_reservations_v3(&self, ids: &[ReservationId]) -> Result<Answer<Found>, Error> {
        let query: Parameters = (ids.iter())
            .map(|id| ("reservationIds[]".to_owned(), id.to_string()))
            .collect();
        let answer = self
            .rows::<ReservationV3>("/v1/reservations-v3", &query)
            .await?;
        let came = |id: &&ReservationId| {
            answer
                .value
                .items
                .iter()
                .any(|row| row.id.value() == Some(*id))
        };
        let missing = ids.iter().filter(|id| !came(id)).copied().collect();
        Ok(Answer {
            value: Found {
                rows: answer.value,
                missing,
            },
            reply: answer.reply,
        })
    }

    /// `GET /v1/taxes/account`
    pub async fn taxes_of_account(&self) -> Result<Answer<Rows<Tax>>, Error> {
        self.rows("/v1/taxes/account", &[]).await
    }

    /// `GET /v1/taxes/unit-type/{id}`: the listing's own.
    pub async fn taxes_of_listing(&self, id: ListingId) -> Result<Answer<Rows<Tax>>, Error> {
        self.rows(&format!("/v1/taxes/unit-type/{id}"), &[]).await
    }

    /// `GET /v1/taxes/unit-type/{id}/actual`: those that hold for the listing, its own or the
    /// account's.
    pub async fn actual_taxes_of_listing(&self, id: ListingId) -> Result<Answer<Rows<Tax>>, Error> {
        self.rows(&format!("/v1/taxes/unit-type/{id}/actual"), &[])
            .await
    }

    /// `GET /v1/additional-fees/account`
    pub async fn fees_of_account(&self) -> Result<Answer<Rows<Fee>>, Error> {
        self.rows("/v1/additional-fees/account", &[]).await
    }

    /// `GET /v1/additional-fees/listing/{id}`
    pub async fn fees_of_listing(&self, id: ListingId) -> Result<Answer<Rows<Fee>>, Error> {
        self.rows(&format!("/v1/additional-fees/listing/{id}"), &[])
            .await
    }

    /// `GET /v1/payment-transactions/reports`, or `…/report` where the source knows only that.
    pub fn transactions(
        &self,
        query: &ReportQuery,
    ) -> impl Stream<Item = Result<Page<Transaction>, Error>> + Send + use<> {
        const PATHS: [&str; 2] = [
            "/v1/payment-transactions/reports",
            "/v1/payment-transactions/report",
        ];
        self.taken(PATHS, query.parameters(), query.page_size)
    }

    /// `GET /v1/payment-transactions/reports/payouts-reconciliation`
    pub fn payouts(
        &self,
        query: &ReportQuery,
    ) -> impl Stream<Item = Result<Page<PayoutRow>, Error>> + Send + use<> {
        const PATHS: [&str; 2] = [
            "/v1/payment-transactions/reports/payouts-reconciliation",
            "/v1/payment-transactions/report/payouts-reconciliation",
        ];
        self.taken(PATHS, query.parameters(), query.page_size)
    }

    /// `GET /v1/guests/{id}/payment-methods`, those for one reservation too if it is named.
    pub async fn payment_methods(
        &self,
        guest: GuestId,
        reservation: Option<ReservationId>,
    ) -> Result<Answer<Rows<PaymentMethod>>, Error> {
        let query: Parameters = (reservation.iter())
            .map(|id| ("reservationId".to_owned(), id.to_string()))
            .collect();
        self.rows(&format!("/v1/guests/{guest}/payment-methods"), &query)
            .await
    }

    async fn rows<T: DeserializeOwned + Send>(
        &self,
        path: &str,
        query: &[(String, String)],
    ) -> Result<Answer<Rows<T>>, Error> {
        let (listed, reply) = self.connection.get(path, query, Listed::<T>::read).await?;
        Ok(Answer {
            value: listed.rows,
            reply,
        })
    }

    fn limited<T: DeserializeOwned + Send>(
        &self,
        path: &'static str,
        query: Parameters,
        page_size: u32,
        skip: u64,
    ) -> impl Stream<Item = Result<Page<T>, Error>> + Send + use<T> {
        let list = List {
            paths: [path, path],
            query,
            style: Style::Limit,
            page_size: page_size.clamp(1, PAGE_SIZE_MAX),
            skip,
        };
        pages(self.connection.clone(), list)
    }

    fn taken<T: DeserializeOwned + Send>(
        &self,
        paths: [&'static str; 2],
        query: Parameters,
        page_size: u32,
    ) -> impl Stream<Item = Result<Page<T>, Error>> + Send + use<T> {
        let list = List {
            paths,
            query,
            style: Style::Take,
            page_size: page_size.clamp(1, PAGE_SIZE_MAX),
            skip: 0,
        };
        pages(self.connection.clone(), list)
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reader({})", self.connection.http.base)
    }
}
