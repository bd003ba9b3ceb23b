//! Listings.

use contract::Timestamp;
use contract::id::{AccountId, ListingId, PaymentProviderId};
use contract::listing::{Listing, ListingFields};
use diesel::prelude::*;
use serde_json::{Map, Value};
use store::Connection;

use super::fragment::{self, Backend};
use super::scope::Scope;
use crate::Error;
use crate::model::listing::{Place, zone};
use crate::model::reservation::Home;
use crate::model::search::{Kind, Order, Vocabulary};
use crate::schema::listing;

/// What listings can be sorted by.
pub(crate) const FIELDS: &Vocabulary = &[
    ("_id", Kind::Id),
    ("title", Kind::Text),
    ("nickname", Kind::Text),
    ("active", Kind::Flag),
    ("isListed", Kind::Flag),
    ("createdAt", Kind::Instant),
    ("lastUpdatedAt", Kind::Instant),
];

fn column(field: &str) -> &'static str {
    match field {
        "title" => "listing.title",
        "nickname" => "listing.nickname",
        "active" => "listing.is_active",
        "isListed" => "listing.is_listed",
        "createdAt" => "listing.created_ms",
        "lastUpdatedAt" => "listing.updated_ms",
        _ => "listing.id",
    }
}

/// A listing as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = listing, treat_none_as_null = true)]
pub(crate) struct Row {
    pub(crate) id: ListingId,
    pub(crate) account_id: AccountId,
    pub(crate) title: String,
    pub(crate) nickname: Option<String>,
    pub(crate) is_active: bool,
    pub(crate) is_listed: bool,
    pub(crate) currency: String,
    pub(crate) timezone: String,
    pub(crate) provider_id: Option<PaymentProviderId>,
    city: Option<String>,
    tags: String,
    search: String,
    body: String,
    pub(crate) created_ms: Timestamp,
    pub(crate) updated_ms: Timestamp,
    removed_ms: Option<Timestamp>,
}

impl Row {
    /// The row of what a client wrote, once it has been checked.
    pub(crate) fn new(
        id: ListingId,
        account: AccountId,
        fields: &ListingFields,
        place: Place,
        now: Timestamp,
    ) -> Result<Self, Error> {
        Ok(Self {
            id,
            account_id: account,
            title: fields.title.clone(),
            nickname: fields.nickname.clone(),
            is_active: fields.active,
            is_listed: fields.is_listed,
            currency: place.currency.code().to_owned(),
            timezone: place.timezone.name().to_owned(),
            provider_id: None,
            city: fields.address.city.as_deref().map(str::to_lowercase),
            tags: lines(&fields.tags),
            search: searchable(fields),
            body: body(fields)?,
            created_ms: now,
            updated_ms: now,
            removed_ms: None,
        })
    }

    /// The same listing with what a client wrote anew; the very same if that changes nothing.
    pub(crate) fn changed(
        &self,
        fields: &ListingFields,
        place: Place,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let mut changed = Self {
            provider_id: self.provider_id,
            created_ms: self.created_ms,
            updated_ms: self.updated_ms,
            ..Self::new(self.id, self.account_id, fields, place, now)?
        };
        if changed != *self {
            changed.updated_ms = now;
        }
        Ok(changed)
    }

    /// What the client wrote.
    pub(crate) fn fields(&self) -> Result<ListingFields, Error> {
        let corrupt = |error| Error::Corrupt(format!("listing {}: {error}", self.id));
        let mut document: Map<String, Value> = serde_json::from_str(&self.body).map_err(corrupt)?;
        document.insert("title".to_owned(), self.title.clone().into());
        document.insert("nickname".to_owned(), self.nickname.clone().into());
        document.insert("active".to_owned(), self.is_active.into());
        document.insert("isListed".to_owned(), self.is_listed.into());
        document.insert("timezone".to_owned(), self.timezone.clone().into());
        let prices = document
            .entry("prices")
            .or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(prices) = prices {
            prices.insert("currency".to_owned(), self.currency.clone().into());
        }
        // From a text: a `Value` has numbers that it cannot hand on.
        serde_json::from_str(&Value::Object(document).to_string()).map_err(corrupt)
    }

    /// What the listing gives its reservations.
    pub(crate) fn home(&self) -> Result<Home, Error> {
        let corrupt = |what: String| Error::Corrupt(format!("listing {}: {what}", self.id));
        let fields = self.fields()?;
        Ok(Home {
            listing: self.id,
            currency: self
                .currency
                .parse()
                .map_err(|error: money::MoneyError| corrupt(error.to_string()))?,
            timezone: zone(&self.timezone).map_err(|error| corrupt(error.to_string()))?,
            check_in_time: fields.default_check_in_time,
            check_out_time: fields.default_check_out_time,
        })
    }

