//! Sealing anew, under the vault's first key, what stands under a former one.

use contract::id::ConnectionId;
use diesel::prelude::*;
use store::{Lock, both};

use super::row::Row;
use super::webhook;
use crate::schema::{access_token, chain, connection, webhook as webhooks};
use crate::{Books, Error, evidence};

/// How many connections are read, and sealed anew in one transaction.
const AT_ONCE: i64 = 100;

/// A secret that is to be put in the place of what was sealed before.
struct Resealed {
    id: ConnectionId,
    place: Place,
    before: Vec<u8>,
    after: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Place {
    ChainKey,
    ClientSecret,
    AccessToken,
    WebhookSecret,
}

/// The sealed secrets of a connection, and what each is bound to.
type Sealed = Vec<(ConnectionId, Place, String, Vec<u8>)>;

impl Books {
    /// Seals anew what is not under the vault's first key yet; says how much that was. Afterwards
    /// the former keys open nothing here any more. After an interruption it goes on where it was.
    pub async fn reseal(&self) -> Result<usize, Error> {
        let mut count = 0;
        let mut after = None;
        loop {
            let chains = self.store().read(move |c| chain_keys(c, after));
            let chains = chains.await?;
            let Some((last, ..)) = chains.last() else {
                break;
            };
            after = Some(*last);
            count += self.reseal_some(chains).await?;
        }
        let mut after = None;
        loop {
            let rows = self.store().read(move |c| {
                let rows = Row::after(c, after, AT_ONCE)?;
                let last = rows.last().map(|row| row.id);
                Ok::<_, Error>((last, secrets(c, rows)?))
            });
            let (last, sealed) = rows.await?;
            if last.is_none() {
                return Ok(count);
            }
            after = last;
            count += self.reseal_some(sealed).await?;
        }
    }

    async fn reseal_some(&self, sealed: Sealed) -> Result<usize, Error> {
        let mut resealed = Vec::new();
        for (id, place, context, before) in sealed {
            if self.vault().needs_rotation(&before) {
                resealed.push(Resealed {
                    id,
                    place,
                    after: self.vault().rotate(&context, &before)?,
                    before,
                });
            }
        }
        if resealed.is_empty() {
            return Ok(0);
        }
        let put = self.store().write(Lock::none(), move |c| {
            let mut count = 0;
            for secret in &resealed {
                count += secret.put(c)?;
            }
            Ok::<_, Error>(count)
        });
        put.await
    }
}

impl Resealed {
    /// Puts it in its place, unless something else stands there now.
    fn put(&self, c: &mut store::Connection) -> Result<usize, Error> {
        let (id, before, after) = (self.id, self.before.as_slice(), self.after.as_slice());
        Ok(match self.place {
            Place::ChainKey => {
                let row = chain::table.find(id).filter(chain::sealed_key.eq(before));
                diesel::update(row)
                    .set(chain::sealed_key.eq(after))
                    .execute(c)?
            }
            Place::ClientSecret => {
                let row = connection::table.find(id);
                let row = row.filter(connection::sealed_secret.eq(before));
                let change = connection::sealed_secret.eq(after);
                diesel::update(row).set(change).execute(c)?
            }
            Place::AccessToken => {
                let row = access_token::table.find(id);
                let row = row.filter(access_token::sealed.eq(before));
                diesel::update(row)
                    .set(access_token::sealed.eq(after))
                    .execute(c)?
            }
            Place::WebhookSecret => {
                let row = webhooks::table.find(id);
                let row = row.filter(webhooks::sealed_secret.eq(before));
                let change = webhooks::sealed_secret.eq(after);
                diesel::update(row).set(change).execute(c)?
            }
        })
    }
}

fn chain_keys(c: &mut store::Connection, after: Option<ConnectionId>) -> Result<Sealed, Error> {
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let keys = chain::table
        .filter(chain::id.gt(after))
        .order(chain::id)
        .select((chain::id, chain::sealed_key))
        .limit(AT_ONCE);
    let keys: Vec<(ConnectionId, Vec<u8>)> = both!(c, c => keys.load(c))?;
    let keys = keys.into_iter();
    Ok(keys
        .map(|(id, key)| (id, Place::ChainKey, evidence::key_context(id), key))
        .collect())
}

fn secrets(c: &mut store::Connection, rows: Vec<Row>) -> Result<Sealed, Error> {
    let mut sealed = Vec::new();
    for row in rows {
        let (id, secret) = (row.id, row.sealed_secret.clone());
        let connection = row.read()?;
        if let Some(secret) = secret {
            let context = connection.context("client_secret");
            sealed.push((id, Place::ClientSecret, context, secret));
        }
        let token = access_token::table.find(id).select(access_token::sealed);
        if let Some(token) = token.first::<Option<Vec<u8>>>(c).optional()?.flatten() {
            let context = connection.context("access_token");
            sealed.push((id, Place::AccessToken, context, token));
        }
        let secret = webhooks::table.find(id);
        let secret = secret.select((webhooks::sealed_secret, webhooks::url));
        let secret: Option<(Option<Vec<u8>>, Option<String>)> = secret.first(c).optional()?;
        if let Some((Some(secret), Some(url))) = secret {
            let context = webhook::context(id, &url);
            sealed.push((id, Place::WebhookSecret, context, secret));
        }
    }
    Ok(sealed)
}
