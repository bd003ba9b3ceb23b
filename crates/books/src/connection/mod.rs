//! Connections: which account is mirrored, and the credentials to reach it.
//!
//! A connection is one account at one address, in one portfolio, and the application that asks. Its
//! secret and its token are sealed for that connection, application and address: a row that was
//! changed to point elsewhere does not open, so no secret is sent where it does not belong. Saving
//! and removing credentials is evidence; the credentials are not.
//!
//! This module refuses to know what is read over a connection.

pub(crate) mod account;
mod disconnect;
mod lights;
mod look;
mod refused;
mod reseal;
mod row;
mod tokens;
mod webhook;

use std::sync::Arc;

use contract::Timestamp;
use contract::id::{AccountId, ConnectionId, PortfolioId};
use guesty::{BaseUrl, Credentials, Settings, WallClock};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use store::Lock;

pub use disconnect::{Disconnected, WebhookLeft};
pub use lights::{Light, Lights, Status};
use row::Row;
use tokens::SharedTokens;
pub use webhook::{EVENTS, InvalidWebhookBase, Subscription, WebhookBase};

use crate::evidence::{Chain, Kind, NewRecord};
use crate::{Books, Error};

const CREDENTIAL_CHARACTERS_MAX: usize = 1_000;

/// A connection, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Connection {
    /// Its id, and that of its chain.
    pub id: ConnectionId,
    /// Where it belongs.
    pub portfolio: PortfolioId,
    /// Where the API is.
    #[serde(serialize_with = "as_text")]
    pub base_url: BaseUrl,
    /// Which application of the account asks.
    pub client_id: String,
    /// Which account that is; unknown until the source has told.
    pub account: Option<AccountId>,
    /// Under which address the source reaches us, if it is not the server's own.
    pub webhook_base: Option<WebhookBase>,
    /// Whether it has credentials.
    pub is_connected: bool,
    /// When credentials were last saved or removed.
    pub saved_at: Timestamp,
}

impl Books {
    /// Saves credentials. A connection of the portfolio that has this address and client id gets
    /// the secret, and keeps its evidence. So does one to the same account at this address, as far
    /// as the source can be asked now which account that is. Else there is a new one.
    ///
    /// The token stays if the secret is the same. Another secret is tried with the next call.
    pub async fn connect(
        &self,
        portfolio: PortfolioId,
        base_url: &BaseUrl,
        credentials: &Credentials,
    ) -> Result<Connection, Error> {
        check(credentials)?;
        match self.save(portfolio, base_url, credentials).await {
            // Somebody who saved them too has just handed them over to the account's connection.
            Err(Error::NoConnection(_) | Error::Disconnected(_)) => {
                self.save(portfolio, base_url, credentials).await
            }
            saved => saved,
        }
    }

    async fn save(
        &self,
        portfolio: PortfolioId,
        base_url: &BaseUrl,
        credentials: &Credentials,
    ) -> Result<Connection, Error> {
        let now = self.clock().now();
        let fresh = Row::new(portfolio, base_url, &credentials.client_id, now);
        let found = self
            .store()
            .write(Lock::none(), move |c| fresh.find_or_add(c));
        let found = found.await?;
        let before = found.sealed_secret.clone();
        let connection = found.read()?;

        let secret = credentials.client_secret.reveal();
        let context = connection.context("client_secret");
        let sealed = self.vault().seal(&context, secret.as_bytes())?;
        let is_same = |before: &Vec<u8>| {
            let open = self.vault().open(&context, before);
            open.is_ok_and(|open| *open == secret.as_bytes())
        };
        let token = if before.as_ref().is_none_or(is_same) {
            None
        } else {
            Some(self.token_to_retire(&connection, now).await?)
        };
        let chain = self.begin_chain(connection.id).await?;
        let record = connection.setting("connected", now)?;
        let save = change(self, &chain, record, move |c| {
            row::keep_secret(c, connection.id, &sealed, now)?;
            match &token {
                Some(token) => row::put_token(c, connection.id, token.as_deref()),
                None => Ok(()),
            }
        });
        save.await?;
        let id = self.go_on_with_account(connection.id).await?;
        self.connection(id).await
    }

    /// Sets under which address the source reaches us, or that it is the server's own. The next
    /// look at the lights moves the webhook there.
    pub async fn set_webhook_base(
        &self,
        id: ConnectionId,
        base: Option<&WebhookBase>,
    ) -> Result<Connection, Error> {
        let connection = self.connection(id).await?;
        if connection.webhook_base.as_ref() == base {
            return Ok(connection);
        }
        let base = base.map(ToString::to_string);
        let setting = json!({"state": "addressed", "base": base}).to_string();
        let now = self.clock().now();
        let record = NewRecord::new(Kind::Setting, "webhook", now, setting.as_bytes())?;
        let chain = self.begin_chain(id).await?;
        let save = change(self, &chain, record, move |c| {
            row::keep_webhook_base(c, id, base.as_deref())
        });
        save.await?;
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

    /// How to reach the account, with a token that all processes on these books share. What is to
    /// be mirrored is read through a [`reader`](Self::reader).
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

fn as_text<S: Serializer>(text: &impl ToString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&text.to_string())
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
