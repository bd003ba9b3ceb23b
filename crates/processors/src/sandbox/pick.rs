//! What could be disputed, resolved or sent back next: for whoever lets something happen without
//! naming to what.

use contract::Timestamp;
use diesel::prelude::*;
use store::Connection;

use super::account::Account;
use super::halt::Halt;
use super::tables::{deadline, payout, transaction as table};
use super::transaction::{self, Transaction};
use super::{Sandbox, dispute, operation, rules};
use crate::{
    Failure, MerchantId, PayoutId, PayoutStatus, TransactionId, TransactionKind, TransactionStatus,
};

/// Of each sub-account so many of the newest sales are looked at.
const SALES_MAX: i64 = 1000;

impl Sandbox {
    /// Whether a transaction or a payout is in a merchant's books, as far as its id tells.
    pub fn is_of(merchant: &MerchantId, id: &str) -> bool {
        transaction::read_id(id).is_some_and(|(_, of, _)| of.to_string() == merchant.as_str())
    }

    /// The sale that was settled last, until an instant, of which something is left to charge back.
    ///
    /// # Errors
    /// [`Failure::Refused`] when there is no such merchant.
    pub async fn latest_disputable(
        &self,
        merchant: &MerchantId,
        at: Timestamp,
    ) -> Result<Option<TransactionId>, Failure> {
        let merchant = self.merchant(merchant).await?;
        self.read(move |c| {
            let mut latest: Option<Transaction> = None;
            for account in &merchant.accounts {
                let found = disputable(c, account, at)?;
                latest = latest
                    .into_iter()
                    .chain(found)
                    .max_by_key(|sale| sale.settled_at);
            }
            Ok(latest.map(|sale| sale.public_id()))
        })
        .await
    }

    /// The chargeback of the dispute that was opened last and is neither won nor lost.
    ///
    /// # Errors
    /// [`Failure::Refused`] when there is no such merchant.
    pub async fn latest_open_chargeback(
        &self,
        merchant: &MerchantId,
    ) -> Result<Option<TransactionId>, Failure> {
        let merchant = self.merchant(merchant).await?;
        self.read(move |c| {
            let of_merchant = merchant.accounts.iter().map(|account| account.id.clone());
            let latest: Option<i64> = deadline::table
                .filter(deadline::sub_account.eq_any(of_merchant.collect::<Vec<_>>()))
                .filter(deadline::kind.eq(dispute::LOSS))
                .order((deadline::due_ms.desc(), deadline::transaction_id.desc()))
                .select(deadline::transaction_id)
                .first(c)
                .optional()?;
            Ok(latest.map(|id| TransactionId::new(id.to_string())))
        })
        .await
    }

    /// The payout that was sent last, or with `or_pending` the one that is sent next, if there is one.
    ///
    /// # Errors
    /// [`Failure::Refused`] when there is no such merchant.
    pub async fn latest_payout(
        &self,
        merchant: &MerchantId,
        or_pending: bool,
    ) -> Result<Option<PayoutId>, Failure> {
        let merchant = self.merchant(merchant).await?;
        let mut statuses = vec![PayoutStatus::Processed.name()];
        if or_pending {
            statuses.push(PayoutStatus::PendingDueDate.name());
        }
        self.read(move |c| {
            let of_merchant = merchant.accounts.iter().map(|account| account.id.clone());
            let latest: Option<i64> = payout::table
                .filter(payout::sub_account.eq_any(of_merchant.collect::<Vec<_>>()))
                .filter(payout::status.eq_any(statuses))
                .order((payout::process_ms.desc(), payout::id.desc()))
                .select(payout::id)
                .first(c)
                .optional()?;
            Ok(latest.map(|id| PayoutId::new(id.to_string())))
        })
        .await
    }
}

fn disputable(
    c: &mut Connection,
    account: &Account,
    at: Timestamp,
) -> Result<Option<Transaction>, Halt> {
    let kinds = [
        TransactionKind::Charge,
        TransactionKind::Capture,
        TransactionKind::PartialCapture,
    ];
    let sales: Vec<Transaction> = table::table
        .filter(table::sub_account.eq(&account.id))
        .filter(table::kind.eq_any(kinds.map(TransactionKind::name)))
        .filter(table::status.eq(TransactionStatus::Processed.name()))
        .filter(table::settlement_ms.le(at))
        .order(table::position.desc())
        .limit(SALES_MAX)
        .load(c)?;
    for sale in sales {
        let original = match sale.original_id {
            Some(id) => transaction::find(c, id)?,
            None => Some(sale.clone()),
        };
        let Some(original) = original else { continue };
        let method = operation::method_of(c, &original)?;
        let followers = transaction::followers(c, &original)?;
        let chain = transaction::chain(account, &method, &original, &followers);
        if rules::charge_back(&chain, true).is_ok() {
            return Ok(Some(sale));
        }
    }
    Ok(None)
}
