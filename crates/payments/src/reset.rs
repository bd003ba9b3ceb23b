//! Emptying a sandbox account, to begin anew under the same credentials.

use contract::Timestamp;
use contract::id::AccountId;
use serde::{Deserialize, Serialize};
use store::Lock;
use utoipa::ToSchema;

use crate::store::feed::{self, Source};
use crate::store::{account, reset};
use crate::{Error, Platform, SetupError};

/// A reset, ordered.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResetOrder {
    /// Whose; `None`: the only account's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
}

/// An account, emptied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reset {
    /// Which.
    pub account: AccountId,
    /// Its business time, which is wall time again.
    pub now: Timestamp,
}

/// Why an account was not emptied.
#[derive(Debug, thiserror::Error)]
pub enum ResetError {
    /// Elsewhere than in a sandbox, nothing is taken away.
    #[error("only a sandbox can be reset, and this platform is none")]
    NotASandbox,
    /// There is nobody's portfolio.
    #[error("there is no account yet: nothing to reset")]
    NoAccount,
    /// The account cannot be told.
    #[error(transparent)]
    Account(SetupError),
    /// Another account takes payments through the same merchant.
    #[error(
        "account {0} takes its payments through the same merchant: its books would go, too, so this \
         account cannot be reset"
    )]
    MerchantShared(AccountId),
    /// Another server is moving the account's clock.
    #[error(
        "another server is moving this account's clock: wait until it is done, or for a minute if it \
         died, then ask again"
    )]
    Busy,
    /// It went wrong; asking again finishes it.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<SetupError> for ResetError {
    fn from(error: SetupError) -> Self {
        match error {
            SetupError::Failed(error) => Self::Failed(error),
            refused => Self::Account(refused),
        }
    }
}

impl Platform {
    /// Empties an account, as an operator orders it.
    ///
    /// # Errors
    /// As [`reset`](Self::reset), and when the account cannot be told.
    pub async fn order_reset(&self, order: ResetOrder) -> Result<Reset, ResetError> {
        let account = self.account_ordered(order.account).await?;
        let account = account.ok_or(ResetError::NoAccount)?;
        self.reset(account).await
    }

    /// Takes away an account's listings, guests, reservations, stored methods and payments, its
    /// taxes and fees, and the books of its merchants; sets its clock to wall time. The account stays,
    /// with its applications and their tokens, its providers and webhooks.
    ///
    /// The merchants' books are emptied first: then whatever is under way finds no method to charge.
    /// If this is interrupted between them and the account, the reservations still stand; asking
    /// again finishes it.
    ///
    /// # Errors
    /// A [`ResetError`] that says why not.
    pub async fn reset(&self, account: AccountId) -> Result<Reset, ResetError> {
        if !self.settings.is_sandbox {
            return Err(ResetError::NotASandbox);
        }
        let turn = self.turns.of(account);
        let _mine = turn.lock().await;
        let found = self.store.read(move |c| account::find(c, account)).await?;
        found.ok_or(SetupError::AccountNotFound(account))?;
        let sources = self.sources_of(account).await?;
        if !self.lease_clock(account).await? {
            return Err(ResetError::Busy);
        }
        let emptied = self.empty(account, &sources).await;
        self.release_clock(account).await;
        emptied?;
        Ok(Reset {
            account,
            now: self.clock.now(),
        })
    }

    /// Empties the merchants' books and then the account, while nothing of them is imported.
    async fn empty(&self, account: AccountId, sources: &[Source]) -> Result<(), Error> {
        let mut pauses = Vec::with_capacity(sources.len());
        for source in sources {
            pauses.push(self.imports.pause(source).await);
        }
        if let Some(sandbox) = self.sandbox.as_sandbox() {
            for merchant in feed::merchants(sources) {
                sandbox.reset(&merchant).await?;
            }
        }
        self.store
            .write(Lock::row("account", &account), move |c| {
                reset::empty(c, account)?;
                account::set_clock(c, account, 0)
            })
            .await?;
        self.callers.forget();
        Ok(())
    }

    /// The account's sources, whose merchants must be nobody else's.
    async fn sources_of(&self, account: AccountId) -> Result<Vec<Source>, ResetError> {
        let all = self.store.read(|c| feed::sources(c, None)).await?;
        let (own, others): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|source| source.account_id == account);
        let shared = others.iter().find(|other| {
            let is_the_same =
                |one: &Source| one.merchant.is_some() && one.merchant == other.merchant;
            own.iter().any(is_the_same)
        });
        match shared {
            Some(other) => Err(ResetError::MerchantShared(other.account_id)),
            None => Ok(own),
        }
    }
}
