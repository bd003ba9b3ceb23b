//! Emptying a merchant's books.

use diesel::prelude::*;
use store::Lock;

use super::tables::{activity, deadline, method, payout, settlement, sub_account, transaction};
use super::{Halt, Sandbox};
use crate::{Failure, MerchantId};

impl Sandbox {
    /// Empties a merchant's books: transactions, payouts, stored methods, and all that settlement knows
    /// of them. Positions and ids start anew. The merchant stays, and its sub-accounts with their
    /// terms.
    ///
    /// # Errors
    /// [`Failure::Refused`] when there is no such merchant.
    pub async fn reset(&self, merchant: &MerchantId) -> Result<(), Failure> {
        let merchant = self.merchant(merchant).await?;
        let emptied = self.store.write(Lock::none(), move |c| {
            // First, for it locks the sub-accounts: whoever posts waits.
            diesel::update(sub_account::table.filter(sub_account::merchant.eq(merchant.number)))
                .set(sub_account::last_position.eq(0))
                .execute(c)?;
            for account in &merchant.accounts {
                let id = &account.id;
                diesel::delete(activity::table.filter(activity::sub_account.eq(id))).execute(c)?;
                diesel::delete(payout::table.filter(payout::sub_account.eq(id))).execute(c)?;
                diesel::delete(deadline::table.filter(deadline::sub_account.eq(id))).execute(c)?;
                diesel::delete(settlement::table.find(id)).execute(c)?;
            }
            let of_merchant = transaction::merchant.eq(merchant.number);
            diesel::delete(transaction::table.filter(of_merchant)).execute(c)?;
            let of_merchant = method::merchant.eq(merchant.number);
            diesel::delete(method::table.filter(of_merchant)).execute(c)?;
            Ok::<_, Halt>(())
        });
        Ok(emptied.await?)
    }
}
