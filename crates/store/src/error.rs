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
    /// The database cannot serve now (disk full, connection lost, conflict that outlasted the
    /// retries). Nothing of the request was kept; it may be sent again.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// The work panicked; nothing of it was kept.
    #[error("the work on the database panicked")]
    Panicked,
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
        matches!(self, Self::Unavailable(_))
    }
}

impl From<DieselError> for Error {
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::NotFound => Self::NotFound,
            DieselError::DatabaseError(kind, info) => match kind {
                DatabaseErrorKind::UniqueViolation => Self::Duplicate(
                    info.constraint_name()
                        .unwrap_or_else(|| info.message())
                        .to_owned(),
                ),
                DatabaseErrorKind::SerializationFailure
                | DatabaseErrorKind::UnableToSendCommand
                | DatabaseErrorKind::ClosedConnection => {
                    Self::Unavailable(info.message().to_owned())
                }
                _ if is_passing(info.message()) => Self::Unavailable(info.message().to_owned()),
                _ => Self::Statement(DieselError::DatabaseError(kind, info)),
            },
            DieselError::BrokenTransactionManager => {
                Self::Unavailable("the transaction was lost".to_owned())
            }
            other => Self::Statement(other),
        }
    }
}

/// Conditions that Diesel gives no kind of their own: SQLite's end of a whole transaction, and
/// PostgreSQL's deadlocks and shutdowns.
fn is_passing(message: &str) -> bool {
    const PASSING: [&str; 12] = [
        "database or disk is full",
        "disk I/O error",
        "database is locked",
        "out of memory",
        "interrupted",
        "unable to open database file",
        "deadlock detected",
        "could not serialize",
        "terminating connection",
        "server closed the connection",
        "the database system is",
        "No space left on device",
    ];
    PASSING.iter().any(|text| message.contains(text))
}

/// An error type that a transaction may end with: it can carry the store's own.
///
/// The store looks inside to tell a refusal (roll this one back, tell its caller) from a fault of
/// the database (nothing of the batch can be trusted).
pub trait Failure: From<Error> + Send + 'static {
    /// The store's error, if that is what this is.
    fn as_store(&self) -> Option<&Error>;
}

impl Failure for Error {
    fn as_store(&self) -> Option<&Error> {
        Some(self)
    }
}
