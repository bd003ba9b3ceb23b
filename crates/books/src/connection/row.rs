//! A connection's row.

use contract::Timestamp;
use contract::id::{AccountId, ConnectionId, PortfolioId};
use diesel::prelude::*;
use guesty::BaseUrl;
use store::{Lock, both, new_id};

use super::Lights;
use super::webhook::Place;
use crate::Error;
use crate::schema::{access_token, connection, inbox_sweep, portfolio};

/// A connection as it is kept.
#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = connection)]
pub(super) struct Row {
    pub(super) id: ConnectionId,
    pub(super) portfolio_id: PortfolioId,
    base_url: String,
    client_id: String,
    pub(super) sealed_secret: Option<Vec<u8>>,
    saved_ms: Timestamp,
    pub(super) account_id: Option<AccountId>,
    webhook_base: Option<String>,
    lights: Option<String>,
    pub(super) looked_ms: Option<Timestamp>,
    told_account_id: Option<AccountId>,
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
            account_id: None,
            webhook_base: None,
            lights: None,
            looked_ms: None,
            told_account_id: None,
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

    /// Some of them all, in the order of their ids.
    pub(super) fn after(
        c: &mut store::Connection,
        id: Option<ConnectionId>,
        at_most: i64,
    ) -> Result<Vec<Self>, Error> {
        let id = id.map(|id| id.to_string()).unwrap_or_default();
        let rows = connection::table.filter(connection::id.gt(id));
        let rows = rows.order(connection::id).limit(at_most);
        Ok(both!(c, c => rows.select(Self::as_select()).load(c))?)
    }

    /// The accounts that other connections of the portfolio mirror from the same address.
    pub(super) fn other_accounts(
        &self,
        c: &mut store::Connection,
    ) -> Result<Vec<(ConnectionId, AccountId)>, Error> {
        let others = connection::table
            .filter(connection::portfolio_id.eq(self.portfolio_id))
            .filter(connection::base_url.eq(&self.base_url))
            .filter(connection::id.ne(self.id))
            .select((connection::id, connection::account_id.assume_not_null()))
            .filter(connection::account_id.is_not_null());
        Ok(others.load(c)?)
    }

    /// What it says, without the secret.
    pub(super) fn read(self) -> Result<super::Connection, Error> {
        let corrupt = |what: &str| Error::Corrupt(format!("the {what} of connection {}", self.id));
        // Whether a network can be trusted was decided by who gave the address.
        let base_url =
            BaseUrl::on_trusted_network(&self.base_url).map_err(|_| corrupt("address"))?;
        let webhook_base = self.webhook_base.as_deref().map(str::parse).transpose();
        Ok(super::Connection {
            id: self.id,
            portfolio: self.portfolio_id,
            base_url,
            webhook_base: webhook_base.map_err(|_| corrupt("webhook address"))?,
            account: self.account_id,
            is_connected: self.sealed_secret.is_some(),
            saved_at: self.saved_ms,
            client_id: self.client_id,
        })
    }

    /// How it looked when somebody last looked.
    pub(super) fn lights(&self) -> Result<Option<Lights>, Error> {
        let lights = self.lights.as_deref().map(serde_json::from_str);
        let corrupt = |_| Error::Corrupt(format!("the lights of connection {}", self.id));
        lights.transpose().map_err(corrupt)
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
        // Other credentials may be told another id of the account.
        connection::told_account_id.eq(None::<AccountId>),
    );
    let row = diesel::update(connection::table.find(id));
    match row.set(credentials).execute(c)? {
        0 => Err(Error::NoConnection(id)),
        _ => Ok(()),
    }
}

/// Keeps under which address the source reaches us.
pub(super) fn keep_webhook_base(
    c: &mut store::Connection,
    id: ConnectionId,
    base: Option<&str>,
) -> Result<(), Error> {
    let row = diesel::update(connection::table.find(id));
    row.set(connection::webhook_base.eq(base)).execute(c)?;
    Ok(())
}

/// Keeps how it looks.
pub(super) fn keep_lights(
    c: &mut store::Connection,
    id: ConnectionId,
    lights: &str,
    at: Timestamp,
) -> Result<(), Error> {
    let looks = (connection::lights.eq(lights), connection::looked_ms.eq(at));
    let row = diesel::update(connection::table.find(id));
    row.set(looks).execute(c)?;
    Ok(())
}

