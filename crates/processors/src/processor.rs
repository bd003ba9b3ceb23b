//! The one door to every card processor.

use async_trait::async_trait;
use contract::Timestamp;

use crate::sandbox::Sandbox;
use crate::{
    Answer, AttemptKey, Cursor, MerchantId, PayoutRecord, Request, Step, SubAccount, SubAccountId,
    TransactionRecord, Verify,
};

/// A card processor.
///
/// Whoever asks commits the attempt's key first. The same key with the same request gets the same
/// answer and never moves money twice; with another request it is refused. After
/// [`Failure::Unanswered`] the outcome is unknown: [`lookup`](Self::lookup) tells it.
#[async_trait]
pub trait Processor: Send + Sync + 'static {
    /// Makes a stored method of a token: the answer's `method`.
    async fn verify(&self, request: Verify) -> Result<Answer, Failure>;

    /// Does what is asked: moves money, or holds it.
    async fn execute(&self, request: Request) -> Result<Answer, Failure>;

    /// Does what several requests ask, of one merchant and in one currency, in their order, and
    /// answers to each. After one whose outcome is unknown no other is executed, so there may be
    /// fewer answers than requests.
    async fn execute_all(&self, requests: Vec<Request>) -> Vec<Result<Answer, Failure>> {
        one_by_one(self, requests).await
    }

    /// The answer to an attempt, if the attempt ever arrived.
    async fn lookup(
        &self,
        merchant: &MerchantId,
        key: &AttemptKey,
    ) -> Result<Option<Answer>, Failure>;

    /// A merchant's sub-accounts, in the order of their numbers.
    async fn sub_accounts(&self, merchant: &MerchantId) -> Result<Vec<SubAccount>, Failure>;

    /// The next transactions of a sub-account's feed. A transaction that changes takes a new, later
    /// position, so that whoever reads on misses nothing.
    async fn transactions_after(
        &self,
        sub_account: &SubAccountId,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<TransactionRecord>, Failure>;

    /// The next payouts of a sub-account's feed of payouts, each with all its lines. A payout that
    /// changes takes a new, later position.
    async fn payouts_after(
        &self,
        sub_account: &SubAccountId,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<PayoutRecord>, Failure>;

    /// When time will next bring something about for a merchant, such as the end of a day with
    /// transactions to settle. Nothing at a processor whose time is its own.
    async fn next_due(&self, _merchant: &MerchantId) -> Result<Option<Timestamp>, Failure> {
        Ok(None)
    }

    /// Lets time pass for a merchant until an instant, inclusive, and says what it has brought about,
    /// in order. Each step is kept by itself: whoever is stopped between two asks again, and no step
    /// is taken twice. Nothing at a processor whose time is its own.
    async fn run_until(
        &self,
        _merchant: &MerchantId,
        _until: Timestamp,
    ) -> Result<Vec<Step>, Failure> {
        Ok(Vec::new())
    }

    /// The sandbox, if that is what stands behind it: there, what banks and card holders do can be
    /// ordered.
    fn as_sandbox(&self) -> Option<&Sandbox> {
        None
    }
}

/// Does what several requests ask, one after the other.
pub(crate) async fn one_by_one(
    processor: &(impl Processor + ?Sized),
    requests: Vec<Request>,
) -> Vec<Result<Answer, Failure>> {
    let mut answers = Vec::with_capacity(requests.len());
    for request in requests {
        let answer = processor.execute(request).await;
        let is_unknown = answer == Err(Failure::Unanswered);
        answers.push(answer);
        if is_unknown {
            break;
        }
    }
    answers
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Whether anything happened is not known: look the attempt up by its key, never repeat it
    /// under another.
    #[error("the processor did not answer: whether money moved is not known yet")]
    Unanswered,
    /// The processor refused to execute the request, for good.
    #[error("{message}")]
    Refused {
        /// A stable name of the reason, such as `refund_too_large`.
        code: &'static str,
        /// What is wrong and what to do, for people.
        message: String,
    },
    /// Nothing was executed: try again later, with the same key.
    #[error("the processor is not available, nothing was executed: try again later")]
    Unavailable,
}
