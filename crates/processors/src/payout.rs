//! What a processor reports of its payouts: what it sent to the merchant's bank, and of what.

use contract::Timestamp;
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Text;
use money::Money;

use crate::feed::text_column;
use crate::{Cursor, PayoutId, SubAccountId, TransactionId, TransactionKind};

/// A payout as the processor's books have it now. Its lines sum to its amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutRecord {
    /// Where it stands in the feed of payouts. A payout that changes comes again, further on.
    pub position: Cursor,
    /// The payout.
    pub id: PayoutId,
    /// Whose it is.
    pub sub_account: SubAccountId,
    /// How much; more than nothing.
    pub amount: Money,
    /// What became of it.
    pub status: PayoutStatus,
    /// When it is, or was, sent to the bank.
    pub process_at: Timestamp,
    /// When the bank sent it back, or it was declined.
    pub rejected_at: Option<Timestamp>,
    /// The processor's code of what was sent, the bank's of what it rejected; else empty.
    pub authorization_or_error_code: String,
    /// The rejected or declined payout that this one is sent again for. Both have the same lines.
    pub reissue_of: Option<PayoutId>,
    /// What the bank's statement says.
    pub descriptor: String,
    /// All that it is made of, in the order of settlement. There are as many, whenever it comes.
    pub lines: Vec<PayoutLine>,
}

/// An activity in a payout. Of the payouts that it is in, one at most was neither rejected nor
/// declined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutLine {
    /// The activity's number, the sub-account's own.
    pub number: i64,
    /// What it adds to the payout; less than nothing for what it takes away.
    pub amount: Money,
    /// When it was settled.
    pub settled_at: Timestamp,
    /// What it is.
    pub activity: Activity,
}

/// What moves a merchant's balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Activity {
    /// What a transaction moved: a sale, a refund, a chargeback.
    Transaction {
        /// Which.
        transaction: TransactionId,
        /// Its kind.
        kind: TransactionKind,
    },
    /// What the processor charges.
    Fee {
        /// For what, whether it was processed or declined.
        transaction: TransactionId,
        /// Which of its fees.
        fee: Fee,
    },
    /// What is kept back of a sale.
    ReserveHeld {
        /// Of which.
        transaction: TransactionId,
        /// Until when.
        release_at: Timestamp,
    },
    /// What was kept back, and is no longer.
    ReserveReleased {
        /// The sale, or the refund or chargeback that ended it.
        transaction: TransactionId,
        /// When it was held.
        collected_at: Timestamp,
        /// Why it is released.
        release: Release,
    },
    /// What was put right by hand.
    Adjustment {
        /// Its own id.
        id: String,
        /// What for.
        category: String,
    },
}

/// Fees of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fee {
    /// A share of its amount.
    Percentage,
    /// The same for each.
    Fixed,
    /// For a chargeback.
    Dispute,
}

/// Why a reserve is released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Release {
    /// Its day has come.
    Scheduled,
    /// The sale was refunded.
    Refund,
    /// The sale was charged back.
    Chargeback,
}

/// What became of a payout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub enum PayoutStatus {
    /// It was sent.
    Processed,
    /// It will be.
    PendingDueDate,
    /// The bank sent it back.
    RejectedByProcessor,
    /// The processor would not send it.
    DeclinedByProcessor,
    /// The merchant would not have it.
    DeclinedByUser,
}

impl PayoutStatus {
    /// Every status.
    pub const ALL: [Self; 5] = [
        Self::Processed,
        Self::PendingDueDate,
        Self::RejectedByProcessor,
        Self::DeclinedByProcessor,
        Self::DeclinedByUser,
    ];

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Processed => "Processed",
            Self::PendingDueDate => "Pending Due Date",
            Self::RejectedByProcessor => "Rejected by Processor",
            Self::DeclinedByProcessor => "Declined by Processor",
            Self::DeclinedByUser => "Declined by User",
        }
    }
}

text_column!(PayoutStatus);
