//! Whether anybody works with a database.
//!
//! On PostgreSQL each connection of ours holds a shared lock for as long as it is open; SQLite knows by
//! itself who has a file open. So nobody is missed who was cut off and came back.

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Bool};
use diesel::{
    PgConnection, QueryResult, QueryableByName, RunQueryDsl, SqliteConnection, sql_query,
};

use crate::{Connection, DatabaseUrl, Error, engine};

/// The lock that connections share, in the server's lists and in SQL.
const LOCK: i64 = 7_164_294;
pub(crate) const SHARE_LOCK: &str = "SELECT pg_advisory_lock_shared(7164294)";

/// Whether anybody has a store open that exists; on PostgreSQL, any store of the database. Who has
/// just gone may be seen for a moment still.
///
/// # Errors
/// [`Error::Open`] when the database cannot be reached.
pub fn is_in_use(url: &DatabaseUrl, name: &str) -> Result<bool, Error> {
    let answer = match engine::connect_alone(url, name)? {
        Connection::Sqlite(mut sqlite) => is_open(&mut sqlite),
        Connection::Postgres(mut postgres) => is_locked(&mut postgres),
    };
    answer.map_err(|error| Error::Open {
        database: url.describe(name),
        reason: error.to_string(),
    })
}

/// Each connection to a file in this mode shares a lock on it; who wants it alone is refused.
fn is_open(connection: &mut SqliteConnection) -> QueryResult<bool> {
    let taken =
        connection.batch_execute("PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; COMMIT");
    match taken {
        Err(error) if error.to_string().contains("database is locked") => Ok(true),
        taken => taken.map(|()| false),
    }
}

fn is_locked(connection: &mut PgConnection) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct Answer {
        #[diesel(sql_type = Bool)]
        answer: bool,
    }
    let query = sql_query(
        "SELECT EXISTS (
             SELECT 1 FROM pg_locks
             JOIN pg_database ON pg_database.oid = pg_locks.database
             WHERE datname = current_database() AND locktype = 'advisory'
                 AND classid = 0 AND objid::bigint = $1 AND objsubid = 1
                 AND pid <> pg_backend_pid()
         ) AS answer",
    );
    let answer: Answer = query.bind::<BigInt, _>(LOCK).get_result(connection)?;
    Ok(answer.answer)
}
