//! What can go wrong in the platform that is nobody's wrong request.

use store::Failure;

use crate::model::{KeyRefusal, Rejection};

/// A failure of the platform, or a command that its rules refuse.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The rules refuse the command; nothing was changed.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// Nothing is done under the request's idempotency key.
    #[error(transparent)]
    Key(#[from] KeyRefusal),
    /// The database cannot do it.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A processor cannot do it.
    #[error(transparent)]
    Processor(#[from] processors::Failure),
    /// A secret cannot be opened or sealed.
    #[error(transparent)]
    Vault(#[from] vault::Error),
    /// The merchant has no sub-account in a currency, as far as its processor has said.
    #[error("merchant {merchant} has no sub-account in {currency}")]
    NoSubAccount {
        /// The merchant.
        merchant: String,
        /// The currency.
        currency: money::Currency,
    },
    /// A payout that was imported is reported with more lines, or fewer. They have their places in
    /// reports by then, so it is imported no further.
    #[error("payout {payout} had {known} lines, and is reported with {reported} now")]
    ChangedPayout {
        /// The payout.
        payout: String,
        /// How many it had.
        known: i64,
        /// How many it is reported with.
        reported: i64,
    },
    /// A token cannot be signed.
    #[error("a token could not be signed: {0}")]
    Signing(#[from] jsonwebtoken::errors::Error),
    /// A row that no program of ours wrote so.
    #[error("the database holds a value that cannot be read: {0}")]
    Corrupt(String),
}

impl Error {
    /// Whether the rules, or the processor's, refuse what was asked; nothing was changed.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Rejected(_) | Self::Processor(processors::Failure::Refused { .. })
        )
    }
}

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        Self::Store(error.into())
    }
}

impl Failure for Error {
    fn as_store(&self) -> Option<&store::Error> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}
