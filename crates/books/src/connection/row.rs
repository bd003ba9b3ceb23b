//! A connection's row.

use contract::Timestamp;
use contract::id::{ConnectionId, PortfolioId};
use diesel::prelude::*;
use guesty::BaseUrl;
use store::{both, new_id};

use crate::Error;
use crate::schema::{access_token, connection, portfolio};

/// A connection as it is kept.
#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = connection)]
pub(super) struct Row {
    pub(super) id: ConnectionId,
    portfolio_id: PortfolioId,
    base_url: String,
    client_id: String,
    pub(super) sealed_secret: Option<Vec<u8>>,
    saved_ms: Timestamp,
}

impl Row {
    /// One that has no secret yet.
    pub(super) fn new(
        portfolio: PortfolioId,
        base_url: &BaseUrl,
        client_id: &str,
        now: Timestamp,
    ) -> Self {
        Self {
            id: new_id(),
            portfolio_id: portfolio,
            base_url: base_url.to_string(),
            client_id: client_id.to_owned(),
            sealed_secret: None,
            saved_ms: now,
        }
    }

    /// The row that stands for the same application, address and portfolio; this one if none does.
    pub(super) fn find_or_add(&self, c: &mut store::Connection) -> Result<Self, Error> {
        let known = portfolio::table
            .find(self.portfolio_id)
            .select(portfolio::id);
        let known: Option<PortfolioId> = known.first(c).optional()?;
        known.ok_or(Error::NoPortfolio(self.portfolio_id))?;
        let insert = diesel::insert_into(connection::table).values(self);
        both!(c, c => insert.on_conflict_do_nothing().execute(c))?;
        let same = connection::table
            .filter(connection::portfolio_id.eq(self.portfolio_id))
            .filter(connection::base_url.eq(&self.base_url))
            .filter(connection::client_id.eq(&self.client_id));
        Ok(both!(c, c => same.select(Self::as_select()).first(c))?)
    }

    pub(super) fn find(c: &mut store::Connection, id: ConnectionId) -> Result<Self, Error> {
        let row = connection::table.find(id);
        let row = both!(c, c => row.select(Self::as_select()).first(c).optional())?;
        row.ok_or(Error::NoConnection(id))
    }

    /// Those of a portfolio, the oldest first: ids ascend.
    pub(super) fn of(c: &mut store::Connection, of: PortfolioId) -> Result<Vec<Self>, Error> {
        let rows = connection::table.filter(connection::portfolio_id.eq(of));
        let rows = rows.order(connection::id);
        Ok(both!(c, c => rows.select(Self::as_select()).load(c))?)
    }

    /// What it says, without the secret.
    pub(super) fn read(self) -> Result<super::Connection, Error> {
        // Whether a network can be trusted was decided by who gave the address.
        let base_url = BaseUrl::on_trusted_network(&self.base_url)
            .map_err(|_| Error::Corrupt(format!("the address of connection {}", self.id)))?;
        Ok(super::Connection {
            id: self.id,
            portfolio: self.portfolio_id,
            base_url,
            client_id: self.client_id,
            is_connected: self.sealed_secret.is_some(),
            saved_at: self.saved_ms,
        })
    }
}

/// Puts a secret into a row, and makes a place for the token.
pub(super) fn keep_secret(
    c: &mut store::Connection,
    id: ConnectionId,
    sealed: &[u8],
    now: Timestamp,
) -> Result<(), Error> {
    set_secret(c, id, Some(sealed), now)?;
    let place = diesel::insert_into(access_token::table).values(access_token::id.eq(id));
    both!(c, c => place.on_conflict_do_nothing().execute(c))?;
    Ok(())
}

/// Removes the secret and the token.
pub(super) fn remove_secret(
    c: &mut store::Connection,
    id: ConnectionId,
    now: Timestamp,
) -> Result<(), Error> {
    set_secret(c, id, None, now)?;
    diesel::delete(access_token::table.find(id)).execute(c)?;
    Ok(())
}

fn set_secret(
    c: &mut store::Connection,
    id: ConnectionId,
    sealed: Option<&[u8]>,
    now: Timestamp,
) -> Result<(), Error> {
    let credentials = (
        connection::sealed_secret.eq(sealed),
        connection::saved_ms.eq(now),
    );
    let row = diesel::update(connection::table.find(id));
    match row.set(credentials).execute(c)? {
        0 => Err(Error::NoConnection(id)),
        _ => Ok(()),
    }
}
