//! Taxes of the catalog.

use contract::Timestamp;
use contract::id::{AccountId, ListingId, TaxId};
use contract::tax::{Level, Tax, TaxTerms};
use diesel::prelude::*;
use store::Connection;

use super::scope::Scope;
use crate::Error;
use crate::schema::{tax, tax_level};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = tax, treat_none_as_null = true)]
struct Row {
    id: TaxId,
    account_id: AccountId,
    listing_id: Option<ListingId>,
    level_id: String,
    kind: String,
    name: Option<String>,
    terms: String,
    updated_ms: Timestamp,
}

impl Row {
    fn of(tax: &Tax, now: Timestamp) -> Result<Self, Error> {
        let unwritable = |error| Error::Corrupt(format!("a tax cannot be written: {error}"));
        Ok(Self {
            id: tax.id,
            account_id: tax.account_id,
            listing_id: tax.unit_type_id,
            level_id: level_id(tax.account_id, tax.unit_type_id),
            kind: tax.terms.kind.name().to_owned(),
            name: tax.terms.name.clone(),
            terms: serde_json::to_string(&tax.terms).map_err(unwritable)?,
            updated_ms: now,
        })
    }

    fn tax(self) -> Result<Tax, Error> {
        let terms: TaxTerms = serde_json::from_str(&self.terms)
            .map_err(|error| Error::Corrupt(format!("tax {}: {error}", self.id)))?;
        Ok(Tax {
            id: self.id,
            unit_type_id: self.listing_id,
            account_id: self.account_id,
            terms,
            is_deleted: false,
        })
    }
}

fn level_id(account: AccountId, listing: Option<ListingId>) -> String {
    listing.map_or_else(|| account.to_string(), |listing| listing.to_string())
}

pub(crate) fn insert(connection: &mut Connection, new: &Tax, now: Timestamp) -> Result<(), Error> {
    diesel::insert_into(tax::table)
        .values((Row::of(new, now)?, tax::created_ms.eq(now)))
        .execute(connection)?;
    Ok(())
}

pub(crate) fn update(connection: &mut Connection, new: &Tax, now: Timestamp) -> Result<(), Error> {
    diesel::update(tax::table.find(new.id))
        .set(Row::of(new, now)?)
        .execute(connection)?;
    Ok(())
}

pub(crate) fn delete(connection: &mut Connection, id: TaxId) -> Result<(), Error> {
    diesel::delete(tax::table.find(id)).execute(connection)?;
    Ok(())
}

/// A tax of the account or of a listing that the caller may see.
pub(crate) fn find(
    connection: &mut Connection,
    scope: &Scope,
    id: TaxId,
) -> Result<Option<Tax>, Error> {
    let row: Option<Row> = tax::table
        .find(id)
        .filter(tax::account_id.eq(scope.account))
        .select(Row::as_select())
        .first(connection)
        .optional()?;
    let found = row.map(Row::tax).transpose()?;
    Ok(found.filter(|tax| tax.unit_type_id.is_none_or(|listing| scope.covers(listing))))
}

/// The taxes of a listing, or of the account, in the order of their making.
pub(crate) fn of_level(
    connection: &mut Connection,
    account: AccountId,
    listing: Option<ListingId>,
) -> Result<Vec<Tax>, Error> {
    let rows: Vec<Row> = tax::table
        .filter(tax::account_id.eq(account))
        .filter(tax::level_id.eq(level_id(account, listing)))
        .order((tax::created_ms, tax::id))
        .select(Row::as_select())
        .load(connection)?;
    rows.into_iter().map(Row::tax).collect()
}

/// The taxes that share a tax's name.
pub(crate) fn of_name(
    connection: &mut Connection,
    account: AccountId,
    name: &str,
) -> Result<Vec<Tax>, Error> {
    let rows: Vec<Row> = tax::table
        .filter(tax::account_id.eq(account))
        .filter(tax::name.eq(name))
        .select(Row::as_select())
        .load(connection)?;
    rows.into_iter().map(Row::tax).collect()
}

/// Where a listing's taxes come from.
pub(crate) fn level_of(connection: &mut Connection, listing: ListingId) -> Result<Level, Error> {
    let level: Option<String> = tax_level::table
        .find(listing)
        .select(tax_level::level)
        .first(connection)
        .optional()?;
    match level {
        None => Ok(Level::default()),
        Some(name) => Level::named(&name)
            .ok_or_else(|| Error::Corrupt(format!("listing {listing}: tax level {name}"))),
    }
}

/// Says where a listing's taxes come from.
pub(crate) fn set_level(
    connection: &mut Connection,
    listing: ListingId,
    level: Level,
) -> Result<(), Error> {
    diesel::delete(tax_level::table.find(listing)).execute(connection)?;
    diesel::insert_into(tax_level::table)
        .values((
            tax_level::listing_id.eq(listing),
            tax_level::level.eq(level.name()),
        ))
        .execute(connection)?;
    Ok(())
}
