//! Applications: the clients that ask for tokens, known by an id and the hash of a secret.

use std::collections::HashSet;

use contract::Timestamp;
use contract::id::{AccountId, ListingId};
use diesel::prelude::*;
use store::Connection;

use super::account::Account;
use crate::Error;
use crate::schema::{account, application, listing};

/// A client of the API.
#[derive(Debug, Clone)]
pub(crate) struct Application {
    pub(crate) client_id: String,
    pub(crate) account_id: AccountId,
    pub(crate) name: String,
    pub(crate) secret_hash: Vec<u8>,
    pub(crate) scopes: Vec<String>,
    /// The listings it may see; `None`: all of the account's.
    pub(crate) listings: Option<HashSet<ListingId>>,
    pub(crate) created: Timestamp,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = application)]
struct Row {
    id: String,
    account_id: AccountId,
    name: String,
    secret_hash: Vec<u8>,
    scopes: String,
    listings: Option<String>,
    created_ms: Timestamp,
}

impl TryFrom<Row> for Application {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let listings = row
            .listings
            .map(|ids| {
                ids.split_whitespace()
                    .map(|id| {
                        id.parse()
                            .map_err(|_| Error::Corrupt(format!("listing id {id}")))
                    })
                    .collect()
            })
            .transpose()?;
        Ok(Self {
            client_id: row.id,
            account_id: row.account_id,
            name: row.name,
            secret_hash: row.secret_hash,
            scopes: row.scopes.split_whitespace().map(str::to_owned).collect(),
            listings,
            created: row.created_ms,
        })
    }
}

pub(crate) fn insert(connection: &mut Connection, new: &Application) -> Result<(), Error> {
    let listings = new.listings.as_ref().map(|ids| {
        ids.iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" ")
    });
    let row = Row {
        id: new.client_id.clone(),
        account_id: new.account_id,
        name: new.name.clone(),
        secret_hash: new.secret_hash.clone(),
        scopes: new.scopes.join(" "),
        listings,
        created_ms: new.created,
    };
    diesel::insert_into(application::table)
        .values(row)
        .execute(connection)?;
    Ok(())
}

/// An application and the account that it belongs to.
pub(crate) fn with_account(
    connection: &mut Connection,
    client_id: &str,
) -> Result<Option<(Application, Account)>, Error> {
    let found: Option<(Row, Account)> = application::table
        .inner_join(account::table.on(account::id.eq(application::account_id)))
        .filter(application::id.eq(client_id))
        .select((Row::as_select(), Account::as_select()))
        .first(connection)
        .optional()?;
    found
        .map(|(row, account)| Ok((row.try_into()?, account)))
        .transpose()
}

/// Whether an application of the account can be limited to the listing.
pub(crate) fn account_has_listing(
    connection: &mut Connection,
    account_id: AccountId,
    id: ListingId,
) -> Result<bool, Error> {
    let found: i64 = listing::table
        .filter(listing::id.eq(id))
        .filter(listing::account_id.eq(account_id))
        .count()
        .get_result(connection)?;
    Ok(found > 0)
}
