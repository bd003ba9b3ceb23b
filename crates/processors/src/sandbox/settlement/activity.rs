//! The activities that payouts are made of.

use contract::Timestamp;
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Text;
use money::Money;
use store::{Connection, both};

use super::super::account::Account;
use super::super::halt::Halt;
use super::super::tables::{activity, transaction};
use crate::feed::text_column;
use crate::{Activity, Fee, PayoutLine, Release, TransactionId, TransactionKind};

#[derive(Debug, Clone, Copy, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub(crate) enum Kind {
    Transaction,
    PercentageFee,
    FixedFee,
    DisputeFee,
    ReserveHeld,
    ReserveReleased,
    ReserveReturned,
    Adjustment,
}

impl Kind {
    const ALL: [Self; 8] = [
        Self::Transaction,
        Self::PercentageFee,
        Self::FixedFee,
        Self::DisputeFee,
        Self::ReserveHeld,
        Self::ReserveReleased,
        Self::ReserveReturned,
        Self::Adjustment,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Transaction => "Transaction",
            Self::PercentageFee => "Percentage Fee",
            Self::FixedFee => "Fixed Fee",
            Self::DisputeFee => "Dispute Fee",
            Self::ReserveHeld => "Reserve Held",
            Self::ReserveReleased => "Reserve Released",
            Self::ReserveReturned => "Reserve Returned",
            Self::Adjustment => "Adjustment",
        }
    }
}

text_column!(Kind);

/// A row.
#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = activity, treat_none_as_default_value = false)]
pub(crate) struct Row {
    pub(crate) sub_account: String,
    pub(crate) number: i64,
    pub(crate) kind: Kind,
    pub(crate) amount_minor: i64,
    #[diesel(column_name = settled_ms)]
    pub(crate) settled_at: Timestamp,
    #[diesel(column_name = due_ms)]
    pub(crate) due_at: Timestamp,
    pub(crate) transaction_id: Option<i64>,
    #[diesel(column_name = reserve_ms)]
    pub(crate) reserve_at: Option<Timestamp>,
    /// What of a reserve is still held, until nothing is.
    pub(crate) held_minor: Option<i64>,
    pub(crate) adjustment_id: Option<String>,
    pub(crate) adjustment_category: Option<String>,
    pub(crate) payout: Option<i64>,
}

/// SQLite and PostgreSQL both take at least 32,766 values with a statement; a row has 12.
const ROWS_MAX: usize = 2_000;

/// Writes new ones.
pub(crate) fn insert(c: &mut Connection, rows: &[Row]) -> QueryResult<()> {
    for rows in rows.chunks(ROWS_MAX) {
        both!(c, c => diesel::insert_into(activity::table).values(rows).execute(c))?;
    }
    Ok(())
}

/// The lines of a payout, by the first of its issues.
pub(crate) fn lines(
    c: &mut Connection,
    account: &Account,
    root: i64,
) -> Result<Vec<PayoutLine>, Halt> {
    let rows: Vec<(Row, Option<TransactionKind>)> = activity::table
        .left_join(transaction::table.on(transaction::id.nullable().eq(activity::transaction_id)))
        .filter(activity::payout.eq(root))
        .order(activity::number)
        .select((activity::all_columns, transaction::kind.nullable()))
        .load(c)?;
    rows.into_iter()
        .map(|(row, kind)| line(account, &row, kind))
        .collect()
}

fn line(account: &Account, row: &Row, of: Option<TransactionKind>) -> Result<PayoutLine, Halt> {
    let broken = || Halt::corrupt(format!("activity {} lacks what its kind needs", row.number));
    let id = || {
        let id = row.transaction_id.ok_or_else(broken)?;
        Ok::<_, Halt>(TransactionId::new(id.to_string()))
    };
    let fee = |fee| {
        Ok::<_, Halt>(Activity::Fee {
            transaction: id()?,
            fee,
        })
    };
    let released = |release| {
        Ok::<_, Halt>(Activity::ReserveReleased {
            transaction: id()?,
            collected_at: row.reserve_at.ok_or_else(broken)?,
            release,
        })
    };
    let activity = match row.kind {
        Kind::Transaction => Activity::Transaction {
            transaction: id()?,
            kind: of.ok_or_else(broken)?,
        },
        Kind::PercentageFee => fee(Fee::Percentage)?,
        Kind::FixedFee => fee(Fee::Fixed)?,
        Kind::DisputeFee => fee(Fee::Dispute)?,
        Kind::ReserveHeld => Activity::ReserveHeld {
            transaction: id()?,
            release_at: row.reserve_at.ok_or_else(broken)?,
        },
        Kind::ReserveReleased => released(Release::Scheduled)?,
        Kind::ReserveReturned if of == Some(TransactionKind::Chargeback) => {
            released(Release::Chargeback)?
        }
        Kind::ReserveReturned => released(Release::Refund)?,
        Kind::Adjustment => Activity::Adjustment {
            id: row.adjustment_id.clone().ok_or_else(broken)?,
            category: row.adjustment_category.clone().ok_or_else(broken)?,
        },
    };
    Ok(PayoutLine {
        number: row.number,
        amount: Money::from_minor(row.amount_minor, account.currency),
        settled_at: row.settled_at,
        activity,
    })
}
