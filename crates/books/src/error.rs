//! What can go wrong in the books.

use contract::id::ConnectionId;
use store::Failure;

/// A failure of the books.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot do it.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The key of a chain cannot be opened or sealed.
    #[error(transparent)]
    Vault(#[from] vault::Error),
    /// A connection that the books have no evidence of.
    #[error("there is no evidence of connection {0}: nothing was synced over it yet")]
    NoChain(ConnectionId),
    /// What came is too large, or what was kept cannot be unpacked.
    #[error("evidence cannot be packed or unpacked: {0}; verify the chain")]
    Packing(#[from] std::io::Error),
    /// A row that no program of ours wrote so.
    #[error("the database holds a value that cannot be read: {0}; verify the chain")]
    Corrupt(String),
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
