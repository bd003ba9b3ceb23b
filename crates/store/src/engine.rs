//! How a connection to each engine is opened, and how its transactions begin and end.

use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::{Connection as _, PgConnection, QueryResult, SqliteConnection};

use crate::{Connection, DatabaseUrl, Error, Failure};

type Transactions = <Connection as diesel::Connection>::TransactionManager;

/// What a transaction, or on SQLite a connection, may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
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
        reason,
    })
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
        Access::Read => {
            "PRAGMA busy_timeout = 10000;
             PRAGMA temp_store = MEMORY;
             PRAGMA cache_size = -16384;"
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
             END $$;"
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
                Access::Read => "BEGIN",
                Access::Write => "BEGIN IMMEDIATE",
            };
            AnsiTransactionManager::begin_transaction_sql(sqlite, sql)
        }
        Connection::Postgres(postgres) => {
            let sql = match access {
                Access::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
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
