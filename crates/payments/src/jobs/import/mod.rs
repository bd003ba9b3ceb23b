//! Brings what processors report into the platform's own tables, each transaction and each payout
//! exactly once.
//!
//! A batch is kept in one transaction with the positions it was read up to, and only if they still
//! are where the reading began: a crash or another node's import loses nothing and doubles nothing.

mod disputes;
mod order;
mod payouts;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use contract::id::PaymentProviderId;
use processors::{Cursor, Failure, MerchantId, Processor, SubAccountId};
use store::{Lock, Store};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use self::order::in_order_of_time;
use super::calls::Calls;
use crate::Error;
use crate::metrics::Metrics;
use crate::store::feed::{self, Feed, Source};
use crate::store::transaction;

/// How many transactions of a feed are read at once.
const BATCH: usize = 256;
/// How long a call waits for others that share its import. Whoever wants a report does not wait.
const GATHERING: Duration = Duration::from_millis(100);
/// How often feeds are read that none of our calls has moved: processors settle and dispute by
/// themselves, and other nodes call too.
const POLLING: Duration = Duration::from_secs(1);

/// The imports of all providers.
pub(crate) struct Imports {
    store: Store,
    processor: Arc<dyn Processor>,
    calls: Arc<Calls>,
    metrics: Arc<Metrics>,
    progress: Mutex<HashMap<PaymentProviderId, Arc<Progress>>>,
}

/// How far a provider's import has come.
#[derive(Default)]
struct Progress {
    /// One import at a time.
    gate: Arc<tokio::sync::Mutex<()>>,
    /// How many calls were made, plus one, when the last import began; 0 before the first.
    seen: AtomicU64,
}

impl Imports {
    pub(crate) fn new(
        store: Store,
        processor: Arc<dyn Processor>,
        calls: Arc<Calls>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            store,
            processor,
            calls,
            metrics,
            progress: Mutex::default(),
        }
    }

    /// Whether everything that calls of this node have made was imported. Never so before the first
    /// import: an earlier run may have left something.
    pub(crate) fn is_current(&self, source: &Source) -> bool {
        self.progress(source).seen.load(Ordering::Acquire) == self.calls_now(source)
    }

    /// Imports what calls of this node have made, unless that has been done.
    pub(crate) async fn catch_up(&self, source: &Source) -> Result<(), Error> {
        let progress = self.progress(source);
        let _one_at_a_time = progress.gate.lock().await;
        if self.is_current(source) {
            return Ok(());
        }
        self.import(source, &progress).await
    }

    /// Lets a provider's import wait for as long as the answer is kept; one under way is finished
    /// first.
    pub(crate) async fn pause(&self, source: &Source) -> tokio::sync::OwnedMutexGuard<()> {
        let gate = Arc::clone(&self.progress(source).gate);
        gate.lock_owned().await
    }

    /// Imports whatever there is.
    pub(crate) async fn poll(&self, source: &Source) -> Result<(), Error> {
        let progress = self.progress(source);
        let _one_at_a_time = progress.gate.lock().await;
        self.import(source, &progress).await
    }

    fn progress(&self, source: &Source) -> Arc<Progress> {
        let mut all = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(source.provider_id).or_default())
    }

    fn calls_now(&self, source: &Source) -> u64 {
        let merchant = source.merchant.as_deref().map(MerchantId::new);
        merchant.map_or(0, |merchant| self.calls.count(&merchant)) + 1
    }

    async fn import(&self, source: &Source, progress: &Progress) -> Result<(), Error> {
        let seen = self.calls_now(source);
        self.register(source).await?;
        while !self.import_transactions(source).await? {}
        while !self.import_payouts(source).await? {}
        progress.seen.store(seen, Ordering::Release);
        Ok(())
    }

    /// Makes the merchant's sub-accounts known.
    async fn register(&self, source: &Source) -> Result<(), Error> {
        let Some(merchant) = source.merchant.as_deref().map(MerchantId::new) else {
            return Ok(());
        };
        let sub_accounts = match self.processor.sub_accounts(&merchant).await {
            Ok(sub_accounts) => sub_accounts,
            // The processor does not know the merchant: it has no sub-accounts, then.
            Err(Failure::Refused { message, .. }) => {
                tracing::warn!(provider = %source.provider_id, message, "a provider is not set up");
                return Ok(());
            }
            Err(failure) => return Err(failure.into()),
        };
        let known = self.feeds(source).await?;
        let new: Vec<Feed> = sub_accounts
            .iter()
            .filter(|sub_account| {
                known
                    .iter()
                    .all(|feed| feed.sub_account_id != sub_account.id.as_str())
            })
            .map(|sub_account| Feed::new(source.account_id, source.provider_id, sub_account))
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        self.store
            .write(Lock::none(), move |c| feed::register(c, &new))
            .await
    }

    async fn feeds(&self, source: &Source) -> Result<Vec<Feed>, Error> {
        let (account, provider) = (source.account_id, source.provider_id);
        self.store
            .read(move |c| {
                let mut feeds = feed::of_account(c, account)?;
                feeds.retain(|feed| feed.provider_id == provider);
                Ok(feeds)
            })
            .await
    }

    /// Imports the next transactions of all feeds of a provider, and says whether those were all.
    async fn import_transactions(&self, source: &Source) -> Result<bool, Error> {
        let feeds = self.feeds(source).await?;
        let mut heads = Vec::with_capacity(feeds.len());
        for feed in &feeds {
            let id = SubAccountId::new(&feed.sub_account_id);
            let after = Cursor(feed.position);
            let head = self.processor.transactions_after(&id, after, BATCH);
            heads.push(head.await?);
        }
        let are_all = heads.iter().all(|head| head.len() < BATCH);
        let records = in_order_of_time(heads, BATCH, |record| record.merchant_at);
        if records.is_empty() {
            return Ok(true);
        }
        let account = source.account_id;
        let is_kept: Result<bool, Error> = self
            .store
            .write(Lock::row("account", &account), move |c| {
                let is_ours = feed::advance(c, account, &feeds, &records)?;
                if is_ours {
                    let new = transaction::keep(c, account, &records)?;
                    disputes::tell(c, account, &new)?;
                }
                Ok(is_ours)
            })
            .await;
        Ok(is_kept? && are_all)
    }

    /// Imports whatever there is, for all providers.
    pub(crate) async fn poll_all(&self) {
        for source in self.all_sources().await {
            self.note_failure(&source, self.poll(&source).await);
        }
    }

    /// Imports what calls of this node have made, for all providers.
    async fn catch_up_all(&self) {
        for source in self.all_sources().await {
            self.note_failure(&source, self.catch_up(&source).await);
        }
    }

    async fn all_sources(&self) -> Vec<Source> {
        let sources: Result<_, Error> = self.store.read(|c| feed::sources(c, None)).await;
        sources.unwrap_or_else(|error| {
            tracing::warn!(%error, "cannot read which feeds to import");
            Vec::new()
        })
    }

    /// The next pass tries again; the other providers must not wait for it.
    fn note_failure(&self, source: &Source, imported: Result<(), Error>) {
        if let Err(error) = imported {
            self.metrics.import_failed();
            tracing::warn!(provider = %source.provider_id, %error, "an import failed");
        }
    }
}

/// Imports until told to stop; what is under way is finished first.
pub(crate) async fn run(imports: &Imports, stop: CancellationToken) {
    let mut polling = tokio::time::interval(POLLING);
    polling.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = polling.tick() => imports.poll_all().await,
            () = imports.calls.next() => {
                tokio::time::sleep(GATHERING).await;
                imports.catch_up_all().await;
            }
        }
    }
}
