//! The access token of a connection: sealed in the books' database, shared by all processes.
//!
//! Who asks for the next token holds a lease on its row, and renews it while it lives. A holder
//! that died keeps the others waiting for a minute at most.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use contract::id::ConnectionId;
use contract::{ObjectId, Timestamp};
use diesel::prelude::*;
use guesty::{Secret, Token, TokenLease, TokenStore, TokenStoreError};
use store::{Clock, Lock, Store, new_id};
use tokio::task::JoinHandle;
use vault::Vault;

use super::Connection;
use crate::schema::access_token;
use crate::{Books, Error};

const LEASE: TimeDelta = TimeDelta::minutes(1);
/// Well before its end, so that one failed renewal does not lose it.
const RENEWAL: Duration = Duration::from_secs(20);
/// How often one looks whether the lease is free.
const LOOK: Duration = Duration::from_millis(200);

/// Where a connection's token is kept.
#[derive(Clone)]
pub(super) struct SharedTokens {
    store: Store,
    vault: Arc<Vault>,
    clock: Arc<dyn Clock>,
    id: ConnectionId,
    context: Arc<str>,
}

impl SharedTokens {
    pub(super) fn new(books: &Books, connection: &Connection) -> Self {
        Self {
            store: books.store().clone(),
            vault: Arc::clone(books.vault()),
            clock: Arc::clone(books.clock()),
            id: connection.id,
            context: connection.context("access_token").into(),
        }
    }

    async fn read(&self) -> Result<Option<Token>, Error> {
        let id = self.id;
        let Some(sealed) = self.store.read(move |c| sealed(c, id)).await? else {
            return Ok(None);
        };
        let text = self.vault.open(&self.context, &sealed)?;
        let corrupt = || Error::Corrupt(format!("the token of connection {id}"));
        let text = std::str::from_utf8(&text).map_err(|_| corrupt())?;
        let token = Token::from_text(&Secret::new(text));
        Ok(Some(token.map_err(|_| corrupt())?))
    }

    fn seal(&self, token: &Token) -> Result<Vec<u8>, Error> {
        let corrupt = |_| Error::Corrupt(format!("the token of connection {}", self.id));
        let text = token.to_text().map_err(corrupt)?;
        Ok(self.vault.seal(&self.context, text.reveal().as_bytes())?)
    }

    /// Takes the lease if nobody has it.
    async fn take(&self, holder: ObjectId) -> Result<bool, Error> {
        let (id, now) = (self.id, self.clock.now());
        let lock = Lock::row("access_token", &id);
        let taken = self.store.write(lock, move |c| {
            let lease = (access_token::holder, access_token::until_ms);
            let row = access_token::table.find(id).select(lease);
            let held: Option<(Option<ObjectId>, Option<Timestamp>)> = row.first(c).optional()?;
            let (_, until) = held.ok_or(Error::Disconnected(id))?;
            if until.is_some_and(|until| now < until) {
                return Ok(false);
            }
            let lease = (
                access_token::holder.eq(holder),
                access_token::until_ms.eq(now + LEASE),
            );
            let row = access_token::table.find(id);
            diesel::update(row).set(lease).execute(c)?;
            Ok(true)
        });
        taken.await
    }

    /// Changes the row, if the lease is still the holder's.
    async fn change(&self, holder: ObjectId, change: Change) -> Result<(), Error> {
        let (id, until) = (self.id, self.clock.now() + LEASE);
        let lock = Lock::row("access_token", &id);
        let done = self.store.write(lock, move |c| {
            let ours = access_token::table.find(id);
            let ours = diesel::update(ours.filter(access_token::holder.eq(holder)));
            let changed = match &change {
                Change::Renew => ours.set(access_token::until_ms.eq(until)).execute(c)?,
                Change::Keep(sealed) => ours.set(access_token::sealed.eq(sealed)).execute(c)?,
                Change::Release => {
                    let nobody = (
                        access_token::holder.eq(None::<ObjectId>),
                        access_token::until_ms.eq(None::<Timestamp>),
                    );
                    ours.set(nobody).execute(c)?
                }
            };
            match changed {
                0 => Err(Error::LeaseLost(id)),
                _ => Ok(()),
            }
        });
        done.await
    }
}

