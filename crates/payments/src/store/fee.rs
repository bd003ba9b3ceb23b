//! Additional fees of the catalog.

use contract::Timestamp;
use contract::fee::{AdditionalFee, FeeTerms};
use contract::id::{AccountId, FeeId, ListingId};
use diesel::prelude::*;
use store::Connection;

use super::scope::Scope;
use crate::Error;
use crate::schema::additional_fee;

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = additional_fee, treat_none_as_null = true)]
struct Row {
    id: FeeId,
    account_id: AccountId,
    listing_id: Option<ListingId>,
    terms: String,
    updated_ms: Timestamp,
}

impl Row {
    fn of(fee: &AdditionalFee, now: Timestamp) -> Result<Self, Error> {
        let unwritable = |error| Error::Corrupt(format!("a fee cannot be written: {error}"));
        Ok(Self {
            id: fee.id,
            account_id: fee.account_id,
            listing_id: fee.listing_id,
            terms: serde_json::to_string(&fee.terms).map_err(unwritable)?,
            updated_ms: now,
        })
    }

    fn fee(self) -> Result<AdditionalFee, Error> {
        let terms: FeeTerms = serde_json::from_str(&self.terms)
            .map_err(|error| Error::Corrupt(format!("fee {}: {error}", self.id)))?;
        Ok(AdditionalFee {
            id: self.id,
            account_id: self.account_id,
            listing_id: self.listing_id,
            terms,
        })
    }
}

pub(crate) fn insert(
    connection: &mut Connection,
    new: &AdditionalFee,
    now: Timestamp,
) -> Result<(), Error> {
    diesel::insert_into(additional_fee::table)
        .values((Row::of(new, now)?, additional_fee::created_ms.eq(now)))
        .execute(connection)?;
    Ok(())
}

pub(crate) fn update(
    connection: &mut Connection,
    new: &AdditionalFee,
    now: Timestamp,
) -> Result<(), Error> {
    diesel::update(additional_fee::table.find(new.id))
        .set(Row::of(new, now)?)
        .execute(connection)?;
    Ok(())
}

pub(crate) fn delete(connection: &mut Connection, id: FeeId) -> Result<(), Error> {
    diesel::delete(additional_fee::table.find(id)).execute(connection)?;
    Ok(())
}

/// A fee of the account or of a listing that the caller may see.
pub(crate) fn find(
    connection: &mut Connection,
    scope: &Scope,
    id: FeeId,
) -> Result<Option<AdditionalFee>, Error> {
    let row: Option<Row> = additional_fee::table
        .find(id)
        .filter(additional_fee::account_id.eq(scope.account))
        .select(Row::as_select())
        .first(connection)
        .optional()?;
    let found = row.map(Row::fee).transpose()?;
    Ok(found.filter(|fee| fee.listing_id.is_none_or(|listing| scope.covers(listing))))
}

/// The fees of a listing, or of the account, in the order of their making.
pub(crate) fn of_level(
    connection: &mut Connection,
    account: AccountId,
    listing: Option<ListingId>,
) -> Result<Vec<AdditionalFee>, Error> {
    let of_account = additional_fee::table
        .filter(additional_fee::account_id.eq(account))
        .order((additional_fee::created_ms, additional_fee::id))
        .select(Row::as_select());
    let rows: Vec<Row> = match listing {
        Some(listing) => of_account
            .filter(additional_fee::listing_id.eq(listing))
            .load(connection)?,
        None => of_account
            .filter(additional_fee::listing_id.is_null())
            .load(connection)?,
    };
    rows.into_iter().map(Row::fee).collect()
}
