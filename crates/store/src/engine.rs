//! How a connection to each engine is opened, and how its transactions begin and end.

use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::{Connection as _, PgConnection, QueryResult, SqliteConnection};

use crate::error::explained;
use crate::presence::SHARE_LOCK;
use crate::{Connection, DatabaseUrl, Error, Failure};

type Transactions = <Connection as diesel::Connection>::TransactionManager;

/// What a transaction, or on SQLite a connection, may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    /// Of a file that stands where nothing may be written, and that nobody has open.
    ReadCopy,
    Write,
}

/// Opens a connection to a store's own file or schema.
pub(crate) fn connect(url: &DatabaseUrl, name: &str, access: Access) -> Result<Connection, Error> {
    let opened = match url {
        DatabaseUrl::Sqlite(directory) => open_file(directory, name, access),
        DatabaseUrl::Postgres(server) => open_schema(server, name),
    };
    opened.map_err(|reason| Error::Open {
        database: url.describe(name),
        reason: explained(&reason),
    })
}

/// Opens a connection that wants nothing but to know whether there are others, and does not wait.
pub(crate) fn connect_alone(url: &DatabaseUrl, name: &str) -> Result<Connection, Error> {
    let DatabaseUrl::Sqlite(directory) = url else {
        return connect(url, name, Access::Write);
    };
    let opened = file_uri(&directory.join(format!("{name}.db")), Access::Write)
        .and_then(|uri| SqliteConnection::establish(&uri).map_err(|e| e.to_string()));
    opened
        .map(Connection::Sqlite)
        .map_err(|reason| Error::Open {
            database: url.describe(name),
            reason: explained(&reason),
        })
}

/// What SQLite says where it may not write beside a file.
const UNWRITABLE: [&str; 2] = ["unable to open database file", "readonly database"];

/// How a store can be read. To read a file that others may write, SQLite keeps notes beside it; where
/// it may not, a file that nobody has open is read as it is.
pub(crate) fn access_to_read(url: &DatabaseUrl, name: &str) -> Result<Access, Error> {
    let Err(error) = connect(url, name, Access::Read) else {
        return Ok(Access::Read);
    };
    let text = error.to_string();
    let is_for_want_of_notes = UNWRITABLE.iter().any(|what| text.contains(what));
    let DatabaseUrl::Sqlite(directory) = url else {
        return Err(error);
    };
    match beside(directory, name) {
        _ if !is_for_want_of_notes => Err(error),
        Beside::Nothing => {
            let is_readable = connect(url, name, Access::ReadCopy).is_ok();
            is_readable.then_some(Access::ReadCopy).ok_or(error)
        }
        Beside::Log => Err(Error::Open {
            database: url.describe(name),
            reason: format!(
                "its log {name}.db-wal has what is not in it yet, and cannot be read where nothing may \
                 be written: copy both to a place where you may write, or copy the database while \
                 nobody has it open"
            ),
        }),
        Beside::Notes => Err(error),
    }
}

/// What stands beside a file, as far as it matters to who may not write there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beside {
    Nothing,
    /// What was committed and is not in the file yet.
    Log,
    /// Who has the file open shares these with others.
    Notes,
}

fn beside(directory: &Path, name: &str) -> Beside {
    let length = |end| {
        let path = directory.join(format!("{name}.db-{end}"));
        std::fs::metadata(path).map(|file| file.len()).ok()
    };
    if length("wal").is_some_and(|length| length > 0) {
        Beside::Log
    } else if length("shm").is_some() {
        Beside::Notes
    } else {
        Beside::Nothing
    }
}

/// Makes sure that nobody has begun to write where nobody was: what was read may be half of it.
pub(crate) fn is_still_alone(url: &DatabaseUrl, name: &str) -> Result<(), Error> {
    match url {
        DatabaseUrl::Sqlite(directory) if beside(directory, name) != Beside::Nothing => {
            Err(Error::Unavailable(format!(
                "somebody began to write to {} while it was read as a copy: read it again",
                url.describe(name)
            )))
        }
        _ => Ok(()),
    }
}

fn open_file(directory: &Path, name: &str, access: Access) -> Result<Connection, String> {
    if access == Access::Write {
        std::fs::create_dir_all(directory).map_err(|e| e.to_string())?;
    }
    let uri = file_uri(&directory.join(format!("{name}.db")), access)?;
    let mut connection = SqliteConnection::establish(&uri).map_err(|e| e.to_string())?;
    connection
        .batch_execute(sqlite_settings(access))
        .map_err(|e| e.to_string())?;
    Ok(Connection::Sqlite(connection))
}

