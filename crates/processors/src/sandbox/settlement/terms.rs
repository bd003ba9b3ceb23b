//! What becomes of a reserve when its sale goes back: data of the sub-account.

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Text;
use store::Connection;

use super::super::account::Account;
use super::super::tables::sub_account;
use super::Sandbox;
use crate::feed::text_column;
use crate::{Failure, SubAccountId, TransactionKind};

/// What happens to the reserve that was held of a sale when the sale goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub enum ReservePolicy {
    /// Nothing: it is held until its day comes.
    Kept,
    /// The part of it that went back is released at once.
    Returned,
}

impl ReservePolicy {
    const ALL: [Self; 2] = [Self::Kept, Self::Returned];

    const fn name(self) -> &'static str {
        match self {
            Self::Kept => "Kept",
            Self::Returned => "Returned",
        }
    }
}

text_column!(ReservePolicy);

/// A sub-account's policies. At first, both are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Queryable)]
pub struct ReserveTerms {
    /// When a sale is refunded.
    pub on_refund: ReservePolicy,
    /// When a sale is charged back.
    pub on_chargeback: ReservePolicy,
}

impl ReserveTerms {
    pub(super) fn load(c: &mut Connection, account: &Account) -> QueryResult<Self> {
        sub_account::table
            .find(&account.id)
            .select((
                sub_account::reserve_on_refund,
                sub_account::reserve_on_chargeback,
            ))
            .first(c)
    }

    /// Whether a transaction of this kind releases the reserve of what goes back.
    pub(super) fn return_on(self, kind: TransactionKind) -> bool {
        let policy = match kind.whole() {
            TransactionKind::Refund => self.on_refund,
            TransactionKind::Chargeback => self.on_chargeback,
            _ => ReservePolicy::Kept,
        };
        policy == ReservePolicy::Returned
    }
}

impl Sandbox {
    /// Chooses, from the next closed day on, what becomes of a reserve when its sale goes back.
    ///
    /// # Errors
    /// [`Failure::Refused`] when there is no such sub-account.
    pub async fn set_reserve_terms(
        &self,
        sub_account: &SubAccountId,
        terms: ReserveTerms,
    ) -> Result<(), Failure> {
        let account = self.account(sub_account).await?;
        self.write(account, move |c, account| {
            diesel::update(sub_account::table.find(&account.id))
                .set((
                    sub_account::reserve_on_refund.eq(terms.on_refund),
                    sub_account::reserve_on_chargeback.eq(terms.on_chargeback),
                ))
                .execute(c)?;
            Ok(())
        })
        .await
    }
}
