//! Portfolios that accounts were given, and what there is in them.

use contract::Timestamp;
use contract::id::AccountId;
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use money::{Currency, Money};
use store::Connection;

use crate::Error;
use crate::schema::{guest, listing, portfolio};

/// A portfolio, as it was ordered.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = portfolio)]
pub(crate) struct Portfolio {
    #[diesel(column_name = account_id)]
    pub(crate) account: AccountId,
    pub(crate) seed: String,
    pub(crate) listings: i64,
    pub(crate) reservations: i64,
    pub(crate) from_ms: Timestamp,
    pub(crate) until_ms: Timestamp,
    pub(crate) is_finished: bool,
}

pub(crate) fn insert(connection: &mut Connection, new: &Portfolio) -> Result<(), Error> {
    diesel::insert_into(portfolio::table)
        .values(new)
        .execute(connection)?;
    Ok(())
}

pub(crate) fn find(
    connection: &mut Connection,
    account: AccountId,
) -> Result<Option<Portfolio>, Error> {
    Ok(portfolio::table
        .find(account)
        .select(Portfolio::as_select())
        .first(connection)
        .optional()?)
}

/// One that is not finished, of any account.
pub(crate) fn unfinished(connection: &mut Connection) -> Result<Option<Portfolio>, Error> {
    Ok(portfolio::table
        .filter(portfolio::is_finished.eq(false))
        .select(Portfolio::as_select())
        .first(connection)
        .optional()?)
}

pub(crate) fn finish(connection: &mut Connection, account: AccountId) -> Result<(), Error> {
    diesel::update(portfolio::table.find(account))
        .set(portfolio::is_finished.eq(true))
        .execute(connection)?;
    Ok(())
}

/// Whether an account has listings or guests already.
pub(crate) fn is_in_use(connection: &mut Connection, account: AccountId) -> Result<bool, Error> {
    let listings = listing::table.filter(listing::account_id.eq(account));
    let guests = guest::table.filter(guest::account_id.eq(account));
    Ok(diesel::select(exists(listings).or(exists(guests))).get_result(connection)?)
}

/// How many there are of a kind.
#[derive(Debug, QueryableByName)]
pub(crate) struct Count {
    #[diesel(sql_type = Text)]
    pub(crate) name: String,
    #[diesel(sql_type = BigInt)]
    pub(crate) count: i64,
}

/// Reservations by status, payments and refunds by state, transactions and payouts by what they are.
pub(crate) fn counts(
    connection: &mut Connection,
    account: AccountId,
) -> Result<Vec<(&'static str, Vec<Count>)>, Error> {
    // An id is hex digits only.
    let tables = [
        ("reservations", "status", "reservation"),
        ("payments", "state", "payment"),
        ("refunds", "state", "refund"),
        ("transactions", "kind", "processor_transaction"),
        ("payouts", "status", "payout"),
    ];
    let count = |(what, column, table)| {
        let query = format!(
            "SELECT {column} AS name, COUNT(*) AS count FROM {table} \
             WHERE account_id = '{account}' GROUP BY {column} ORDER BY {column}"
        );
        Ok((what, diesel::sql_query(query).load(connection)?))
    };
    tables.into_iter().map(count).collect()
}

#[derive(QueryableByName)]
struct SumRow {
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = BigInt)]
    total: i64,
    #[diesel(sql_type = BigInt)]
    paid: i64,
    #[diesel(sql_type = BigInt)]
    refunded: i64,
    #[diesel(sql_type = BigInt)]
    paid_out: i64,
}

/// What reservations of a currency come to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sums {
    pub(crate) total: Money,
    pub(crate) paid: Money,
    pub(crate) refunded: Money,
    pub(crate) paid_out: Money,
}

/// What an account's reservations and payouts come to, by currency.
pub(crate) fn sums(connection: &mut Connection, account: AccountId) -> Result<Vec<Sums>, Error> {
    let query = format!(
        "SELECT currency, CAST(SUM(total_minor) AS BIGINT) AS total, \
         CAST(SUM(paid_minor) AS BIGINT) AS paid, \
         CAST(SUM(refunded_minor) AS BIGINT) AS refunded, \
         CAST(COALESCE((SELECT SUM(amount_minor) FROM payout WHERE payout.account_id = '{account}' \
         AND payout.currency = reservation.currency AND payout.status = 'Processed'), 0) \
         AS BIGINT) AS paid_out \
         FROM reservation WHERE account_id = '{account}' GROUP BY currency ORDER BY currency"
    );
    let rows: Vec<SumRow> = diesel::sql_query(query).load(connection)?;
    let read = |row: SumRow| {
        let unreadable = |_| Error::Corrupt(format!("currency {}", row.currency));
        let currency: Currency = row.currency.parse().map_err(unreadable)?;
        let money = |minor| Money::from_minor(minor, currency);
        Ok(Sums {
            total: money(row.total),
            paid: money(row.paid),
            refunded: money(row.refunded),
            paid_out: money(row.paid_out),
        })
    };
    rows.into_iter().map(read).collect()
}
