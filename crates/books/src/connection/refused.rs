//! Connections that never worked, such as those of a mistyped client id: they are taken away once
//! another at the same address works, so that nobody has to say which one is meant.

use std::sync::Arc;

use contract::id::ConnectionId;
use guesty::{Guesty, Problem};

use super::row::{self, Row};
use super::{Connection, look, tokens};
use crate::{Books, Error};

impl Books {
    /// Takes away the connections of the same portfolio and address that never had a token and whose
    /// credentials the source refuses still. Their chains stay.
    pub async fn remove_refused(&self, id: ConnectionId) -> Result<Vec<Connection>, Error> {
        let working = self.connection(id).await?;
        let portfolio = working.portfolio;
        let rows = self.store().read(move |c| Row::of(c, portfolio)).await?;
        let mut removed = Vec::new();
        for row in rows {
            let Some(secret) = row.sealed_secret.clone() else {
                continue;
            };
            let other = row.read()?;
            let is_beside = other.id != id && other.base_url == working.base_url;
            if is_beside
                && self.never_worked(&other, &secret).await?
                && self.is_refused(&other).await?
                && self.remove(&other, secret).await?
            {
                removed.push(other);
            }
        }
        Ok(removed)
    }

    async fn never_worked(&self, connection: &Connection, secret: &[u8]) -> Result<bool, Error> {
        let (id, secret) = (connection.id, secret.to_vec());
        let read = self.store().read(move |c| never_worked(c, id, &secret));
        read.await
    }

    /// Whether the source says that these credentials are none: one that cannot be asked does not.
    async fn is_refused(&self, connection: &Connection) -> Result<bool, Error> {
        let way = match self.way(connection.id).await {
            Ok(way) => look::hasty(way),
            Err(Error::NoConnection(_) | Error::Disconnected(_)) => return Ok(false),
            Err(error) => return Err(error),
        };
        let Ok(guesty) = Guesty::new(way) else {
            return Ok(false);
        };
        let asked = guesty.reader().account_id().await;
        Ok(asked.is_err_and(|error| matches!(error.problem, Problem::Credentials(_))))
    }

    /// Unless somebody has given it other credentials meanwhile.
    async fn remove(&self, connection: &Connection, secret: Vec<u8>) -> Result<bool, Error> {
        let id = connection.id;
        let chain = self.begin_chain(id).await?;
        let record = connection.setting("disconnected", self.clock().now())?;
        let signer = Arc::clone(&chain.signer);
        let remove = self.store().write(chain.lock(), move |c| {
            if !never_worked(c, id, &secret)? {
                return Ok(false);
            }
            crate::evidence::append(c, &signer, id, [&record])?;
            row::take_away(c, id)?;
            Ok::<_, Error>(true)
        });
        remove.await
    }
}

/// Whether a connection has these credentials, and never had a token with them.
fn never_worked(c: &mut store::Connection, id: ConnectionId, secret: &[u8]) -> Result<bool, Error> {
    let row = match Row::find(c, id) {
        Err(Error::NoConnection(_)) => return Ok(false),
        row => row?,
    };
    let has_these = row.sealed_secret.as_deref() == Some(secret);
    Ok(has_these && row.account_id.is_none() && tokens::sealed(c, id)?.is_none())
}