/// SQLite's own form of an address, which can say that the file must exist and stay as it is.
fn file_uri(path: &Path, access: Access) -> Result<String, String> {
    let path = std::path::absolute(path).map_err(|e| e.to_string())?;
    let path = path.to_str().ok_or("the path is not UTF-8")?;
    let escaped = path
        .replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23");
    let mode = match access {
        Access::Read => "ro",
        Access::ReadCopy => "ro&immutable=1",
        Access::Write => "rwc",
    };
    Ok(format!("file:{escaped}?mode={mode}"))
}

/// `FULL` makes a commit durable before it is answered. The log is carried into the file every
/// 16 MiB rather than every 4: each such checkpoint stops the writer.
fn sqlite_settings(access: Access) -> &'static str {
    match access {
        Access::Write => {
            "PRAGMA busy_timeout = 10000;
             PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA foreign_keys = ON;
             PRAGMA temp_store = MEMORY;
             PRAGMA cache_size = -65536;
             PRAGMA wal_autocheckpoint = 4096;"
        }
        // The version is asked for only so that a file that cannot be read says so at once.
        Access::Read | Access::ReadCopy => {
            "PRAGMA busy_timeout = 10000;
             PRAGMA temp_store = MEMORY;
             PRAGMA cache_size = -16384;
             PRAGMA schema_version;"
        }
    }
}

/// Each statement is planned anew: a plan that was made while a table was nearly empty reads the
/// table whole, and would be kept until the table is next analyzed. On a new database that is a
/// minute, in which a hundred thousand rows may have come.
///
/// A role may not be allowed to choose the language of messages, in which a deadlock is told from
/// other errors; then they come as the server was set up, which is English nearly everywhere.
fn open_schema(server: &str, name: &str) -> Result<Connection, String> {
    let mut connection = PgConnection::establish(server).map_err(|e| e.to_string())?;
    connection
        .batch_execute(&format!(
            "SET search_path TO \"{name}\";
             SET timezone TO 'UTC';
             SET lock_timeout TO '10s';
             SET plan_cache_mode TO force_custom_plan;
             SET client_min_messages TO warning;
             DO $$ BEGIN
                 SET lc_messages TO 'C';
             EXCEPTION WHEN insufficient_privilege THEN NULL;
             END $$;
             {SHARE_LOCK};"
        ))
        .map_err(|e| e.to_string())?;
    Ok(Connection::Postgres(connection))
}

/// Begins the outermost transaction.
///
/// SQLite's takes the write lock at once: a transaction that reads first and writes later could
/// lose the race for it. PostgreSQL's sees what others commit while it waits for its lock; one that
/// only reads sees one state throughout, as on SQLite.
pub(crate) fn begin(connection: &mut Connection, access: Access) -> QueryResult<()> {
    match connection {
        Connection::Sqlite(sqlite) => {
            let sql = match access {
                Access::Read | Access::ReadCopy => "BEGIN",
                Access::Write => "BEGIN IMMEDIATE",
            };
            AnsiTransactionManager::begin_transaction_sql(sqlite, sql)
        }
        Connection::Postgres(postgres) => {
            let sql = match access {
                Access::Read | Access::ReadCopy => {
                    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
                }
                Access::Write => "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
            };
            AnsiTransactionManager::begin_transaction_sql(postgres, sql)
        }
    }
}

/// Commits the outermost transaction.
///
/// After a failed statement PostgreSQL answers `COMMIT` with success, and rolls back: work that
/// swallowed an error would be acknowledged and lost. A statement before it, in the same round
/// trip, fails instead.
pub(crate) fn commit(connection: &mut Connection, access: Access) -> QueryResult<()> {
    match (connection, access) {
        (Connection::Postgres(postgres), Access::Write) => {
            postgres.batch_execute("SELECT 1; COMMIT")
        }
        (connection, _) => Transactions::commit_transaction(connection),
    }
}

/// Rolls back until only `depth` transactions stand open: the work may have ended, or panicked,
/// inside savepoints of its own.
pub(crate) fn roll_back_to(connection: &mut Connection, depth: u32) -> QueryResult<()> {
    while open_transactions(connection)? > depth {
        Transactions::rollback_transaction(connection)?;
    }
    Ok(())
}

/// How many transactions stand open, savepoints counted; an error when that is no longer known.
pub(crate) fn open_transactions(connection: &mut Connection) -> QueryResult<u32> {
    let depth = Transactions::transaction_manager_status_mut(connection).transaction_depth()?;
    Ok(depth.map_or(0, NonZeroU32::get))
}

/// Runs work, and makes a panic in it an error like others.
pub(crate) fn run<T, E: Failure>(
    connection: &mut Connection,
    work: impl FnOnce(&mut Connection) -> Result<T, E>,
) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(|| work(connection)))
        .unwrap_or_else(|_| Err(Error::Panicked.into()))
}
