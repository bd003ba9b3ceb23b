//! Connections: which account is mirrored, and the credentials to reach it.
//!
//! A connection is one application of an account, at one address, in one portfolio. Its secret and
//! its token are sealed for that connection, application and address: a row that was changed to
//! point elsewhere does not open, so no secret is sent where it does not belong. Saving and
//! removing credentials is evidence; the credentials are not.
//!
//! This module refuses to know what is read over a connection.

mod lights;
mod row;
mod tokens;

use std::sync::Arc;

use contract::Timestamp;
use contract::id::{ConnectionId, PortfolioId};
use guesty::{BaseUrl, Credentials, Settings, WallClock};
use serde_json::{Value, json};
use store::Lock;

pub use lights::{Light, Lights};
use row::Row;
use tokens::SharedTokens;

use crate::evidence::{Chain, Kind, NewRecord};
use crate::{Books, Error};

const CREDENTIAL_CHARACTERS_MAX: usize = 1_000;

/// A connection, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Its id, and that of its chain.
    pub id: ConnectionId,
    /// Where it belongs.
    pub portfolio: PortfolioId,
    /// Where the API is.
    pub base_url: BaseUrl,
    /// Which application of the account asks.
    pub client_id: String,
    /// Whether it has credentials.
    pub is_connected: bool,
    /// When credentials were last saved or removed.
    pub saved_at: Timestamp,
}

impl Books {
    /// Saves credentials. A connection of the portfolio that has this address and client id gets
    /// the secret, and keeps its evidence and its token; else there is a new one.
    pub async fn connect(
        &self,
        portfolio: PortfolioId,
        base_url: &BaseUrl,
        credentials: &Credentials,
    ) -> Result<Connection, Error> {
        check(credentials)?;
        let now = self.clock().now();
        let fresh = Row::new(portfolio, base_url, &credentials.client_id, now);
        let found = self
            .store()
            .write(Lock::none(), move |c| fresh.find_or_add(c));
        let connection = found.await?.read()?;

        let secret = credentials.client_secret.reveal();
        let context = connection.context("client_secret");
        let sealed = self.vault().seal(&context, secret.as_bytes())?;
        let chain = self.begin_chain(connection.id).await?;
        let record = connection.setting("connected", now)?;
        let save = change(self, &chain, record, move |c| {
            row::keep_secret(c, connection.id, &sealed, now)
        });
        save.await?;
        self.connection(connection.id).await
    }

    /// Removes the credentials and the token; the evidence and the mirror stay. Connecting again
    /// with the same client id goes on with the same connection.
    pub async fn disconnect(&self, id: ConnectionId) -> Result<Connection, Error> {
        let connection = self.connection(id).await?;
        if !connection.is_connected {
            return Ok(connection);
        }
        let now = self.clock().now();
        let chain = self.chain(id).await?;
        let record = connection.setting("disconnected", now)?;
        change(self, &chain, record, move |c| {
            row::remove_secret(c, id, now)
        })
        .await?;
        self.connection(id).await
    }

    /// One connection.
    pub async fn connection(&self, id: ConnectionId) -> Result<Connection, Error> {
        self.row(id).await?.read()
    }

    /// The connections of a portfolio, the oldest first.
    pub async fn connections(&self, portfolio: PortfolioId) -> Result<Vec<Connection>, Error> {
        let rows = self.store().read(move |c| Row::of(c, portfolio)).await?;
        rows.into_iter().map(Row::read).collect()
    }

    /// How to reach the account, with a token that all processes on these books share.
    pub async fn way(&self, id: ConnectionId) -> Result<Settings, Error> {
        let row = self.row(id).await?;
        let sealed = row.sealed_secret.clone().ok_or(Error::Disconnected(id))?;
        let connection = row.read()?;
        let secret = self
            .vault()
            .open(&connection.context("client_secret"), &sealed)?;
        let secret = std::str::from_utf8(&secret)
            .map_err(|_| Error::Corrupt(format!("the secret of connection {id}")))?;
        let clock = Arc::clone(self.clock());
        Ok(Settings {
            base_url: connection.base_url.clone(),
            tokens: Arc::new(SharedTokens::new(self, &connection)),
            clock: WallClock::new(move || clock.now()),
            ..Settings::new(Credentials::new(&connection.client_id, secret))
        })
    }

    async fn row(&self, id: ConnectionId) -> Result<Row, Error> {
        self.store().read(move |c| Row::find(c, id)).await
    }
}

impl Connection {
    /// Where a secret is kept and what it is for, so that it opens for nothing else.
    fn context(&self, secret: &str) -> String {
        let (id, application, address) = (self.id, &self.client_id, &self.base_url);
        format!("books.{secret}/{id} of {application} at {address}")
    }

    fn setting(&self, state: &str, at: Timestamp) -> Result<NewRecord, Error> {
        let setting: Value = json!({
            "state": state,
            "portfolio": self.portfolio,
            "baseUrl": self.base_url.to_string(),
            "clientId": self.client_id,
        });
        NewRecord::new(
            Kind::Setting,
            "connection",
            at,
            setting.to_string().as_bytes(),
        )
    }
}

/// Appends a setting and makes the change that it tells of, in one transaction.
async fn change(
    books: &Books,
    chain: &Chain,
    record: NewRecord,
    work: impl Fn(&mut store::Connection) -> Result<(), Error> + Send + 'static,
) -> Result<(), Error> {
    let (id, signer) = (chain.id, Arc::clone(&chain.signer));
    let write = books.store().write(chain.lock(), move |c| {
        crate::evidence::append(c, &signer, id, [&record])?;
        work(c)
    });
    write.await
}

fn check(credentials: &Credentials) -> Result<(), Error> {
    let is_good = |text: &str| {
        let length = text.chars().count();
        let is_odd = |c: char| c.is_whitespace() || c.is_control();
        (1..=CREDENTIAL_CHARACTERS_MAX).contains(&length) && !text.contains(is_odd)
    };
    if !is_good(&credentials.client_id) {
        return Err(Error::Credentials("client id"));
    }
    if !is_good(credentials.client_secret.reveal()) {
        return Err(Error::Credentials("client secret"));
    }
    Ok(())
}
