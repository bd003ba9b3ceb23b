//! Whose answers these are: nothing is taken in before it is known to be of the connection's account.
//!
//! Which account answers is asked for once with each token, and again after a while, not with each
//! answer.

use std::sync::Arc;

use chrono::TimeDelta;
use contract::Timestamp;
use guesty::TokenMark;
use guesty::seen::account::Account;
use tokio::sync::Mutex;

use super::Sync;
use super::run::Run;
use crate::Error;
use crate::connection::account::{is_named_again, is_told_again};

/// Sweeps ask as often, so that single objects seldom have to.
const REMEMBERED: TimeDelta = TimeDelta::minutes(15);

/// With which token the account was last asked for, and when.
pub(super) type LastAsked = Arc<Mutex<Option<(TokenMark, Timestamp)>>>;

impl Sync {
    /// Makes sure that what the source answers is of the connection's account. A source that does not
    /// say which one it is, is believed to be the same.
    pub(super) async fn is_ours(&self) -> Result<(), Error> {
        let mut asked = self.asked.lock().await;
        // Without a token there is no answer either, and whoever asks hears why.
        let Ok(token) = self.reader.token_mark().await else {
            return Ok(());
        };
        let now = self.now();
        let is_of_late = |at: Timestamp| at <= now && now < at + REMEMBERED;
        if asked.is_some_and(|(with, at)| with == token && is_of_late(at)) {
            return Ok(());
        }
        match self.reader.account().await {
            Ok(account) => self.is_of(&account.value).await?,
            Err(_) => is_named_again(&self.chain, &self.reader).await?,
        }
        *asked = Some((token, now));
        Ok(())
    }

    /// The same in a run, which does not wait for it once it is to end.
    pub(super) async fn is_ours_for(&self, run: &Run<'_>) -> Result<(), Error> {
        tokio::select! {
            biased;
            ours = self.is_ours() => ours,
            stopped = run.asks(std::future::pending()) => stopped,
        }
    }

    /// The same, where the account was asked for just now.
    pub(super) async fn is_ours_as_told(&self, told: &Account) -> Result<(), Error> {
        self.is_of(told).await?;
        if let Ok(token) = self.reader.token_mark().await {
            *self.asked.lock().await = Some((token, self.now()));
        }
        Ok(())
    }

    async fn is_of(&self, told: &Account) -> Result<(), Error> {
        is_named_again(&self.chain, &self.reader).await?;
        is_told_again(&self.chain, told).await
    }
}
