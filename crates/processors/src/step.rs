//! What time brings about at a processor, where whoever asks says how much of it has passed.

use contract::Timestamp;
use money::Money;

use crate::{PayoutId, SubAccountId, TransactionId};

/// Something that time has brought about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Where.
    pub sub_account: SubAccountId,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: StepKind,
}

/// What a step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepKind {
    /// A business day has ended.
    DayClosed {
        /// So many transactions were settled.
        settled: usize,
        /// So much of the reserve was released, its days being over.
        released: Money,
    },
    /// These payouts were sent; none, while what is due is worth nothing or less.
    PayoutsSent(Vec<SentPayout>),
    /// A card holder disputes a sale.
    DisputeOpened {
        /// The chargeback.
        chargeback: TransactionId,
        /// How much.
        amount: Money,
    },
    /// Nobody has resolved a dispute in time.
    DisputeLost {
        /// The chargeback, which stays.
        chargeback: TransactionId,
    },
}

/// A payout that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentPayout {
    /// Which.
    pub id: PayoutId,
    /// How much.
    pub amount: Money,
}
