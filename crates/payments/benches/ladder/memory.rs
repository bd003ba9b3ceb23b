//! A processor that answers every charge from memory, with the reply that another has given once.

use async_trait::async_trait;
use processors::{
    Answer, AttemptKey, Charge, Cursor, Failure, FollowUp, MerchantId, PayoutRecord, Processor,
    SubAccount, SubAccountId, TransactionId, TransactionRecord, Verify,
};

/// Approves each charge under a transaction of its own, and keeps nothing.
pub(crate) struct Memory {
    pub(crate) answer: Answer,
    pub(crate) sub_accounts: Vec<SubAccount>,
}

#[async_trait]
impl Processor for Memory {
    async fn charge(&self, request: Charge) -> Result<Answer, Failure> {
        Ok(Answer {
            transaction_id: TransactionId::new(request.key.as_str()),
            ..self.answer.clone()
        })
    }

    async fn sub_accounts(&self, _: &MerchantId) -> Result<Vec<SubAccount>, Failure> {
        Ok(self.sub_accounts.clone())
    }

    async fn transactions_after(
        &self,
        _: &SubAccountId,
        _: Cursor,
        _: usize,
    ) -> Result<Vec<TransactionRecord>, Failure> {
        Ok(Vec::new())
    }

    async fn payouts_after(
        &self,
        _: &SubAccountId,
        _: Cursor,
        _: usize,
    ) -> Result<Vec<PayoutRecord>, Failure> {
        Ok(Vec::new())
    }

    async fn lookup(&self, _: &MerchantId, _: &AttemptKey) -> Result<Option<Answer>, Failure> {
        Ok(None)
    }

    async fn verify(&self, _: Verify) -> Result<Answer, Failure> {
        Err(Failure::Unavailable)
    }

    async fn hold(&self, _: Charge) -> Result<Answer, Failure> {
        Err(Failure::Unavailable)
    }

    async fn capture(&self, _: FollowUp) -> Result<Answer, Failure> {
        Err(Failure::Unavailable)
    }

    async fn void(&self, _: FollowUp) -> Result<Answer, Failure> {
        Err(Failure::Unavailable)
    }

    async fn refund(&self, _: FollowUp) -> Result<Answer, Failure> {
        Err(Failure::Unavailable)
    }
}
