//! The sandbox as a processor: each request finds its sub-account, does its work on the books in one
//! transaction, and answers from them.

use async_trait::async_trait;
use chrono::Datelike;
use contract::Timestamp;
use store::{Connection, Lock};

use super::account::Account;
use super::halt::Halt;
use super::method::{self, Method};
use super::operation::{self, Posted};
use super::refusal::Refusal;
use super::{Sandbox, feed, reply, settlement, tokens, transaction};
use crate::{
    Answer, AttemptKey, Charge, Cursor, Failure, FollowUp, MerchantId, PayoutRecord, Processor,
    Request, Step, SubAccount, SubAccountId, TransactionKind, TransactionRecord, Verify,
};

/// Years from the making of a method to its card's expiry.
const CARD_YEARS: i32 = 3;

#[async_trait]
impl Processor for Sandbox {
    fn as_sandbox(&self) -> Option<&Sandbox> {
        Some(self)
    }

    async fn verify(&self, request: Verify) -> Result<Answer, Failure> {
        let merchant = self.merchant(&request.merchant).await?;
        let account = merchant.account_in(request.currency)?.clone();
        let behaviour = tokens::by_name(&request.token)
            .ok_or_else(|| Refusal::UnknownToken(request.token.clone()))?;
        let expires = request.at.date().year() + CARD_YEARS;
        let new = Method {
            token: method::new_token(request.shape),
            merchant: merchant.number,
            shape: request.shape,
            behaviour,
            card: method::card_facts(behaviour, 12, u16::try_from(expires).unwrap_or(u16::MAX)),
            billing: request.billing.clone(),
            usable: true,
            declined_once: false,
            refuses: None,
        };
        let key = request.key.clone();
        self.post(&key, account, move |c, account| {
            operation::verify(c, account, &request, &new)
        })
        .await
    }

    async fn execute(&self, request: Request) -> Result<Answer, Failure> {
        let account = self.account_asked(&request).await?;
        let key = request.key().clone();
        self.post(&key, account, move |c, account| {
            operation::execute(c, account, &request)
        })
        .await
    }

    async fn execute_all(&self, requests: Vec<Request>) -> Vec<Result<Answer, Failure>> {
        self.execute_together(requests).await
    }

    async fn lookup(
        &self,
        merchant: &MerchantId,
        key: &AttemptKey,
    ) -> Result<Option<Answer>, Failure> {
        check_key(key)?;
        let merchant = self.merchant(merchant).await?;
        let (number, key) = (merchant.number, key.clone());
        let found = self.read(move |c| operation::find(c, number, &key)).await?;
        let Some(posted) = found.filter(|posted| !posted.transaction.is_of_dispute()) else {
            return Ok(None);
        };
        let account = merchant
            .accounts
            .iter()
            .find(|a| a.id == posted.transaction.sub_account);
        account
            .map(|account| reply::answer(account, &posted))
            .transpose()
    }

    async fn sub_accounts(&self, merchant: &MerchantId) -> Result<Vec<SubAccount>, Failure> {
        let merchant = self.merchant(merchant).await?;
        Ok(merchant.accounts.iter().map(SubAccount::from).collect())
    }

    async fn transactions_after(
        &self,
        sub_account: &SubAccountId,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<TransactionRecord>, Failure> {
        let account = self.account(sub_account).await?;
        self.read(move |c| feed::after(c, &account, after, limit))
            .await
    }

    async fn payouts_after(
        &self,
        sub_account: &SubAccountId,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<PayoutRecord>, Failure> {
        let account = self.account(sub_account).await?;
        self.read(move |c| settlement::payouts_after(c, &account, after, limit))
            .await
    }

    async fn next_due(&self, merchant: &MerchantId) -> Result<Option<Timestamp>, Failure> {
        self.next_step(merchant).await
    }

    async fn run_until(
        &self,
        merchant: &MerchantId,
        until: Timestamp,
    ) -> Result<Vec<Step>, Failure> {
        self.steps_until(merchant, until).await
    }
}

impl Sandbox {
    /// Does something to the books of one sub-account, and answers in the form of the method.
    async fn post(
        &self,
        key: &AttemptKey,
        account: Account,
        work: impl Fn(&mut Connection, &Account) -> Result<Posted, Halt> + Send + 'static,
    ) -> Result<Answer, Failure> {
        check_key(key)?;
        let lock = Lock::row("sub_account", &account.id);
        let at = account.clone();
        let posted = self.store.write(lock, move |c| work(c, &at)).await?;
        if posted.answered {
            reply::answer(&account, &posted)
        } else {
            Err(Failure::Unanswered)
        }
    }

    /// Gives money to the holder of a card, without a sale that it belongs to. Only GuestyPay's
    /// methods know of that.
    ///
    /// # Errors
    /// As [`Processor::execute`].
    pub async fn credit(&self, request: Charge) -> Result<Answer, Failure> {
        let account = self.account_charged(&request).await?;
        let key = request.key.clone();
        self.post(&key, account, move |c, account| {
            operation::charge(c, account, &request, TransactionKind::Credit)
        })
        .await
    }

    /// The sub-account that a request is about.
    pub(super) async fn account_asked(&self, request: &Request) -> Result<Account, Failure> {
        match request {
            Request::Charge(request) | Request::Hold(request) => {
                self.account_charged(request).await
            }
            Request::Capture(request) | Request::Void(request) | Request::Refund(request) => {
                self.account_followed(request).await
            }
        }
    }

    async fn account_charged(&self, request: &Charge) -> Result<Account, Failure> {
        let merchant = self.merchant(&request.merchant).await?;
        let account = merchant.account_in(Some(request.amount.currency()))?;
        Ok(account.clone())
    }

    async fn account_followed(&self, request: &FollowUp) -> Result<Account, Failure> {
        let merchant = self.merchant(&request.merchant).await?;
        let unknown = || Refusal::UnknownTransaction(request.original.to_string());
        let (_, of_merchant, number) =
            transaction::read_id(request.original.as_str()).ok_or_else(unknown)?;
        let mut accounts = merchant.accounts.iter();
        let account = accounts
            .find(|account| account.merchant == of_merchant && i64::from(account.number) == number);
        Ok(account.ok_or_else(unknown)?.clone())
    }
}

pub(super) fn check_key(key: &AttemptKey) -> Result<(), Refusal> {
    let key = key.as_str();
    let fits = (1..=255).contains(&key.chars().count());
    if fits && !key.chars().any(char::is_control) {
        Ok(())
    } else {
        Err(Refusal::InvalidKey)
    }
}
