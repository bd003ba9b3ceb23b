//! Catalogs: the taxes and fees that a listing's reservations are priced with.

use contract::id::{AccountId, ListingId};
use contract::tax::{Level, Tax};
use store::Connection;

use super::{fee, tax};
use crate::Error;
use crate::model::pricing::Catalog;

/// A listing's catalog.
pub(crate) fn of(
    connection: &mut Connection,
    account: AccountId,
    listing: ListingId,
) -> Result<Catalog, Error> {
    let taxes = actual_taxes(connection, account, listing)?;
    let of_account = fee::of_level(connection, account, None)?;
    let of_listing = fee::of_level(connection, account, Some(listing))?;
    Ok(Catalog::new(taxes, of_account, of_listing))
}

/// The taxes of a listing, of the level that they are to come from.
pub(crate) fn actual_taxes(
    connection: &mut Connection,
    account: AccountId,
    listing: ListingId,
) -> Result<Vec<Tax>, Error> {
    let level = match tax::level_of(connection, listing)? {
        Level::Account => None,
        Level::UnitType => Some(listing),
    };
    tax::of_level(connection, account, level)
}

/// A catalog as it is kept with a reservation.
pub(crate) fn write(catalog: &Catalog) -> Result<String, Error> {
    serde_json::to_string(catalog)
        .map_err(|error| Error::Corrupt(format!("a catalog cannot be written: {error}")))
}

/// Reads what [`write`] wrote.
pub(crate) fn read(text: &str) -> Result<Catalog, Error> {
    serde_json::from_str(text)
        .map_err(|error| Error::Corrupt(format!("a catalog cannot be read: {error}")))
}
