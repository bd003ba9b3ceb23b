//! The connection type that all queries are written against.

#![allow(
    missing_docs,
    clippy::pedantic,
    reason = "the derive writes public items without docs"
)]

use diesel::{MultiConnection, PgConnection, SqliteConnection};

/// A connection to either engine. Queries written against it are checked for both at compile time;
/// `ON CONFLICT` and `RETURNING`, which it lacks, come back through [`both!`](crate::both).
#[derive(MultiConnection)]
pub enum AnyConnection {
    /// The embedded engine.
    Sqlite(SqliteConnection),
    /// The server.
    Postgres(PgConnection),
}

/// Runs one expression against the engine's own connection, for what only the engines' own query
/// builders offer: upserts and `RETURNING`. It is also faster: for the two together, Diesel writes
/// out the SQL of a query several times for each use; for one engine it finds the statement that it
/// prepared by its type alone.
///
/// ```ignore
/// let row = both!(conn, c => diesel::insert_into(t::table).values(&new).on_conflict_do_nothing().execute(c))?;
/// ```
#[macro_export]
macro_rules! both {
    ($conn:expr, $c:ident => $body:expr) => {
        match $conn {
            $crate::Connection::Sqlite($c) => $body,
            $crate::Connection::Postgres($c) => $body,
        }
    };
}