impl Books {
    /// The token of a connection as it is kept.
    pub(super) async fn sealed_token(&self, id: ConnectionId) -> Result<Option<Vec<u8>>, Error> {
        self.store().read(move |c| sealed(c, id)).await
    }

    /// Until when the token of a connection is good, by this machine's clock.
    pub(super) async fn token_expires_at(
        &self,
        id: ConnectionId,
    ) -> Result<Option<Timestamp>, Error> {
        let tokens = SharedTokens::new(self, &self.connection(id).await?);
        Ok(tokens.read().await?.map(|token| token.expires_at))
    }
}

/// After so many tokens of the day, the last is not spent on trying another secret.
const TRIALS: usize = 4;

impl Books {
    /// The token of a connection, sealed, as one whose time is over, so that the next call asks for
    /// another; those of the day stay counted. As it is, if too few are left of the day to try a
    /// secret with.
    pub(super) async fn token_to_retire(
        &self,
        connection: &Connection,
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, Error> {
        let tokens = SharedTokens::new(self, connection);
        let token = match tokens.read().await {
            Ok(Some(token)) => token,
            // One that nobody can open any more helps nobody.
            Ok(None) | Err(Error::Vault(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let is_of_the_day = |&&at: &&Timestamp| now < at + TimeDelta::hours(24);
        if token.issued_of_late.iter().filter(is_of_the_day).count() >= TRIALS {
            return tokens.seal(&token).map(Some);
        }
        let retired = Token {
            expires_at: token.issued_at,
            ..token
        };
        tokens.seal(&retired).map(Some)
    }
}

/// The token as it is kept; none while there never was one.
pub(super) fn sealed(
    c: &mut store::Connection,
    id: ConnectionId,
) -> Result<Option<Vec<u8>>, Error> {
    let row = access_token::table.find(id).select(access_token::sealed);
    let kept: Option<Option<Vec<u8>>> = row.first(c).optional()?;
    kept.ok_or(Error::Disconnected(id))
}

/// What the holder of a lease may change.
enum Change {
    Renew,
    /// The token, sealed.
    Keep(Vec<u8>),
    Release,
}

#[async_trait]
impl TokenStore for SharedTokens {
    async fn load(&self) -> Result<Option<Token>, TokenStoreError> {
        self.read().await.map_err(TokenStoreError::new)
    }

    async fn lock(&self) -> Result<Box<dyn TokenLease>, TokenStoreError> {
        let holder = new_id();
        while !self.take(holder).await.map_err(TokenStoreError::new)? {
            tokio::time::sleep(LOOK).await;
        }
        Ok(Box::new(Lease::new(self.clone(), holder)))
    }
}

/// The lease, renewed until it is dropped.
struct Lease {
    tokens: SharedTokens,
    holder: ObjectId,
    renewing: JoinHandle<()>,
}

impl Lease {
    fn new(tokens: SharedTokens, holder: ObjectId) -> Self {
        let renewed = tokens.clone();
        let renewing = tokio::spawn(async move {
            loop {
                tokio::time::sleep(RENEWAL).await;
                if let Err(error) = renewed.change(holder, Change::Renew).await {
                    tracing::warn!(%error, "the lease on a token was not renewed");
                }
            }
        });
        Self {
            tokens,
            holder,
            renewing,
        }
    }
}

#[async_trait]
impl TokenLease for Lease {
    async fn load(&mut self) -> Result<Option<Token>, TokenStoreError> {
        self.tokens.load().await
    }

    async fn save(&mut self, token: &Token) -> Result<(), TokenStoreError> {
        let kept = self.tokens.seal(token).map_err(TokenStoreError::new)?;
        let done = self.tokens.change(self.holder, Change::Keep(kept)).await;
        done.map_err(TokenStoreError::new)
    }

    async fn release(self: Box<Self>) {
        self.renewing.abort();
        if let Err(error) = self.tokens.change(self.holder, Change::Release).await {
            tracing::warn!(%error, "the lease on a token was not given back; it ends by itself");
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.renewing.abort();
    }
}