    /// The listing as it is shown.
    pub(crate) fn show(&self) -> Result<Listing, Error> {
        Ok(Listing {
            id: self.id,
            account_id: self.account_id,
            fields: self.fields()?,
            payment_provider_id: self.provider_id,
            created_at: self.created_ms,
            last_updated_at: self.updated_ms,
        })
    }
}

/// What has no column of its own.
fn body(fields: &ListingFields) -> Result<String, Error> {
    let mut rest = fields.clone();
    rest.nickname = None;
    rest.timezone = None;
    rest.prices.currency = None;
    let unwritable = |error| Error::Corrupt(format!("a listing cannot be written: {error}"));
    let mut document = serde_json::to_value(&rest).map_err(unwritable)?;
    if let Value::Object(document) = &mut document {
        for column in ["title", "active", "isListed"] {
            document.shift_remove(column);
        }
    }
    Ok(document.to_string())
}

/// Texts in lower case, each between line feeds.
fn lines(texts: &[String]) -> String {
    texts.iter().fold(String::from("\n"), |all, text| {
        all + &text.to_lowercase() + "\n"
    })
}

/// What `q` looks through: title, internal note and address, and the nickname.
fn searchable(fields: &ListingFields) -> String {
    let note = fields.rest.get("internalNote").and_then(Value::as_str);
    let texts = [
        Some(fields.title.as_str()),
        fields.nickname.as_deref(),
        note,
        fields.address.full.as_deref(),
    ];
    lines(
        &texts
            .into_iter()
            .flatten()
            .map(str::to_owned)
            .collect::<Vec<_>>(),
    )
}

/// Which listings are asked for; what is `None` or empty does not matter.
#[derive(Debug, Clone, Default)]
pub(crate) struct Search {
    pub(crate) ids: Option<Vec<ListingId>>,
    pub(crate) not_ids: Vec<ListingId>,
    pub(crate) text: Option<String>,
    pub(crate) city: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) active: Option<bool>,
    pub(crate) listed: Option<bool>,
    pub(crate) order: Vec<Order>,
    pub(crate) limit: i64,
    pub(crate) skip: i64,
}

pub(crate) fn insert(connection: &mut Connection, row: &Row) -> Result<(), Error> {
    diesel::insert_into(listing::table)
        .values(row)
        .execute(connection)?;
    Ok(())
}

pub(crate) fn update(connection: &mut Connection, row: &Row) -> Result<(), Error> {
    diesel::update(listing::table.find(row.id))
        .set(row)
        .execute(connection)?;
    Ok(())
}

pub(crate) fn remove(
    connection: &mut Connection,
    id: ListingId,
    now: Timestamp,
) -> Result<(), Error> {
    diesel::update(listing::table.find(id))
        .set(listing::removed_ms.eq(Some(now)))
        .execute(connection)?;
    Ok(())
}

pub(crate) fn find(
    connection: &mut Connection,
    scope: &Scope,
    id: ListingId,
) -> Result<Option<Row>, Error> {
    if !scope.covers(id) {
        return Ok(None);
    }
    Ok(listing::table
        .find(id)
        .filter(listing::account_id.eq(scope.account))
        .filter(listing::removed_ms.is_null())
        .select(Row::as_select())
        .first(connection)
        .optional()?)
}

/// A page of listings, and how many there are in all.
pub(crate) fn list(
    connection: &mut Connection,
    scope: &Scope,
    search: &Search,
) -> Result<(Vec<Row>, i64), Error> {
    let count = matching(scope, search).count().get_result(connection)?;
    let mut page = matching(scope, search).select(Row::as_select());
    for order in &search.order {
        page = page.then_order_by(fragment::order(connection, *order, column));
    }
    let rows = page
        .then_order_by(listing::id)
        .limit(search.limit)
        .offset(search.skip)
        .load(connection)?;
    Ok((rows, count))
}

fn matching<'a>(scope: &Scope, search: &Search) -> listing::BoxedQuery<'a, Backend> {
    let mut query = listing::table
        .into_boxed::<Backend>()
        .filter(listing::account_id.eq(scope.account))
        .filter(listing::removed_ms.is_null());
    if let Some(ids) = scope.only() {
        query = query.filter(listing::id.eq_any(ids));
    }
    if let Some(ids) = &search.ids {
        query = query.filter(listing::id.eq_any(ids.clone()));
    }
    if !search.not_ids.is_empty() {
        query = query.filter(listing::id.ne_all(search.not_ids.clone()));
    }
    if let Some(text) = &search.text {
        query = query.filter(listing::search.like(fragment::holding(text)).escape('\\'));
    }
    if let Some(city) = &search.city {
        query = query.filter(listing::city.eq(city.to_lowercase()));
    }
    for tag in &search.tags {
        let line = fragment::holding(&format!("\n{tag}\n"));
        query = query.filter(listing::tags.like(line).escape('\\'));
    }
    if let Some(active) = search.active {
        query = query.filter(listing::is_active.eq(active));
    }
    if let Some(listed) = search.listed {
        query = query.filter(listing::is_listed.eq(listed));
    }
    query
}
