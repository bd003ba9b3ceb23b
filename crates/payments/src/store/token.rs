//! Issued tokens, for the daily quota: when, not what.

use contract::{ObjectId, Timestamp};
use diesel::prelude::*;
use store::Connection;

use crate::Error;
use crate::schema::issued_token;

/// When a client got its latest tokens after `since`, newest first.
pub(crate) fn issued_after(
    connection: &mut Connection,
    client_id: &str,
    since: Timestamp,
    limit: u32,
) -> Result<Vec<Timestamp>, Error> {
    Ok(issued_token::table
        .filter(issued_token::application_id.eq(client_id))
        .filter(issued_token::issued_ms.gt(since))
        .order(issued_token::issued_ms.desc())
        .limit(i64::from(limit))
        .select(issued_token::issued_ms)
        .load(connection)?)
}

pub(crate) fn insert(
    connection: &mut Connection,
    id: ObjectId,
    client_id: &str,
    issued: Timestamp,
) -> Result<(), Error> {
    diesel::insert_into(issued_token::table)
        .values((
            issued_token::id.eq(id),
            issued_token::application_id.eq(client_id),
            issued_token::issued_ms.eq(issued),
        ))
        .execute(connection)?;
    Ok(())
}

/// Forgets a client's tokens up to an instant: no quota counts them any more.
pub(crate) fn forget_until(
    connection: &mut Connection,
    client_id: &str,
    until: Timestamp,
) -> Result<(), Error> {
    let counted_out = issued_token::table
        .filter(issued_token::application_id.eq(client_id))
        .filter(issued_token::issued_ms.le(until));
    diesel::delete(counted_out).execute(connection)?;
    Ok(())
}
