//! What becomes of the money that was taken: each day is closed and settled, fees are charged, a part
//! is kept in reserve, and the rest is paid out. Time is an argument; nothing here runs by itself.

mod activity;
mod adjustment;
mod calendar;
mod close;
mod payouts;
mod rules;
mod state;
mod step;
mod terms;

use contract::Timestamp;
use money::Money;

pub use self::adjustment::Adjustment;
pub(crate) use self::close::{disputed_at, is_settled};
pub use self::payouts::DeclinedBy;
pub(crate) use self::payouts::after as payouts_after;
pub use self::terms::{ReservePolicy, ReserveTerms};
use super::Sandbox;
use super::account::Account;
use super::refusal::Refusal;
use crate::{Failure, MerchantId, PayoutId, Step, SubAccountId};

/// A sub-account's sums, since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// Sales and reversed chargebacks less refunds, credits and chargebacks, settled.
    pub settlements: Money,
    /// Adjustments, of either sign.
    pub adjustments: Money,
    /// Fees of closed days.
    pub fees: Money,
    /// Payouts that were sent, and neither rejected nor declined.
    pub payouts: Money,
    /// What is kept in reserve.
    pub reserve: Money,
    /// Settlements and adjustments less payouts and fees: what the merchant is owed, the reserve
    /// included.
    pub account: Money,
}

impl Sandbox {
    pub(super) async fn next_step(
        &self,
        merchant: &MerchantId,
    ) -> Result<Option<Timestamp>, Failure> {
        let accounts = self.merchant(merchant).await?.accounts.clone();
        self.read(move |c| {
            let mut first = None;
            for account in &accounts {
                let next = step::next(c, account)?;
                first = first.into_iter().chain(next).min();
            }
            Ok(first)
        })
        .await
    }

    pub(super) async fn steps_until(
        &self,
        merchant: &MerchantId,
        until: Timestamp,
    ) -> Result<Vec<Step>, Failure> {
        let accounts = self.merchant(merchant).await?.accounts.clone();
        let mut steps = Vec::new();
        for account in accounts {
            while let Some(step) = self.step(&account, until).await? {
                steps.push(step);
            }
        }
        steps.sort_by_key(|step| step.at);
        Ok(steps)
    }

    async fn step(&self, account: &Account, until: Timestamp) -> Result<Option<Step>, Failure> {
        // Nothing is written, and nobody kept waiting, while nothing is due.
        let asked = account.clone();
        let next = self.read(move |c| step::next(c, &asked)).await?;
        if next.is_none_or(|next| next > until) {
            return Ok(None);
        }
        self.write(account.clone(), move |c, account| {
            step::take(c, account, until)
        })
        .await
    }

    /// Lets the merchant's bank reject a payout with a return code such as `R02`, and answers with the
    /// payout that will be sent in its place on the next business day.
    ///
    /// # Errors
    /// [`Failure::Refused`] when there is no such payout, it is not sent by then, it is rejected
    /// already, or the code is none.
    pub async fn reject_payout(
        &self,
        payout: &PayoutId,
        return_code: &str,
        at: Timestamp,
    ) -> Result<PayoutId, Failure> {
        let unknown = Refusal::UnknownPayout(payout.to_string());
        let (id, account) = self.account_of(payout.as_str(), unknown).await?;
        let code = return_code.to_owned();
        check_return_code(&code)?;
        self.write(account, move |c, account| {
            payouts::reject(c, account, id, &code, at)
        })
        .await
    }

    /// Lets the processor or the merchant decline a payout, whether it is pending or was sent, and
    /// answers with the payout that will be sent in its place on the next business day.
    ///
    /// # Errors
    /// [`Failure::Refused`] when there is no such payout, or it is rejected or declined already.
    pub async fn decline_payout(
        &self,
        payout: &PayoutId,
        by: DeclinedBy,
        at: Timestamp,
    ) -> Result<PayoutId, Failure> {
        let unknown = Refusal::UnknownPayout(payout.to_string());
        let (id, account) = self.account_of(payout.as_str(), unknown).await?;
        self.write(account, move |c, account| {
            payouts::decline(c, account, id, by, at)
        })
        .await
    }

    /// Puts a sub-account's balance right. An adjustment's id names it: the same again does nothing.
    ///
    /// # Errors
    /// [`Failure::Refused`] when the sub-account is unknown, the amount nothing or in another
    /// currency, or the id taken by another adjustment.
    pub async fn adjust(&self, adjustment: Adjustment) -> Result<(), Failure> {
        let account = self.account(&adjustment.sub_account).await?;
        adjustment.check(&account)?;
        self.write(account, move |c, account| {
            adjustment::make(c, account, &adjustment)
        })
        .await
    }

    /// What a sub-account's settlement adds up to.
    ///
    /// # Errors
    /// [`Failure::Refused`] when there is no such sub-account.
    pub async fn balance(&self, sub_account: &SubAccountId) -> Result<Balance, Failure> {
        let account = self.account(sub_account).await?;
        self.read(move |c| {
            let state = state::load(c, &account)?;
            let money = |minor| Money::from_minor(minor, account.currency);
            let mut owed = state.settled_minor;
            for change in [state.adjusted_minor, -state.fees_minor, -state.paid_minor] {
                state::add(&mut owed, change)?;
            }
            Ok(Balance {
                settlements: money(state.settled_minor),
                adjustments: money(state.adjusted_minor),
                fees: money(state.fees_minor),
                payouts: money(state.paid_minor),
                reserve: money(state.reserve_minor),
                account: money(owed),
            })
        })
        .await
    }
}

/// As banks in the ACH network write them: an R and two digits.
fn check_return_code(code: &str) -> Result<(), Refusal> {
    let digits = code.strip_prefix('R');
    if digits.is_some_and(|d| d.len() == 2 && d.bytes().all(|digit| digit.is_ascii_digit())) {
        Ok(())
    } else {
        Err(Refusal::InvalidReturnCode(code.to_owned()))
    }
}
