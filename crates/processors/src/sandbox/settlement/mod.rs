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

use contract::Timestamp;
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Text;
use money::Money;
use store::{Connection, Lock};

pub use self::adjustment::Adjustment;
pub(crate) use self::close::is_settled;
pub(crate) use self::payouts::after as payouts_after;
use super::account::Account;
use super::refusal::Refusal;
use super::tables::sub_account;
use super::{Halt, Sandbox, transaction};
use crate::feed::text_column;
use crate::{Failure, MerchantId, PayoutId, Step, SubAccountId, TransactionId};

/// A sub-account's sums, since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// Sales less refunds, settled.
    pub settlements: Money,
    /// Adjustments, of either sign.
    pub adjustments: Money,
    /// Fees of closed days.
    pub fees: Money,
    /// Payouts that were sent and not rejected.
    pub payouts: Money,
    /// What is kept in reserve.
    pub reserve: Money,
    /// Settlements and adjustments less payouts and fees: what the merchant is owed, the reserve
    /// included.
    pub account: Money,
}

/// What a refund does to the reserve that was held of its sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub enum ReserveOnRefund {
    /// Nothing: it is held until its day comes.
    Kept,
    /// The refunded part of it is released with the refund.
    Returned,
}

impl ReserveOnRefund {
    const ALL: [Self; 2] = [Self::Kept, Self::Returned];

    const fn name(self) -> &'static str {
        match self {
            Self::Kept => "Kept",
            Self::Returned => "Returned",
        }
    }
}

text_column!(ReserveOnRefund);

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
        let unknown = || Refusal::UnknownPayout(payout.to_string());
        let (id, merchant, number) =
            transaction::read_id(&TransactionId::new(payout.as_str())).ok_or_else(unknown)?;
        let account = SubAccountId::new(format!("{merchant}.{number}"));
        let account = self
            .account(&account)
            .await
            .map_err(|failure| match failure {
                Failure::Refused { .. } => unknown().into(),
                other => other,
            })?;
        let code = return_code.to_owned();
        check_return_code(&code)?;
        self.write(account, move |c, account| {
            payouts::reject(c, account, id, &code, at)
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

    /// Chooses what a refund, from the next closed day on, does to the reserve of its sale. At first
    /// it is kept.
    ///
    /// # Errors
    /// [`Failure::Refused`] when there is no such sub-account.
    pub async fn set_reserve_on_refund(
        &self,
        sub_account: &SubAccountId,
        policy: ReserveOnRefund,
    ) -> Result<(), Failure> {
        let account = self.account(sub_account).await?;
        self.write(account, move |c, account| {
            diesel::update(sub_account::table.find(&account.id))
                .set(sub_account::reserve_on_refund.eq(policy))
                .execute(c)?;
            Ok(())
        })
        .await
    }

    /// Works on one sub-account, locked. No caller names a row that could be there already, so one
    /// that is means that a rule was broken: nothing is kept, and it is told apart from a key reused.
    async fn write<T: Send + 'static>(
        &self,
        account: Account,
        work: impl Fn(&mut Connection, &Account) -> Result<T, Halt> + Send + 'static,
    ) -> Result<T, Failure> {
        let lock = Lock::row("sub_account", &account.id);
        let done = self.store.write(lock, move |c| work(c, &account)).await;
        done.map_err(|halt| match halt {
            Halt::Store(error @ store::Error::Duplicate(_)) => {
                tracing::error!(%error, "settlement would write what it has written already");
                Failure::Unavailable
            }
            other => other.into(),
        })
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
