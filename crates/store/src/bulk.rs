//! Writing many rows at once on a server.

use diesel::connection::SimpleConnection;
use diesel::{PgConnection, QueryResult};

/// Runs a statement that writes many rows, inside a transaction.
///
/// The server looks up what each of them refers to by a plan of its own. That one may be kept, since
/// it finds a row by its key: made anew for each row, it takes twice as long as the writing.
///
/// # Errors
/// What the statement answers with.
pub fn in_bulk<T>(
    connection: &mut PgConnection,
    write: impl FnOnce(&mut PgConnection) -> QueryResult<T>,
) -> QueryResult<T> {
    connection.batch_execute("SET LOCAL plan_cache_mode TO auto")?;
    let written = write(connection)?;
    connection.batch_execute("SET LOCAL plan_cache_mode TO force_custom_plan")?;
    Ok(written)
}
