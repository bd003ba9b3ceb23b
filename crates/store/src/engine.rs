//! How a connection to each engine is opened, and how its transactions begin and end.

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::{Connection as _, PgConnection, SqliteConnection};

use crate::{Connection, DatabaseUrl, Error};

type Transactions = <Connection as diesel::Connection>::TransactionManager;

/// What a connection may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// Opens a connection to a store's own file or schema.
pub(crate) fn connect(url: &DatabaseUrl, name: &str, access: Access) -> Result<Connection, Error> {
    let failed = |reason: String| Error::Open {
        database: url.describe(name),
        reason,
    };
    match url {
        DatabaseUrl::Sqlite(directory) => {
            if access == Access::Write {
                std::fs::create_dir_all(directory).map_err(|e| failed(e.to_string()))?;
            }
            let path = directory.join(format!("{name}.db"));
            let path = path
                .to_str()
                .ok_or_else(|| failed("the path is not UTF-8".to_owned()))?;
            let mut connection =
                SqliteConnection::establish(path).map_err(|e| failed(e.to_string()))?;
            connection
                .batch_execute(sqlite_settings(access))
                .map_err(|e| failed(e.to_string()))?;
            Ok(Connection::Sqlite(connection))
        }
        DatabaseUrl::Postgres(server) => {
            let mut connection =
                PgConnection::establish(server).map_err(|e| failed(e.to_string()))?;
            connection
                .batch_execute(&format!(
                    "SET search_path TO \"{name}\"; SET timezone TO 'UTC';"
                ))
                .map_err(|e| failed(e.to_string()))?;
            Ok(Connection::Postgres(connection))
        }
    }
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
             PRAGMA query_only = ON;
             PRAGMA temp_store = MEMORY;
             PRAGMA cache_size = -16384;"
        }
    }
}

/// Begins the outermost transaction. SQLite's takes the write lock at once: a transaction that
/// reads first and writes later could lose the race for it.
pub(crate) fn begin(connection: &mut Connection) -> diesel::QueryResult<()> {
    match connection {
        Connection::Sqlite(sqlite) => {
            AnsiTransactionManager::begin_transaction_sql(sqlite, "BEGIN IMMEDIATE")
        }
        Connection::Postgres(postgres) => AnsiTransactionManager::begin_transaction(postgres),
    }
}

/// Begins a savepoint inside the transaction.
pub(crate) fn begin_nested(connection: &mut Connection) -> diesel::QueryResult<()> {
    Transactions::begin_transaction(connection)
}

/// Commits the innermost transaction or releases its savepoint.
pub(crate) fn commit(connection: &mut Connection) -> diesel::QueryResult<()> {
    Transactions::commit_transaction(connection)
}

/// Rolls back until only `depth` transactions stand open: the work may have ended, or panicked,
/// inside savepoints of its own.
pub(crate) fn roll_back_to(connection: &mut Connection, depth: u32) -> diesel::QueryResult<()> {
    loop {
        let open = Transactions::transaction_manager_status_mut(connection)
            .transaction_depth()?
            .map_or(0, std::num::NonZeroU32::get);
        if open <= depth {
            return Ok(());
        }
        Transactions::rollback_transaction(connection)?;
    }
}
