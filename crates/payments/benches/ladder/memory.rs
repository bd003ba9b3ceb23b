//! A processor that answers every charge from memory, with the reply that another has given once.

use async_trait::async_trait;
use processors::{
    Answer, AttemptKey, Cursor, Failure, MerchantId, PayoutRecord, Processor, Request, SubAccount,
    SubAccountId, TransactionId, TransactionRecord, Verify,
};

/// Approves each charge under a transaction of its own, and keeps nothing.
pub(crate) struct Memory {
    pub(crate) answer: Answer,
    pub(crate) sub_accounts: Vec<SubAccount>,
}

#[async_trait]
impl Processor for Memory {
    async fn execute(&self, request: Request) -> Result<Answer, Failure> {
        let Request::Charge(charge) = request else {
            return Err(Failure::Unavailable);
        };
        Ok(Answer {
            transaction_id: TransactionId::new(charge.key.as_str()),
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
}
