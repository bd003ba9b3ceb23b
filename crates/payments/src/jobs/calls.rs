//! Notices every call of a processor, so that what it reports is read as soon as there is something
//! to read. It stands around the processor itself: no caller can forget to say that it called.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use contract::Timestamp;
use processors::sandbox::Sandbox;
use processors::{
    Answer, AttemptKey, Cursor, Failure, MerchantId, PayoutRecord, Processor, Request, Step,
    SubAccount, SubAccountId, TransactionRecord, Verify,
};
use tokio::sync::Notify;

/// How many calls each merchant has made since the start.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    counts: Mutex<HashMap<MerchantId, u64>>,
    any: Notify,
}

impl Calls {
    /// How many calls of a merchant have ended.
    pub(crate) fn count(&self, merchant: &MerchantId) -> u64 {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.get(merchant).copied().unwrap_or(0)
    }

    /// Waits for the next call, or for one that nobody has waited for.
    pub(crate) async fn next(&self) {
        self.any.notified().await;
    }

    fn ended(&self, merchant: &MerchantId) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(merchant.clone()).or_insert(0) += 1;
        drop(counts);
        self.any.notify_one();
    }
}

/// A processor whose calls are counted.
pub(crate) struct Counted {
    inner: Arc<dyn Processor>,
    calls: Arc<Calls>,
}

impl Counted {
    pub(crate) fn new(inner: Arc<dyn Processor>, calls: Arc<Calls>) -> Self {
        Self { inner, calls }
    }

    /// Counts the call when this is dropped: a caller that goes away in the middle of one may have
    /// moved money too.
    fn call(&self, merchant: &MerchantId) -> Call {
        Call {
            calls: Arc::clone(&self.calls),
            merchant: merchant.clone(),
        }
    }
}

struct Call {
    calls: Arc<Calls>,
    merchant: MerchantId,
}

impl Drop for Call {
    fn drop(&mut self) {
        self.calls.ended(&self.merchant);
    }
}

#[async_trait]
impl Processor for Counted {
    fn as_sandbox(&self) -> Option<&Sandbox> {
        self.inner.as_sandbox()
    }

    async fn verify(&self, request: Verify) -> Result<Answer, Failure> {
        let _call = self.call(&request.merchant);
        self.inner.verify(request).await
    }

    async fn execute(&self, request: Request) -> Result<Answer, Failure> {
        let _call = self.call(request.merchant());
        self.inner.execute(request).await
    }

    async fn execute_all(&self, requests: Vec<Request>) -> Vec<Result<Answer, Failure>> {
        let merchant = requests.first().map(Request::merchant).cloned();
        let _call = merchant.map(|merchant| self.call(&merchant));
        self.inner.execute_all(requests).await
    }

    async fn lookup(
        &self,
        merchant: &MerchantId,
        key: &AttemptKey,
    ) -> Result<Option<Answer>, Failure> {
        // It may find a transaction that came after its own call was given up.
        let _call = self.call(merchant);
        self.inner.lookup(merchant, key).await
    }

    async fn sub_accounts(&self, merchant: &MerchantId) -> Result<Vec<SubAccount>, Failure> {
        self.inner.sub_accounts(merchant).await
    }

    async fn transactions_after(
        &self,
        sub_account: &SubAccountId,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<TransactionRecord>, Failure> {
        self.inner
            .transactions_after(sub_account, after, limit)
            .await
    }

    async fn payouts_after(
        &self,
        sub_account: &SubAccountId,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<PayoutRecord>, Failure> {
        self.inner.payouts_after(sub_account, after, limit).await
    }

    async fn next_due(&self, merchant: &MerchantId) -> Result<Option<Timestamp>, Failure> {
        self.inner.next_due(merchant).await
    }

    async fn run_until(
        &self,
        merchant: &MerchantId,
        until: Timestamp,
    ) -> Result<Vec<Step>, Failure> {
        // What settles comes again in the feeds.
        let _call = self.call(merchant);
        self.inner.run_until(merchant, until).await
    }
}
