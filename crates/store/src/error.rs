//! What can go wrong between a caller and its rows.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// A failure of the database, not of what was asked of it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The row that was asked for is not there.
    #[error("the row is not in the database")]
    NotFound,
    /// A unique key is taken already; the constraint's name or columns.
    #[error("the database has such a row already: {0}")]
    Duplicate(String),
    /// The database cannot serve now: disk full, connection lost. Nothing of the work was kept,
    /// unless the connection was lost in the very moment of the commit: whoever sends it again
    /// must be able to tell that it was done.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// Other work was in the way, again and again. Nothing of this one was kept.
    #[error("the database is busy with conflicting work: {0}")]
    Conflict(String),
    /// The work panicked; nothing of it was kept.
    #[error("the work on the database panicked")]
    Panicked,
    /// The store was opened for reading only.
    #[error("the database was opened for reading only")]
    ReadOnly,
    /// The database was written by a later version of the program.
    #[error(
        "the database {database} was written by a newer version of the program (it knows migration \
         {version}): start that version, or restore a copy made before the upgrade"
    )]
    Newer {
        /// Which database.
        database: String,
        /// The first migration that this program does not know.
        version: String,
    },
    /// The database could not be opened.
    #[error("cannot open the database {database}: {reason}")]
    Open {
        /// Which database.
        database: String,
        /// What the engine said.
        reason: String,
    },
    /// Anything else: a defect of ours.
    #[error("the database refused a statement: {0}")]
    Statement(#[source] DieselError),
}

impl Error {
    /// Whether the same request may succeed when it is sent again later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Conflict(_))
    }

    /// What the engine said, without the sentence around it.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Unavailable(reason) | Self::Conflict(reason) => reason.clone(),
            other => other.to_string(),
        }
    }
}

impl From<DieselError> for Error {
    fn from(error: DieselError) -> Self {
        use DatabaseErrorKind::{
            ClosedConnection, SerializationFailure, UnableToSendCommand, UniqueViolation,
        };
        let (kind, info) = match error {
            DieselError::NotFound => return Self::NotFound,
            DieselError::BrokenTransactionManager => {
                return Self::Unavailable("the transaction was lost".to_owned());
            }
            DieselError::DatabaseError(kind, info) => (kind, info),
            other => return Self::Statement(other),
        };
        let message = info.message();
        match kind {
            UniqueViolation => {
                Self::Duplicate(info.constraint_name().unwrap_or(message).to_owned())
            }
            SerializationFailure => Self::Conflict(message.to_owned()),
            _ if message.contains("deadlock detected") => Self::Conflict(message.to_owned()),
            UnableToSendCommand | ClosedConnection => Self::Unavailable(message.to_owned()),
            _ if is_fault(message) => Self::Unavailable(explained(message)),
            kind => Self::Statement(DieselError::DatabaseError(kind, info)),
        }
    }
}

/// What the engine says, and what that may mean where it says too little.
pub(crate) fn explained(message: &str) -> String {
    if message.contains("disk I/O error") {
        return format!("{message}: the disk may be full, or broken");
    }
    message.to_owned()
}

/// Faults of disk, memory or server, which Diesel gives no kind of their own.
fn is_fault(message: &str) -> bool {
    const FAULTS: [&str; 13] = [
        // SQLite
        "database or disk is full",
        "disk I/O error",
        "database is locked",
        "database disk image is malformed",
        "attempt to write a readonly database",
        "unable to open database file",
        "interrupted",
        // Both
        "out of memory",
        // PostgreSQL
        "No space left on device",
        "canceling statement due to",
        "terminating connection",
        "server closed the connection",
        "the database system is",
    ];
    FAULTS.iter().any(|text| message.contains(text))
}

/// An error type that a transaction may end with: it can carry the store's own.
///
/// The store looks inside to find conflicts, which it tries again. Work must pass the connection's
/// errors on, at least as one of these: after an error that it keeps to itself nothing is certain.
pub trait Failure: From<Error> + Send + 'static {
    /// The store's error, if that is what this is.
    fn as_store(&self) -> Option<&Error>;
}

impl Failure for Error {
    fn as_store(&self) -> Option<&Error> {
        Some(self)
    }
}
