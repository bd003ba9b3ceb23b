//! How work on the sandbox's books ends, when it does not end with a transaction.

use store::Error;

use super::refusal::Refusal;
use crate::Failure;

#[derive(Debug)]
pub(crate) enum Halt {
    /// Nothing is executed, for a reason that the caller can mend.
    Refused(Refusal),
    /// The request never arrived, as far as the books know.
    RequestLost,
    /// The processor says that it cannot serve.
    Unavailable,
    /// The database failed.
    Store(Error),
}

impl Halt {
    /// A row that this program cannot have written.
    pub(crate) fn corrupt(what: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        diesel::result::Error::DeserializationError(what.into()).into()
    }
}

impl store::Failure for Halt {
    fn as_store(&self) -> Option<&Error> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl From<diesel::result::Error> for Halt {
    fn from(error: diesel::result::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<Refusal> for Halt {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Halt> for Failure {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Refused(refusal) => refusal.into(),
            Halt::RequestLost => Self::Unanswered,
            Halt::Unavailable => Self::Unavailable,
            // Posting locks the sub-account and looks for the key first, so a key that is taken all
            // the same was taken meanwhile in another sub-account, by another request.
            Halt::Store(Error::Duplicate(_)) => Refusal::KeyReused.into(),
            Halt::Store(error) => {
                // A commit whose acknowledgement was lost looks the same as one that failed.
                tracing::error!(%error, "the sandbox cannot use its database");
                Self::Unanswered
            }
        }
    }
}