/// Keeps which account it is, unless that is not as it should be.
pub(super) fn keep_account(
    c: &mut store::Connection,
    id: ConnectionId,
    found: AccountId,
) -> Result<(), Error> {
    let row = Row::find(c, id)?;
    if let Some(known) = row.account_id {
        return row.is_account(known, found);
    }
    let others = row.other_accounts(c)?;
    if let Some((by, _)) = others.into_iter().find(|(_, account)| *account == found) {
        return Err(Error::AccountTaken { connection: id, by });
    }
    let row = diesel::update(connection::table.find(id));
    row.set(connection::account_id.eq(found)).execute(c)?;
    Ok(())
}

/// The account that the tokens of a connection name, and the one that its credentials are told of,
/// as far as they are known.
pub(super) fn known_accounts(
    c: &mut store::Connection,
    id: ConnectionId,
) -> Result<(Option<AccountId>, Option<AccountId>), Error> {
    let accounts = (connection::account_id, connection::told_account_id);
    let row = connection::table.find(id).select(accounts);
    Ok(row.first(c).optional()?.unwrap_or_default())
}

/// Keeps of which account its credentials are told, unless that is known.
pub(super) fn keep_told_account(
    c: &mut store::Connection,
    id: ConnectionId,
    told: AccountId,
) -> Result<(), Error> {
    let row = connection::table.find(id);
    let row = diesel::update(row.filter(connection::told_account_id.is_null()));
    row.set(connection::told_account_id.eq(told)).execute(c)?;
    Ok(())
}

impl Row {
    /// Whether the account that was found is the one that is known.
    pub(super) fn is_account(&self, known: AccountId, found: AccountId) -> Result<(), Error> {
        is_account(self.id, known, found)
    }
}

/// Whether the account that was found is the one that is known of a connection.
pub(super) fn is_account(
    connection: ConnectionId,
    known: AccountId,
    found: AccountId,
) -> Result<(), Error> {
    if known == found {
        return Ok(());
    }
    Err(Error::AnotherAccount {
        connection,
        known,
        found,
    })
}

/// What a connection hands over to another.
pub(super) struct Credentials {
    pub(super) client_id: String,
    pub(super) sealed_secret: Vec<u8>,
    pub(super) sealed_token: Option<Vec<u8>>,
}

/// Takes a connection away that has mirrored nothing.
pub(super) fn take_away(c: &mut store::Connection, id: ConnectionId) -> Result<(), Error> {
    // Whoever is about to plan a sweep of it ends that first.
    Lock::row("connection", &id).take(c)?;
    diesel::delete(inbox_sweep::table.find(id)).execute(c)?;
    diesel::delete(access_token::table.find(id)).execute(c)?;
    Place::remove(c, id)?;
    diesel::delete(inbox_sweep::table.find(id)).execute(c)?;
    diesel::delete(connection::table.find(id)).execute(c)?;
    Ok(())
}

/// Gives a connection the credentials of another, which is taken away.
pub(super) fn hand_over(
    c: &mut store::Connection,
    from: ConnectionId,
    to: ConnectionId,
    credentials: &Credentials,
    now: Timestamp,
) -> Result<(), Error> {
    take_away(c, from)?;
    keep_secret(c, to, &credentials.sealed_secret, now)?;
    let row = diesel::update(connection::table.find(to));
    row.set(connection::client_id.eq(&credentials.client_id))
        .execute(c)?;
    put_token(c, to, credentials.sealed_token.as_deref())
}

/// Puts a token in the place of another. Whoever is about to ask for one with what was kept before
/// loses the right to keep it.
pub(super) fn put_token(
    c: &mut store::Connection,
    id: ConnectionId,
    sealed: Option<&[u8]>,
) -> Result<(), Error> {
    let token = (
        access_token::sealed.eq(sealed),
        access_token::holder.eq(None::<String>),
        access_token::until_ms.eq(None::<Timestamp>),
    );
    let place = diesel::update(access_token::table.find(id));
    place.set(token).execute(c)?;
    Ok(())
}
