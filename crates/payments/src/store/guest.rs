//! Guests.

use std::collections::HashSet;

use contract::Timestamp;
use contract::guest::{Guest, GuestFields};
use contract::id::{AccountId, GuestId};
use contract::reservation::Status;
use diesel::dsl::{exists, not};
use diesel::prelude::*;
use serde_json::{Map, Value};
use store::Connection;

use super::fragment::{self, Backend};
use super::scope::Scope;
use crate::Error;
use crate::model::guest::full_name;
use crate::model::search::{Condition, Kind, Order, Vocabulary};
use crate::schema::{guest, reservation};

/// What guests can be searched by.
pub(crate) const FIELDS: &Vocabulary = &[
    ("_id", Kind::Id),
    ("fullName", Kind::Text),
    ("firstName", Kind::Text),
    ("lastName", Kind::Text),
    ("email", Kind::Text),
    ("phone", Kind::Text),
    ("createdAt", Kind::Instant),
    ("lastUpdatedAt", Kind::Instant),
];

fn column(field: &str) -> &'static str {
    match field {
        "fullName" => "guest.full_name",
        "firstName" => "guest.first_name",
        "lastName" => "guest.last_name",
        "email" => "guest.email",
        "phone" => "guest.phone",
        "createdAt" => "guest.created_ms",
        "lastUpdatedAt" => "guest.updated_ms",
        _ => "guest.id",
    }
}

/// A guest as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = guest, treat_none_as_null = true)]
pub(crate) struct Row {
    pub(crate) id: GuestId,
    pub(crate) account_id: AccountId,
    pub(crate) full_name: String,
    pub(crate) first_name: Option<String>,
    pub(crate) last_name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    body: String,
    created_ms: Timestamp,
    updated_ms: Timestamp,
}

impl Row {
    /// The row of what a client wrote, once it has been checked.
    pub(crate) fn new(
        id: GuestId,
        account: AccountId,
        fields: &GuestFields,
        now: Timestamp,
    ) -> Result<Self, Error> {
        Ok(Self {
            id,
            account_id: account,
            full_name: full_name(fields),
            first_name: fields.first_name.clone(),
            last_name: fields.last_name.clone(),
            email: fields.email.clone(),
            phone: fields.phone.clone(),
            body: body(fields)?,
            created_ms: now,
            updated_ms: now,
        })
    }

    /// The same guest with what a client wrote anew; the very same if that changes nothing.
    pub(crate) fn changed(&self, fields: &GuestFields, now: Timestamp) -> Result<Self, Error> {
        let mut changed = Self {
            created_ms: self.created_ms,
            updated_ms: self.updated_ms,
            ..Self::new(self.id, self.account_id, fields, now)?
        };
        if changed != *self {
            changed.updated_ms = now;
        }
        Ok(changed)
    }

    /// What the client wrote.
    pub(crate) fn fields(&self) -> Result<GuestFields, Error> {
        let corrupt = |error| Error::Corrupt(format!("guest {}: {error}", self.id));
        let mut document: Map<String, Value> = serde_json::from_str(&self.body).map_err(corrupt)?;
        document.insert("firstName".to_owned(), self.first_name.clone().into());
        document.insert("lastName".to_owned(), self.last_name.clone().into());
        document.insert("email".to_owned(), self.email.clone().into());
        document.insert("phone".to_owned(), self.phone.clone().into());
        // From a text: a `Value` has numbers that it cannot hand on.
        serde_json::from_str(&Value::Object(document).to_string()).map_err(corrupt)
    }

    /// The guest as it is shown.
    pub(crate) fn show(&self, returning_guest: bool) -> Result<Guest, Error> {
        Ok(Guest {
            id: self.id,
            account_id: self.account_id,
            full_name: self.full_name.clone(),
            fields: self.fields()?,
            returning_guest,
            created_at: self.created_ms,
            last_updated_at: self.updated_ms,
        })
    }
}

/// What has no column of its own.
fn body(fields: &GuestFields) -> Result<String, Error> {
    let rest = GuestFields {
        first_name: None,
        last_name: None,
        email: None,
        phone: None,
        ..fields.clone()
    };
    serde_json::to_string(&rest)
        .map_err(|error| Error::Corrupt(format!("a guest cannot be written: {error}")))
}

/// Which guests are asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Search {
    pub(crate) conditions: Vec<Condition>,
    pub(crate) order: Vec<Order>,
    pub(crate) limit: i64,
    pub(crate) skip: i64,
}

pub(crate) fn insert(connection: &mut Connection, row: &Row) -> Result<(), Error> {
    diesel::insert_into(guest::table)
        .values(row)
        .execute(connection)?;
    Ok(())
}

pub(crate) fn update(connection: &mut Connection, row: &Row) -> Result<(), Error> {
    diesel::update(guest::table.find(row.id))
        .set(row)
        .execute(connection)?;
    Ok(())
}

pub(crate) fn find(
    connection: &mut Connection,
    scope: &Scope,
    id: GuestId,
) -> Result<Option<Row>, Error> {
    Ok(visible(scope)
        .filter(guest::id.eq(id))
        .select(Row::as_select())
        .first(connection)
        .optional()?)
}

/// A page of guests, and how many there are in all.
pub(crate) fn list(
    connection: &mut Connection,
    scope: &Scope,
    search: &Search,
) -> Result<(Vec<Row>, i64), Error> {
    let count = matching(connection, scope, search)
        .count()
        .get_result(connection)?;
    let mut page = matching(connection, scope, search).select(Row::as_select());
    for order in &search.order {
        page = page.then_order_by(fragment::order(connection, *order, column));
    }
    let rows = page
        .then_order_by(guest::id)
        .limit(search.limit)
        .offset(search.skip)
        .load(connection)?;
    Ok((rows, count))
}

/// Which of these guests have stayed before.
pub(crate) fn returning(
    connection: &mut Connection,
    rows: &[Row],
    now: Timestamp,
) -> Result<HashSet<GuestId>, Error> {
    let ids: Vec<GuestId> = rows.iter().map(|row| row.id).collect();
    let guests: Vec<GuestId> = reservation::table
        .filter(reservation::guest_id.eq_any(ids))
        .filter(reservation::status.eq(Status::Confirmed.name()))
        .filter(reservation::check_out_ms.lt(now))
        .select(reservation::guest_id)
        .distinct()
        .load(connection)?;
    Ok(guests.into_iter().collect())
}

fn matching<'a>(
    connection: &Connection,
    scope: &Scope,
    search: &Search,
) -> guest::BoxedQuery<'a, Backend> {
    search
        .conditions
        .iter()
        .fold(visible(scope), |query, condition| {
            query.filter(fragment::condition(connection, condition, column))
        })
}

/// The account's guests. Who may see some listings only sees who has reserved them, and who has
/// reserved nothing yet: a guest is made known before the first reservation.
fn visible<'a>(scope: &Scope) -> guest::BoxedQuery<'a, Backend> {
    let mut query = guest::table
        .into_boxed::<Backend>()
        .filter(guest::account_id.eq(scope.account));
    if let Some(listings) = scope.only() {
        let reserved = reservation::table.filter(reservation::guest_id.eq(guest::id));
        query = query.filter(
            exists(reserved.filter(reservation::listing_id.eq_any(listings)))
                .or(not(exists(reserved))),
        );
    }
    query
}
