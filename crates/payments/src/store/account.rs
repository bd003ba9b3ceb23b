//! Accounts: the tenants, each with a business clock of its own.

use chrono::Duration;
use contract::Timestamp;
use contract::id::AccountId;
use diesel::prelude::*;
use store::Connection;

use crate::Error;
use crate::schema::account;

/// A tenant.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = account)]
pub(crate) struct Account {
    pub(crate) id: AccountId,
    pub(crate) name: String,
    pub(crate) currency: String,
    pub(crate) timezone: String,
    pub(crate) clock_offset_ms: i64,
    pub(crate) created_ms: Timestamp,
}

impl Account {
    /// The account's business time at an instant of wall time.
    pub(crate) fn business_time(&self, wall: Timestamp) -> Timestamp {
        wall + Duration::milliseconds(self.clock_offset_ms)
    }
}

pub(crate) fn insert(connection: &mut Connection, account: &Account) -> Result<(), Error> {
    diesel::insert_into(account::table)
        .values(account)
        .execute(connection)?;
    Ok(())
}

pub(crate) fn find(connection: &mut Connection, id: AccountId) -> Result<Option<Account>, Error> {
    Ok(account::table
        .find(id)
        .select(Account::as_select())
        .first(connection)
        .optional()?)
}

/// Moves an account's clock.
pub(crate) fn set_clock(
    connection: &mut Connection,
    id: AccountId,
    offset_ms: i64,
) -> Result<(), Error> {
    diesel::update(account::table.find(id))
        .set(account::clock_offset_ms.eq(offset_ms))
        .execute(connection)?;
    Ok(())
}

/// Whether there is an account: what a database that can be read knows.
pub(crate) fn is_there_any(connection: &mut Connection) -> Result<bool, Error> {
    let first: Option<AccountId> = account::table
        .select(account::id)
        .first(connection)
        .optional()?;
    Ok(first.is_some())
}

/// The ids of the first accounts, in the order they were made.
pub(crate) fn ids(connection: &mut Connection, limit: i64) -> Result<Vec<AccountId>, Error> {
    Ok(account::table
        .order((account::created_ms, account::id))
        .limit(limit)
        .select(account::id)
        .load(connection)?)
}
