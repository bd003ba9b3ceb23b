//! Which account a connection leads to: it is learned once, and nothing of another one is taken
//! for it.
//!
//! A token names its account, the same for all applications of the account. Where it does not, the
//! id that the source tells this application stands for it. Even where it does, the source must not
//! tell the same credentials of another account than before.

use std::sync::Arc;

use contract::id::{AccountId, ConnectionId};
use guesty::seen::account::Account;
use guesty::{Guesty, Limits, Reader, Settings};
use store::Lock;

use super::row::{self, Row};
use super::{change, look};
use crate::evidence::Chain;
use crate::{Books, Error};

impl Books {
    /// What reads the connection's account: an error if that is another than before, or one that
    /// another connection of the portfolio mirrors.
    pub async fn reader(&self, id: ConnectionId, limits: Limits) -> Result<Reader, Error> {
        let way = Settings {
            limits,
            ..self.way(id).await?
        };
        let reader = Guesty::new(way)?.reader();
        match self.recognize(id, &reader).await {
            // A source that cannot be asked says so again, to whoever reads.
            Ok(()) | Err(Error::Source(_)) => Ok(reader),
            Err(error) => Err(error),
        }
    }

    /// Makes sure that what a reader reads is the connection's account: an error if it is another
    /// than before, or one that another connection of the portfolio mirrors.
    pub(crate) async fn recognize(&self, id: ConnectionId, reader: &Reader) -> Result<(), Error> {
        let Some(found) = account_of(reader).await? else {
            return Ok(());
        };
        let row = self.row(id).await?;
        if let Some(known) = row.account_id {
            return row.is_account(known, found);
        }
        let lock = Lock::row("portfolio", &row.portfolio_id);
        let keep = move |c: &mut store::Connection| row::keep_account(c, id, found);
        self.store().write(lock, keep).await
    }

    /// Which connection goes on with the credentials that one was just given: itself, or the one
    /// that mirrors its account already.
    pub(super) async fn go_on_with_account(&self, id: ConnectionId) -> Result<ConnectionId, Error> {
        let newcomer = self.row(id).await?;
        let others = self.store().read({
            let newcomer = newcomer.clone();
            move |c| newcomer.other_accounts(c)
        });
        if newcomer.account_id.is_some() || others.await?.is_empty() {
            return Ok(id);
        }
        let Ok(guesty) = Guesty::new(look::hasty(self.way(id).await?)) else {
            return Ok(id);
        };
        match self.recognize(id, &guesty.reader()).await {
            Ok(()) => Ok(id),
            Err(Error::AccountTaken { by, .. }) => {
                self.hand_over(newcomer, by).await?;
                Ok(by)
            }
            Err(Error::Source(error)) => {
                tracing::info!(connection = %id, %error, "which account it is was not told");
                Ok(id)
            }
            Err(error) => Err(error),
        }
    }

    /// Gives the credentials of a connection that has mirrored nothing to the one that mirrors its
    /// account, and takes the former away. Its chain stays.
    async fn hand_over(&self, from: Row, to: ConnectionId) -> Result<(), Error> {
        let heir = self.row(to).await?.read()?;
        let secret = from.sealed_secret.clone();
        let from = from.read()?;
        let secret = secret.ok_or(Error::Disconnected(from.id))?;
        let heir = super::Connection {
            client_id: from.client_id.clone(),
            ..heir
        };
        let credentials = row::Credentials {
            sealed_secret: self.move_sealed(&from, &heir, "client_secret", &secret)?,
            sealed_token: match self.sealed_token(from.id).await? {
                Some(token) => Some(self.move_sealed(&from, &heir, "access_token", &token)?),
                None => None,
            },
            client_id: from.client_id,
        };
        let now = self.clock().now();
        let record = heir.setting("connected", now)?;
        let chain = self.begin_chain(to).await?;
        let credentials = Arc::new(credentials);
        change(self, &chain, record, move |c| {
            row::hand_over(c, from.id, to, &credentials, now)
        })
        .await
    }

    fn move_sealed(
        &self,
        from: &super::Connection,
        to: &super::Connection,
        secret: &str,
        sealed: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let open = self.vault().open(&from.context(secret), sealed)?;
        Ok(self.vault().seal(&to.context(secret), &open)?)
    }
}

/// Makes sure that the source tells of the account that it told of before: an error if it tells these
/// credentials of another. Other applications may be told another id, so what it told before the
/// credentials were saved says nothing.
pub(crate) async fn is_told_again(chain: &Chain, told: &Account) -> Result<(), Error> {
    let (id, store) = (chain.id, &chain.store);
    let Some(found) = told.id.get().map(AccountId) else {
        return Ok(());
    };
    let (_, known) = store.read(move |c| row::known_accounts(c, id)).await?;
    if let Some(known) = known {
        return row::is_account(id, known, found);
    }
    let keep = move |c: &mut store::Connection| row::keep_told_account(c, id, found);
    store.write(Lock::row("connection", &id), keep).await
}

/// Makes sure that the token names the account that it named before, if it names any.
pub(crate) async fn is_named_again(chain: &Chain, reader: &Reader) -> Result<(), Error> {
    let id = chain.id;
    // Without a token there is nobody to be mistaken for the account.
    let Ok(Some(found)) = reader.account_id().await else {
        return Ok(());
    };
    let (known, _) = chain
        .store
        .read(move |c| row::known_accounts(c, id))
        .await?;
    known.map_or(Ok(()), |known| row::is_account(id, known, found))
}

async fn account_of(reader: &Reader) -> Result<Option<AccountId>, Error> {
    if let Some(account) = reader.account_id().await? {
        return Ok(Some(account));
    }
    let account = reader.account().await?.value;
    Ok(account.id.get().map(AccountId))
}
