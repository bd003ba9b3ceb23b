//! When each connection is swept: read for what no message told.

use contract::Timestamp;
use contract::id::ConnectionId;
use diesel::prelude::*;
use store::{Connection, both};

use crate::Error;
use crate::schema::{connection, inbox_sweep};

/// The connections that have credentials and are to be swept, or were never looked at.
pub(crate) fn due(c: &mut Connection, now: Timestamp) -> Result<Vec<ConnectionId>, Error> {
    let later = inbox_sweep::table
        .filter(inbox_sweep::id.eq(connection::id))
        .filter(inbox_sweep::due_ms.gt(now));
    let ids = connection::table
        .filter(connection::sealed_secret.is_not_null())
        .filter(diesel::dsl::not(diesel::dsl::exists(later)))
        .select(connection::id);
    Ok(both!(c, c => ids.load(c))?)
}

/// Takes the sweep that is due, inside a transaction that holds the connection's lock, and says when
/// the next one is. False if somebody else has it; and for a connection that was never looked at,
/// since who connects reads by himself.
pub(crate) fn claim(
    c: &mut Connection,
    id: ConnectionId,
    now: Timestamp,
    next: Timestamp,
) -> Result<bool, Error> {
    let due = inbox_sweep::table.find(id).select(inbox_sweep::due_ms);
    let due = both!(c, c => due.first::<Timestamp>(c).optional())?;
    if due.is_some_and(|due| now < due) {
        return Ok(false);
    }
    keep(c, id, next)?;
    Ok(due.is_some())
}

/// Something changed, and nobody knows what.
pub(super) fn soon(c: &mut Connection, id: ConnectionId, now: Timestamp) -> Result<(), Error> {
    keep(c, id, now)
}

fn keep(c: &mut Connection, id: ConnectionId, due: Timestamp) -> Result<(), Error> {
    let due = inbox_sweep::due_ms.eq(due);
    let insert = diesel::insert_into(inbox_sweep::table).values((inbox_sweep::id.eq(id), due));
    both!(c, c => insert.on_conflict(inbox_sweep::id).do_update().set(due).execute(c))?;
    Ok(())
}
