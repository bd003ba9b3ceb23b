//! What a processor reports of its own books, for whoever imports them.

use contract::Timestamp;
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Text;
use money::{Currency, Money};

use crate::{AttemptKey, MerchantId, SubAccountId, TransactionId};

/// A place in a sub-account's feed of transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor(pub i64);

impl Cursor {
    /// Before the first transaction.
    pub const START: Self = Self(0);
}

/// A merchant's account in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubAccount {
    /// `1387.2`
    pub id: SubAccountId,
    /// `1387`
    pub merchant: MerchantId,
    /// The merchant's name.
    pub name: String,
    /// The one currency of all its transactions.
    pub currency: Currency,
}

impl SubAccount {
    /// As reports name it: `1387.2 - My Company - GBP`.
    pub fn label(&self) -> String {
        format!("{} - {} - {}", self.id, self.name, self.currency)
    }
}

/// A transaction as the processor's books have it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionRecord {
    /// Where it stands in the feed. A transaction that changes comes again, further on.
    pub position: Cursor,
    /// The transaction.
    pub id: TransactionId,
    /// The sub-account in whose feed it is.
    pub sub_account: SubAccountId,
    /// The attempt that made it.
    pub key: AttemptKey,
    /// The charge or hold that a capture, release, refund or chargeback belongs to.
    pub original: Option<TransactionId>,
    /// What was asked.
    pub kind: TransactionKind,
    /// What came of it.
    pub status: TransactionStatus,
    /// How much, never negative: the kind says which way.
    pub amount: Money,
    /// The card's last four digits.
    pub last4: String,
    /// The card's first six digits.
    pub bin: String,
    /// The card's network, as reports name it: `Visa`.
    pub payment_method: String,
    /// The reservation's code.
    pub confirmation_code: Option<String>,
    /// When the merchant asked.
    pub merchant_at: Timestamp,
    /// When the processor processed it.
    pub system_at: Timestamp,
    /// When it was settled, once it is.
    pub settled_at: Option<Timestamp>,
    /// The acquirer's reference, for what goes through clearing.
    pub arn: Option<String>,
    /// What the guest's statement says.
    pub dynamic_descriptor: String,
    /// The authorization code of what was processed, the error's number of what was declined, the
    /// card network's reason of a chargeback.
    pub authorization_or_error_code: String,
    /// The dispute that a chargeback, or its reversal, belongs to.
    pub case_id: Option<String>,
}

/// Kinds of transactions, by the names that GuestyPay's reports give them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub enum TransactionKind {
    /// A check of a card, of nothing.
    Verify,
    /// A hold.
    Authorization,
    /// A hold, taken whole.
    Capture,
    /// A hold, taken in part; the rest is released.
    PartialCapture,
    /// A charge at once.
    Charge,
    /// A return of all that was taken.
    Refund,
    /// A return of a part.
    PartialRefund,
    /// A hold's release, or a return of all that was taken, before it was settled.
    Void,
    /// A return of a part, before it was settled.
    PartialVoid,
    /// Money given to a card holder without a sale that it belongs to.
    Credit,
    /// What the card holder's bank takes back of a sale, because they dispute it.
    Chargeback,
    /// A chargeback that is given back, because the dispute was won.
    ReversalChargeback,
}

impl TransactionKind {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::Verify,
        Self::Authorization,
        Self::Capture,
        Self::PartialCapture,
        Self::Charge,
        Self::Refund,
        Self::PartialRefund,
        Self::Void,
        Self::PartialVoid,
        Self::Credit,
        Self::Chargeback,
        Self::ReversalChargeback,
    ];

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Verify => "Verify",
            Self::Authorization => "Authorization",
            Self::Capture => "Capture",
            Self::PartialCapture => "Partial Capture",
            Self::Charge => "Charge",
            Self::Refund => "Refund",
            Self::PartialRefund => "Partial Refund",
            Self::Void => "Void",
            Self::PartialVoid => "Partial Void",
            Self::Credit => "Credit",
            Self::Chargeback => "Chargeback",
            Self::ReversalChargeback => "Reversal Chargeback",
        }
    }

    /// The kind that this is a part of, or itself.
    #[must_use]
    pub const fn whole(self) -> Self {
        match self {
            Self::PartialCapture => Self::Capture,
            Self::PartialRefund => Self::Refund,
            Self::PartialVoid => Self::Void,
            other => other,
        }
    }
}

/// What came of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub enum TransactionStatus {
    /// It went through.
    Processed,
    /// It did not.
    Declined,
}

impl TransactionStatus {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Processed, Self::Declined];

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Processed => "Processed",
            Self::Declined => "Declined",
        }
    }
}

/// Kept in a database by its name.
macro_rules! text_column {
    ($name:ty) => {
        impl<DB: Backend> ToSql<Text, DB> for $name
        where
            str: ToSql<Text, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                self.name().to_sql(out)
            }
        }

        impl<DB: Backend> FromSql<Text, DB> for $name
        where
            String: FromSql<Text, DB>,
        {
            fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
                let text = String::from_sql(bytes)?;
                let found = Self::ALL.into_iter().find(|value| value.name() == text);
                found.ok_or_else(|| text.into())
            }
        }
    };
}

pub(crate) use text_column;

text_column!(TransactionKind);
text_column!(TransactionStatus);
