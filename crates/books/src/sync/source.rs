//! Where objects are read: a small interface, so that another generation of the source's API can
//! stand beside the first.

use std::pin::pin;

use async_trait::async_trait;
use contract::Timestamp;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use guesty::{Error, Filter, ListingQuery, Page, Problem, Reader, Reply, ReservationQuery};

use super::Span;
use crate::mirror::Kind;

/// The field that tells when a reservation last changed.
const CHANGED_AT: &str = "lastUpdatedAt";
/// The name of the list of what changed, since whenever.
pub(super) const CHANGES: &str = "changed reservations";

/// A list of objects, in the order of their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// Properties, those in use or those that are not.
    Properties {
        /// Whether in use.
        active: bool,
    },
    /// Reservations that begin on these dates, or all.
    Reservations {
        /// The dates of arrival.
        arrivals: Option<Span>,
    },
    /// Reservations that changed at an instant of the source's time or after it.
    ChangedReservations {
        /// The instant.
        since: Timestamp,
    },
}

impl List {
    /// What it is a list of.
    pub fn kind(self) -> Kind {
        match self {
            Self::Properties { .. } => Kind::Property,
            Self::Reservations { .. } | Self::ChangedReservations { .. } => Kind::Reservation,
        }
    }

    /// Its name, the same for the same list.
    pub fn name(self) -> String {
        match self {
            Self::Properties { active: true } => "active properties".to_owned(),
            Self::Properties { active: false } => "inactive properties".to_owned(),
            Self::Reservations { arrivals: None } => "reservations".to_owned(),
            Self::Reservations {
                arrivals: Some(span),
            } => format!("reservations {}..{}", span.from(), span.to()),
            Self::ChangedReservations { .. } => CHANGES.to_owned(),
        }
    }

    /// Whether it has only what changed.
    pub(super) fn is_of_changes(self) -> bool {
        matches!(self, Self::ChangedReservations { .. })
    }
}

/// A page of a list.
#[derive(Debug, Clone)]
pub struct ListPage {
    /// The ids of its objects, as far as they have one, in their order; without that of the row that
    /// the page before ended with.
    pub ids: Vec<String>,
    /// How many rows there are up to its end.
    pub done: u64,
    /// How many rows the list has in all, if the source says so.
    pub total: Option<u64>,
    /// The reply.
    pub reply: Reply,
}

/// Reads properties, and reservations with their money.
#[async_trait]
pub trait Source: Send + Sync {
    /// A list from its beginning, or with so many rows passed over, to its end. Each page follows the
    /// one before: if rows may lie between them, that is a [`Problem::ListShifted`].
    fn pages(&self, list: List, skip: u64) -> BoxStream<'static, Result<ListPage, Error>>;

    /// The source's own time, as far as its reservations tell it: when one of them last changed. None
    /// if it has none. Never later than that: all that changes from now on, does so after it.
    async fn now(&self) -> Result<Option<Timestamp>, Error>;

    /// One object; a source that has it no more answers with [`Problem::NotFound`].
    async fn one(&self, kind: Kind, id: &str) -> Result<Reply, Error>;
}

/// The first generation of the API: `/v1/listings` and `/v1/reservations`.
#[derive(Debug, Clone)]
pub struct FirstGeneration {
    reader: Reader,
}

impl FirstGeneration {
    /// Reads an account.
    pub fn new(reader: Reader) -> Self {
        Self { reader }
    }
}

#[async_trait]
impl Source for FirstGeneration {
    fn pages(&self, list: List, skip: u64) -> BoxStream<'static, Result<ListPage, Error>> {
        match list {
            List::Properties { active } => {
                let query = ListingQuery {
                    active,
                    skip,
                    ..ListingQuery::default()
                };
                let pages = self.reader.listings(&query);
                pages
                    .map_ok(|page| list_page(page, |row| row.id.value().map(ToString::to_string)))
                    .boxed()
            }
            List::Reservations { arrivals } => {
                let filters = arrivals.map(|span| {
                    let (from, to) = (span.from().to_string(), span.to().to_string());
                    let field = "checkInDateLocalized";
                    [Filter::from(field, &from), Filter::until(field, &to)]
                });
                self.reservations(filters.into_iter().flatten(), skip)
            }
            List::ChangedReservations { since } => {
                let filter = Filter::from(CHANGED_AT, &since.to_string());
                self.reservations([filter], skip)
            }
        }
    }

    async fn now(&self) -> Result<Option<Timestamp>, Error> {
        let query = ReservationQuery {
            fields: format!("_id {CHANGED_AT}"),
            sort: format!("-{CHANGED_AT}"),
            page_size: 1,
            ..ReservationQuery::default()
        };
        let mut pages = pin!(self.reader.reservations(&query));
        let Some(page) = pages.try_next().await? else {
            return Ok(None);
        };
        let changed = (page.rows.items.iter()).filter_map(|row| row.last_updated_at.get());
        // One that is said to have changed in days to come must not hide what changes until then.
        let clock = page.reply.sent_at.unwrap_or(page.reply.received_at);
        Ok(changed.max().map(|changed| changed.min(clock)))
    }

    async fn one(&self, kind: Kind, id: &str) -> Result<Reply, Error> {
        let unknown = |error: &dyn std::fmt::Display| Error {
            call: format!("{kind} {id}"),
            tries: 0,
            problem: Problem::Unreadable(error.to_string()),
        };
        Ok(match kind {
            Kind::Property => {
                let id = id.parse().map_err(|error| unknown(&error))?;
                self.reader.listing(id).await?.reply
            }
            Kind::Reservation => {
                let id = id.parse().map_err(|error| unknown(&error))?;
                self.reader.reservation(id).await?.reply
            }
            _ => return Err(unknown(&"it is not read one by one")),
        })
    }
}

impl FirstGeneration {
    fn reservations(
        &self,
        filters: impl IntoIterator<Item = Filter>,
        skip: u64,
    ) -> BoxStream<'static, Result<ListPage, Error>> {
        let query = ReservationQuery {
            skip,
            ..ReservationQuery::matching(filters)
        };
        let pages = self.reader.reservations(&query);
        pages
            .map_ok(|page| list_page(page, |row| row.id.value().map(ToString::to_string)))
            .boxed()
    }
}

fn list_page<T>(page: Page<T>, id: impl Fn(&T) -> Option<String>) -> ListPage {
    let rows = page.rows.items.len() + page.rows.unreadable.len();
    ListPage {
        ids: page.rows.items.iter().filter_map(id).collect(),
        done: page.skip + rows as u64,
        total: page.total,
        reply: page.reply,
    }
}
