//! What taxes and fees of the catalog have in common: each stands on a level, which is the account or
//! one of its listings.

use contract::Timestamp;
use contract::id::{AccountId, ListingId};
use money::Currency;
use store::{Connection, Lock};

use super::ctx::Ctx;
use super::error::ApiError;
use crate::Error;
use crate::model::Rejection;
use crate::store::account::Account;
use crate::store::listing;
use crate::store::scope::Scope;

/// Who changes a catalog, and when.
pub(super) struct Author {
    pub(super) scope: Scope,
    pub(super) account: Account,
    pub(super) now: Timestamp,
}

impl Author {
    /// Whether what stands on a level may be changed: on the account's, only if all of the account
    /// is the author's.
    pub(super) fn may_change(&self, level: Option<ListingId>) -> bool {
        level.is_some() || self.scope.listings.is_none()
    }

    /// As [`currency_of`], of what the author may see.
    pub(super) fn currency_of(
        &self,
        connection: &mut Connection,
        level: Option<ListingId>,
    ) -> Result<Option<Currency>, Error> {
        currency_of(connection, &self.scope, &self.account, level)
    }
}

/// Changes an account's catalog, one change at a time.
pub(super) async fn change<T: Send + 'static>(
    ctx: Ctx,
    change: impl Fn(&mut Connection, &Author) -> Result<T, Error> + Send + 'static,
) -> Result<T, ApiError> {
    let author = Author {
        scope: ctx.scope(),
        now: ctx.now,
        account: ctx.account,
    };
    let lock = Lock::row("account", &author.account.id);
    let changed = ctx.platform.store.write(lock, move |c| change(c, &author));
    Ok(changed.await?)
}

/// Reads what stands on the account's level.
pub(super) async fn read_of_account<T: Send + 'static>(
    ctx: Ctx,
    read: impl Fn(&mut Connection, AccountId) -> Result<T, Error> + Send + 'static,
) -> Result<T, ApiError> {
    let account = ctx.account.id;
    let found = ctx.platform.store.read(move |c| read(c, account));
    Ok(found.await?)
}

/// Reads what there is of a listing, which the caller must be able to see.
pub(super) async fn read_of_listing<T: Send + 'static>(
    ctx: Ctx,
    id: ListingId,
    read: impl Fn(&mut Connection, AccountId) -> Result<T, Error> + Send + 'static,
) -> Result<T, ApiError> {
    let scope = ctx.scope();
    let found = ctx.platform.store.read(move |c| {
        listing::find(c, &scope, id)?.ok_or(Rejection::ListingNotFound)?;
        read(c, scope.account)
    });
    Ok(found.await?)
}

/// The currency that fixed amounts of a level are meant in; `None`: there is no such listing.
pub(super) fn currency_of(
    connection: &mut Connection,
    scope: &Scope,
    account: &Account,
    level: Option<ListingId>,
) -> Result<Option<Currency>, Error> {
    let code = match level {
        None => Some(account.currency.clone()),
        Some(id) => listing::find(connection, scope, id)?.map(|listing| listing.currency),
    };
    let read = |code: String| {
        code.parse()
            .map_err(|_| Error::Corrupt(format!("currency {code}")))
    };
    code.map(read).transpose()
}
